//! `/admin/tenants`: tenants and their keys, for the platform.

use axum::response::Response;
use domain::command::Command;
use domain::decide::{IssueKey, RevokeKey};
use domain::ids::{KeyId, TenantId};
use engine::request::platform;
use wire::input::{NewKeyBody, NewTenantBody};
use wire::problem::Problem;
use wire::views::{KeyView, NewKeyView, TenantView};

use crate::call::{Call, unreadable};
use crate::keys::{generate, shown};
use crate::operation::{Access, Answer, Body, Operation, Subject, Verb};
use crate::query::{LIMIT, ROW_CURSOR};
use crate::{reading, respond};

pub(super) fn operations() -> Vec<Operation> {
    let admin = Operation {
        access: Access::Platform,
        ..Operation::new("", Verb::Get, "/admin/tenants", "", |call| {
            Box::pin(tenants(call))
        })
    };
    vec![
        Operation {
            id: "list_tenants",
            summary: "All tenants",
            query: &[LIMIT, ROW_CURSOR],
            answer: Answer::List("Tenant"),
            ..admin
        },
        Operation {
            id: "create_tenant",
            method: Verb::Post,
            summary: "Make a tenant, with its default location",
            body: Body::Required(NewTenantBody::schema),
            success: &[201],
            answer: Answer::One("Tenant"),
            handler: |call| Box::pin(create_tenant(call)),
            ..admin
        },
        Operation {
            id: "list_keys",
            path: "/admin/tenants/{id}/keys",
            summary: "A tenant's keys, without the keys themselves",
            subject: Subject::Tenant,
            query: &[LIMIT, ROW_CURSOR],
            answer: Answer::List("Key"),
            handler: |call| Box::pin(keys(call)),
            ..admin
        },
        Operation {
            id: "create_key",
            method: Verb::Post,
            path: "/admin/tenants/{id}/keys",
            summary: "Make a key; it is shown this once",
            subject: Subject::Tenant,
            body: Body::Required(NewKeyBody::schema),
            success: &[201],
            answer: Answer::One("NewKey"),
            handler: |call| Box::pin(create_key(call)),
            ..admin
        },
        Operation {
            id: "revoke_key",
            method: Verb::Delete,
            path: "/admin/tenants/{id}/keys/{key_id}",
            summary: "Revoke a key at once",
            subject: Subject::Tenant,
            answer: Answer::One("Key"),
            handler: |call| Box::pin(revoke_key(call)),
            ..admin
        },
    ]
}

async fn tenants(call: Call) -> Result<Response, Problem> {
    let tenants = call
        .services
        .reader
        .tenants()
        .await
        .map_err(|error| unreadable(&error))?;
    let render = |tenant| serde_json::to_vec(&TenantView::new(tenant)).unwrap_or_default();
    Ok(reading::page(
        &call,
        tenants.iter().map(render).collect(),
        20,
    ))
}

async fn create_tenant(mut call: Call) -> Result<Response, Problem> {
    let command = NewTenantBody::command(call.take_body());
    call.submit(command).await
}

async fn keys(call: Call) -> Result<Response, Problem> {
    reading::require(&call, Subject::Tenant).await?;
    let keys = call
        .services
        .reader
        .keys(call.id(0)?)
        .await
        .map_err(|error| unreadable(&error))?;
    let render = |key| serde_json::to_vec(&KeyView::new(key)).unwrap_or_default();
    Ok(reading::page(&call, keys.iter().map(render).collect(), 20))
}

async fn create_key(mut call: Call) -> Result<Response, Problem> {
    let tenant_id: TenantId = call.id(0)?;
    let read = NewKeyBody::read(call.take_body());
    let (kind, name) = read.map_err(|faults| {
        Problem::from_rejection(&domain::rejection::Rejection::Invalid(faults))
    })?;
    let key = generate(kind, call.services.handle.entropy());
    let command: Command = IssueKey {
        tenant_id,
        kind,
        name,
        prefix: shown(&key),
        hash: call.services.keys.hash(&key),
    }
    .into();
    let mut answer = call.submit_to(platform(), Ok(command)).await?;
    let shown = (!answer.replayed).then_some(key.as_str());
    answer.body = NewKeyView::render(&answer.body, shown).into();
    Ok(respond::answer(&answer))
}

async fn revoke_key(call: Call) -> Result<Response, Problem> {
    let (tenant_id, key_id): (TenantId, KeyId) = (call.id(0)?, call.id(1)?);
    let command = RevokeKey { tenant_id, key_id }.into();
    let answer = call.submit_to(platform(), Ok(command)).await?;
    call.services.keys.forget(key_id);
    Ok(respond::answer(&answer))
}
