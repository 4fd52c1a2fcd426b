//! Who calls: the key decides the tenant.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use domain::ids::{KeyId, TenantId};
use domain::tenant::{ApiKey, KeyKind};
use engine::reader::Reader;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;
use wire::problem::Problem;

use crate::call::unreadable;
use crate::keys::{KeyHasher, is_well_formed};

/// How long a key is remembered without asking the database again, whoever revoked it.
const REMEMBERED_FOR: Duration = Duration::from_secs(1);
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
    known: RwLock<HashMap<[u8; 32], (ApiKey, Instant)>>,
    /// Rises whenever keys are forgotten, so that a slow look-up cannot bring one back.
    forgotten: AtomicU64,
}

impl KeyRing {
    /// An empty ring.
    #[must_use]
    pub fn new(hasher: KeyHasher, reader: Arc<dyn Reader>) -> Self {
        Self {
            hasher,
            reader,
            known: RwLock::default(),
            forgotten: AtomicU64::new(0),
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
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        known.retain(|_, (key, _)| key.id != id);
    }

    /// Forgets all keys: another server may have revoked any.
    pub fn forget_all(&self) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        known.clear();
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
            let fresh = |(_, at): &&(ApiKey, Instant)| at.elapsed() < REMEMBERED_FOR;
            ring.get(&hash).filter(fresh).map(|(key, _)| key.clone())
        };
        let before = self.forgotten.load(Ordering::SeqCst);
        if known.is_some() {
            return Ok(known);
        }
        let found = self
            .reader
            .key_by_hash(hash)
            .await
            .map_err(|error| unreadable(&error))?;
        let found = found.filter(|key| {
            let same: bool = key.hash.ct_eq(&hash).into();
            same && key.revoked_at.is_none()
        });
        if let Some(key) = &found {
            let mut ring = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if ring.len() >= REMEMBERED_MAX {
                ring.clear();
            }
            if self.forgotten.load(Ordering::SeqCst) == before {
                ring.insert(hash, (key.clone(), Instant::now()));
            }
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
