//! What the command line can do besides serving.

mod audit;
mod key;
mod migrate;
mod output;
pub(crate) mod session;
mod tenant;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Command;
use crate::serve;

pub(crate) use output::{Stopwatch, line};

/// Does what the command line asks for.
pub(crate) fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::run(*args),
        Command::Migrate(args) => migrate::run(args),
        Command::Tenant(args) => tenant::run(args),
        Command::Key(args) => key::run(args),
        Command::Audit(args) => audit::run(&args),
        Command::Import(args) => crate::import::run(&args),
        Command::Export(args) => crate::export::run(&args),
        Command::Openapi => {
            line(&serde_json::to_string_pretty(&api::openapi::document())?);
            Ok(ExitCode::SUCCESS)
        }
    }
}
