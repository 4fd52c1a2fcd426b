//! A PostgreSQL of one's own, from the packages of the system.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::{Folder, free_port};

/// Seconds after which a server ends by itself, whatever became of its starter.
const LIFE_SECONDS: &str = "3600";
/// For how many tenths of a second a server may take to be ready.
const READY_TENTHS: usize = 300;

/// How safely commits reach the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As in production.
    Full,
    /// Nothing waits for the disk: for simulations.
    Off,
}

/// A running server with an empty cluster.
pub struct Cluster {
    folder: Folder,
    port: u16,
    settings: Vec<String>,
    running: Mutex<Option<Child>>,
}

impl Cluster {
    /// A cluster that tests of one process share; it ends with the last of them.
    pub fn shared() -> Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = shared.upgrade() {
            return Ok(cluster);
        }
        let cluster = Arc::new(Self::start(Durability::Off)?);
        *shared = Arc::downgrade(&cluster);
        Ok(cluster)
    }

    /// A cluster of its own.
    pub fn start(durability: Durability) -> Result<Self> {
        let cluster = Self::new(durability)?;
        let data = cluster.data();
        let mut make = as_postgres(&tool("initdb")?);
        make.args(["--no-sync", "--auth=trust", "--username=postgres"])
            .args(["--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data);
        run(&mut make)?;
        cluster.up()?;
        Ok(cluster)
    }

    /// A cluster of its own that takes encrypted connections only, under a certificate of X.509
    /// version 1 that it has signed itself.
    pub fn encrypted() -> Result<Self> {
        let cluster = Self::start(Durability::Off)?;
        let data = cluster.data();
        let (key, request) = (data.join("server.key"), data.join("server.csr"));
        let mut ask = as_postgres(Path::new("openssl"));
        ask.args(["req", "-new", "-nodes", "-newkey", "rsa:2048"])
            .args(["-subj", "/CN=localhost", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&request);
        run(&mut ask)?;
        let mut sign = as_postgres(Path::new("openssl"));
        sign.args(["x509", "-req", "-days", "2", "-signkey"])
            .arg(&key)
            .arg("-in")
            .arg(&request)
            .arg("-out")
            .arg(data.join("server.crt"));
        run(&mut sign)?;
        std::fs::write(
            data.join("pg_hba.conf"),
            "hostssl all all 127.0.0.1/32 trust\n",
        )?;
        cluster.sql("postgres", "ALTER SYSTEM SET ssl = on")?;
        cluster.sql("postgres", "SELECT pg_reload_conf()")?;
        let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        for _ in 0..READY_TENTHS {
            if cluster.sql("postgres", encrypted)? == "t" {
                return Ok(cluster);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("PostgreSQL does not encrypt; its log: {}", cluster.log())
    }

    /// A stand-by that follows this cluster.
    pub fn standby(&self) -> Result<Self> {
        let standby = Self::new(Durability::Off)?;
        let mut copy = as_postgres(&tool("pg_basebackup")?);
        copy.args([
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-R",
            "-c",
            "fast",
            "-p",
        ])
        .arg(self.port.to_string())
        .arg("-D")
        .arg(standby.data());
        run(&mut copy)?;
        standby.up()?;
        Ok(standby)
    }

    fn new(durability: Durability) -> Result<Self> {
        let folder = Folder::new("postgres")?;
        if is_root() {
            let owner = std::fs::metadata(postgres_home()?)?.uid();
            chown(folder.path(), Some(owner), None)?;
        }
        let settings: &[&str] = match durability {
            Durability::Full => &["synchronous_commit=on"],
            Durability::Off => &[
                "fsync=off",
                "full_page_writes=off",
                "synchronous_commit=off",
            ],
        };
        Ok(Self {
            folder,
            port: free_port()?,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            running: Mutex::new(None),
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of one of its databases, for its superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_as("postgres", database)
    }

    /// The same for another role.
    #[must_use]
    pub fn url_as(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database; its name.
    pub fn database(&self) -> Result<String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("shop_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(name)
    }

    /// Runs SQL as the superuser; what it answers, unaligned.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String> {
        self.sql_as("postgres", database, sql)
    }

    /// The same as another role.
    pub fn sql_as(&self, role: &str, database: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(tool("psql")?);
        psql.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d"])
            .arg(self.url_as(role, database))
            .args(["-c", sql]);
        run(&mut psql)
    }

    fn running(&self) -> MutexGuard<'_, Option<Child>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the server and waits until it takes connections.
    pub fn up(&self) -> Result<()> {
        let mut command = as_postgres(&tool("timeout")?);
        command
            .args(["--signal=INT", LIFE_SECONDS])
            .arg(tool("postgres")?)
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k"])
            .arg(self.folder.path())
            .args(["-c", "max_connections=1000", "-c", "shared_buffers=256MB"])
            .args(["-c", "max_wal_size=4GB", "-c", "logging_collector=off"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        *self.running() = Some(command.spawn().context("postgres")?);
        for _ in 0..READY_TENTHS {
            let ended = self.running().as_mut().map(Child::try_wait).transpose()?;
            if ended.flatten().is_some() {
                break;
            }
            if self.sql("postgres", "SELECT 1").is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("PostgreSQL did not become ready; its log: {}", self.log())
    }

    /// What the server has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends the server at once, as a crash would: what is not in the log is lost.
    pub fn crash(&self) -> Result<()> {
        let mut stop = as_postgres(&tool("pg_ctl")?);
        stop.args(["stop", "-w", "-m", "immediate", "-D"])
            .arg(self.data());
        run(&mut stop)?;
        if let Some(mut child) = self.running().take() {
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.running().is_some() {
            drop(self.crash());
        }
    }
}

/// Runs a command to its end; its standard output.
fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// The home of the system's user `postgres`, which the packages make.
fn postgres_home() -> Result<&'static Path> {
    let home = Path::new("/var/lib/postgresql");
    if home.exists() {
        return Ok(home);
    }
    bail!("there is no user postgres; install Debian's package postgresql")
}

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
            .arg(program)
            .current_dir("/");
        command
    } else {
        Command::new(program)
    }
}

/// A program of the system's PostgreSQL: Debian keeps them out of the path.
fn tool(name: &str) -> Result<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
        .with_context(|| format!("{name} is missing; install Debian's package postgresql"))
}
