//! The store port: load what a batch needs, write what it changed, commit once.

use std::collections::BTreeMap;

use domain::event::Recorded;
use domain::ids::{BatchId, TenantId};
use domain::needs::Needs;
use domain::state::{Lane, State};
use domain::time::Timestamp;

use crate::request::{KeyDigest, StoredAnswer};

/// How a store failed. A batch ends in one of three ways: committed, certainly not committed
/// (every kind but `Unknown`), or unknown.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was there first; the batch may be decided anew.
    #[error("conflict with another writer")]
    Conflict,
    /// The connection was lost before anything could be committed; the batch may be decided anew.
    #[error("the connection to the database was lost: {0}")]
    Lost(String),
    /// The database cannot be reached or is full; certainly nothing was written.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The commit was sent and its outcome is not known; [`Store::resolve`] finds out.
    #[error("the outcome of a commit is unknown: {0}")]
    Unknown(String),
    /// What is stored cannot be read, or broke a constraint: a bug, ours or somebody's.
    #[error("the database holds or refused something that must not be: {0}")]
    Corrupt(String),
}

/// What one lane needs loaded.
#[derive(Debug)]
pub struct LaneLoad<'a> {
    /// The tenant; the nil id is the platform's own lane.
    pub tenant: TenantId,
    /// The keys that its commands name.
    pub needs: &'a Needs,
    /// The idempotency keys that they claim.
    pub claims: &'a [KeyDigest],
}

/// What was loaded for one lane.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The working set.
    pub state: State,
    /// The answers that stand under claimed keys.
    pub answers: BTreeMap<KeyDigest, StoredAnswer>,
    /// The time of the store's own clock, where it has one that counts.
    pub now: Option<Timestamp>,
}

/// An event with its encoded payload.
#[derive(Clone, Debug)]
pub struct Journaled {
    /// The event.
    pub recorded: Recorded,
    /// Its type.
    pub kind: &'static str,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// What one lane wants written.
#[derive(Debug)]
pub struct LaneWrite {
    /// The tenant.
    pub tenant: TenantId,
    /// The batch, so that a commit of unknown outcome can be looked up.
    pub batch: BatchId,
    /// The lane's row as it was loaded; another one in the store means another writer.
    pub before: Lane,
    /// The working set; its changed rows are written.
    pub state: State,
    /// The new events.
    pub events: Vec<Journaled>,
    /// The new answers under their keys.
    pub answers: Vec<(KeyDigest, StoredAnswer)>,
    /// Answers older than this may be dropped.
    pub forget_before: Timestamp,
}

/// A connection that can run one batch at a time.
///
/// `load` opens a transaction with the lanes locked; `commit` or `abandon` ends it. Loading again
/// without either first undoes what was open.
pub trait Store: Send {
    /// How many lanes one transaction may hold.
    fn lanes_per_batch(&self) -> usize;

    /// Locks the lanes and loads what they need, in the order given. `now` is the caller's clock:
    /// holds that are due at the later of it and the lane's `last_at` come along.
    fn load(
        &mut self,
        lanes: &[LaneLoad<'_>],
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Loaded>, StoreError>> + Send;

    /// Writes all lanes and commits. The outer error concerns all of them; an inner one only its
    /// lane, of which nothing was written.
    fn commit(
        &mut self,
        lanes: &[LaneWrite],
    ) -> impl Future<Output = Result<Vec<Result<(), StoreError>>, StoreError>> + Send;

    /// Ends the transaction without writing.
    fn abandon(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether a batch whose commit had an unknown outcome was committed.
    fn resolve(
        &mut self,
        tenant: TenantId,
        batch: BatchId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
