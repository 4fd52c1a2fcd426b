//! What endpoints work with.

use std::net::IpAddr;
use std::sync::Arc;

use cache::link::Link;
use cache::pages::Pages;
use domain::ids::TenantId;
use engine::handle::Handle;
use engine::provider::{MockAction, Providers};
use engine::reader::Reader;
use engine::saga::Sagas;
use engine::sweeper::SweeperStatus;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::codec::JsonCodec;

use crate::auth::KeyRing;
use crate::rate_limit::RateLimit;

/// Bounds of the HTTP side.
#[derive(Clone, Copy, Debug)]
pub struct HttpOptions {
    /// Bytes of a body.
    pub body_max: usize,
    /// Milliseconds in which a request's head, and then its body, must arrive.
    pub read_timeout_millis: u64,
    /// Connections at the same time.
    pub connections_max: usize,
    /// Whether `/metrics` answers others than this machine.
    pub metrics_open: bool,
}

/// What servers share through Redis.
pub struct Shared {
    /// The way there.
    pub link: Arc<Link>,
    /// Pages of the catalogue.
    pub pages: Pages,
}

/// Everything that an endpoint may use.
pub struct Services {
    /// The way into the lanes.
    pub handle: Handle,
    /// Reads.
    pub reader: Arc<dyn Reader>,
    /// Makes JSON.
    pub codec: JsonCodec,
    /// Payment providers.
    pub providers: Arc<dyn Providers>,
    /// Moves payments and refunds on that they have to be asked for.
    pub sagas: Arc<Sagas>,
    /// What the mock provider's payers do by themselves, where they do.
    pub mock_outcome: Option<MockAction>,
    /// Whose word on where a request comes from is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether providers may be spoken to without encryption: in a demo.
    pub plain_providers: bool,
    /// Knows the keys.
    pub keys: KeyRing,
    /// What the sweeper did last.
    pub sweeper: Arc<SweeperStatus>,
    /// Bounds.
    pub options: HttpOptions,
    /// Limits requests by key.
    pub rate_limit: RateLimit,
    /// What servers share, where they share anything.
    pub shared: Option<Shared>,
    /// Runs what goes on after an answer has begun.
    pub tasks: TaskTracker,
    /// Ends it when the server goes down.
    pub stop: CancellationToken,
    /// The tenant of callers without a key, in a demo.
    pub keyless_tenant: Option<TenantId>,
}

impl Services {
    /// Says that pages of a tenant's catalogue are no longer what they were.
    pub(crate) async fn catalogue_changed(&self, tenant: TenantId) {
        if let Some(shared) = &self.shared {
            shared.pages.changed(tenant).await;
        }
    }
}
