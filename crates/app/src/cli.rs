//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::decide::StockRule;

use crate::export::{ExportFormat, What};
use crate::import::Layout;

/// A checkout core that never sells a unit twice, and can prove it.
#[derive(Parser)]
#[command(name = "stockhold", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP API
    Serve(Box<ServeArgs>),
    /// Take the database's schema up or down
    Migrate(MigrateArgs),
    /// Make or list tenants
    Tenant(TenantArgs),
    /// Make, list or revoke API keys
    Key(KeyArgs),
    /// Prove that the database says what its events say
    Audit(DatabaseArgs),
    /// Show where a shop's controls stand
    Controls(LeverArgs),
    /// Stop time from ending unpaid orders, or let it
    Expiry {
        #[arg(value_enum)]
        to: ExpiryTo,
        #[command(flatten)]
        lever: LeverArgs,
    },
    /// Stop the sweep of due holds, or start it again
    Cleanup {
        #[arg(value_enum)]
        to: CleanupTo,
        #[command(flatten)]
        lever: LeverArgs,
    },
    /// Choose what new orders do to stock
    StockMode {
        #[arg(value_enum)]
        to: StockModeTo,
        #[command(flatten)]
        lever: LeverArgs,
    },
    /// Stop all writes of a shop, or take them again
    ReadOnly {
        #[arg(value_enum)]
        to: ReadOnlyTo,
        #[command(flatten)]
        lever: LeverArgs,
    },
    /// Put an order on hold, or release it
    Order {
        #[arg(value_enum)]
        to: OrderTo,
        /// The order's id
        id: String,
        #[command(flatten)]
        lever: LeverArgs,
    },
    /// Bring a catalogue in from a file
    Import(ImportArgs),
    /// Write a shop's data into files, from one snapshot, beside a running server
    Export(ExportArgs),
    /// Show messages of payment providers, or take them in again
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Ask providers about every payment, and report what differs from what stands here
    Reconcile(ReconcileArgs),
    /// Accounts with payment providers
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Take a whole database over into an empty one, of the same kind or the other
    Copy(CopyArgs),
    /// Show what settings a server would run with
    Config(ConfigArgs),
    /// Try a running server: order, payment, webhook, and each again
    Smoke(SmokeArgs),
    /// Print completions for a shell
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write manual pages into a folder, or the main one to standard output
    Man {
        /// The folder
        #[arg(long)]
        output: Option<PathBuf>,
    },
    /// Print the OpenAPI document
    Openapi,
}

/// Which database, and how to answer.
#[derive(Args, Clone)]
pub(crate) struct DatabaseArgs {
    /// `sqlite:PATH` or `postgres://…`
    #[arg(
        long,
        global = true,
        env = "STOCKHOLD_DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite:stockhold.db"
    )]
    pub(crate) database: String,
    /// Print JSON for machines
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Where a database is.
#[derive(Args, Clone)]
pub(crate) struct AtDatabase {
    /// `sqlite:PATH` or `postgres://…`
    #[arg(
        long,
        env = "STOCKHOLD_DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite:stockhold.db"
    )]
    pub(crate) database: String,
}

/// What opens the secrets of accounts with payment providers.
#[derive(Args, Clone)]
pub(crate) struct VaultArgs {
    /// Keys that seal those secrets: base64 of 32 bytes each, separated by commas, the newest first
    #[arg(long, env = "STOCKHOLD_ACCOUNTS_KEY", hide_env_values = true)]
    pub(crate) accounts_key: Option<String>,
}

#[derive(Args)]
pub(crate) struct ReconcileArgs {
    /// Slug of one tenant; all of them otherwise
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// How many days back
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..=3_650))]
    pub(crate) days: i64,
    #[command(flatten)]
    pub(crate) at: AtDatabase,
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// Print JSON for machines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum AccountsCommand {
    /// Seal all secrets with the newest of the keys given, on a database that no server uses
    Reseal(ResealArgs),
}

#[derive(Args)]
pub(crate) struct ResealArgs {
    #[command(flatten)]
    pub(crate) at: AtDatabase,
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
}

