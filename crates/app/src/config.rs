//! Settings of a server: flags, then the environment, then a file, then defaults.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use cache::link::{Link, NotRedis};
use engine::provider::MockAction;
use serde::Deserialize;

use crate::cli::ServeArgs;
use crate::database::Location;

/// Settings in a TOML file, by the names of the flags.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    database: Option<String>,
    database_pool_size: Option<usize>,
    database_read: Option<String>,
    redis: Option<String>,
    public_url: Option<String>,
    default_tenant: Option<String>,
    payment_timeout_minutes: Option<i64>,
    cleanup_interval_minutes: Option<u64>,
    max_stock_retry_attempts: Option<u32>,
    stock_retry_backoff_ms: Option<u64>,
    idempotency_hours: Option<i64>,
    batch_max: Option<usize>,
    queue_max: Option<usize>,
    connections_max: Option<usize>,
    rate_limit: Option<u32>,
    metrics_open: Option<bool>,
    mock_webhook_secret: Option<String>,
    accounts_key: Option<String>,
    mock_outcome: Option<String>,
    #[serde(default)]
    trusted_proxies: Vec<IpAddr>,
}

/// The settings of a server.
pub(crate) struct Config {
    pub(crate) demo: bool,
    pub(crate) json: bool,
    pub(crate) listen: String,
    pub(crate) database: Location,
    /// Connections to a PostgreSQL.
    pub(crate) pool_size: usize,
    /// A streaming replica of it that takes lists.
    pub(crate) database_read: Option<Location>,
    /// A Redis that servers share.
    pub(crate) redis: Option<Redis>,
    pub(crate) public_url: Option<String>,
    pub(crate) default_tenant: Option<String>,
    pub(crate) payment_timeout_minutes: i64,
    pub(crate) cleanup_interval_minutes: u64,
    pub(crate) retries_max: u32,
    pub(crate) retry_backoff_millis: u64,
    pub(crate) answers_kept_millis: i64,
    pub(crate) batch_max: usize,
    pub(crate) queue_max: usize,
    pub(crate) connections_max: usize,
    pub(crate) rate_limit: Option<NonZeroU32>,
    pub(crate) metrics_open: bool,
    /// The key of the mock's webhooks, where one is given.
    pub(crate) mock_webhook_key: Option<Vec<u8>>,
    /// The keys that seal secrets of accounts, where they are given.
    pub(crate) accounts_key: Option<String>,
    /// What the mock's payers do by themselves.
    pub(crate) mock_outcome: Option<MockAction>,
    /// Whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// Seconds to add to the clock stand in this file; only for demos.
    pub(crate) clock_offset_file: Option<PathBuf>,
}

impl Config {
    pub(crate) fn new(args: ServeArgs) -> Result<Self> {
        let file = read(args.config.as_deref())?;
        let database = args.database.or(file.database);
        let usual_rate = if args.demo { 0 } else { 1000 };
        let rate = args.rate_limit.or(file.rate_limit).unwrap_or(usual_rate);
        let hours = args
            .idempotency_hours
            .or(file.idempotency_hours)
            .unwrap_or(24);
        let config = Self {
            demo: args.demo,
            json: args.json,
            listen: args
                .listen
                .or(file.listen)
                .unwrap_or_else(|| "127.0.0.1:3000".to_owned()),
            database: database
                .as_deref()
                .unwrap_or("sqlite:stockhold.db")
                .parse()?,
            database_read: parsed(args.database_read.or(file.database_read))?,
            redis: parsed(args.redis.or(file.redis))?,
            pool_size: args
                .database_pool_size
                .or(file.database_pool_size)
                .unwrap_or(10),
            public_url: args.public_url.or(file.public_url),
            default_tenant: args.default_tenant.or(file.default_tenant),
            payment_timeout_minutes: args
                .payment_timeout_minutes
                .or(file.payment_timeout_minutes)
                .unwrap_or(domain::tenant::PAYMENT_TIMEOUT_MINUTES),
            cleanup_interval_minutes: args
                .cleanup_interval_minutes
                .or(file.cleanup_interval_minutes)
                .unwrap_or(5),
            retries_max: args
                .max_stock_retry_attempts
                .or(file.max_stock_retry_attempts)
                .unwrap_or(3),
            retry_backoff_millis: args
                .stock_retry_backoff_ms
                .or(file.stock_retry_backoff_ms)
                .unwrap_or(100),
            answers_kept_millis: hours.saturating_mul(3_600_000),
            batch_max: args.batch_max.or(file.batch_max).unwrap_or(256),
            queue_max: args.queue_max.or(file.queue_max).unwrap_or(4096),
            connections_max: args
                .connections_max
                .or(file.connections_max)
                .unwrap_or(10_000),
            rate_limit: NonZeroU32::new(rate),
            metrics_open: args.metrics_open || file.metrics_open.unwrap_or(false),
            mock_webhook_key: args
                .mock_webhook_secret
                .or(file.mock_webhook_secret)
                .map(|secret| webhook_key(&secret))
                .transpose()?,
            accounts_key: args.vault.accounts_key.or(file.accounts_key),
            mock_outcome: mock_action(args.mock_outcome.or(file.mock_outcome))?,
            trusted_proxies: given_or(args.trusted_proxies, file.trusted_proxies),
            clock_offset_file: if args.demo { clock_offset_file() } else { None },
        };
        config.check()?;
        Ok(config)
    }

