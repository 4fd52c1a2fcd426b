//! A short session on a database that no server uses.

use anyhow::{Context as _, Result, anyhow, bail};
use domain::command::Command;
use domain::ids::TenantId;
use domain::tenant::Tenant;
use engine::batch::Rules;
use engine::clock::{Clock as _, Entropy as _};
use engine::direct;
use engine::reader::Reader as _;
use engine::request::{Answer, Failure, platform};
use store_sqlite::database::{self, Database, Durability};
use tokio::runtime::Runtime;
use wire::codec::JsonCodec;

use crate::clock::{SystemClock, SystemEntropy};
use crate::config::sqlite_path;
use crate::serve::{codec, pepper};

/// An open database with what commands need around it.
pub(crate) struct Session {
    pub(crate) database: Database,
    pub(crate) codec: JsonCodec,
    pub(crate) pepper: [u8; 32],
    runtime: Runtime,
}

impl Session {
    pub(crate) fn open(url: &str) -> Result<Self> {
        let path = sqlite_path(url)?;
        if !path.exists() {
            bail!(
                "{} does not exist; run `stockhold migrate up` first",
                path.display()
            );
        }
        let database = database::open(&path, Durability::Full)?;
        let pepper = pepper(&path)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            database,
            codec: codec(&pepper, String::new()),
            pepper,
            runtime,
        })
    }

    /// Runs a command in the platform's lane.
    pub(crate) fn run(&mut self, command: Command) -> Result<Answer> {
        let rules = Rules {
            codec: &self.codec,
            payment_timeout_minutes: domain::tenant::PAYMENT_TIMEOUT_MINUTES,
            answers_kept_millis: 86_400_000,
        };
        let (now, word) = (SystemClock::new().now(), SystemEntropy.word());
        let store = &mut self.database.store;
        let run = direct::run(store, platform(), (command, word), now, rules);
        self.runtime.block_on(run).map_err(|failure| match failure {
            Failure::Refused { rejection, .. } => anyhow!("{rejection}"),
            other => anyhow!(other),
        })
    }

    pub(crate) fn tenants(&self) -> Result<Vec<Tenant>> {
        Ok(self.runtime.block_on(self.database.reader.tenants())?)
    }

    pub(crate) fn keys(&self, tenant: TenantId) -> Result<Vec<domain::tenant::ApiKey>> {
        Ok(self.runtime.block_on(self.database.reader.keys(tenant))?)
    }

    /// The tenant of a slug; the platform's own lane without one.
    pub(crate) fn lane(&self, slug: Option<&str>) -> Result<TenantId> {
        let Some(slug) = slug else {
            return Ok(platform());
        };
        let found = self
            .runtime
            .block_on(self.database.reader.tenant_by_slug(slug.to_owned()))?;
        let tenant = found.with_context(|| {
            format!("there is no tenant {slug:?}; `stockhold tenant list` shows them")
        })?;
        Ok(tenant.id)
    }
}
