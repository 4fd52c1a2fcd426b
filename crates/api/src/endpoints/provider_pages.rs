//! What payment providers and payers call: webhooks, and the mock provider's own page.

use axum::response::Response;
use domain::command::Reply;
use domain::decide::{ReceiveWebhook, UNCHANGED};
use domain::ids::{PaymentId, TenantId, TypedId as _, Uuid, WebhookEventId};
use domain::payment::{PaymentStatus, Provider};
use domain::rejection::Rejection;
use domain::state::State;
use domain::tenant::Tenant;
use engine::inbox;
use engine::provider::{Message, MockAction, NotTaken, Receipt, Says};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wire::problem::Problem;

use crate::call::{Call, problem_of, unreadable};
use crate::operation::{Access, Answer, Body, Operation, Verb};
use crate::{mock_page, reading, respond, sagas, security};

pub(super) fn operations() -> Vec<Operation> {
    let open = Operation {
        unversioned: true,
        access: Access::Open,
        ..Operation::new("", Verb::Get, "", "", |call| Box::pin(show(call)))
    };
    vec![
        Operation {
            id: "receive_webhook",
            method: Verb::Post,
            path: "/webhooks/{tenant}/{provider}",
            summary: "A payment provider's notification: verified first, applied once",
            body: Body::Raw,
            answer: Answer::Other("application/json"),
            problems: &[
                "not_found",
                "unauthorized",
                "amount_mismatch",
                "currency_mismatch",
            ],
            handler: |call| Box::pin(webhook(call)),
            ..open
        },
        Operation {
            id: "receive_ipn",
            path: "/webhooks/{tenant}/{provider}",
            summary: "VNPAY's notification (IPN), answered in its own codes",
            body: Body::Raw,
            answer: Answer::Other("application/json"),
            problems: &["not_found"],
            handler: |call| Box::pin(ipn(call)),
            ..open
        },
        Operation {
            id: "payment_return",
            path: "/payments/return/{tenant}/{provider}",
            summary: "Where a payer comes back to: verifies, changes nothing, sends on",
            body: Body::Raw,
            success: &[200, 303],
            answer: Answer::Other("text/html"),
            problems: &["not_found", "unauthorized"],
            handler: |call| Box::pin(came_back(call)),
            ..open
        },
        Operation {
            id: "show_mock_payment",
            path: "/mock-provider/{tenant}/{id}",
            summary: "The mock provider's page",
            answer: Answer::Other("text/html"),
            problems: &["not_found"],
            ..open
        },
        Operation {
            id: "act_on_mock_payment",
            method: Verb::Post,
            path: "/mock-provider/{tenant}/{id}/{action}",
            summary: "What the buttons of the mock provider's page do",
            answer: Answer::Other("application/json"),
            problems: &["not_found"],
            handler: |call| Box::pin(act(call)),
            ..open
        },
    ]
}

/// The tenant of the path, by slug or id.
async fn tenant(call: &Call) -> Result<Tenant, Problem> {
    let name = call.names.first().cloned().unwrap_or_default();
    let reader = &call.services.reader;
    let found = match name.parse::<TenantId>() {
        Ok(id) => reader.tenant(id).await,
        Err(_) => reader.tenant_by_slug(name).await,
    };
    found
        .map_err(|error| unreadable(&error))?
        .ok_or_else(Problem::not_found)
}

/// The provider of the path, if it is one that sends notifications.
fn provider(call: &Call) -> Result<Provider, Problem> {
    let provider = call.names.get(1).and_then(|name| Provider::parse(name));
    provider
        .filter(|p| *p != Provider::Manual)
        .ok_or_else(Problem::not_found)
}

fn message(call: &Call) -> Message {
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    Message {
        headers: call.headers.iter().filter_map(header).collect(),
        query: call.raw_query.clone(),
        body: call.raw.to_vec(),
        peer: call.peer.map(|peer| peer.ip()),
    }
}

/// How a message was taken in.
struct Taken {
    /// Whether it said nothing that was not known.
    known: bool,
    /// Why it could not be applied.
    code: Option<String>,
}

