//! Either store behind one type.

use domain::ids::{BatchId, TenantId};
use domain::time::Timestamp;
use engine::store::{LaneLoad, LaneWrite, Loaded, Store, StoreError};
use store_postgres::store::PostgresStore;
use store_sqlite::store::SqliteStore;

/// The store of a database of either kind.
pub(crate) enum AnyStore {
    Sqlite(Box<SqliteStore>),
    Postgres(Box<PostgresStore>),
}

impl Store for AnyStore {
    fn lanes_per_batch(&self) -> usize {
        match self {
            Self::Sqlite(store) => store.lanes_per_batch(),
            Self::Postgres(store) => store.lanes_per_batch(),
        }
    }

    async fn load(
        &mut self,
        lanes: &[LaneLoad<'_>],
        now: Timestamp,
    ) -> Result<Vec<Loaded>, StoreError> {
        match self {
            Self::Sqlite(store) => store.load(lanes, now).await,
            Self::Postgres(store) => store.load(lanes, now).await,
        }
    }

    async fn commit(
        &mut self,
        lanes: &[LaneWrite],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        match self {
            Self::Sqlite(store) => store.commit(lanes).await,
            Self::Postgres(store) => store.commit(lanes).await,
        }
    }

    async fn abandon(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.abandon().await,
            Self::Postgres(store) => store.abandon().await,
        }
    }

    async fn resolve(&mut self, tenant: TenantId, batch: BatchId) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => store.resolve(tenant, batch).await,
            Self::Postgres(store) => store.resolve(tenant, batch).await,
        }
    }
}