    /// Every setting by its name in a file, with its value for people.
    pub(crate) fn values(&self) -> Vec<(&'static str, String)> {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let mock_outcome = self.mock_outcome.map(name_of);
        let proxies: Vec<_> = self
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect();
        let given = |()| "(given)".to_owned();
        let key = self.mock_webhook_key.as_ref().map(|_| ()).map(given);
        let accounts_key = self.accounts_key.as_ref().map(|_| ()).map(given);
        vec![
            ("listen", self.listen.clone()),
            ("database", self.database.shown()),
            ("database_pool_size", self.pool_size.to_string()),
            (
                "database_read",
                text(&self.database_read.as_ref().map(Location::shown)),
            ),
            (
                "redis",
                text(&self.redis.as_ref().map(|redis| redis.shown.clone())),
            ),
            ("public_url", text(&self.public_url)),
            ("default_tenant", text(&self.default_tenant)),
            (
                "payment_timeout_minutes",
                self.payment_timeout_minutes.to_string(),
            ),
            (
                "cleanup_interval_minutes",
                self.cleanup_interval_minutes.to_string(),
            ),
            ("max_stock_retry_attempts", self.retries_max.to_string()),
            (
                "stock_retry_backoff_ms",
                self.retry_backoff_millis.to_string(),
            ),
            (
                "idempotency_hours",
                (self.answers_kept_millis / 3_600_000).to_string(),
            ),
            ("batch_max", self.batch_max.to_string()),
            ("queue_max", self.queue_max.to_string()),
            ("connections_max", self.connections_max.to_string()),
            (
                "rate_limit",
                self.rate_limit.map_or(0, NonZeroU32::get).to_string(),
            ),
            ("metrics_open", self.metrics_open.to_string()),
            ("mock_webhook_secret", text(&key)),
            ("accounts_key", text(&accounts_key)),
            ("mock_outcome", text(&mock_outcome)),
            ("trusted_proxies", proxies.join(", ")),
        ]
    }

    fn check(&self) -> Result<()> {
        let minutes = self.payment_timeout_minutes;
        if !(1..=43_200).contains(&minutes) {
            bail!("payment_timeout_minutes must be between 1 and 43200, not {minutes}");
        }
        if !(1..=10_000).contains(&self.cleanup_interval_minutes) {
            bail!("cleanup_interval_minutes must be between 1 and 10000");
        }
        let replicated = matches!(self.database, Location::Postgres(_));
        let replica = matches!(self.database_read, Some(Location::Postgres(_)));
        if self.database_read.is_some() && !(replicated && replica) {
            bail!("database_read names a streaming replica of a PostgreSQL, as postgres://…");
        }
        if !(4..=1_000).contains(&self.pool_size) {
            bail!("database_pool_size must be between 4 and 1000");
        }
        if self.batch_max == 0 || self.queue_max == 0 || self.connections_max == 0 {
            bail!("batch_max, queue_max and connections_max must be above 0");
        }
        if !(3_600_000..=31_536_000_000).contains(&self.answers_kept_millis) {
            bail!("idempotency_hours must be between 1 and 8760");
        }
        Ok(())
    }
}

/// A Redis that servers share.
pub(crate) struct Redis {
    pub(crate) link: Arc<Link>,
    /// Its URL for people, without a password.
    shown: String,
}

impl FromStr for Redis {
    type Err = NotRedis;

    fn from_str(url: &str) -> std::result::Result<Self, NotRedis> {
        let link = Link::new(url)?;
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        Ok(Self {
            link,
            shown: format!("{scheme}://{place}"),
        })
    }
}

fn name_of(action: MockAction) -> String {
    let known = MockAction::ALL.iter().find(|(_, known)| *known == action);
    known.map_or_else(String::new, |(name, _)| (*name).to_owned())
}

fn mock_action(name: Option<String>) -> Result<Option<MockAction>> {
    let Some(name) = name else {
        return Ok(None);
    };
    let known = MockAction::ALL.iter().find(|(known, _)| *known == name);
    let names: Vec<_> = MockAction::ALL.iter().map(|(name, _)| *name).collect();
    let (_, action) =
        known.with_context(|| format!("mock_outcome is one of {}", names.join(", ")))?;
    Ok(Some(*action))
}

fn parsed<T: FromStr>(text: Option<String>) -> std::result::Result<Option<T>, T::Err> {
    text.map(|text| text.parse()).transpose()
}

fn given_or<T>(given: Vec<T>, usual: Vec<T>) -> Vec<T> {
    if given.is_empty() { usual } else { given }
}

/// The key of a Standard Webhooks secret: `whsec_` and base64 of 24 to 64 bytes.
pub(crate) fn webhook_key(secret: &str) -> Result<Vec<u8>> {
    let key = outbound::standard_webhooks::key(secret);
    key.context("a webhook secret is `whsec_` and the base64 of 24 to 64 bytes")
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment is read"
)]
fn clock_offset_file() -> Option<PathBuf> {
    std::env::var("STOCKHOLD_CLOCK_OFFSET_FILE")
        .ok()
        .map(PathBuf::from)
}

fn read(path: Option<&Path>) -> Result<File> {
    let Some(path) = path else {
        return Ok(File::default());
    };
    let text = text_of(path)?;
    // The whole error would repeat the line, and with it a password that may stand there.
    toml::from_str(&text).map_err(|error| anyhow!("{}: {}", not_right(path), error.message()))
}

fn text_of(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("the settings file {} cannot be read", path.display()))
}

fn not_right(path: &Path) -> String {
    format!("{} is not right", path.display())
}

/// The names of the settings that a file gives.
pub(crate) fn given_in_file(path: Option<&Path>) -> Result<Vec<String>> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let text = text_of(path)?;
    let table: toml::Table = text.parse().with_context(|| not_right(path))?;
    Ok(table.keys().cloned().collect())
}
