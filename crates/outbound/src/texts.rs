//! Texts that come from outside, fit to be kept: no U+0000, which PostgreSQL cannot hold, and no longer
//! than anything that is looked up.

use sha2::{Digest as _, Sha256};

/// Characters of the longest text that is kept of a message, beside its raw body.
const LONGEST: usize = 255;

/// A text without what cannot be kept.
#[must_use]
pub(crate) fn kept(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(LONGEST).collect()
}

/// A name that tells messages apart: one that is too long, or could not be kept, by its digest.
#[must_use]
pub(crate) fn name(text: &str) -> String {
    if text.len() <= LONGEST && !text.contains('\0') {
        return text.to_owned();
    }
    format!("sha256:{}", hex(&Sha256::digest(text.as_bytes())))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_kept_is_left_out_or_digested() {
        assert_eq!((kept("a\0b"), kept("ü")), ("ab".to_owned(), "ü".to_owned()));
        assert_eq!(kept(&"x".repeat(10_000)).len(), 255);
        assert_eq!(name("msg_1"), "msg_1");
        let (one, other) = (name(&"x".repeat(256)), name(&"x".repeat(257)));
        assert!(one != other && one.len() == 71, "{one}");
        assert!(name("a\0").starts_with("sha256:"));
    }
}
