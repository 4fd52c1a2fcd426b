//! `stockhold serve`: where everything meets.

mod shutdown;

use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, bail};
use api::auth::KeyRing;
use api::keys::KeyHasher;
use api::rate_limit::RateLimit;
use api::services::{HttpOptions, Services, Shared};
use cache::pages::Pages;
use cache::rate::Rates;
use domain::ids::TenantId;
use engine::clock::{Clock, Entropy};
use engine::executor::{Executor, ExecutorOptions};
use engine::handle::Handle;
use engine::lanes::{LaneOptions, Lanes};
use engine::provider::Providers;
use engine::reader::Reader;
use engine::saga::Sagas;
use engine::saga::pursuer::Pursuer;
use engine::stats::Stats;
use engine::sweeper::{Sweeper, SweeperOptions, SweeperStatus};
use store_postgres::connections::Connections;
use store_postgres::listen::listen;
use store_postgres::replica::Replica;
use store_postgres::store::TimeSource;
use store_sqlite::checkpoint::Checkpointer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::codec::JsonCodec;
use wire::token::Tokens;

use crate::cli::ServeArgs;
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{Config, Redis};
use crate::database::{AnyStore, Database, Location, Opening};
use crate::demo::{self, Shop};
use crate::providers::{self, Setting};
use shutdown::Signals;

