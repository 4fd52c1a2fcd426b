//! The connection to Redis.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// For how long an answer is waited for. A request asks twice at most, and each time waits for two
/// answers at most (see `rounds`): less than 50 ms.
pub const ANSWER_MAX: Duration = Duration::from_millis(12);
/// For how long a new connection is waited for, in the background.
const CONNECT_MAX: Duration = Duration::from_secs(1);
/// The pauses between attempts to connect, doubling.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// For how long a connection must last for the pauses to be short again.
const LASTING: Duration = Duration::from_secs(5);

/// Why a URL is not one of a Redis.
#[derive(Debug, thiserror::Error)]
#[error("a Redis is named as redis://[user:password@]host[:port][/database], or rediss:// for TLS")]
pub struct NotRedis;

/// A Redis, as long as it answers.
pub struct Link {
    client: Client,
    open: Mutex<Option<MultiplexedConnection>>,
    lost: Notify,
    losses: AtomicU64,
}

impl Link {
    /// Names a Redis; [`Link::keep`] connects to it.
    pub fn new(url: &str) -> Result<Arc<Self>, NotRedis> {
        let url = url.trim();
        let schemes = ["redis://", "rediss://"];
        if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(NotRedis);
        }
        // The error may repeat the URL, and with it a password.
        let client = Client::open(url).map_err(|_| NotRedis)?;
        Ok(Arc::new(Self {
            client,
            open: Mutex::default(),
            lost: Notify::new(),
            losses: AtomicU64::new(0),
        }))
    }

    /// Whether it answered when it was last asked.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.open().is_some()
    }

    /// How often it was given up.
    #[must_use]
    pub fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    fn open(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, if it is there. Whoever gets no answer in time, or a fault, gives the connection up for
    /// all; so does a Redis that refuses what is asked, such as one that takes no writes.
    pub(crate) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Option<T> {
        let mut connection = self.open().clone()?;
        let answered = timeout(ANSWER_MAX, question(&mut connection)).await;
        let why = match answered {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it did not answer in time".to_owned(),
        };
        if self.open().take().is_some() {
            tracing::warn!(why, "Redis is given up; requests go on without it");
            self.losses.fetch_add(1, Ordering::Relaxed);
            self.lost.notify_one();
        }
        None
    }

    /// Connects, and again whenever the connection is lost, until `stop`.
    pub async fn keep(self: Arc<Self>, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.keep_forever() => {}
        }
    }

    async fn keep_forever(&self) {
        let mut pause = PAUSES.0;
        let mut told = false;
        loop {
            match self.connect().await {
                Ok(connection) => {
                    *self.open() = Some(connection);
                    tracing::info!("Redis is used");
                    told = false;
                    let since = Instant::now();
                    self.lost.notified().await;
                    if since.elapsed() > LASTING {
                        pause = PAUSES.0;
                    }
                }
                Err(error) if told => tracing::debug!(%error, "Redis cannot be reached"),
                Err(error) => {
                    tracing::warn!(%error, "Redis cannot be reached; requests go on without it");
                    told = true;
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// A connection that answers as fast as it must.
    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_MAX))
            .set_response_timeout(Some(CONNECT_MAX));
        let client = &self.client;
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let ping = redis::cmd("PING");
        match timeout(ANSWER_MAX, ping.query_async::<()>(&mut connection)).await {
            Ok(answered) => answered.map(|()| connection),
            Err(_) => Err((redis::ErrorKind::Io, "it answers too slowly").into()),
        }
    }
}
