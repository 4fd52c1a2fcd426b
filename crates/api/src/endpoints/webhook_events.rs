//! `/webhook-events`: messages of payment providers as they came, and taking one in again.

use axum::response::Response;
use domain::decide::ReceiveWebhook;
use domain::ids::{TypedId as _, WebhookEventId};
use domain::needs::Needs;
use domain::payment::Provider;
use domain::state::State;
use domain::webhook::WebhookStatus;
use engine::inbox;
use engine::reader::WebhookFilter;
use wire::cursor;
use wire::problem::Problem;
use wire::views::WebhookEventView;

use crate::call::{Call, unreadable};
use crate::operation::{Answer, Operation, Verb};
use crate::query::{CURSOR, Kind, LIMIT, Param};
use crate::{respond, sagas};

const STATUS: Param = Param {
    name: "status",
    kind: Kind::OneOf(&["applied", "ignored", "dead"]),
    about: "messages of which this became; `dead` are the dead letters",
};
const PROVIDER: Param = Param {
    name: "provider",
    kind: Kind::OneOf(&["mock", "vnpay", "yookassa", "stripe"]),
    about: "messages of this provider only",
};
const PAYMENT: Param = Param {
    name: "payment_id",
    kind: Kind::Id,
    about: "messages about this payment only",
};

pub(super) fn operations() -> Vec<Operation> {
    let one = Operation {
        answer: Answer::One("WebhookEvent"),
        problems: &["not_found"],
        ..Operation::new(
            "get_webhook_event",
            Verb::Get,
            "/webhook-events/{id}",
            "A provider's message as it came, and what became of it",
            |call| Box::pin(get(call)),
        )
    };
    vec![
        Operation {
            query: &[STATUS, PROVIDER, PAYMENT, LIMIT, CURSOR],
            answer: Answer::List("WebhookEvent"),
            ..Operation::new(
                "list_webhook_events",
                Verb::Get,
                "/webhook-events",
                "Messages of payment providers, newest first, without their bodies",
                |call| Box::pin(list(call)),
            )
        },
        one,
        Operation {
            id: "replay_webhook_event",
            method: Verb::Post,
            path: "/webhook-events/{id}/replay",
            summary: "Take a message in again; one that was applied changes nothing",
            handler: |call| Box::pin(replay(call)),
            ..one
        },
    ]
}

async fn list(call: Call) -> Result<Response, Problem> {
    let text = |name: &str| call.query.text(name);
    let filter = WebhookFilter {
        status: text("status").as_deref().and_then(WebhookStatus::parse),
        provider: text("provider").as_deref().and_then(Provider::parse),
        payment_id: call.query.id("payment_id"),
    };
    let reader = &call.services.reader;
    let found = reader.webhook_events(call.tenant(), filter, call.query.page());
    let (found, more) = found.await.map_err(|error| unreadable(&error))?;
    let render = |event| serde_json::to_vec(&WebhookEventView::new(event)).unwrap_or_default();
    let items = found.iter().map(render).collect();
    let last = found.last().filter(|_| more);
    let next = last.map(|last| cursor::after(last.received_at.millis(), last.id.uuid()));
    Ok(respond::json(200, wire::codec::list(items, next, &[])))
}

async fn load(call: &Call, id: WebhookEventId) -> Result<State, Problem> {
    let needs = Needs {
        webhook_events: [id].into(),
        ..Needs::default()
    };
    call.load(needs).await
}

async fn get(call: Call) -> Result<Response, Problem> {
    let id = call.id(0)?;
    let state = load(&call, id).await?;
    let event = state
        .webhook_events
        .get(&id)
        .ok_or_else(Problem::not_found)?;
    let body = serde_json::to_vec(&WebhookEventView::whole(event)).unwrap_or_default();
    Ok(respond::json(200, body))
}

async fn replay(call: Call) -> Result<Response, Problem> {
    let id = call.id(0)?;
    let state = load(&call, id).await?;
    let event = state
        .webhook_events
        .get(&id)
        .ok_or_else(Problem::not_found)?;
    let services = &call.services;
    let tenant = state.tenant().ok_or_else(Problem::not_found)?;
    let read = services
        .providers
        .read_again(event.provider, tenant, &event.body);
    let said = read.await.map_err(|fault| sagas::fault(&fault))?;
    let says = inbox::resolve(&*services.reader, tenant.id, said.says).await;
    let says = says.map_err(|error| unreadable(&error))?;
    let command = ReceiveWebhook::again(event.clone(), said.kind, says);
    call.submit(Ok(command.into())).await
}