/// Which shop: on a running server with a secret key, or on a database that no server uses.
#[derive(Args, Clone)]
pub(crate) struct ShopArgs {
    /// Address of a running server, such as `http://127.0.0.1:3000`
    #[arg(long, env = "STOCKHOLD_URL", requires = "key")]
    pub(crate) url: Option<String>,
    /// A secret key of the shop, for a running server
    #[arg(long, env = "STOCKHOLD_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// Slug of the tenant, for a database with several
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) at: AtDatabase,
    /// Print JSON for machines
    #[arg(long)]
    pub(crate) json: bool,
}

impl ShopArgs {
    /// The running server that is meant, if one is.
    pub(crate) fn server(&self) -> Option<(&str, &str)> {
        Some((self.url.as_deref()?, self.key.as_deref()?))
    }
}

#[derive(Subcommand)]
pub(crate) enum WebhookCommand {
    /// List messages, newest first
    List {
        /// Only those of which this became
        #[arg(long, value_parser = ["applied", "ignored", "dead"])]
        status: Option<String>,
        #[command(flatten)]
        shop: ShopArgs,
    },
    /// Take messages in again; one that was applied changes nothing
    Replay {
        /// The message's id
        id: Option<String>,
        /// All dead letters, the oldest first
        #[arg(long)]
        dead: bool,
        #[command(flatten)]
        shop: ShopArgs,
        #[command(flatten)]
        vault: VaultArgs,
    },
}

#[derive(Args)]
pub(crate) struct ImportArgs {
    /// CSV as Shopify, `WooCommerce` or `stockhold export` write it, or NDJSON; `-` for standard input
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) shop: ShopArgs,
    /// The file's layout, where its header does not tell
    #[arg(long, value_enum)]
    pub(crate) layout: Option<Layout>,
    /// The currency of prices that name none [default: the shop's]
    #[arg(long)]
    pub(crate) currency: Option<String>,
    /// The location of stock that names none
    #[arg(long, default_value = domain::catalogue::DEFAULT_LOCATION)]
    pub(crate) location: String,
    /// Which stock levels to set: those that do not exist yet, all, or none
    #[arg(long, default_value = "new", value_parser = stock_rule)]
    pub(crate) stock: StockRule,
    /// Add locations that the file's columns name and the shop has not
    #[arg(long)]
    pub(crate) create_locations: bool,
    /// Check the file and say what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave bad products out instead of refusing the file
    #[arg(long)]
    pub(crate) skip_bad: bool,
}

