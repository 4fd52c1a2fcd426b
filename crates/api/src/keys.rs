//! API keys: `sk_`, `pk_` or `plat_`, 26 random characters and a checksum of six.
//!
//! 26 characters of 62 carry 154 bits. The checksum (CRC-32 in base 62) lets garbage be refused
//! without a look at the database. Stored is only the key's HMAC-SHA256 under the server's pepper.

use domain::tenant::KeyKind;
use engine::clock::Entropy;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 26;
const CHECKSUM: usize = 6;
/// Characters of a key that may be shown to recognise it by.
const SHOWN: usize = 10;

const fn prefix(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Secret => "sk_",
        KeyKind::Publishable => "pk_",
        KeyKind::Platform => "plat_",
    }
}

/// Makes a new key.
#[must_use]
pub fn generate(kind: KeyKind, entropy: &dyn Entropy) -> String {
    let mut key = prefix(kind).to_owned();
    while key.len() < prefix(kind).len() + RANDOM {
        let mut byte = [0];
        entropy.fill(&mut byte);
        // 248 is the largest multiple of 62 in a byte: beyond it the choice would lean.
        if byte[0] < 248 {
            key.push(char::from(ALPHABET[usize::from(byte[0] % 62)]));
        }
    }
    let checksum = checksum(&key);
    key + &checksum
}

/// The first characters of a key.
#[must_use]
pub fn shown(key: &str) -> String {
    key.chars().take(SHOWN).collect()
}

/// Whether a text looks like one of our keys, checksum included.
#[must_use]
pub fn is_well_formed(key: &str) -> bool {
    let kinds = [KeyKind::Secret, KeyKind::Publishable, KeyKind::Platform];
    kinds.into_iter().map(prefix).any(|prefix| {
        key.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() == RANDOM + CHECKSUM
                && rest.bytes().all(|byte| ALPHABET.contains(&byte))
                && key.is_char_boundary(key.len() - CHECKSUM)
                && checksum(&key[..key.len() - CHECKSUM]) == key[key.len() - CHECKSUM..]
        })
    })
}

fn checksum(key: &str) -> String {
    let mut rest = u64::from(crc32fast::hash(key.as_bytes()));
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[usize::try_from(rest % 62).unwrap_or(0)];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// Hashes keys under the server's pepper.
#[derive(Clone)]
pub struct KeyHasher(Hmac<Sha256>);

impl KeyHasher {
    /// A hasher under this pepper.
    #[must_use]
    pub fn new(pepper: &[u8; 32]) -> Self {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(pepper).expect("HMAC takes a key of any length");
        mac.update(b"api-key:");
        Self(mac)
    }

    /// What is stored of a key.
    #[must_use]
    pub fn hash(&self, key: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(key.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::clock::SeededEntropy;

    #[test]
    fn keys_are_well_formed_and_typos_are_not() {
        let entropy = SeededEntropy::new(7);
        for kind in [KeyKind::Secret, KeyKind::Publishable, KeyKind::Platform] {
            let key = generate(kind, &entropy);
            assert!(is_well_formed(&key), "{key}");
            for at in 0..key.len() {
                let mut typo = key.clone().into_bytes();
                typo[at] = if typo[at] == b'x' { b'y' } else { b'x' };
                assert!(!is_well_formed(&String::from_utf8(typo).unwrap()));
            }
            assert_ne!(key, generate(kind, &entropy));
        }
        for wrong in [
            "",
            "sk_",
            "sk_é",
            "pk_00000000000000000000000000000000",
            "\u{1F600}",
        ] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }
}
