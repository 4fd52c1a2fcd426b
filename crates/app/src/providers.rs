//! Payment providers, as a server and the commands beside it use them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use engine::clock::Clock;
use outbound::client::Client;
use outbound::courier::Courier;
use outbound::providers::AllProviders;
use outbound::vault::Vault;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::SystemClock;

/// How long a provider may take to answer: whoever waits for it waits that long, too.
const PATIENCE: Duration = Duration::from_secs(10);

/// What providers need around them.
pub(crate) struct Setting {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pepper: [u8; 32],
    pub(crate) vault: Vault,
    pub(crate) mock_webhook_key: Option<Vec<u8>>,
    pub(crate) public_url: String,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

pub(crate) fn all(setting: Setting) -> Result<AllProviders> {
    Ok(AllProviders {
        client: Client::new()?,
        courier: Courier::new(Client::with_timeout(PATIENCE)?),
        vault: setting.vault,
        clock: setting.clock,
        world: Arc::new(SystemClock::new()),
        pepper: setting.pepper,
        mock_webhook_key: setting.mock_webhook_key,
        public_url: setting.public_url,
        tasks: setting.tasks,
        stop: setting.stop,
        late: Arc::default(),
    })
}

/// The keys that seal secrets of accounts: those of the setting, or one of the demo's own. That one
/// is derived from what stands in the database, so only a demo does with it.
pub(crate) fn vault(keys: Option<&str>, pepper: &[u8; 32], demo: bool) -> Result<Vault> {
    match keys {
        Some(keys) => Vault::parse(keys).context("STOCKHOLD_ACCOUNTS_KEY"),
        None if demo => Ok(Vault::derived(pepper)),
        None => Ok(Vault::default()),
    }
}