pub(crate) fn run(args: ServeArgs) -> Result<ExitCode> {
    let config = Config::new(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let shop = if config.demo {
            Some(demo_shop(&config).await?)
        } else {
            None
        };
        let database = config.database.open(opening(&config)).await?;
        let pepper = database.pepper().await?;
        serve(config, database, pepper, shop).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Takes the schema up, and opens the demo shop.
async fn demo_shop(config: &Config) -> Result<Shop> {
    config.database.migrate_up().await?;
    let how = Opening {
        time: TimeSource::Caller,
        ..Opening::SMALL
    };
    let make = async || {
        let database = config.database.open(how).await?;
        let pepper = database.pepper().await?;
        demo::open(database, &pepper).await
    };
    config.database.alone(make).await
}

/// Two connections write, each for its share of the tenants; more gain nothing that two cores
/// could give.
const WRITERS: usize = 2;

fn opening(config: &Config) -> Opening {
    Opening {
        // One more listens.
        pool_size: config.pool_size - 1,
        replica: config.database_read.clone(),
        writers: WRITERS,
        time: if config.clock_offset_file.is_some() {
            TimeSource::Caller
        } else {
            TimeSource::Database
        },
    }
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
    let listener = api::server::listen(&config.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", config.listen))?;
    let (address, public_url) = addresses(&listener, &config)?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let clock = clock(&config, &tasks, &stop);
    let codec = codec(&pepper, public_url.clone());
    let Database {
        stores,
        reader,
        checkpointer,
        replica,
        secrets: _,
    } = database;
    watch(replica, &tasks, &stop);
    let new_lanes = |_: &AnyStore| Arc::new(Lanes::new(lane_options(&config)));
    let lanes: Arc<[Arc<Lanes>]> = stores.iter().map(new_lanes).collect();
    let stats = Arc::new(Stats::default());
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let time = Arc::clone(&clock);
    let handle = Handle::new(
        Arc::clone(&lanes),
        time,
        Arc::clone(&entropy),
        Arc::clone(&stats),
    );
    let executor = |(store, lanes): (AnyStore, &Arc<Lanes>)| Executor {
        store,
        lanes: Arc::clone(lanes),
        codec: Arc::new(codec.clone()),
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        stats: Arc::clone(&stats),
        options: executor_options(&config),
    };
    let executors = stores.into_iter().zip(&*lanes).map(executor);
    let writers = executors.map(start_writer).collect::<Result<_>>()?;
    let keyless = keyless_tenant(&config, shop.as_ref(), &*reader).await?;
    let sweeper = sweeper(&config, &handle, &reader);
    let providers = providers(&config, &pepper, (clock, public_url), (&tasks, &stop))?;
    let sagas = sagas((&handle, &reader, &providers), &tasks, &stop);
    let services = Arc::new(Services {
        handle,
        keys: KeyRing::new(KeyHasher::new(&pepper), Arc::clone(&reader)),
        reader,
        codec,
        providers,
        sagas,
        plain_providers: config.demo,
        mock_outcome: config.mock_outcome,
        trusted_proxies: config.trusted_proxies.clone(),
        sweeper: Arc::clone(&sweeper.status),
        rate_limit: rate_limit(&config, &tasks, &stop),
        shared: shared(&config, &tasks, &stop),
        options: http_options(&config),
        tasks: tasks.clone(),
        stop: stop.clone(),
        keyless_tenant: keyless,
    });
    tasks.spawn(sweeper.run(stop.clone()));
    hear_others(&config, &services);
    let router = api::router::router(&services);
    // Whoever reads that it is ready may end it.
    tasks.spawn(Signals::catch()?.wait(stop.clone()));
    demo::announce(&address, shop.as_ref(), config.json);
    tracing::info!(address, "serving");

    api::server::serve(listener, router, services, stop).await;
    close(&tasks, &lanes, writers, checkpointer).await
}

fn providers(
    config: &Config,
    pepper: &[u8; 32],
    (clock, public_url): (Arc<dyn Clock>, String),
    (tasks, stop): (&TaskTracker, &CancellationToken),
) -> Result<Arc<dyn Providers>> {
    let providers = providers::all(Setting {
        clock,
        pepper: *pepper,
        vault: providers::vault(config.accounts_key.as_deref(), pepper, config.demo)?,
        mock_webhook_key: config.mock_webhook_key.clone(),
        public_url,
        tasks: tasks.clone(),
        stop: stop.clone(),
    })?;
    Ok(Arc::new(providers))
}

/// What moves payments on, and looks for those that nobody else moves.
fn sagas(
    (handle, reader, providers): (&Handle, &Arc<dyn Reader>, &Arc<dyn Providers>),
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Arc<Sagas> {
    let (reader, providers) = (Arc::clone(reader), Arc::clone(providers));
    let sagas = Arc::new(Sagas::new(handle.clone(), reader, providers));
    let pursuer = Pursuer::new(Arc::clone(&sagas), tasks.clone());
    tasks.spawn(pursuer.run(stop.clone()));
    sagas
}

/// Looks after the replica, where there is one.
fn watch(replica: Option<(Replica, Connections)>, tasks: &TaskTracker, stop: &CancellationToken) {
    if let Some((replica, primary)) = replica {
        tasks.spawn(replica.watch(primary, stop.clone()));
    }
}

fn rate_limit(config: &Config, tasks: &TaskTracker, stop: &CancellationToken) -> RateLimit {
    let shared = config.redis.as_ref().zip(config.rate_limit);
    let runs = (tasks, stop.clone());
    let rates = |(redis, rate): (&Redis, _)| Rates::new(Arc::clone(&redis.link), rate, runs);
    RateLimit::new(config.rate_limit, shared.map(rates))
}

/// What servers share, where there is a Redis.
fn shared(config: &Config, tasks: &TaskTracker, stop: &CancellationToken) -> Option<Shared> {
    let link = &config.redis.as_ref()?.link;
    tasks.spawn(Arc::clone(link).keep(stop.clone()));
    Some(Shared {
        link: Arc::clone(link),
        pages: Pages::new(Arc::clone(link), tasks.clone(), stop.clone()),
    })
}

/// Listens to other servers on the same database.
fn hear_others(config: &Config, services: &Arc<Services>) {
    if let Location::Postgres(address) = &config.database {
        let (tasks, stop) = (services.tasks.clone(), services.stop.clone());
        let services = Arc::clone(services);
        // Another server may have revoked a key that this one remembers.
        let hear = move || services.keys.forget_all();
        tasks.spawn(listen((**address).clone(), stop, hear));
    }
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
async fn close(
    tasks: &TaskTracker,
    lanes: &[Arc<Lanes>],
    writers: Vec<JoinHandle<()>>,
    checkpointer: Option<Checkpointer>,
) -> Result<()> {
    tasks.close();
    tasks.wait().await;
    for lanes in lanes {
        lanes.close();
    }
    let join = move || writers.into_iter().all(|writer| writer.join().is_ok());
    let well = tokio::task::spawn_blocking(join).await?;
    drop(checkpointer);
    if !well {
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

/// An executor's own thread: SQLite's calls block, and nothing else shall wait for them.
fn start_writer(executor: Executor<AnyStore>) -> Result<JoinHandle<()>> {
    // Its connections are driven by the server's threads: PostgreSQL works on a batch's first
    // statements while the last ones are still being written.
    let runtime = tokio::runtime::Handle::current();
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
