//! What the command line can do besides serving.

mod accounts;
mod audit;
mod config;
mod copy;
mod key;
mod levers;
mod manual;
mod migrate;
mod output;
mod reconcile;
pub(crate) mod session;
mod smoke;
mod tenant;
mod webhook;

use std::process::ExitCode;

use anyhow::Result;
use clap::ArgMatches;

use crate::cli::{AccountsCommand, Command};
use crate::serve;

pub(crate) use output::{Stopwatch, bar, line};

/// Does what the command line asks for.
pub(crate) fn run(command: Command, matches: &ArgMatches) -> Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::run(*args),
        Command::Migrate(args) => migrate::run(args),
        Command::Tenant(args) => tenant::run(args),
        Command::Key(args) => key::run(args),
        Command::Audit(args) => audit::run(&args),
        Command::Controls(lever) => levers::show(&lever),
        Command::Expiry { to, lever } => levers::expiry(to, &lever),
        Command::Cleanup { to, lever } => levers::cleanup(to, &lever),
        Command::StockMode { to, lever } => levers::stock_mode(to, &lever),
        Command::ReadOnly { to, lever } => levers::read_only(to, &lever),
        Command::Order { to, id, lever } => levers::order(to, &id, &lever),
        Command::Import(args) => crate::import::run(&args),
        Command::Export(args) => crate::export::run(&args),
        Command::Copy(args) => copy::run(&args),
        Command::Reconcile(args) => reconcile::run(&args),
        Command::Accounts(AccountsCommand::Reseal(args)) => accounts::reseal(&args),
        Command::Config(args) => config::run(args, matches),
        Command::Webhook(command) => webhook::run(&command),
        Command::Smoke(args) => smoke::run(&args),
        Command::Completions { shell } => Ok(manual::completions(shell)),
        Command::Man { output } => manual::pages(output.as_deref()),
        Command::Openapi => {
            line(&serde_json::to_string_pretty(&api::openapi::document())?);
            Ok(ExitCode::SUCCESS)
        }
    }
}
