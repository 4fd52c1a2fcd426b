//! Which database: an SQLite file or a PostgreSQL, by its URL.

mod secrets;
mod store;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use domain::time::Timestamp;
use engine::clock::{Clock as _, Entropy as _};
use engine::reader::{Pages, Reader, Snapshot};
use engine::store::StoreError;
use rows::copy::{Source, Target};
use rows::steps::{Dialect, Step, Taken};
use store_postgres::address::Address;
use store_postgres::connections::Connections;
use store_postgres::copy::PostgresTarget;
use store_postgres::reader::PostgresReader;
use store_postgres::replica::Replica;
use store_postgres::snapshot::PostgresSnapshot;
use store_postgres::store::{PostgresStore, TimeSource};
use store_sqlite::checkpoint::Checkpointer;
use store_sqlite::copy::{SqliteSource, SqliteTarget};
use store_sqlite::database::Durability;
use store_sqlite::snapshot::SqliteSnapshot;

use crate::clock::{SystemClock, SystemEntropy};

pub(crate) use secrets::Secrets;
pub(crate) use store::AnyStore;

/// Where a database is.
#[derive(Clone, Debug)]
pub(crate) enum Location {
    Sqlite(PathBuf),
    Postgres(Box<Address>),
}

/// How a database is opened.
#[derive(Clone)]
pub(crate) struct Opening {
    /// Connections to a PostgreSQL, those that write included.
    pub(crate) pool_size: usize,
    /// How many of them write; SQLite has one writer.
    pub(crate) writers: usize,
    /// A streaming replica of a PostgreSQL that takes lists.
    pub(crate) replica: Option<Location>,
    /// Whose clock counts on PostgreSQL.
    pub(crate) time: TimeSource,
}

impl Opening {
    /// For a command that does one thing after another.
    pub(crate) const SMALL: Self = Self {
        pool_size: 2,
        writers: 1,
        replica: None,
        time: TimeSource::Database,
    };
}

/// An open database.
pub(crate) struct Database {
    /// Run batches, each on its own connection.
    pub(crate) stores: Vec<AnyStore>,
    pub(crate) reader: Arc<dyn Reader>,
    pub(crate) secrets: Secrets,
    /// The replica, and the primary that it is compared with.
    pub(crate) replica: Option<(Replica, Connections)>,
    /// Moves SQLite's WAL; must outlive the store.
    pub(crate) checkpointer: Option<Checkpointer>,
}

/// A frozen view of a whole database.
pub(crate) trait Frozen: Snapshot + Pages {}

impl<T: Snapshot + Pages> Frozen for T {}

impl FromStr for Location {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> Result<Self> {
        match url.split_once(':') {
            // What is no URL may hold a password: it is not repeated.
            Some(("sqlite", "")) | None => {
                bail!("a database is named as sqlite:PATH or postgres://…")
            }
            Some(("sqlite", path)) => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(Box::new(url.parse()?))),
            Some(_) => bail!("no database of that kind is known; use sqlite:PATH or postgres://…"),
        }
    }
}