/// Who pulls a lever, and why: both are kept in the journal.
#[derive(Args)]
pub(crate) struct LeverArgs {
    /// Why
    #[arg(long, default_value = "not said")]
    pub(crate) reason: String,
    /// Who
    #[arg(long, env = "USER")]
    pub(crate) by: Option<String>,
    /// Minutes until an unpaid order expires, as the server has it; for a stopped database
    #[arg(
        long,
        env = "PAYMENT_TIMEOUT_MINUTES",
        default_value_t = domain::tenant::PAYMENT_TIMEOUT_MINUTES,
        value_parser = clap::value_parser!(i64).range(1..=43_200)
    )]
    pub(crate) payment_timeout_minutes: i64,
    /// For every tenant; on a running server with a platform key
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) shop: ShopArgs,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ExpiryTo {
    /// Clear pending deadlines, and keep their holds
    Suspend,
    /// Set new deadlines
    Resume,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum CleanupTo {
    /// Sweep nothing; a due hold ends when a buyer wants its units
    Pause,
    /// Sweep again
    Resume,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum StockModeTo {
    /// Reserve, and deduct when paid
    Reserve,
    /// Deduct at once, and put back when the order ends unpaid
    Immediate,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ReadOnlyTo {
    /// Answer writes with 503 `read_only`
    On,
    /// Take writes
    Off,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum OrderTo {
    /// Keep it where it is: time does not end it, and it does not move on
    Hold,
    /// Let it go on, with a new deadline if it is unpaid
    Release,
}

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// Which lists; all of them by default
    #[arg(value_enum)]
    pub(crate) what: Vec<What>,
    #[arg(long, value_enum, default_value = "csv")]
    pub(crate) format: ExportFormat,
    /// Folder to write the files into; one list may go to standard output instead
    #[arg(long)]
    pub(crate) output: Option<PathBuf>,
    /// Slug of the tenant, for a database with several
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) at: AtDatabase,
}

#[derive(Args)]
pub(crate) struct CopyArgs {
    /// The database that is copied, with no server at work: `sqlite:PATH` or `postgres://…`
    #[arg(long)]
    pub(crate) from: String,
    /// An empty database; its schema is made where it is missing
    #[arg(long)]
    pub(crate) to: String,
    /// Hours for which the source's servers kept an answer under its Idempotency-Key
    #[arg(long, env = "STOCKHOLD_IDEMPOTENCY_HOURS", default_value_t = 24)]
    pub(crate) idempotency_hours: i64,
    /// Print JSON for machines
    #[arg(long)]
    pub(crate) json: bool,
}

fn stock_rule(name: &str) -> Result<StockRule, String> {
    StockRule::parse(name).ok_or_else(|| "must be new, set or keep".to_owned())
}

/// Flags win over the environment, the environment over the file, the file over the defaults.
#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Take settings from a TOML file
    #[arg(long, env = "STOCKHOLD_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Begin with a demo shop, and keep its keys
    #[arg(long)]
    pub(crate) demo: bool,
    /// Print one line of JSON once ready
    #[arg(long)]
    pub(crate) json: bool,
    /// Address to listen on [default: 127.0.0.1:3000]
    #[arg(long, env = "STOCKHOLD_LISTEN")]
    pub(crate) listen: Option<String>,
    /// `sqlite:PATH` or `postgres://…` [default: sqlite:stockhold.db]
    #[arg(long, env = "STOCKHOLD_DATABASE_URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// A streaming replica of the PostgreSQL, `postgres://…`, that takes lists while it keeps up
    #[arg(long, env = "STOCKHOLD_DATABASE_READ_URL", hide_env_values = true)]
    pub(crate) database_read: Option<String>,
    /// Connections to a PostgreSQL, and as many to its replica [default: 10]
    #[arg(long, env = "STOCKHOLD_DATABASE_POOL_SIZE")]
    pub(crate) database_pool_size: Option<usize>,
    /// A Redis, `redis://…`, through which servers share pages of the catalogue and rate limits
    #[arg(long, env = "STOCKHOLD_REDIS_URL", hide_env_values = true)]
    pub(crate) redis: Option<String>,
    /// Where clients reach this server, if not at the address it listens on
    #[arg(long, env = "STOCKHOLD_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// Slug of the tenant that callers without a key reach, as with a publishable key
    #[arg(long, env = "STOCKHOLD_DEFAULT_TENANT")]
    pub(crate) default_tenant: Option<String>,
    /// Minutes until an unpaid order expires [default: 15]
    #[arg(long, env = "PAYMENT_TIMEOUT_MINUTES")]
    pub(crate) payment_timeout_minutes: Option<i64>,
    /// Minutes between two clean-ups [default: 5]
    #[arg(long, env = "CLEANUP_INTERVAL_MINUTES")]
    pub(crate) cleanup_interval_minutes: Option<u64>,
    /// Retries of a batch that met another writer [default: 3]
    #[arg(long, env = "MAX_STOCK_RETRY_ATTEMPTS")]
    pub(crate) max_stock_retry_attempts: Option<u32>,
    /// Milliseconds before the first retry, doubled before each further one [default: 100]
    #[arg(long, env = "STOCK_RETRY_BACKOFF_MS")]
    pub(crate) stock_retry_backoff_ms: Option<u64>,
    /// Hours for which an answer is kept under its Idempotency-Key [default: 24]
    #[arg(long, env = "STOCKHOLD_IDEMPOTENCY_HOURS")]
    pub(crate) idempotency_hours: Option<i64>,
    /// Commands that one batch takes [default: 256]
    #[arg(long, env = "STOCKHOLD_BATCH_MAX")]
    pub(crate) batch_max: Option<usize>,
    /// Commands that may wait in one tenant's lane [default: 4096]
    #[arg(long, env = "STOCKHOLD_QUEUE_MAX")]
    pub(crate) queue_max: Option<usize>,
    /// Connections at the same time [default: 10000]
    #[arg(long, env = "STOCKHOLD_CONNECTIONS_MAX")]
    pub(crate) connections_max: Option<usize>,
    /// Requests a second for each key, 0 for no limit [default: 1000; 0 with --demo]
    #[arg(long, env = "STOCKHOLD_RATE_LIMIT")]
    pub(crate) rate_limit: Option<u32>,
    /// Let others than this machine read /metrics
    #[arg(long, env = "STOCKHOLD_METRICS_OPEN")]
    pub(crate) metrics_open: bool,
    /// Key of the mock provider's webhooks, `whsec_` and base64 [default: one of the server's own]
    #[arg(long, env = "STOCKHOLD_MOCK_WEBHOOK_SECRET", hide_env_values = true)]
    pub(crate) mock_webhook_secret: Option<String>,
    /// What the mock provider's payers do by themselves: pay, fail, abandon, late, timeout or
    /// duplicate [default: wait for a button of the page]
    #[arg(long, env = "STOCKHOLD_MOCK_OUTCOME")]
    pub(crate) mock_outcome: Option<String>,
    /// Addresses of proxies whose `X-Forwarded-For` says who asks, separated by commas
    #[arg(long, env = "STOCKHOLD_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(crate) trusted_proxies: Vec<IpAddr>,
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// Log as JSON
    #[arg(long, env = "STOCKHOLD_LOG_JSON")]
    pub(crate) log_json: bool,
    /// A file for what concerns security, as lines of JSON; it is in the logs, too
    #[arg(long, env = "STOCKHOLD_SECURITY_LOG")]
    pub(crate) security_log: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) what: ConfigCommand,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting, its value, and where that comes from; takes what `serve` takes
    Check(Box<ServeArgs>),
}

