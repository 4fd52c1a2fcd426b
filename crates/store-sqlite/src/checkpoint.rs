//! Moves the WAL into the database beside the writer, and bounds its size.
//!
//! A passive checkpoint blocks nobody but can never catch a busy writer up, and the WAL is begun
//! anew only when all of it has been moved. So this thread does the bulk, and when the WAL has
//! outgrown its bound it asks the writer to move the small rest itself, between two batches.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, Result};

use crate::database::open_connection;

/// Pages (of 4 KiB) in the WAL above which the writer is asked to help: 64 MiB.
const WAL_PAGES_MAX: i64 = 16 * 1024;
/// Pages in the WAL from which a checkpoint is worth its fsync: 4 MiB.
const WAL_PAGES_MIN: i64 = 1024;
/// How often the thread looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The word between the checkpoint's thread and the writer.
#[derive(Debug, Default)]
pub struct Pressure {
    high: AtomicBool,
    /// Set when the writer has committed since the last checkpoint.
    written: AtomicBool,
    stop: AtomicBool,
}

impl Pressure {
    /// The writer's part, between two batches.
    pub(crate) fn relieve(&self, writer: &Connection) -> Result<()> {
        self.written.store(true, Ordering::Relaxed);
        if self.high.swap(false, Ordering::Relaxed) {
            checkpoint(writer)?;
        }
        Ok(())
    }
}

/// Moves what can be moved; returns the pages in the WAL and those moved.
fn checkpoint(conn: &Connection) -> Result<(i64, i64)> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok((row.get(1)?, row.get(2)?))
    })
}

/// The thread; it ends when this is dropped.
pub struct Checkpointer {
    pressure: Arc<Pressure>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread on a connection of its own.
    pub fn start(path: &Path, pressure: Arc<Pressure>) -> Result<Self> {
        let conn = open_connection(path)?;
        let shared = Arc::clone(&pressure);
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || run(&conn, &shared))
            .expect("a server can start a thread");
        Ok(Self {
            pressure,
            thread: Some(thread),
        })
    }
}

fn run(conn: &Connection, pressure: &Pressure) {
    let mut wal_pages = 0;
    while !pressure.stop.load(Ordering::Relaxed) {
        std::thread::park_timeout(LOOK_EVERY);
        if !pressure.written.swap(false, Ordering::Relaxed) && wal_pages < WAL_PAGES_MIN {
            continue;
        }
        match checkpoint(conn) {
            Ok((pages, moved)) => {
                wal_pages = if moved == pages { 0 } else { pages };
                if pages > WAL_PAGES_MAX {
                    pressure.high.store(true, Ordering::Relaxed);
                }
            }
            Err(error) => tracing::warn!(%error, "a checkpoint failed; it will be tried again"),
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.pressure.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            drop(thread.join());
        }
    }
}