impl Location {
    /// Its URL for people, without a password.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(address) => address.shown(),
        }
    }

    /// Takes every missing step of the schema.
    pub(crate) async fn migrate_up(&self) -> Result<Vec<i64>> {
        let (now, by) = (SystemClock::new().now().millis(), env!("CARGO_PKG_VERSION"));
        Ok(match self {
            Self::Sqlite(path) => {
                let (mut conn, _lock) = store_sqlite::database::open_for_migration(path)?;
                store_sqlite::migrate::up(&mut conn, now, by)?
            }
            Self::Postgres(address) => store_postgres::migrate::up(address, now, by).await?,
        })
    }

    /// Spreads the tables over a Citus cluster; the names of those that were not spread yet.
    pub(crate) async fn distribute(&self) -> Result<Vec<String>> {
        match self {
            Self::Sqlite(_) => {
                bail!("an SQLite file cannot be distributed; `stockhold copy` moves it")
            }
            Self::Postgres(address) => Ok(store_postgres::distribute::distribute(address).await?),
        }
    }

    /// Does work that only one server at a time may do. An SQLite file has only one.
    pub(crate) async fn alone<T>(&self, work: impl AsyncFnOnce() -> Result<T>) -> Result<T> {
        match self {
            Self::Sqlite(_) => work().await,
            Self::Postgres(address) => store_postgres::migrate::alone(address, work).await,
        }
    }

    /// Takes steps of the schema back, newest first.
    pub(crate) async fn migrate_down(&self, count: usize, yes: bool) -> Result<Vec<i64>> {
        Ok(match self {
            Self::Sqlite(path) => {
                let (mut conn, _lock) = store_sqlite::database::open_for_migration(path)?;
                store_sqlite::migrate::down(&mut conn, count, yes)?
            }
            Self::Postgres(address) => store_postgres::migrate::down(address, count, yes).await?,
        })
    }

    /// The steps that this kind of database knows, and how its shell says them.
    pub(crate) fn steps(&self) -> (&'static [Step], Dialect) {
        match self {
            Self::Sqlite(_) => (store_sqlite::migrate::STEPS, store_sqlite::migrate::DIALECT),
            Self::Postgres(_) => {
                use store_postgres::migrate::{DIALECT, STEPS};
                (STEPS, DIALECT)
            }
        }
    }

    /// The steps that were taken, and whether `orders.idempotency_key` is there. A missing file is
    /// not made.
    pub(crate) async fn schema(&self) -> Result<(Vec<Taken>, bool)> {
        match self {
            Self::Sqlite(path) if !path.exists() => Ok((Vec::new(), false)),
            Self::Sqlite(path) => {
                use store_sqlite::migrate::{has_idempotency_key, status};
                let conn = store_sqlite::database::open_to_look(path)?;
                Ok((status(&conn)?, has_idempotency_key(&conn)?))
            }
            Self::Postgres(address) => {
                use store_postgres::migrate::{has_idempotency_key, status};
                Ok((status(address).await?, has_idempotency_key(address).await?))
            }
        }
    }

    /// Opens a migrated database for writing.
    pub(crate) async fn open(&self, how: Opening) -> Result<Database> {
        match self {
            Self::Sqlite(path) => {
                if !path.exists() {
                    bail!(
                        "{} does not exist; run `stockhold migrate up` first",
                        path.display()
                    );
                }
                let opened = store_sqlite::database::open(path, Durability::Full)?;
                Ok(Database {
                    stores: vec![AnyStore::Sqlite(Box::new(opened.store))],
                    reader: Arc::new(opened.reader),
                    secrets: Secrets::of_sqlite(path)?,
                    replica: None,
                    checkpointer: Some(opened.checkpointer),
                })
            }
            Self::Postgres(address) => {
                store_postgres::migrate::require_current(address).await?;
                let connections = Connections::new(address, how.pool_size - how.writers)?;
                let secrets = Secrets::of_postgres(connections.clone());
                secrets.no_copy().await?;
                let store = |_| {
                    let own = Connections::new(address, 1)?;
                    let store = PostgresStore::new(own, how.time);
                    Ok(AnyStore::Postgres(Box::new(store)))
                };
                let replica = match &how.replica {
                    Some(Self::Postgres(address)) => {
                        let address = (**address).clone().for_reading();
                        let lists = Connections::new(&address, how.pool_size)?;
                        Some(Replica::new(lists))
                    }
                    _ => None,
                };
                let reader = PostgresReader::new(connections.clone(), replica.clone(), how.time);
                Ok(Database {
                    stores: (0..how.writers).map(store).collect::<Result<_>>()?,
                    reader: Arc::new(reader),
                    secrets,
                    replica: replica.map(|replica| (replica, connections)),
                    checkpointer: None,
                })
            }
        }
    }

    /// A frozen view to copy from, which nobody writes to while it is open. Answers given before
    /// `expired` count no more.
    pub(crate) async fn source(&self, expired: Timestamp) -> Result<Box<dyn Source>> {
        Ok(match self {
            Self::Sqlite(path) => {
                Self::must_exist(path)?;
                Box::new(SqliteSource::open(path, expired)?)
            }
            Self::Postgres(address) => {
                store_postgres::migrate::require_current(address).await?;
                let secrets = Secrets::of_postgres(Connections::new(address, 1)?);
                secrets.no_copy().await?;
                Box::new(PostgresSnapshot::open_alone(address)?)
            }
        })
    }

    /// A view of a database that has been copied into.
    pub(crate) fn copied(&self) -> Result<Box<dyn Source>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Box::new(SqliteSnapshot::open(path)?),
            Self::Postgres(address) => Box::new(PostgresSnapshot::open(address)?),
        })
    }

    /// A database to copy into; a new one gets its schema.
    pub(crate) async fn target(&self) -> Result<Box<dyn Target>> {
        let (taken, _) = self.schema().await?;
        if taken.is_empty() {
            self.migrate_up().await?;
        }
        let (steps, _) = self.steps();
        rows::steps::require_current(steps, &self.schema().await?.0)?;
        Ok(match self {
            Self::Sqlite(path) => Box::new(SqliteTarget::open(path)?),
            Self::Postgres(address) => Box::new(PostgresTarget::open(address)?),
        })
    }

    fn must_exist(path: &Path) -> Result<()> {
        if !path.exists() {
            bail!("{} does not exist", path.display());
        }
        Ok(())
    }

    /// The servers' pepper, read beside any servers.
    pub(crate) async fn pepper(&self) -> Result<[u8; 32]> {
        let secrets = match self {
            Self::Sqlite(path) => {
                Self::must_exist(path)?;
                Secrets::of_sqlite(path)?
            }
            Self::Postgres(address) => Secrets::of_postgres(Connections::new(address, 1)?),
        };
        pepper_of(&secrets).await
    }

    /// Freezes it as it is now, beside any servers.
    pub(crate) fn freeze(&self) -> Result<Box<dyn Frozen>> {
        Ok(match self {
            Self::Sqlite(path) => {
                Self::must_exist(path)?;
                Box::new(SqliteSnapshot::open(path)?)
            }
            Self::Postgres(address) => Box::new(PostgresSnapshot::open(address)?),
        })
    }
}

async fn pepper_of(secrets: &Secrets) -> Result<[u8; 32]> {
    let mut fresh = [0; 32];
    SystemEntropy.fill(&mut fresh);
    let kept = secrets.keep("pepper", &fresh).await?;
    kept.try_into()
        .map_err(|_| anyhow!("the server's pepper in the database is damaged"))
}

impl Database {
    /// The servers' pepper: made once, kept in the database. Whoever has it may work there: a copy
    /// that is noted later sees it and does not begin.
    pub(crate) async fn pepper(&self) -> Result<[u8; 32]> {
        let pepper = pepper_of(&self.secrets).await?;
        self.secrets.no_copy().await?;
        Ok(pepper)
    }

    /// A store of one writer, for work done before the server runs.
    pub(crate) fn store(&mut self) -> Result<&mut AnyStore> {
        self.stores.first_mut().ok_or_else(|| anyhow!("no writer"))
    }
}