#[derive(Args)]
pub(crate) struct SmokeArgs {
    /// Address of the running server
    #[arg(long, env = "STOCKHOLD_URL")]
    pub(crate) url: String,
    /// A secret key of a shop
    #[arg(long, env = "STOCKHOLD_KEY", hide_env_values = true)]
    pub(crate) key: String,
    /// The key that payment webhooks are signed with, `whsec_` and base64; without it the mock's own button is pressed
    #[arg(long, env = "STOCKHOLD_MOCK_WEBHOOK_SECRET", hide_env_values = true)]
    pub(crate) webhook_secret: Option<String>,
    /// The variant to order one of [default: the first that can be had]
    #[arg(long)]
    pub(crate) variant: Option<String>,
    /// Print JSON for machines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct MigrateArgs {
    #[command(subcommand)]
    pub(crate) way: MigrateWay,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Subcommand)]
pub(crate) enum MigrateWay {
    /// Take every missing step
    Up,
    /// Take steps back
    Down {
        /// How many
        #[arg(long, default_value_t = 1)]
        steps: usize,
        /// Do it although data is lost
        #[arg(long)]
        yes: bool,
    },
    /// Show which steps have been taken
    Status,
    /// Spread the tables over the nodes of a Citus cluster, by tenant
    Distribute {
        /// Do it although Citus does not work under row-level security: the program alone keeps
        /// tenants apart there
        #[arg(long)]
        without_row_level_security: bool,
    },
    /// Print the SQL that makes PostgreSQL's two roles: who owns the schema, and who serves
    Roles,
    /// Print the SQL of each step, to be run with sqlite3 or psql
    Print {
        /// The way back instead
        #[arg(long)]
        down: bool,
        /// The number of one step only
        #[arg(long)]
        step: Option<i64>,
    },
}

#[derive(Args)]
pub(crate) struct TenantArgs {
    #[command(subcommand)]
    pub(crate) what: TenantCommand,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Subcommand)]
pub(crate) enum TenantCommand {
    /// Make a tenant
    Create {
        /// Its name in URLs
        slug: String,
        /// Its name
        #[arg(long)]
        name: Option<String>,
        /// The currency of its products when they name none
        #[arg(long, default_value = "EUR")]
        currency: String,
    },
    /// List tenants
    List,
}

#[derive(Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) what: KeyCommand,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Secret,
    Publishable,
    Platform,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; it is shown this once
    Create {
        /// What it may do
        #[arg(value_enum)]
        kind: Kind,
        /// Slug of its tenant; none for a platform key
        #[arg(long)]
        tenant: Option<String>,
        /// What you call it
        #[arg(long, default_value = "")]
        name: String,
    },
    /// List a tenant's keys, or the platform's
    List {
        /// Slug of the tenant; none for platform keys
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Revoke a key
    Revoke {
        /// The id of its record
        id: String,
        /// Slug of its tenant; none for a platform key
        #[arg(long)]
        tenant: Option<String>,
    },
}