/// Why a message was not taken in.
enum Refused {
    NotTaken(NotTaken),
    Failed(Problem),
}

/// Verifies a message and takes it in, in one transaction.
async fn take_in(call: &Call, tenant: &Tenant, provider: Provider) -> Result<Taken, Refused> {
    let failed = |problem| Refused::Failed(problem);
    let services = &call.services;
    let now = services.handle.clock().now();
    let message = message(call);
    let read = services.providers.read(provider, tenant, &message, now);
    let verified = read.await.map_err(|why| {
        if why == NotTaken::Unverified {
            security::unverified(tenant.id, provider, now);
        }
        Refused::NotTaken(why)
    })?;
    let says = inbox::resolve(&*services.reader, tenant.id, verified.said.says).await;
    let command = ReceiveWebhook {
        id: event_id(provider, &verified.event_id),
        provider,
        event_id: verified.event_id,
        kind: verified.said.kind,
        body: verified.body,
        says: says.map_err(|error| failed(unreadable(&error)))?,
    };
    let taken = services
        .handle
        .submit(tenant.id, command.into(), None)
        .await;
    let taken = taken.map_err(|failure| failed(problem_of(failure)))?;
    let event: Value = serde_json::from_slice(&taken.body).unwrap_or_default();
    let code = event["code"].as_str();
    if let Some(code @ ("amount_mismatch" | "currency_mismatch")) = code {
        let payment = event["payment_id"].as_str().unwrap_or_default();
        security::other_money(tenant.id, provider, payment, code);
    }
    Ok(Taken {
        known: taken.replayed || code == Some(UNCHANGED),
        code: code.filter(|code| *code != UNCHANGED).map(str::to_owned),
    })
}

async fn webhook(call: Call) -> Result<Response, Problem> {
    let tenant = tenant(&call).await?;
    let provider = provider(&call)?;
    let taken = take_in(&call, &tenant, provider).await;
    let receipt = receipt(&taken);
    if let Some(body) = call.services.providers.receipt(provider, receipt) {
        return Ok(respond::json(200, body));
    }
    let code = match taken {
        Ok(taken) => taken.code,
        Err(Refused::Failed(problem)) => return Err(problem),
        Err(Refused::NotTaken(NotTaken::NotNow(fault))) => {
            return Err(sagas::fault(&fault));
        }
        Err(Refused::NotTaken(NotTaken::Unverified | NotTaken::Empty)) => {
            return Err(Problem::new("unauthorized", "the message does not verify"));
        }
    };
    // What is kept as a dead letter for any other reason is acknowledged: repeating it would not
    // change that.
    match code.as_deref() {
        Some("amount_mismatch") => Err(Problem::from_rejection(&Rejection::AmountMismatch)),
        Some("currency_mismatch") => Err(Problem::from_rejection(&Rejection::CurrencyMismatch)),
        _ => Ok(respond::json(200, json!({"received": true}).to_string())),
    }
}

fn receipt(taken: &Result<Taken, Refused>) -> Receipt {
    match taken {
        Ok(taken) => match taken.code.as_deref() {
            None if taken.known => Receipt::Known,
            None => Receipt::Taken,
            Some("not_found") => Receipt::NotOurs,
            Some("amount_mismatch" | "currency_mismatch") => Receipt::OtherMoney,
            Some(_) => Receipt::Failed,
        },
        Err(Refused::NotTaken(NotTaken::Unverified)) => Receipt::Unverified,
        Err(Refused::NotTaken(NotTaken::Empty | NotTaken::NotNow(_)) | Refused::Failed(_)) => {
            Receipt::Failed
        }
    }
}

/// VNPAY's notifications are GETs; nobody else's are.
async fn ipn(call: Call) -> Result<Response, Problem> {
    if provider(&call)? == Provider::Vnpay {
        webhook(call).await
    } else {
        Err(Problem::not_found())
    }
}

