//! What is being worked on: one caller at a time for each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::Uuid;
use tokio::sync::OwnedMutexGuard;

type Locks = BTreeMap<Uuid, Arc<tokio::sync::Mutex<()>>>;

/// Locks by id, as long as somebody holds or wants one.
#[derive(Default)]
pub(super) struct Busy(Mutex<Locks>);

/// A lock that is held.
pub(super) struct Alone<'a> {
    busy: &'a Busy,
    id: Uuid,
    /// Whether somebody else had it before.
    pub(super) waited: bool,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Busy {
    fn locks(&self) -> MutexGuard<'_, Locks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn lock(&self, id: Uuid) -> Alone<'_> {
        let lock = Arc::clone(self.locks().entry(id).or_default());
        let mut alone = Alone {
            busy: self,
            id,
            waited: lock.try_lock().is_err(),
            guard: None,
        };
        alone.guard = Some(lock.lock_owned().await);
        alone
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.guard = None;
        let mut locks = self.busy.locks();
        // Whoever else wants it has a share of it, and took that under the same lock.
        if locks
            .get(&self.id)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            locks.remove(&self.id);
        }
    }
}
