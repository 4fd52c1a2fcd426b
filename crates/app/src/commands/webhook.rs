//! `stockhold webhook`: messages of providers, on a running server over HTTP, else in the database
//! itself.

use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use domain::decide::ReceiveWebhook;
use domain::ids::{TenantId, TypedId as _, WebhookEventId};
use domain::webhook::{WebhookEvent, WebhookStatus};
use engine::reader::{Page, Start, WebhookFilter};
use serde_json::Value;
use wire::views::WebhookEventView;

use super::output;
use super::session::Session;
use crate::cli::{ShopArgs, WebhookCommand};
use crate::remote::Remote;

/// Messages that are read together.
const PAGE: usize = 100;

/// Where the messages are.
enum Inbox {
    Server(Remote),
    Database(Box<Session>, TenantId),
}

/// Exits 1 when a message that was taken in again is still a dead letter.
pub(crate) fn run(command: &WebhookCommand) -> Result<ExitCode> {
    match command {
        WebhookCommand::List { status, shop } => {
            let mut inbox = Inbox::of(shop, None)?;
            for event in inbox.list(status.as_deref())? {
                say(shop, &event);
            }
            Ok(ExitCode::SUCCESS)
        }
        WebhookCommand::Replay {
            id,
            dead,
            shop,
            vault,
        } => {
            let mut inbox = Inbox::of(shop, vault.accounts_key.clone())?;
            let ids = match (id, dead) {
                (Some(id), false) => vec![id.clone()],
                (None, true) => inbox.list(Some("dead"))?.iter().map(id_of).collect(),
                _ => bail!("name a message, or all dead letters with --dead"),
            };
            let mut code = ExitCode::SUCCESS;
            // The oldest first, as they came.
            for id in ids.iter().rev() {
                let event = inbox.replay(id)?;
                if event["status"] == "dead" {
                    code = ExitCode::from(1);
                }
                say(shop, &event);
            }
            Ok(code)
        }
    }
}

impl Inbox {
    fn of(shop: &ShopArgs, accounts_key: Option<String>) -> Result<Self> {
        if let Some((url, key)) = shop.server() {
            return Ok(Self::Server(Remote::new(url, key)?));
        }
        let mut session = Session::open(&shop.at.database)?;
        session.accounts_key = accounts_key;
        let tenant = session.only_tenant(shop.tenant.as_deref())?;
        Ok(Self::Database(Box::new(session), tenant))
    }

    fn list(&mut self, status: Option<&str>) -> Result<Vec<Value>> {
        match self {
            Self::Server(remote) => list_of_server(remote, status),
            Self::Database(session, tenant) => {
                let filter = WebhookFilter {
                    status: status.and_then(WebhookStatus::parse),
                    ..WebhookFilter::default()
                };
                let mut shown = Vec::new();
                let mut from = Start::Offset(0);
                loop {
                    let page = Page {
                        limit: PAGE,
                        from,
                        count: false,
                    };
                    let (found, more) = session.webhook_events(*tenant, filter, page)?;
                    shown.extend(found.iter().map(view));
                    let Some(last) = found.last().filter(|_| more) else {
                        return Ok(shown);
                    };
                    from = Start::After(last.received_at.millis(), last.id.uuid());
                }
            }
        }
    }

    fn replay(&mut self, id: &str) -> Result<Value> {
        match self {
            Self::Server(remote) => {
                remote.send("POST", &format!("/webhook-events/{id}/replay"), None)
            }
            Self::Database(session, tenant) => {
                let id: WebhookEventId = id.parse().map_err(|_| anyhow!("{id:?} is no id"))?;
                let event = session.webhook_event(*tenant, id)?;
                let (kind, says) = session.read_again(*tenant, &event)?;
                let command = ReceiveWebhook::again(event, kind, says);
                let answer = session.run_one(*tenant, command.into())?;
                serde_json::from_slice(&answer.body).context("the answer cannot be read")
            }
        }
    }
}

fn list_of_server(remote: &Remote, status: Option<&str>) -> Result<Vec<Value>> {
    let status = status
        .map(|status| format!("&status={status}"))
        .unwrap_or_default();
    let (mut shown, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = remote.get(&format!("/webhook-events?limit={PAGE}{status}{cursor}"))?;
        shown.extend(page["data"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(shown),
        }
    }
}

fn view(event: &WebhookEvent) -> Value {
    serde_json::to_value(WebhookEventView::new(event)).unwrap_or_default()
}

fn id_of(event: &Value) -> String {
    event["id"].as_str().unwrap_or_default().to_owned()
}

fn say(shop: &ShopArgs, event: &Value) {
    if shop.json {
        output::line(&event.to_string());
        return;
    }
    let text = |name: &str| event[name].as_str().unwrap_or("-");
    output::line(&format!(
        "{} {} {} {}: {} {}, {} tries",
        text("id"),
        text("received_at"),
        text("provider"),
        text("type"),
        text("status"),
        text("code"),
        event["attempts"]
    ));
}
