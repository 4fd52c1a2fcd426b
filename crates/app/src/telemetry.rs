//! Logs, on standard error; what concerns security in a file of its own as well.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context as _, Result};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::cli::Command;

/// The target of what concerns security: refused edits of locked orders, forged or odd messages of
/// providers.
const SECURITY: &str = "security";

/// Starts logging. A server says what it does; other commands only what went wrong.
pub(crate) fn start(command: &Command) -> Result<()> {
    let (usual, json, security) = match command {
        Command::Serve(args) => ("info", args.log_json, args.security_log.as_deref()),
        _ => ("warn", false, None),
    };
    let filter = EnvFilter::try_from_env("STOCKHOLD_LOG").unwrap_or_else(|_| usual.into());
    let logs = fmt::layer().with_writer(std::io::stderr);
    let logs = if json {
        logs.json().with_filter(filter).boxed()
    } else {
        logs.with_filter(filter).boxed()
    };
    let security = security.map(opened).transpose()?.map(|file| {
        let lines = fmt::layer().json().flatten_event(true);
        let only = Targets::new().with_target(SECURITY, LevelFilter::INFO);
        lines.with_writer(Mutex::new(file)).with_filter(only)
    });
    tracing_subscriber::registry()
        .with(logs)
        .with(security)
        .init();
    Ok(())
}

/// Several servers may write to one file, a line at a time.
fn opened(path: &Path) -> Result<File> {
    let file = File::options().append(true).create(true).open(path);
    file.with_context(|| format!("the security log {} cannot be written", path.display()))
}
