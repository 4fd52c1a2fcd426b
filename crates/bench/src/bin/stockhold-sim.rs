//! `cargo xtask sim` and `cargo xtask campaign`: one history again, or fresh ones for a while.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use engine::memory_store::MemoryStore;
use sim::world::{Broken, World};
use wire::codec::JsonCodec;
use wire::token::Tokens;

const COMMANDS: usize = 300;

#[expect(clippy::print_stdout, reason = "this is how a tool speaks")]
fn say(line: &str) {
    println!("{line}");
}

fn print(trace: &[String]) {
    for line in trace {
        say(line);
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["replay"] => replay(0, COMMANDS),
        ["replay", seed] => replay(seed.parse()?, COMMANDS),
        ["replay", seed, commands] => replay(seed.parse()?, commands.parse()?),
        ["campaign"] => campaign(5),
        ["campaign", minutes] => campaign(minutes.parse()?),
        _ => bail!("usage: stockhold-sim replay [SEED] [COMMANDS] | campaign [MINUTES]"),
    }
}

fn history(seed: u64, commands: usize) -> Result<Vec<String>, Broken> {
    let codec = JsonCodec {
        tokens: Tokens::new(&[7; 32]),
        public_url: String::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let broken = |what: String| Broken {
        seed,
        commands: 0,
        what,
    };
    runtime
        .map_err(|error| broken(error.to_string()))?
        .block_on(async {
            let mut world = World::new(MemoryStore::default(), &codec, seed).await?;
            let done = world.run(commands).await;
            if done.is_err() {
                print(&world.trace);
            }
            done.map(|()| world.trace)
        })
}

fn replay(seed: u64, commands: usize) -> Result<()> {
    match history(seed, commands) {
        Ok(trace) => {
            print(&trace);
            say(&format!(
                "seed {seed}: {} commands, nothing found",
                trace.len()
            ));
            Ok(())
        }
        Err(broken) => bail!("{broken:?}"),
    }
}

/// Fresh seeds, of the time, until it is over.
#[expect(clippy::disallowed_methods, reason = "a campaign lasts for real time")]
fn campaign(minutes: u64) -> Result<()> {
    let since = std::time::UNIX_EPOCH.elapsed()?.as_secs();
    let begun = Instant::now();
    let span = Duration::from_secs(minutes.saturating_mul(60));
    let mut seed = since.wrapping_mul(1_000_003);
    let (mut histories, mut commands) = (0_u64, 0_usize);
    while begun.elapsed() < span {
        match history(seed, COMMANDS) {
            Ok(trace) => commands += trace.len(),
            Err(broken) => bail!("{broken:?}\nreplay: cargo xtask sim {seed} {COMMANDS}"),
        }
        histories += 1;
        seed = seed.wrapping_add(1);
    }
    say(&format!(
        "{histories} histories, {commands} commands, nothing found"
    ));
    Ok(())
}
