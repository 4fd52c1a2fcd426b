//! The PostgreSQL store against the conformance suite, its schema and its last lines of defence.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod apart;
mod conformance;
mod copy;
mod encrypted;
mod listen;
mod schema;

use std::sync::Arc;

use domain::ids::{BatchId, TenantId};
use domain::time::Timestamp;
use engine::reader::Snapshot;
use engine::store::{LaneLoad, LaneWrite, Loaded, Store, StoreError};
use sim::world::Watched;
use store_postgres::address::Address;
use store_postgres::connections::Connections;
use store_postgres::migrate;
use store_postgres::snapshot::PostgresSnapshot;
use store_postgres::store::{PostgresStore, TimeSource};
use throwaway::postgres::Cluster;
use wire::codec::JsonCodec;
use wire::token::Tokens;

/// A database of its own for one test.
struct Database {
    cluster: Arc<Cluster>,
    name: String,
}

impl Database {
    /// An empty one.
    fn empty() -> Self {
        let cluster = Cluster::shared().unwrap();
        let name = cluster.database().unwrap();
        Self { cluster, name }
    }

    /// One with all steps taken.
    async fn migrated() -> Self {
        let database = Self::empty();
        migrate::up(&database.address(), 0, "test").await.unwrap();
        database
    }

    fn address(&self) -> Address {
        self.cluster.url(&self.name).parse().unwrap()
    }

    fn connections(&self) -> Connections {
        Connections::new(&self.address(), 4).unwrap()
    }

    fn sql(&self, sql: &str) -> String {
        self.cluster.sql(&self.name, sql).unwrap()
    }
}

/// A store that the simulator can look at.
struct Simulated {
    store: PostgresStore,
    address: Address,
}

impl Simulated {
    fn new(database: &Database) -> Self {
        Self::on(database, database.connections())
    }

    /// On connections that have served before, with their statements prepared.
    fn on(database: &Database, connections: Connections) -> Self {
        Self {
            store: PostgresStore::new(connections, TimeSource::Caller),
            address: database.address(),
        }
    }
}

impl Store for Simulated {
    fn lanes_per_batch(&self) -> usize {
        self.store.lanes_per_batch()
    }

    async fn load(
        &mut self,
        lanes: &[LaneLoad<'_>],
        now: Timestamp,
    ) -> Result<Vec<Loaded>, StoreError> {
        self.store.load(lanes, now).await
    }

    async fn commit(
        &mut self,
        lanes: &[LaneWrite],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        self.store.commit(lanes).await
    }

    async fn abandon(&mut self) -> Result<(), StoreError> {
        self.store.abandon().await
    }

    async fn resolve(&mut self, tenant: TenantId, batch: BatchId) -> Result<bool, StoreError> {
        self.store.resolve(tenant, batch).await
    }
}

impl Watched for Simulated {
    fn snapshot(&self) -> Box<dyn Snapshot + '_> {
        Box::new(PostgresSnapshot::open(&self.address).unwrap())
    }
}

fn codec() -> JsonCodec {
    JsonCodec {
        tokens: Tokens::new(&[7; 32]),
        public_url: String::new(),
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}