/// Where a payer comes back to: what the provider has signed says who, and nothing is changed by it.
async fn came_back(call: Call) -> Result<Response, Problem> {
    let tenant = tenant(&call).await?;
    let provider = provider(&call)?;
    if provider != Provider::Vnpay {
        return Ok(respond::html(include_str!("../pages/returned.html")));
    }
    let services = &call.services;
    let now = services.handle.clock().now();
    let message = message(&call);
    let read = services.providers.read(provider, &tenant, &message, now);
    let verified = read.await.map_err(|why| match why {
        NotTaken::NotNow(fault) => sagas::fault(&fault),
        NotTaken::Unverified | NotTaken::Empty => {
            Problem::new("unauthorized", "the address does not verify")
        }
    })?;
    let Says::Standing(named, ..) = verified.said.says else {
        return Err(Problem::not_found());
    };
    let found = inbox::find(&*services.reader, tenant.id, &named).await;
    let found = found.map_err(|error| unreadable(&error))?;
    let (payment, _) = found.ok_or_else(Problem::not_found)?;
    Ok(match &payment.return_url {
        Some(url) => mock_page::back(url, &payment),
        None => respond::html(include_str!("../pages/returned.html")),
    })
}

/// The id of a provider's message: the same for the same name, so that it is claimed once (RFC 9562,
/// 5.8).
fn event_id(provider: Provider, name: &str) -> WebhookEventId {
    let digest = Sha256::digest(format!("{}:{name}", provider.name()));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    WebhookEventId::from_uuid(Uuid::from_bytes(bytes))
}

/// The mock payment of the path, with the working set around it.
async fn payment(call: &Call) -> Result<(TenantId, PaymentId, State), Problem> {
    let tenant = tenant(call).await?;
    // Whoever can press the buttons can pay without money: only where the shop chose the mock.
    if tenant.settings.default_provider != Provider::Mock {
        return Err(Problem::not_found());
    }
    let tenant = tenant.id;
    let id = PaymentId::from_uuid(*call.ids.first().ok_or_else(Problem::not_found)?);
    let state = call
        .services
        .reader
        .load(tenant, reading::payment(id))
        .await;
    let state = state.map_err(|error| unreadable(&error))?;
    match state.payment(id) {
        Some(payment) if payment.provider == Provider::Mock => Ok((tenant, id, state)),
        _ => Err(Problem::not_found()),
    }
}

async fn show(call: Call) -> Result<Response, Problem> {
    let (tenant, id, state) = payment(&call).await?;
    let page = state
        .payment(id)
        .map(|payment| mock_page::render(tenant, payment));
    Ok(respond::html(page.unwrap_or_default()))
}

async fn act(call: Call) -> Result<Response, Problem> {
    let name = call.names.last().cloned().unwrap_or_default();
    let action = MockAction::ALL.iter().find(|(known, _)| *known == name);
    let (_, action) = action.ok_or_else(Problem::not_found)?;
    let (tenant, id, state) = payment(&call).await?;
    let payment = state.payment(id).cloned().ok_or_else(Problem::not_found)?;
    let order = state.orders.get(&payment.order_id);
    let held_until = order.and_then(|order| order.payment_expires_at);
    let back = payment.return_url.clone();
    if payment.status == PaymentStatus::Pending || *action != MockAction::Fail {
        call.services
            .providers
            .act(tenant, payment, held_until, *action)
            .await;
    }
    let after = call
        .services
        .reader
        .load(tenant, reading::payment(id))
        .await;
    let after = after.map_err(|error| unreadable(&error))?;
    let wants_page = call
        .headers
        .get("accept")
        .and_then(|value| value.to_str().ok());
    if wants_page.is_some_and(|accept| accept.contains("text/html")) {
        return Ok(match (back, after.payment(id)) {
            (Some(url), Some(payment)) => mock_page::back(&url, payment),
            (None, Some(payment)) => respond::html(mock_page::render(tenant, payment)),
            (_, None) => respond::html(String::new()),
        });
    }
    Ok(respond::json(
        200,
        call.services.codec.render(&after, Reply::Payment(id)),
    ))
}
