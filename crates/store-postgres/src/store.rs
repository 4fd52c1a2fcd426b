//! Runs batches: one lane a transaction, two round trips.

use std::collections::BTreeSet;
use std::time::Duration;

use deadpool_postgres::Object;
use domain::ids::{BatchId, OrderId, TenantId, TypedId as _};
use domain::needs::Needs;
use domain::time::Timestamp;
use engine::request::KeyDigest;
use engine::store::{LaneLoad, LaneWrite, Loaded, Store, StoreError};
use rows::Columns as _;
use tokio_postgres::types::Type;

use crate::columns::{RowColumns, read_all};
use crate::connections::Connections;
use crate::error::{Error, sort};
use crate::gather::{Roots, due_sql};
use crate::loading::{Loading, Part, answers, basics, lane_ask};
use crate::pipeline::{Ask, ask, ask_all, name_tenant};
use crate::write;

/// By how far the database's clock may be ahead of the server's own before it is not followed:
/// one mad clock must not end every hold.
const JUMP_MAX_MILLIS: i64 = 3_600_000;

/// Whose clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSource {
    /// The database's: servers on one database agree on the time.
    Database,
    /// The caller's, for demos that turn the clock and for simulation.
    Caller,
}

/// Runs batches on a connection of its own.
pub struct PostgresStore {
    connections: Connections,
    client: Option<Object>,
    /// Whether a transaction is open on it.
    open: bool,
    /// Claimed keys under which an answer stood when the batch was loaded.
    stood: BTreeSet<KeyDigest>,
    time: TimeSource,
}

impl PostgresStore {
    /// A store that takes its connection from `connections`.
    #[must_use]
    pub fn new(connections: Connections, time: TimeSource) -> Self {
        Self {
            connections,
            client: None,
            open: false,
            stood: BTreeSet::new(),
            time,
        }
    }

    async fn client(&mut self) -> Result<Object, StoreError> {
        match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => Ok(client),
            None => self.connections.get().await.map_err(sort),
        }
    }

    async fn load_lane(
        &self,
        client: &Object,
        lane: &LaneLoad<'_>,
        now: Timestamp,
    ) -> Result<Loaded, Error> {
        let roots = Roots::new(lane.needs);
        let at = match self.time {
            TimeSource::Database => None,
            TimeSource::Caller => Some(now.millis()),
        };
        let mut asks = vec![
            (Part::Nothing, Ask::new("BEGIN")),
            (Part::Nothing, name_tenant(lane.tenant)),
            (Part::Lane, lane_ask(lane.tenant, true)),
        ];
        asks.extend(basics(lane.tenant, lane.needs));
        asks.extend(answers(lane.tenant, lane.claims));
        asks.extend(roots.asks(lane.tenant, true));
        asks.extend(
            roots
                .due(lane.tenant, at, DUE_ASKED)
                .map(|ask| (Part::Due, ask)),
        );
        let mut loading = Loading::new(lane.tenant);
        bring(client, &mut loading, asks).await?;
        let writes = loading.state.lane.controls.read_only_since.is_none();
        if writes && lane.needs.due > 0 {
            sweep(client, &mut loading, (lane.tenant, lane.needs), at).await?;
        }
        if let Some(due) = loading.missing() {
            bring(client, &mut loading, due.asks(lane.tenant, true)).await?;
        }
        Ok(Loaded {
            now: self.followed(now, loading.now),
            state: loading.state,
            answers: loading.answers,
        })
    }

    /// The database's time, unless it is far ahead of ours.
    fn followed(&self, ours: Timestamp, theirs: Option<Timestamp>) -> Option<Timestamp> {
        let theirs = theirs.filter(|_| self.time == TimeSource::Database)?;
        if theirs.since(ours) > JUMP_MAX_MILLIS {
            tracing::error!(
                ahead_millis = theirs.since(ours),
                "the database's clock is ahead by more than an hour; not followed"
            );
            return None;
        }
        Some(theirs)
    }

    async fn commit_lane(&mut self, lane: &LaneWrite) -> Result<(), StoreError> {
        let Some(client) = self
            .client
            .take()
            .filter(|_| std::mem::take(&mut self.open))
        else {
            return Err(StoreError::Lost("no transaction is open".to_owned()));
        };
        let mut asks = write::asks(lane, &self.stood);
        asks.push(Ask::new("COMMIT"));
        let mut answers = ask_all(&client, &asks).await;
        let silent = matches!(answers.as_slice(), [Err(Error::Silent)]);
        let prepared = answers.len() == asks.len() || silent;
        let commit = answers.pop();
        // An error that the server itself told before the commit ends the transaction for certain.
        let told = |error: &Error| matches!(error, Error::Driver(e) if e.as_db_error().is_some());
        let failed = answers.into_iter().find_map(Result::err);
        match (failed, commit) {
            (None, Some(Ok(_))) => {
                self.client = Some(client);
                Ok(())
            }
            (Some(error), _) if told(&error) || !prepared => Err(self.failed(client, error).await),
            (None, Some(Err(error))) if !prepared => Err(self.failed(client, error).await),
            (error, commit) => {
                drop(Object::take(client));
                let error = error.or(commit.and_then(Result::err));
                let why = error.map_or_else(String::new, |error| error.to_string());
                Err(StoreError::Unknown(why))
            }
        }
    }

    /// Ends a transaction that failed. After a conflict the connection is as good as before; after
    /// anything else it may be to a stand-by, or hold plans that no longer hold.
    async fn failed(&mut self, client: Object, error: Error) -> StoreError {
        let error = sort(error);
        if matches!(error, StoreError::Conflict) {
            self.end(client).await;
        } else {
            drop(Object::take(client));
        }
        error
    }

    /// Ends a transaction that came to nothing; a connection that cannot even do that is given up.
    async fn end(&mut self, client: Object) {
        let ended = tokio::time::timeout(END_MAX, client.batch_execute("ROLLBACK")).await;
        if matches!(ended, Ok(Ok(()))) {
            self.client = Some(client);
        } else {
            drop(Object::take(client));
        }
    }
}

