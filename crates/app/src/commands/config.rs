//! `stockhold config check`: the settings a server would run with, and where each comes from.

use std::process::ExitCode;

use anyhow::Result;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _};
use serde_json::json;

use super::output;
use crate::cli::{Cli, ConfigArgs, ConfigCommand};
use crate::config::{Config, given_in_file};

/// The environment variable that gives a setting.
fn variable(name: &str) -> String {
    let command = Cli::command();
    let serve = command.find_subcommand("serve");
    let mut arguments = serve.into_iter().flat_map(clap::Command::get_arguments);
    let found = arguments.find(|argument| argument.get_id() == name);
    let variable = found.and_then(|argument| argument.get_env());
    variable.map_or_else(
        || "environment".to_owned(),
        |name| name.display().to_string(),
    )
}

/// Exits 2, as a server would, when a setting is wrong.
pub(crate) fn run(args: ConfigArgs, matches: &ArgMatches) -> Result<ExitCode> {
    let ConfigCommand::Check(args) = args.what;
    let file = args.config.clone();
    let in_file = given_in_file(file.as_deref())?;
    let as_json = args.json;
    let config = Config::new(*args)?;
    let given = matches
        .subcommand_matches("config")
        .and_then(|config| config.subcommand_matches("check"));
    let from = |name: &str| match given.and_then(|given| given.value_source(name)) {
        Some(ValueSource::CommandLine) => format!("--{}", name.replace('_', "-")),
        Some(ValueSource::EnvVariable) => variable(name),
        _ if in_file.iter().any(|known| known == name) => {
            let path = file.as_ref().map(|path| path.display().to_string());
            path.unwrap_or_default()
        }
        _ => "default".to_owned(),
    };
    let settings: Vec<_> = config
        .values()
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value, from(name)])
        .collect();
    if as_json {
        let setting = |row: &Vec<String>| json!({"name": row[0], "value": row[1], "from": row[2]});
        let settings: Vec<_> = settings.iter().map(setting).collect();
        output::line(&json!({"settings": settings}).to_string());
    } else {
        output::table(&["SETTING", "VALUE", "FROM"], &settings);
    }
    Ok(ExitCode::SUCCESS)
}
