//! The project's own tools: `cargo xtask test` and what it is made of.

mod schemathesis;
mod steps;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  test                 format, lints, layout, licences, every test, the API against its document
  tidy                 the rules of the layout alone
  schemathesis         the API against its document alone
  openapi              write docs/openapi.json anew
  sim [SEED] [STEPS]   replay one simulated history
  bench smoke [--database postgres] [SECS]
                       orders a second of the release server; on PostgreSQL beside what one would
                       write by hand
  bench import         a catalogue of 100,000 variants
  campaign [MINUTES]   simulated histories with fresh seeds for so long
  money [ORDERS]       orders with every provider and everything that goes wrong mixed in, on SQLite
                       and on PostgreSQL with three servers";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => return steps::test(),
        ["tidy"] => tidy::check(),
        ["schemathesis"] => schemathesis::run(),
        ["openapi"] => steps::openapi(),
        ["sim", rest @ ..] => steps::simulate("replay", rest),
        ["bench", rest @ ..] => steps::bench(rest),
        ["money"] => steps::money("10000"),
        ["money", orders] => steps::money(orders),
        ["campaign", rest @ ..] => steps::simulate("campaign", rest),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tools::say(&why);
            ExitCode::FAILURE
        }
    }
}