/// How long undoing a transaction may take.
const END_MAX: Duration = Duration::from_secs(2);

/// One more than a batch takes up, to know that there are more.
#[expect(clippy::cast_possible_wrap, reason = "a small constant")]
const DUE_ASKED: i64 = domain::limits::DUE_MAX as i64 + 1;

/// Asks for parts of a working set and takes them in.
pub(crate) async fn bring(
    client: &Object,
    loading: &mut Loading,
    asks: Vec<(Part, Ask<'_>)>,
) -> Result<(), Error> {
    let (parts, asks): (Vec<Part>, Vec<Ask<'_>>) = asks.into_iter().unzip();
    let answers = ask(client, &asks).await?;
    for (part, rows) in parts.into_iter().zip(answers) {
        loading.take(part, rows)?;
    }
    Ok(())
}

/// Adds what a sweep wants: the first due orders of all, and the first ones whose deadline is not
/// as the controls want it.
async fn sweep(
    client: &Object,
    loading: &mut Loading,
    (tenant, needs): (TenantId, &Needs),
    at: Option<i64>,
) -> Result<(), Error> {
    let most = i64::try_from(needs.due).unwrap_or(i64::MAX);
    let controls = loading.state.lane.controls;
    let mut asks = vec![untidy(tenant, controls, most)];
    if controls.cleanup_paused_at.is_none() {
        let ask = Ask::new(due_sql("", "$2", "$3")).tenant(tenant);
        let ask = ask.with(Type::INT8, at);
        asks.push(ask.with(Type::INT8, most.min(DUE_ASKED)));
    }
    let answers = ask(client, &asks).await?;
    let mut answers = answers.into_iter();
    let untidy = read_all(answers.next().unwrap_or_default(), |c: &mut RowColumns| {
        c.maybe_int()?;
        c.id::<OrderId>()
    })?;
    loading.untidy.extend(untidy.into_iter().take(needs.due));
    loading.take(Part::Due, answers.next().unwrap_or_default())
}

fn untidy<'a>(tenant: TenantId, controls: domain::control::Controls, most: i64) -> Ask<'a> {
    let span = |condition: &str| {
        format!(
            "(SELECT DISTINCT r.expires_at, r.order_id FROM stock_reservations r \
             JOIN orders o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id \
             WHERE r.status = 'active' AND r.tenant_id = $1 AND r.expires_at {condition} \
             AND o.on_hold_since IS NULL ORDER BY r.expires_at, r.order_id LIMIT $2)"
        )
    };
    let sql = match controls.expiry_resumed_at {
        _ if !controls.expiry_runs() => span("IS NOT NULL"),
        None => span("IS NULL"),
        Some(at) => format!(
            "{} UNION ALL {}",
            span("IS NULL"),
            span(&format!("<= {}", at.millis()))
        ),
    };
    Ask::new(sql).tenant(tenant).with(Type::INT8, most)
}

impl Store for PostgresStore {
    /// Row-level security is set for one tenant a transaction.
    fn lanes_per_batch(&self) -> usize {
        1
    }

    async fn load(
        &mut self,
        lanes: &[LaneLoad<'_>],
        now: Timestamp,
    ) -> Result<Vec<Loaded>, StoreError> {
        self.abandon().await?;
        let [lane] = lanes else {
            return Err(StoreError::Corrupt("one lane a transaction".to_owned()));
        };
        let client = self.client().await?;
        match self.load_lane(&client, lane, now).await {
            Ok(loaded) => {
                self.client = Some(client);
                self.open = true;
                self.stood = loaded.answers.keys().copied().collect();
                Ok(vec![loaded])
            }
            Err(error) => Err(self.failed(client, error).await),
        }
    }

    async fn commit(
        &mut self,
        lanes: &[LaneWrite],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let [lane] = lanes else {
            return Err(StoreError::Corrupt("one lane a transaction".to_owned()));
        };
        self.commit_lane(lane).await.map(|()| vec![Ok(())])
    }

    async fn abandon(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.open)
            && let Some(client) = self.client.take()
        {
            self.end(client).await;
        }
        Ok(())
    }

    /// Waits for the lane first: a backend that has lost its client may still be committing.
    async fn resolve(&mut self, tenant: TenantId, batch: BatchId) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let sql = "SELECT batch_id FROM batches WHERE tenant_id = $1 AND batch_id = $2";
        let note = Ask::new(sql).tenant(tenant);
        let asks = [
            Ask::new("BEGIN"),
            name_tenant(tenant),
            lane_ask(tenant, true),
            note.with(Type::UUID, batch.uuid()),
            Ask::new("COMMIT"),
        ];
        match ask(&client, &asks).await {
            Ok(answers) => {
                self.client = Some(client);
                Ok(answers.get(3).is_some_and(|rows| !rows.is_empty()))
            }
            Err(error) => Err(self.failed(client, error).await),
        }
    }
}
