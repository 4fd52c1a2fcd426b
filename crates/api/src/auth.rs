//! Who calls: the key decides the tenant.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use domain::ids::{KeyId, TenantId};
use domain::tenant::{ApiKey, KeyKind};
use engine::reader::Reader;
use subtle::ConstantTimeEq as _;
use wire::problem::Problem;

use crate::keys::{KeyHasher, is_well_formed};

/// Keys that are remembered at most.
const REMEMBERED_MAX: usize = 10_000;

/// A caller that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its tenant; the platform's own lane for a platform key.
    pub tenant: TenantId,
    /// What it may do.
    pub kind: KeyKind,
    /// Its key; `None` for a caller without one, in a demo.
    pub key: Option<KeyId>,
}

/// Knows keys by their hashes; asks the database once for each and forgets those that are revoked.
pub struct KeyRing {
    hasher: KeyHasher,
    reader: Arc<dyn Reader>,
    known: RwLock<HashMap<[u8; 32], ApiKey>>,
}

impl KeyRing {
    /// An empty ring.
    #[must_use]
    pub fn new(hasher: KeyHasher, reader: Arc<dyn Reader>) -> Self {
        Self {
            hasher,
            reader,
            known: RwLock::default(),
        }
    }

    /// Hashes a key as it is stored.
    #[must_use]
    pub fn hash(&self, key: &str) -> [u8; 32] {
        self.hasher.hash(key)
    }

    /// Forgets a key at once; the next request with it asks the database.
    pub fn forget(&self, id: KeyId) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, key| key.id != id);
    }

    /// The caller of these headers; `Ok(None)` without an `Authorization` header.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let refused = || Problem::new("unauthorized", "the API key is unknown or revoked");
        if values.next().is_some() {
            return Err(Problem::new(
                "unauthorized",
                "Authorization stands more than once",
            ));
        }
        let key = value.to_str().ok().and_then(bearer).ok_or_else(refused)?;
        if !is_well_formed(key) {
            return Err(refused());
        }
        let found = self
            .find(self.hasher.hash(key))
            .await?
            .ok_or_else(refused)?;
        Ok(Some(Caller {
            tenant: found.tenant_id,
            kind: found.kind,
            key: Some(found.id),
        }))
    }

    async fn find(&self, hash: [u8; 32]) -> Result<Option<ApiKey>, Problem> {
        let known = {
            let ring = self.known.read().unwrap_or_else(PoisonError::into_inner);
            ring.get(&hash).cloned()
        };
        if known.is_some() {
            return Ok(known);
        }
        let unavailable = |_| Problem::new("store_unavailable", "the database is away");
        let found = self.reader.key_by_hash(hash).await.map_err(unavailable)?;
        let found = found.filter(|key| {
            let same: bool = key.hash.ct_eq(&hash).into();
            same && key.revoked_at.is_none()
        });
        if let Some(key) = &found {
            let mut ring = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if ring.len() >= REMEMBERED_MAX {
                ring.clear();
            }
            ring.insert(hash, key.clone());
        }
        Ok(found)
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| key.trim_start_matches(' '))
}
