//! Secrets of accounts, sealed with ChaCha20-Poly1305 (RFC 8439) under a key that does not stand in
//! the database. What is sealed for one tenant, provider and address opens for no other.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::ids::{TenantId, TypedId as _};
use domain::payment::Provider;
use engine::provider::NoKey;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

/// Bytes that tell which key has sealed.
const NAME: usize = 4;
const NONCE: usize = 12;

/// Keys: the first one seals, all of them open.
#[derive(Clone, Default)]
pub struct Vault {
    keys: Vec<[u8; 32]>,
}

/// Not a list of keys.
#[derive(Debug, thiserror::Error)]
#[error("keys for secrets are the base64 of 32 bytes each, separated by commas")]
pub struct NotKeys;

fn name(key: &[u8; 32]) -> [u8; NAME] {
    let mut name = [0; NAME];
    name.copy_from_slice(&Sha256::digest(key)[..NAME]);
    name
}

fn aead(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key)
        .ok()
        .map(LessSafeKey::new)
}

/// Whose secrets they are: the tenant's, with a provider, for an account of these values.
pub type Owner<'a> = (TenantId, Provider, &'a BTreeMap<String, String>);

fn bound((tenant, provider, values): Owner<'_>) -> Aad<Vec<u8>> {
    let mut bytes = tenant.uuid().as_bytes().to_vec();
    bytes.extend(provider.name().as_bytes());
    bytes.extend(serde_json::to_vec(values).unwrap_or_default());
    Aad::from(bytes)
}

impl Vault {
    /// With a key that is derived from a server's pepper.
    #[must_use]
    pub fn derived(pepper: &[u8; 32]) -> Self {
        let mac = Hmac::<Sha256>::new_from_slice(pepper);
        let mut mac = mac.expect("HMAC takes a key of any length");
        mac.update(b"payment-accounts");
        Self {
            keys: vec![mac.finalize().into_bytes().into()],
        }
    }

    /// With the keys of a setting: base64 of 32 bytes each, separated by commas, the newest first.
    pub fn parse(text: &str) -> Result<Self, NotKeys> {
        let key = |text: &str| {
            let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| NotKeys)?;
            <[u8; 32]>::try_from(bytes).map_err(|_| NotKeys)
        };
        let keys = text.split(',').map(key).collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// Seals secrets with the newest key.
    pub fn seal(
        &self,
        owner: Owner<'_>,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, NoKey> {
        let key = self.keys.first().ok_or(NoKey)?;
        let mut nonce = [0; NONCE];
        SystemRandom::new().fill(&mut nonce).map_err(|_| NoKey)?;
        let mut text = serde_json::to_vec(secrets).map_err(|_| NoKey)?;
        let aead = aead(key).ok_or(NoKey)?;
        let (once, bound) = (Nonce::assume_unique_for_key(nonce), bound(owner));
        aead.seal_in_place_append_tag(once, bound, &mut text)
            .map_err(|_| NoKey)?;
        Ok([&name(key)[..], &nonce, &text].concat())
    }

    /// Opens what was sealed for this tenant and provider; `None` where no key does.
    #[must_use]
    pub fn open(&self, owner: Owner<'_>, sealed: &[u8]) -> Option<BTreeMap<String, String>> {
        let (by, rest) = sealed.split_first_chunk::<NAME>()?;
        let (nonce, text) = rest.split_first_chunk::<NONCE>()?;
        let key = self.keys.iter().find(|key| name(key) == *by)?;
        let mut text = text.to_vec();
        let once = Nonce::assume_unique_for_key(*nonce);
        let aead = aead(key)?;
        let opened = aead.open_in_place(once, bound(owner), &mut text);
        serde_json::from_slice(opened.ok()?).ok()
    }

    /// Whether the newest key has sealed it.
    #[must_use]
    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        let newest = self.keys.first().map(name);
        newest.is_some_and(|newest| sealed.starts_with(&newest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> BTreeMap<String, String> {
        BTreeMap::from([("secret_key".to_owned(), "hush".to_owned())])
    }

    #[test]
    fn what_is_sealed_opens_for_its_owner_and_with_its_key_only() {
        let tenant = TenantId::from_uuid(domain::ids::Uuid::from_u128(1));
        let other = TenantId::from_uuid(domain::ids::Uuid::from_u128(2));
        let (stripe, vnpay) = (Provider::Stripe, Provider::Vnpay);
        let values = BTreeMap::from([("api_url".to_owned(), "https://one".to_owned())]);
        let elsewhere = BTreeMap::from([("api_url".to_owned(), "https://two".to_owned())]);
        let old = BASE64_STANDARD.encode([7; 32]);
        let new = BASE64_STANDARD.encode([8; 32]);
        let vault = Vault::parse(&old).unwrap();
        let sealed = vault.seal((tenant, stripe, &values), &secrets()).unwrap();
        assert_ne!(
            vault.seal((tenant, stripe, &values), &secrets()).unwrap(),
            sealed
        );
        assert!(!sealed.windows(4).any(|part| part == b"hush"));
        assert_eq!(
            vault.open((tenant, stripe, &values), &sealed),
            Some(secrets())
        );
        assert_eq!(vault.open((other, stripe, &values), &sealed), None);
        assert_eq!(vault.open((tenant, vnpay, &values), &sealed), None);
        assert_eq!(vault.open((tenant, stripe, &elsewhere), &sealed), None);
        for place in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[place] ^= 1;
            assert_eq!(
                vault.open((tenant, stripe, &values), &forged),
                None,
                "byte {place}"
            );
        }
        let rotated = Vault::parse(&format!("{new}, {old}")).unwrap();
        assert_eq!(
            rotated.open((tenant, stripe, &values), &sealed),
            Some(secrets())
        );
        assert!(!rotated.is_newest(&sealed));
        let sealed = rotated.seal((tenant, stripe, &values), &secrets()).unwrap();
        assert!(rotated.is_newest(&sealed));
        assert_eq!(vault.open((tenant, stripe, &values), &sealed), None);
        assert_eq!(
            Vault::default().seal((tenant, stripe, &values), &secrets()),
            Err(NoKey)
        );
        assert!(Vault::parse("short").is_err());
    }
}
