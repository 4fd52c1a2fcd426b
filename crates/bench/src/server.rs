//! Runs the real binary on a throw-away database.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use throwaway::postgres::Cluster;

/// A running demo server; it is killed when this is dropped.
pub struct Server {
    child: Child,
    /// What it printed once it was ready.
    pub facts: Value,
}

/// Which database tests use: `postgres`, or SQLite without this variable.
pub const TEST_DATABASE: &str = "STOCKHOLD_TEST_DATABASE";

/// Whether tests use PostgreSQL.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests run once for each kind of database, as xtask says"
)]
pub fn on_postgres() -> bool {
    std::env::var(TEST_DATABASE).is_ok_and(|kind| kind == "postgres")
}

/// A folder and a database of its own, gone when this is dropped.
pub struct Folder {
    folder: throwaway::Folder,
    /// A database of a PostgreSQL that tests share.
    postgres: Option<(Arc<Cluster>, String)>,
}

impl Folder {
    /// A new folder below the system's temporary one, with an empty database.
    pub fn new(name: &str) -> Result<Self> {
        if on_postgres() {
            Self::shared(name)
        } else {
            Self::embedded(name)
        }
    }

    /// The same with a database that several servers can use, whatever other tests use.
    pub fn shared(name: &str) -> Result<Self> {
        let cluster = Cluster::shared()?;
        let database = cluster.database()?;
        Ok(Self {
            folder: throwaway::Folder::new(name)?,
            postgres: Some((cluster, database)),
        })
    }

    /// The same with an SQLite file, whatever other tests use.
    pub fn embedded(name: &str) -> Result<Self> {
        Ok(Self {
            folder: throwaway::Folder::new(name)?,
            postgres: None,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The URL of its database.
    #[must_use]
    pub fn database(&self) -> String {
        match &self.postgres {
            Some((cluster, database)) => cluster.url(database),
            None => format!("sqlite:{}", self.path().join("shop.db").display()),
        }
    }

    /// Its database on PostgreSQL: the cluster and the name.
    #[must_use]
    pub fn postgres(&self) -> Option<(&Cluster, &str)> {
        self.postgres
            .as_ref()
            .map(|(cluster, name)| (&**cluster, name.as_str()))
    }
}

impl Server {
    /// Starts a demo server on a free port and waits until it is ready.
    pub fn start(binary: &Path, database: &str, more: &[&str]) -> Result<Self> {
        Self::start_in(binary, database, more, &[])
    }

    /// The same with some environment variables.
    pub fn start_in(
        binary: &Path,
        database: &str,
        more: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let mut command = Command::new(binary);
        command.envs(environment.iter().copied());
        command.args([
            "serve",
            "--demo",
            "--json",
            "--listen",
            "127.0.0.1:0",
            "--database",
        ]);
        command
            .arg(database)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command
            .spawn()
            .with_context(|| format!("{}", binary.display()))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        if let Ok(facts) = serde_json::from_str(&line) {
            return Ok(Self { child, facts });
        }
        drop(child.kill());
        bail!("the server did not become ready; it printed {line:?}")
    }

    /// A fact that it printed.
    #[must_use]
    pub fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap_or_default()
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.fact("listening").trim_start_matches("http://")
    }

    /// The process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Its exit status, once it has ended by itself.
    pub fn try_wait(&mut self) -> Result<Option<std::process::ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Resident memory, in KiB.
    pub fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let text = line.context("no VmRSS")?.trim().trim_end_matches(" kB");
        Ok(text.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs `stockhold audit`; its line.
pub fn audit(binary: &Path, database: &str) -> Result<Value> {
    let output = Command::new(binary)
        .args(["audit", "--json", "--database", database])
        .output()?;
    serde_json::from_slice(&output.stdout).context("audit printed no JSON")
}
