//! The one binary: `stockhold`.

mod cli;
mod clock;
mod commands;
mod config;
mod demo;
mod export;
mod import;
mod remote;
mod serve;
mod telemetry;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    telemetry::start(&cli.command);
    match commands::run(cli.command) {
        Ok(code) => code,
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
