//! A Redis of one's own, from the package of the system.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::{Folder, free_port};

/// Seconds after which a server ends by itself, whatever became of its starter.
const LIFE_SECONDS: &str = "3600";
/// For how many tenths of a second a server may take to be ready.
const READY_TENTHS: usize = 100;

/// A running server that keeps nothing on disk.
pub struct Redis {
    folder: Folder,
    port: u16,
    running: Option<Child>,
}

impl Redis {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let mut redis = Self {
            folder: Folder::new("redis")?,
            port: free_port()?,
            running: None,
        };
        redis.up()?;
        Ok(redis)
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again, empty, and waits until it takes connections.
    pub fn up(&mut self) -> Result<()> {
        let mut command = Command::new("timeout");
        // In the foreground, a signal to `timeout` alone would leave the server.
        command
            .args(["--signal=KILL", LIFE_SECONDS, "redis-server"])
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().context("redis-server: install it")?;
        let child = self.running.insert(child);
        for _ in 0..READY_TENTHS {
            if let Some(status) = child.try_wait()? {
                bail!("redis-server ended at once ({status}): another took its port?");
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("Redis did not become ready")
    }

    /// Stops it from answering, its connections left open, or lets it go on.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        self.signal(if frozen { "STOP" } else { "CONT" })
    }

    /// Ends it at once.
    pub fn kill(&mut self) -> Result<()> {
        let killed = self.signal("KILL");
        if let Some(mut child) = self.running.take() {
            // Where the server was not found, ending `timeout` would leave it: `timeout` ends it.
            if killed.is_err() {
                let id = child.id().to_string();
                Command::new("kill").args(["-s", "TERM", &id]).status()?;
            }
            child.wait()?;
        }
        Ok(())
    }

    /// What `redis-cli` answers.
    pub fn ask(&self, words: &[&str]) -> Result<String> {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(words)
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned())
    }

    /// Sends a signal to the server, which is `timeout`'s only child.
    fn signal(&self, signal: &str) -> Result<()> {
        let Some(child) = &self.running else {
            return Ok(());
        };
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let server = std::fs::read_to_string(children)?;
        let status = Command::new("kill")
            .args(["-s", signal, server.trim()])
            .status()?;
        if status.success() {
            Ok(())
        } else {
            bail!("no signal could be sent to Redis")
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.kill());
    }
}
