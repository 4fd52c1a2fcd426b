//! Connections: kept, bounded in number and time, made again after an outage.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
    TimeoutType,
};
use tokio::time::Instant;

use crate::address::Address;
use crate::error::Error;
use crate::tls;

/// What a session begins with. Whatever role has logged in, it works as the server's role. A batch
/// looks rows up by their keys, and shall do so whatever the statistics of a young or grown table
/// make the planner believe; planning it anew for each batch would cost more than running it. Citus
/// must know which node to go to, and plans anew.
const SETTINGS: &str = "SET ROLE stockhold_app; SET lock_timeout = '2s'; \
     SET statement_timeout = '15s'; SET idle_in_transaction_session_timeout = '3s'; \
     SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off; \
     SET enable_mergejoin = off; SET synchronous_commit = on; \
     SELECT set_config('plan_cache_mode', CASE WHEN to_regclass('pg_dist_partition') IS NULL \
     THEN 'force_generic_plan' ELSE 'force_custom_plan' END, false)";
/// The first wait after a failed attempt to connect, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// For how long a caller waits for one of the connections.
const TURN_MAX: Duration = Duration::from_secs(5);

/// When the database may be tried again after an outage.
#[derive(Debug, Default)]
struct Outage {
    next: Option<(Instant, Duration)>,
}

/// Some connections to one database.
#[derive(Clone)]
pub struct Connections {
    pool: Pool,
    outage: Arc<Mutex<Outage>>,
}

impl Connections {
    /// At most `most` connections, made when they are needed.
    pub fn new(address: &Address, most: usize) -> Result<Self, Error> {
        let tls = tls::connector(address)?;
        let config = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(address.config.clone(), tls, config);
        let settle = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
            Box::pin(async move {
                let settled = client.batch_execute(SETTINGS).await;
                settled.map_err(HookError::Backend)
            })
        });
        let pool = Pool::builder(manager)
            .max_size(most)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(TURN_MAX))
            .create_timeout(Some(TURN_MAX))
            .post_create(settle)
            .build()
            .map_err(|error| Error::Connect(error.to_string()))?;
        Ok(Self {
            pool,
            outage: Arc::default(),
        })
    }

    /// A connection. After a failed attempt nobody tries again for a while, so that an outage is
    /// told at once and the database is not stormed when it comes back.
    pub(crate) async fn get(&self) -> Result<Object, Error> {
        let outage = || self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((until, _)) = outage().next
            && Instant::now() < until
        {
            return Err(Error::Connect("it was away a moment ago".to_owned()));
        }
        match self.pool.get().await {
            Ok(client) => {
                outage().next = None;
                Ok(client)
            }
            Err(error) => {
                let away = matches!(
                    error,
                    PoolError::Backend(_)
                        | PoolError::PostCreateHook(_)
                        | PoolError::Timeout(TimeoutType::Create)
                );
                if away {
                    let mut outage = outage();
                    let last = outage.next.map_or(Duration::ZERO, |(_, wait)| wait);
                    let wait = (last * 2).clamp(WAITS.0, WAITS.1);
                    outage.next = Some((Instant::now() + wait, wait));
                }
                Err(told(error))
            }
        }
    }
}

fn told(error: PoolError) -> Error {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            let said = error.as_db_error().map(|said| said.message().to_owned());
            let source = std::error::Error::source(&error).map(ToString::to_string);
            Error::Connect(said.or(source).unwrap_or_else(|| error.to_string()))
        }
        other => Error::Connect(other.to_string()),
    }
}
