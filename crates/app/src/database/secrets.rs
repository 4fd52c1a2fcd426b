//! Secrets of the server itself, in either database.

use std::path::Path;

use anyhow::{Result, bail};
use engine::store::StoreError;
use rows::copy::HALF;
use store_postgres::connections::Connections;
use store_postgres::copy::is_under_way;

/// Reads and keeps secrets, before a server starts.
pub(crate) struct Secrets(Kept);

enum Kept {
    Sqlite(store_sqlite::secrets::Secrets),
    Postgres(Connections),
}

impl Secrets {
    pub(crate) fn of_sqlite(path: &Path) -> Result<Self, StoreError> {
        store_sqlite::secrets::Secrets::open(path).map(|kept| Self(Kept::Sqlite(kept)))
    }

    pub(crate) fn of_postgres(connections: Connections) -> Self {
        Self(Kept::Postgres(connections))
    }

    /// Refuses a database that a copy is not done with. An SQLite file was refused when it was
    /// opened, and nobody else can open it since.
    pub(crate) async fn no_copy(&self) -> Result<()> {
        if let Kept::Postgres(connections) = &self.0
            && is_under_way(connections).await?
        {
            bail!(HALF);
        }
        Ok(())
    }

    /// The secret of that name.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.0 {
            Kept::Sqlite(secrets) => secrets.get(name),
            Kept::Postgres(connections) => store_postgres::secrets::get(connections, name).await,
        }
    }

    /// Keeps a secret; one that is there already stays, and is returned.
    pub(crate) async fn keep(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        match &self.0 {
            Kept::Sqlite(secrets) => secrets.keep(name, value),
            Kept::Postgres(connections) => {
                store_postgres::secrets::keep(connections, name, value).await
            }
        }
    }
}
