//! Logs, on standard error.

use tracing_subscriber::EnvFilter;

use crate::cli::Command;

/// Starts logging. A server says what it does; other commands only what went wrong.
pub(crate) fn start(command: &Command) {
    let (usual, json) = match command {
        Command::Serve(args) => ("info", args.log_json),
        _ => ("warn", false),
    };
    let filter = EnvFilter::try_from_env("STOCKHOLD_LOG").unwrap_or_else(|_| usual.into());
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if json {
        logs.json().init();
    } else {
        logs.init();
    }
}
