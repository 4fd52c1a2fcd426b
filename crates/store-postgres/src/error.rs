//! What PostgreSQL's errors mean to the engine.

use engine::store::StoreError;
use tokio_postgres::error::SqlState;

/// How talking to the database failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The driver or the server says so.
    #[error("{}", full(.0))]
    Driver(#[from] tokio_postgres::Error),
    /// No connection was to be had.
    #[error("no connection to the database: {0}")]
    Connect(String),
    /// The server has not answered for longer than it may take, and its connection was given up.
    #[error("the database does not answer")]
    Silent,
    /// A row does not read as what it must be.
    #[error("column {column} does not hold {wanted}")]
    Unreadable {
        /// The column, counted from one.
        column: usize,
        /// What it should hold.
        wanted: &'static str,
    },
}

/// The driver's error with the server's own words.
fn full(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(said), _) => format!("{} (SQLSTATE {})", said.message(), said.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

/// Sorts an error of a transaction that has certainly not been committed.
#[must_use]
pub fn sort(error: Error) -> StoreError {
    let said = error.to_string();
    match error {
        Error::Connect(_) | Error::Silent => StoreError::Unavailable(said),
        Error::Unreadable { .. } => StoreError::Corrupt(said),
        Error::Driver(error) => match error.code() {
            None if error.is_closed() || is_io(&error) => StoreError::Lost(said),
            None => StoreError::Corrupt(said),
            Some(code) => sort_code(code, said),
        },
    }
}

/// Whether the line itself failed.
fn is_io(error: &tokio_postgres::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// By the classes of PostgreSQL's manual, appendix A.
fn sort_code(code: &SqlState, said: String) -> StoreError {
    if [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
    ]
    .contains(code)
    {
        return StoreError::Conflict;
    }
    if [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ]
    .contains(code)
        || code.code().starts_with("08")
    {
        return StoreError::Lost(said);
    }
    // 53: out of something, 57: an operator or a timeout, 58: the system, 25006: a stand-by.
    let away = ["53", "57", "58"]
        .iter()
        .any(|class| code.code().starts_with(class));
    if away || *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        StoreError::Unavailable(said)
    } else {
        StoreError::Corrupt(said)
    }
}
