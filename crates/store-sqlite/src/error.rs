//! What SQLite's errors mean to the engine.

use engine::store::StoreError;
use rusqlite::ErrorCode;

/// The exit status after an I/O error: `EX_IOERR` of BSD's sysexits.
pub const EXIT_IO_ERROR: i32 = 74;

/// Sorts an SQLite error. An I/O error of the file ends the process here: pages may have been
/// dropped by a failed fsync, and only a restart reads again what is really on the disk.
#[must_use]
pub fn sort(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt) => {
            tracing::error!(%error, "the database file failed; ending the process");
            std::process::exit(EXIT_IO_ERROR);
        }
        Some(
            ErrorCode::DiskFull
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory,
        ) => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Corrupt(error.to_string()),
    }
}

/// A row that does not read as what it must be.
pub(crate) fn unreadable(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        column,
        rusqlite::types::Type::Text,
        format!("{what} expected").into(),
    )
}
