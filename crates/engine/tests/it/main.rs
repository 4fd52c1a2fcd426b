//! Lanes and executor over a store that can be told to fail.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod lanes;

use std::sync::Arc;
use std::sync::Mutex;

use domain::command::{Command, Decision, Seal};
use domain::decide::{CreateCart, CreateTenant};
use domain::event::Event;
use domain::ids::{BatchId, TenantId};
use domain::money::Currency;
use domain::order::Order;
use domain::state::State;
use domain::time::Timestamp;
use engine::clock::{ManualClock, SeededEntropy};
use engine::codec::{Codec, Encoded};
use engine::executor::{Executor, ExecutorOptions};
use engine::handle::Handle;
use engine::lanes::{LaneOptions, Lanes};
use engine::memory_store::MemoryStore;
use engine::request::platform;
use engine::stats::Stats;
use engine::store::{LaneLoad, LaneWrite, Loaded, Store, StoreError};

/// How the next commits end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    /// Another writer was there first.
    Conflict,
    /// Written, but the caller does not learn it.
    UnknownDone,
    /// Not written, and the caller does not learn it.
    UnknownLost,
    /// Written, but the caller does not learn it, and whenever it asks another holds the lane.
    UnknownHeld,
    /// The database is away.
    Away,
}

/// The lanes of one commit, with the answers kept under keys.
type Commit = Vec<(TenantId, usize)>;

/// What a test says to the store, and what it learns from it.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) fates: Arc<Mutex<Vec<Fate>>>,
    /// Which lanes each transaction loaded.
    pub(crate) loads: Arc<Mutex<Vec<Vec<TenantId>>>>,
    /// Which lanes each commit had, with their answers kept under keys.
    pub(crate) commits: Arc<Mutex<Vec<Commit>>>,
}

/// A memory store that follows a script.
pub(crate) struct Scripted {
    inner: MemoryStore,
    /// Whether another holds the lane whenever an outcome is asked for.
    held: bool,
    script: Script,
}

impl Store for Scripted {
    fn lanes_per_batch(&self) -> usize {
        4
    }

    async fn load(
        &mut self,
        lanes: &[LaneLoad<'_>],
        now: Timestamp,
    ) -> Result<Vec<Loaded>, StoreError> {
        let tenants = lanes.iter().map(|lane| lane.tenant).collect();
        self.script.loads.lock().unwrap().push(tenants);
        self.inner.load(lanes, now).await
    }

    async fn commit(
        &mut self,
        lanes: &[LaneWrite],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let sizes = lanes
            .iter()
            .map(|lane| (lane.tenant, lane.answers.len()))
            .collect();
        self.script.commits.lock().unwrap().push(sizes);
        let fate = self.script.fates.lock().unwrap().pop();
        match fate {
            None => self.inner.commit(lanes).await,
            Some(Fate::Conflict) => Err(StoreError::Conflict),
            Some(Fate::Away) => Err(StoreError::Unavailable("away".to_owned())),
            Some(Fate::UnknownLost) => Err(StoreError::Unknown("cut".to_owned())),
            Some(Fate::UnknownDone | Fate::UnknownHeld) => {
                self.held = fate == Some(Fate::UnknownHeld);
                self.inner.commit(lanes).await?;
                Err(StoreError::Unknown("cut".to_owned()))
            }
        }
    }

    async fn abandon(&mut self) -> Result<(), StoreError> {
        self.inner.abandon().await
    }

    async fn resolve(&mut self, tenant: TenantId, batch: BatchId) -> Result<bool, StoreError> {
        if self.held {
            return Err(StoreError::Conflict);
        }
        self.inner.resolve(tenant, batch).await
    }
}

/// Answers with what was decided, in debug words.
struct Words;

impl Seal for Words {
    fn seal(&self, order: &Order) -> String {
        order.id.to_string()
    }
}

impl Codec for Words {
    fn answer(&self, _state: &State, decision: &Decision) -> Encoded {
        Encoded {
            status: 200,
            body: format!("{:?}", decision.reply).into(),
        }
    }

    fn event(&self, _event: &Event) -> (&'static str, Vec<u8>) {
        ("event", Vec::new())
    }

    fn read_event(&self, _kind: &str, _payload: &[u8]) -> Result<Event, String> {
        Err("not read here".to_owned())
    }
}

/// Lanes with everything around them; the executor runs when a test lets it.
pub(crate) struct Rig {
    pub(crate) handle: Handle,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) script: Script,
    executor: Option<Executor<Scripted>>,
}

impl Rig {
    pub(crate) fn new(lane_depth_max: usize, batch_count_max: usize) -> Self {
        let options = LaneOptions {
            lane_depth_max,
            total_depth_max: lane_depth_max * 4,
            batch_count_max,
            wait_max_millis: 10_000,
        };
        let lanes = Arc::new(Lanes::new(options));
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
        let entropy = Arc::new(SeededEntropy::new(1));
        let stats = Arc::new(Stats::default());
        let script = Script::default();
        let executor = Executor {
            store: Scripted {
                inner: MemoryStore::default(),
                held: false,
                script: script.clone(),
            },
            lanes: Arc::clone(&lanes),
            codec: Arc::new(Words),
            clock: clock.clone(),
            entropy: entropy.clone(),
            stats: Arc::clone(&stats),
            options: ExecutorOptions {
                payment_timeout_minutes: 15,
                answers_kept_millis: 1_000,
                retries_max: 3,
                retry_backoff_millis: 100,
            },
        };
        let handle = Handle::new(
            Arc::new([Arc::clone(&lanes)]),
            clock.clone(),
            entropy,
            Arc::clone(&stats),
        );
        Self {
            handle,
            lanes,
            clock,
            stats,
            script,
            executor: Some(executor),
        }
    }

    /// The executor's work, until the lanes are closed.
    pub(crate) fn executor(&mut self) -> impl Future<Output = ()> + use<> {
        self.executor.take().expect("it runs once").run()
    }
}

/// A command that makes a tenant, in the platform's lane.
pub(crate) fn make_tenant(slug: &str) -> (TenantId, Command) {
    let command = CreateTenant {
        slug: slug.to_owned(),
        name: slug.to_owned(),
        default_currency: Currency::parse("EUR").unwrap(),
    };
    (platform(), command.into())
}

/// A command that makes a cart.
pub(crate) fn make_cart() -> Command {
    CreateCart::default().into()
}
