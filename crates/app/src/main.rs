//! The one binary: `stockhold`.

mod cli;
mod clock;
mod commands;
mod config;
mod database;
mod demo;
mod export;
mod import;
mod providers;
mod remote;
mod serve;
mod telemetry;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

/// Whoever read our output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error
        .chain()
        .any(|cause| cause.downcast_ref().is_some_and(broken))
}

fn main() -> ExitCode {
    let matches = cli::Cli::command().get_matches();
    let cli = cli::Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let ran = telemetry::start(&cli.command).and_then(|()| commands::run(cli.command, &matches));
    match ran {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(
                clippy::print_stderr,
                reason = "the last word of a program that failed"
            )]
            {
                eprintln!("error: {error:#}");
            }
            ExitCode::from(2)
        }
    }
}
