//! `stockhold serve`: where everything meets.

mod shutdown;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow, bail};
use api::auth::KeyRing;
use api::keys::KeyHasher;
use api::rate_limit::RateLimit;
use api::services::{HttpOptions, Services};
use domain::ids::TenantId;
use engine::clock::{Clock, Entropy};
use engine::executor::{Executor, ExecutorOptions};
use engine::handle::Handle;
use engine::lanes::{LaneOptions, Lanes};
use engine::reader::Reader;
use engine::stats::Stats;
use engine::sweeper::{Sweeper, SweeperOptions, SweeperStatus};
use outbound::client::Client;
use outbound::providers::AllProviders;
use store_sqlite::checkpoint::Checkpointer;
use store_sqlite::database::{self, Database, Durability, open_for_migration};
use store_sqlite::migrate;
use store_sqlite::secrets::Secrets;
use store_sqlite::store::SqliteStore;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::codec::JsonCodec;
use wire::token::Tokens;

use crate::cli::ServeArgs;
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::Config;
use crate::demo::{self, Shop};

pub(crate) fn run(args: ServeArgs) -> Result<ExitCode> {
    let config = Config::new(args)?;
    if config.demo {
        let (mut conn, _lock) = open_for_migration(&config.database)?;
        migrate::up(
            &mut conn,
            SystemClock::new().now().millis(),
            env!("CARGO_PKG_VERSION"),
        )?;
    } else if !config.database.exists() {
        bail!(
            "{} does not exist; run `stockhold migrate up` first",
            config.database.display()
        );
    }
    let mut database = database::open(&config.database, Durability::Full)?;
    let pepper = pepper(&config.database)?;
    let shop = if config.demo {
        Some(demo::open(&config.database, &mut database.store, &pepper)?)
    } else {
        None
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(config, database, pepper, shop))?;
    Ok(ExitCode::SUCCESS)
}

/// The server's pepper: made once, kept in the database.
pub(crate) fn pepper(path: &Path) -> Result<[u8; 32]> {
    let mut fresh = [0; 32];
    SystemEntropy.fill(&mut fresh);
    let kept = Secrets::open(path)?.keep("pepper", &fresh)?;
    kept.try_into()
        .map_err(|_| anyhow!("the server's pepper in the database is damaged"))
}

/// The codec of a server that clients reach at `public_url`.
pub(crate) fn codec(pepper: &[u8; 32], public_url: String) -> JsonCodec {
    JsonCodec {
        tokens: Tokens::new(pepper),
        public_url,
    }
}

