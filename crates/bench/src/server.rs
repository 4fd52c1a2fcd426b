//! Runs the real binary on a throw-away database.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A running demo server; it is killed when this is dropped.
pub struct Server {
    child: Child,
    /// What it printed once it was ready.
    pub facts: Value,
}

/// A folder that is removed when this is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new folder below the system's temporary one.
    pub fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("stockhold-{name}-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// The database URL of a file in it.
    #[must_use]
    pub fn database(&self) -> String {
        format!("sqlite:{}", self.0.join("shop.db").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
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
