//! A short session on a database that no server uses.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use domain::command::Command;
use domain::decide::{Sweep, WebhookSays};
use domain::ids::{TenantId, WebhookEventId};
use domain::needs::Needs;
use domain::state::State;
use domain::tenant::Tenant;
use domain::webhook::WebhookEvent;
use engine::batch::Rules;
use engine::clock::{Clock as _, Entropy as _};
use engine::codec::SWEEP_AGAIN;
use engine::direct;
use engine::inbox;
use engine::provider::Providers as _;
use engine::reader::{Page, WebhookFilter};
use engine::request::{Answer, Failure, Request, platform};
use outbound::providers::AllProviders;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::codec::JsonCodec;

use crate::clock::{SystemClock, SystemEntropy};
use crate::database::{Database, Location, Opening};
use crate::providers::{self, Setting};
use crate::serve::codec;

/// An open database with what commands need around it.
pub(crate) struct Session {
    pub(crate) database: Database,
    pub(crate) codec: JsonCodec,
    pub(crate) pepper: [u8; 32],
    /// Minutes until an unpaid order expires, where the tenant says nothing.
    pub(crate) payment_timeout_minutes: i64,
    /// The keys that open secrets of accounts, where they are given.
    pub(crate) accounts_key: Option<String>,
    runtime: Runtime,
}

impl Session {
    pub(crate) fn open(url: &str) -> Result<Self> {
        let location: Location = url.parse()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let open = async {
            let database = location.open(Opening::SMALL).await?;
            let pepper = database.pepper().await?;
            Ok::<_, anyhow::Error>((database, pepper))
        };
        let (database, pepper) = runtime.block_on(open)?;
        Ok(Self {
            database,
            codec: codec(&pepper, String::new()),
            pepper,
            payment_timeout_minutes: domain::tenant::PAYMENT_TIMEOUT_MINUTES,
            accounts_key: None,
            runtime,
        })
    }

    /// Runs a command in the platform's lane.
    pub(crate) fn run(&mut self, command: Command) -> Result<Answer> {
        self.run_one(platform(), command)
    }

    /// Runs a command in a lane.
    pub(crate) fn run_one(&mut self, lane: TenantId, command: Command) -> Result<Answer> {
        let answer = self
            .run_in(lane, vec![command])?
            .pop()
            .context("no answer")?;
        answer.map_err(refused)
    }

    /// Runs some commands in a lane, in one transaction.
    pub(crate) fn run_in(
        &mut self,
        lane: TenantId,
        commands: Vec<Command>,
    ) -> Result<Vec<Result<Answer, Failure>>> {
        let request = |command| Request {
            command,
            claim: None,
            entropy: SystemEntropy.word(),
        };
        let requests: Vec<Request> = commands.into_iter().map(request).collect();
        let rules = Rules {
            codec: &self.codec,
            payment_timeout_minutes: self.payment_timeout_minutes,
            answers_kept_millis: 86_400_000,
        };
        let now = SystemClock::new().now();
        let store = self.database.store()?;
        let run = direct::execute(store, lane, &requests, now, rules);
        Ok(self.runtime.block_on(run)?)
    }

    /// Brings deadlines in line with a lane's controls.
    pub(crate) fn sweep(&mut self, lane: TenantId) -> Result<()> {
        loop {
            let answer = self.run_in(lane, vec![Sweep.into()])?.pop();
            match answer.context("no answer")? {
                Ok(answer) if answer.status == SWEEP_AGAIN => {}
                Ok(_) | Err(Failure::ReadOnly) => return Ok(()),
                Err(failure) => return Err(anyhow!(failure)),
            }
        }
    }

    /// Messages of providers, newest first, and whether there are more.
    pub(crate) fn webhook_events(
        &self,
        tenant: TenantId,
        filter: WebhookFilter,
        page: Page,
    ) -> Result<(Vec<WebhookEvent>, bool)> {
        let found = self.database.reader.webhook_events(tenant, filter, page);
        Ok(self.runtime.block_on(found)?)
    }

    /// A message of a provider.
    pub(crate) fn webhook_event(
        &self,
        tenant: TenantId,
        id: WebhookEventId,
    ) -> Result<WebhookEvent> {
        let needs = Needs {
            webhook_events: [id].into(),
            ..Needs::default()
        };
        let state = self
            .runtime
            .block_on(self.database.reader.load(tenant, needs))?;
        state
            .webhook_events
            .get(&id)
            .cloned()
            .context("there is no such message")
    }

    /// The payment providers. What cannot be opened with the keys given may have been sealed by a
    /// demo.
    pub(crate) fn providers(&self) -> Result<AllProviders> {
        providers::all(Setting {
            clock: Arc::new(SystemClock::new()),
            pepper: self.pepper,
            vault: providers::vault(self.accounts_key.as_deref(), &self.pepper, true)?,
            mock_webhook_key: None,
            public_url: String::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// What a kept message says, read again.
    pub(crate) fn read_again(
        &self,
        tenant: TenantId,
        event: &WebhookEvent,
    ) -> Result<(String, WebhookSays)> {
        let shop = self.tenant(tenant)?;
        let providers = self.providers()?;
        let reader = &*self.database.reader;
        self.runtime.block_on(async {
            let said = providers.read_again(event.provider, &shop, &event.body);
            let said = said.await?;
            Ok((said.kind, inbox::resolve(reader, tenant, said.says).await?))
        })
    }

    /// A tenant.
    pub(crate) fn tenant(&self, id: TenantId) -> Result<Tenant> {
        let found = self.runtime.block_on(self.database.reader.tenant(id))?;
        found.context("the tenant is gone")
    }

    /// What always comes along with a lane: its tenant and locations.
    pub(crate) fn load(&self, id: TenantId) -> Result<State> {
        let needs = Needs::default();
        Ok(self
            .runtime
            .block_on(self.database.reader.load(id, needs))?)
    }

    /// The tenant of a slug, or the only one that there is.
    pub(crate) fn only_tenant(&self, slug: Option<&str>) -> Result<TenantId> {
        if slug.is_some() {
            return self.lane(slug);
        }
        match self.tenants()?.as_slice() {
            [only] => Ok(only.id),
            [] => bail!("there is no tenant; make one with `stockhold tenant create`"),
            _ => bail!("there are several tenants; name one with --tenant SLUG"),
        }
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

/// What a failed command says on the command line.
pub(crate) fn refused(failure: Failure) -> anyhow::Error {
    match failure {
        Failure::Refused { rejection, .. } => anyhow!("{rejection}"),
        other => anyhow!(other),
    }
}