async fn serve(
    config: Config,
    database: Database,
    pepper: [u8; 32],
    shop: Option<Shop>,
) -> Result<()> {
    let listener = TcpListener::bind(&config.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", config.listen))?;
    let (address, public_url) = addresses(&listener, &config)?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let clock = clock(&config, &tasks, &stop);
    let codec = codec(&pepper, public_url.clone());
    let Database {
        store,
        reader,
        checkpointer,
    } = database;
    let reader: Arc<dyn Reader> = Arc::new(reader);
    let lanes = Arc::new(Lanes::new(lane_options(&config)));
    let stats = Arc::new(Stats::default());
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let handle = Handle::new(
        Arc::clone(&lanes),
        Arc::clone(&clock),
        Arc::clone(&entropy),
        stats.clone(),
    );
    let executor = Executor {
        store,
        lanes: Arc::clone(&lanes),
        codec: Arc::new(codec.clone()),
        clock: Arc::clone(&clock),
        entropy,
        stats,
        options: executor_options(&config),
    };
    let writer = start_writer(executor)?;
    let keyless = keyless_tenant(&config, shop.as_ref(), &*reader).await?;
    let sweeper = sweeper(&config, &handle, &reader);
    let providers = AllProviders {
        client: Client::new()?,
        clock,
        pepper,
        mock_webhook_key: config.mock_webhook_key.clone(),
        public_url,
        tasks: tasks.clone(),
        stop: stop.clone(),
        late: Arc::default(),
    };
    let services = Arc::new(Services {
        handle,
        keys: KeyRing::new(KeyHasher::new(&pepper), Arc::clone(&reader)),
        reader,
        codec,
        providers: Arc::new(providers),
        sweeper: Arc::clone(&sweeper.status),
        rate_limit: RateLimit::new(config.rate_limit),
        options: http_options(&config),
        tasks: tasks.clone(),
        stop: stop.clone(),
        keyless_tenant: keyless,
    });
    tasks.spawn(sweeper.run(stop.clone()));
    let router = api::router::router(&services);
    demo::announce(&address, shop.as_ref(), config.json);
    tracing::info!(address, "serving");

    tasks.spawn(shutdown::wait(stop.clone()));
    api::server::serve(listener, router, services, stop).await;
    tasks.close();
    tasks.wait().await;
    lanes.close();
    close(writer, checkpointer).await
}

/// Where the server listens, and where clients reach it.
fn addresses(listener: &TcpListener, config: &Config) -> Result<(String, String)> {
    let address = format!("http://{}", listener.local_addr()?);
    let public_url = config.public_url.clone().unwrap_or_else(|| address.clone());
    Ok((address, public_url.trim_end_matches('/').to_owned()))
}

/// The clock; in a demo it may follow a file.
fn clock(config: &Config, tasks: &TaskTracker, stop: &CancellationToken) -> Arc<dyn Clock> {
    let clock = Arc::new(SystemClock::new());
    if let Some(file) = config.clock_offset_file.clone() {
        tasks.spawn(Arc::clone(&clock).follow(file, stop.clone()));
    }
    clock
}

fn sweeper(config: &Config, handle: &Handle, reader: &Arc<dyn Reader>) -> Sweeper {
    Sweeper {
        handle: handle.clone(),
        reader: Arc::clone(reader),
        status: Arc::new(SweeperStatus::default()),
        options: SweeperOptions {
            look_every_millis: 250,
            clean_up_every_millis: config.cleanup_interval_minutes.saturating_mul(60_000),
        },
    }
}

/// Waits until every command that was queued is answered, and the database is closed.
async fn close(writer: JoinHandle<()>, checkpointer: Checkpointer) -> Result<()> {
    let joined = tokio::task::spawn_blocking(move || writer.join()).await?;
    drop(checkpointer);
    if joined.is_err() {
        bail!("the writer ended with a fault; see the log");
    }
    tracing::info!("stopped");
    Ok(())
}

/// A server whose writer has died must not go on taking requests: its supervisor starts it anew.
struct EndOnPanic;

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the writer panicked; ending the process");
            std::process::exit(EXIT_FAULT);
        }
    }
}

/// The exit status after a fault of ours: `EX_SOFTWARE` of BSD's sysexits.
const EXIT_FAULT: i32 = 70;

/// The executor's own thread: SQLite's calls block, and nothing else shall wait for them.
fn start_writer(executor: Executor<SqliteStore>) -> Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let run = move || {
        let _guard = EndOnPanic;
        runtime.block_on(executor.run());
    };
    Ok(std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(run)?)
}

async fn keyless_tenant(
    config: &Config,
    shop: Option<&Shop>,
    reader: &dyn Reader,
) -> Result<Option<TenantId>> {
    match (&config.default_tenant, shop) {
        (Some(slug), _) => {
            let tenant = reader.tenant_by_slug(slug.clone()).await?;
            let tenant = tenant.with_context(|| format!("there is no tenant {slug:?}"))?;
            Ok(Some(tenant.id))
        }
        (None, shop) => Ok(shop.map(|shop| shop.tenant_id)),
    }
}

fn lane_options(config: &Config) -> LaneOptions {
    LaneOptions {
        lane_depth_max: config.queue_max,
        total_depth_max: config.queue_max.saturating_mul(4),
        batch_count_max: config.batch_max,
        wait_max_millis: 10_000,
    }
}

fn executor_options(config: &Config) -> ExecutorOptions {
    ExecutorOptions {
        payment_timeout_minutes: config.payment_timeout_minutes,
        answers_kept_millis: config.answers_kept_millis,
        retries_max: config.retries_max,
        retry_backoff_millis: config.retry_backoff_millis,
    }
}

fn http_options(config: &Config) -> HttpOptions {
    HttpOptions {
        body_max: 256 * 1024,
        read_timeout_millis: 10_000,
        connections_max: config.connections_max,
        metrics_open: config.metrics_open,
    }
}
