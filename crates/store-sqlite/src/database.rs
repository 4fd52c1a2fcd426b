//! Opens a database file: the writer with its lock, the readers, the checkpoint thread.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rows::steps::MigrateError;
use rusqlite::{Connection, Result};

use crate::checkpoint::{Checkpointer, Pressure};
use crate::copy;
use crate::migrate;
use crate::reader::SqliteReader;
use crate::store::SqliteStore;

/// How safely commits reach the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is on the disk before it is acknowledged.
    Full,
    /// Nothing waits for the disk: for simulations on throw-away files only.
    Off,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open for writing.
    #[error("another process uses {0}; stop it, or name the running server with --url and --key")]
    InUse(PathBuf),
    /// The lock file could not be made.
    #[error("the lock file {path} cannot be used: {source}")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite could not open it.
    #[error("{path} cannot be opened: {source}")]
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A copy into it is not done.
    #[error("{}", rows::copy::HALF)]
    HalfCopied,
    /// Its schema is not the one that this program works with.
    #[error(transparent)]
    Schema(#[from] MigrateError),
}

/// An open database.
pub struct Database {
    /// Runs batches.
    pub store: SqliteStore,
    /// Answers reads.
    pub reader: SqliteReader,
    /// Moves the WAL; must outlive the store.
    pub checkpointer: Checkpointer,
}

/// Opens a migrated database for a server.
pub fn open(path: &Path, durability: Durability) -> Result<Database, OpenError> {
    let lock = lock(path)?;
    let failed = |source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let conn = open_connection(path).map_err(failed)?;
    prepare_writer(&conn, durability).map_err(failed)?;
    migrate::require_current(&conn)?;
    if copy::begun(&conn).map_err(failed)?.is_some() {
        return Err(OpenError::HalfCopied);
    }
    let pressure = Arc::new(Pressure::default());
    Ok(Database {
        reader: SqliteReader::open(path).map_err(failed)?,
        checkpointer: Checkpointer::start(path, Arc::clone(&pressure)).map_err(failed)?,
        store: SqliteStore::new(conn, pressure, Some(lock)),
    })
}

/// Opens a database for migrating it; it may be new.
pub fn open_for_migration(path: &Path) -> Result<(Connection, File), OpenError> {
    let (_, lock) = lock(path)?;
    let failed = |source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let conn = open_connection(path).map_err(failed)?;
    prepare_writer(&conn, Durability::Full).map_err(failed)?;
    Ok((conn, lock))
}

/// Takes the lock that keeps a second writing process out. It goes with the process, however
/// that ends.
fn lock(database: &Path) -> Result<(PathBuf, File), OpenError> {
    let mut path = database.as_os_str().to_owned();
    path.push("-lock");
    let path = PathBuf::from(path);
    let failed = |source| OpenError::Lock {
        path: path.clone(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok((path, file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// A connection with the settings that all of them share.
pub(crate) fn open_connection(path: &Path) -> Result<Connection> {
    let conn = Connection::open(path)?;
    conn.set_prepared_statement_cache_capacity(256);
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    Ok(conn)
}

fn prepare_writer(conn: &Connection, durability: Durability) -> Result<()> {
    conn.pragma_update(None, "journal_mode", "wal")?;
    let synchronous = match durability {
        Durability::Full => "full",
        Durability::Off => "off",
    };
    conn.pragma_update(None, "synchronous", synchronous)?;
    // Checkpoints are the checkpoint thread's work.
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    // Negative: KiB. The writer's own cache holds the hot pages of all indexes.
    conn.pragma_update(None, "cache_size", -64 * 1024)?;
    Ok(())
}

/// Opens an existing database for looking at its schema only, beside any server.
pub fn open_to_look(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let conn = open_connection(path).map_err(failed)?;
    conn.pragma_update(None, "query_only", true)
        .map_err(failed)?;
    Ok(conn)
}
