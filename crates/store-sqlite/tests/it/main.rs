//! The SQLite store against the conformance suite, its schema and its last lines of defence.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod conformance;
mod copy;
mod schema;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::ids::{BatchId, TenantId};
use domain::time::Timestamp;
use engine::reader::Snapshot;
use engine::store::{LaneLoad, LaneWrite, Loaded, Store, StoreError};
use sim::world::Watched;
use store_sqlite::database::{self, Database, Durability, open_for_migration};
use store_sqlite::migrate;
use store_sqlite::snapshot::SqliteSnapshot;
use wire::codec::JsonCodec;
use wire::token::Tokens;

/// A database file of its own for one test, removed when this is dropped.
struct File(PathBuf);

impl File {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("stockhold-store-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.join("shop.db")
    }

    /// The file, migrated and open.
    fn open(&self, durability: Durability) -> Database {
        let (mut conn, lock) = open_for_migration(&self.path()).unwrap();
        migrate::up(&mut conn, 0, "test").unwrap();
        drop((conn, lock));
        database::open(&self.path(), durability).unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// An open database that the simulator can look at.
struct Simulated {
    database: Database,
    file: Arc<File>,
}

impl Simulated {
    fn new() -> Self {
        let file = Arc::new(File::new());
        Self {
            database: file.open(Durability::Off),
            file,
        }
    }
}

impl Store for Simulated {
    fn lanes_per_batch(&self) -> usize {
        self.database.store.lanes_per_batch()
    }

    async fn load(
        &mut self,
        lanes: &[LaneLoad<'_>],
        now: Timestamp,
    ) -> Result<Vec<Loaded>, StoreError> {
        self.database.store.load(lanes, now).await
    }

    async fn commit(
        &mut self,
        lanes: &[LaneWrite],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        self.database.store.commit(lanes).await
    }

    async fn abandon(&mut self) -> Result<(), StoreError> {
        self.database.store.abandon().await
    }

    async fn resolve(&mut self, tenant: TenantId, batch: BatchId) -> Result<bool, StoreError> {
        self.database.store.resolve(tenant, batch).await
    }
}

impl Watched for Simulated {
    fn snapshot(&self) -> Box<dyn Snapshot + '_> {
        Box::new(SqliteSnapshot::open(&self.file.path()).unwrap())
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
        .build()
        .unwrap()
        .block_on(work)
}
