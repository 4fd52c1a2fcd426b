//! A streaming replica that takes lists off the primary, for as long as it is fit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_postgres::types::PgLsn;
use tokio_util::sync::CancellationToken;

use crate::connections::Connections;
use crate::error::Error;

/// How often it is looked at. What the primary had written at one look must be replayed by the
/// next one, so this is how far lists may be behind, twice.
const LOOK: Duration = Duration::from_millis(500);

/// How long a look may take.
const LOOK_MAX: Duration = Duration::from_secs(2);

/// A replica, and whether it is used.
#[derive(Clone)]
pub struct Replica {
    connections: Connections,
    fit: Arc<AtomicBool>,
}

impl Replica {
    /// A replica that is used once it was looked at.
    #[must_use]
    pub fn new(connections: Connections) -> Self {
        Self {
            connections,
            fit: Arc::default(),
        }
    }

    /// Its connections, while it is fit.
    pub(crate) fn fit(&self) -> Option<&Connections> {
        self.fit
            .load(Ordering::Relaxed)
            .then_some(&self.connections)
    }

    /// Uses it no longer, until it has been looked at again.
    pub(crate) fn leave_out(&self, why: &str) {
        if self.fit.swap(false, Ordering::Relaxed) {
            tracing::warn!(why, "the read replica is left out");
        }
    }

    /// Looks at it until `stop`.
    pub async fn watch(self, primary: Connections, stop: CancellationToken) {
        let mut written = None;
        loop {
            let look = tokio::time::timeout(LOOK_MAX, self.look(&primary, written));
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = look => looked.unwrap_or(Err(Error::Silent)),
            };
            written = looked.as_ref().ok().map(|(now, _)| *now);
            match looked {
                Ok((_, true)) => {
                    if !self.fit.swap(true, Ordering::Relaxed) {
                        tracing::info!("the read replica is used");
                    }
                }
                Ok((_, false)) => self.leave_out("it lags behind"),
                Err(error) => self.leave_out(&error.to_string()),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// What the primary has written by now, and whether what it had written at the last look has
    /// been replayed.
    async fn look(
        &self,
        primary: &Connections,
        written: Option<PgLsn>,
    ) -> Result<(PgLsn, bool), Error> {
        let replayed = self.connections.get().await?;
        let replayed = replayed
            .query_one("SELECT pg_last_wal_replay_lsn()", &[])
            .await?;
        let replayed: Option<PgLsn> = replayed.try_get(0)?;
        let now = primary.get().await?;
        let now = now.query_one("SELECT pg_current_wal_lsn()", &[]).await?;
        // A server that is no replica any more replays nothing.
        let fit = replayed >= written && replayed.is_some() && written.is_some();
        Ok((now.try_get(0)?, fit))
    }
}
