//! The writer: one connection, one transaction at a time, several lanes in each.

use std::path::PathBuf;
use std::sync::Arc;

use domain::ids::{BatchId, TenantId};
use domain::time::Timestamp;
use engine::store::{LaneLoad, LaneWrite, Loaded, Store, StoreError};
use rusqlite::{Connection, Result};

use crate::answers;
use crate::checkpoint::Pressure;
use crate::error::sort;
use crate::load::load;
use crate::write::write;

/// Lanes that share one transaction, so that ten tenants don't cost ten fsyncs.
const LANES_PER_BATCH: usize = 16;

/// Runs batches on its own connection. Its futures are ready at once: it is meant for a thread of
/// its own.
pub struct SqliteStore {
    conn: Connection,
    pressure: Arc<Pressure>,
    open: bool,
    /// Held for as long as the store lives: keeps a second process out.
    _lock: Option<(PathBuf, std::fs::File)>,
}

impl SqliteStore {
    pub(crate) fn new(
        conn: Connection,
        pressure: Arc<Pressure>,
        lock: Option<(PathBuf, std::fs::File)>,
    ) -> Self {
        Self {
            conn,
            pressure,
            open: false,
            _lock: lock,
        }
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.end()?;
        self.conn.execute_batch("BEGIN IMMEDIATE").map_err(sort)?;
        self.open = true;
        Ok(())
    }

    /// Undoes an open transaction, unless SQLite has done so itself, as it does on a full disk.
    fn end(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.open) && !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK").map_err(sort)?;
        }
        Ok(())
    }

    /// Undoes an open transaction after an error, which is what the caller must learn.
    fn end_after<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err()
            && let Err(error) = self.end()
        {
            tracing::error!(%error, "a transaction could not be undone");
        }
        result
    }

    fn load_all(
        &mut self,
        lanes: &[LaneLoad<'_>],
        now: Timestamp,
    ) -> Result<Vec<Loaded>, StoreError> {
        self.begin()?;
        let load_lane = |lane: &LaneLoad<'_>| {
            let state = load(&self.conn, lane.tenant, lane.needs, Some(now))?;
            let answers = answers::find(&self.conn, lane.claims)?;
            Ok(Loaded {
                state,
                answers,
                now: None,
            })
        };
        lanes
            .iter()
            .map(load_lane)
            .collect::<Result<Vec<_>>>()
            .map_err(sort)
    }

    /// Writes each lane behind a savepoint, so that one lane's failure is not the others'.
    fn commit_all(
        &mut self,
        lanes: &[LaneWrite],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let mut results = Vec::with_capacity(lanes.len());
        for lane in lanes {
            self.conn.execute_batch("SAVEPOINT lane").map_err(sort)?;
            let written = write(&self.conn, lane);
            if written.is_err() && self.conn.is_autocommit() {
                // The whole transaction is gone, the other lanes' shares with it.
                written?;
                continue;
            }
            let end = if written.is_ok() {
                "RELEASE lane"
            } else {
                "ROLLBACK TO lane; RELEASE lane"
            };
            self.conn.execute_batch(end).map_err(sort)?;
            if let [_] = lanes {
                // Alone in its transaction, a lane can be decided anew.
                written?;
                results.push(Ok(()));
            } else {
                results.push(written);
            }
        }
        self.conn.execute_batch("COMMIT").map_err(sort)?;
        self.open = false;
        // The commit stands whatever becomes of the checkpoint.
        if let Err(error) = self.pressure.relieve(&self.conn) {
            tracing::warn!(%error, "a checkpoint failed; it will be tried again");
        }
        Ok(results)
    }
}

impl Store for SqliteStore {
    fn lanes_per_batch(&self) -> usize {
        LANES_PER_BATCH
    }

    async fn load(
        &mut self,
        lanes: &[LaneLoad<'_>],
        now: Timestamp,
    ) -> Result<Vec<Loaded>, StoreError> {
        let loaded = self.load_all(lanes, now);
        self.end_after(loaded)
    }

    async fn commit(
        &mut self,
        lanes: &[LaneWrite],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let committed = self.commit_all(lanes);
        self.end_after(committed)
    }

    async fn abandon(&mut self) -> Result<(), StoreError> {
        self.end()
    }

    async fn resolve(&mut self, _tenant: TenantId, _batch: BatchId) -> Result<bool, StoreError> {
        // SQLite's commit returns with its outcome, or the process ends.
        Err(StoreError::Unavailable(
            "no commit of unknown outcome exists here".to_owned(),
        ))
    }
}
