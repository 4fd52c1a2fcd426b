//! An operator's levers: a tenant's controls, for itself and for the platform.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use domain::command::Reply;
use domain::ids::TenantId;
use domain::needs::Needs;
use engine::request::Failure;
use wire::input::ControlsBody;
use wire::problem::Problem;
use wire::views::EventView;

use crate::call::{Call, unreadable};
use crate::operation::{Access, Answer, Body, Operation, Subject, Verb};
use crate::query::{LIMIT, ROW_CURSOR};
use crate::services::Services;
use crate::{reading, respond};

/// Moves that can be listed.
const EVENTS_MAX: usize = 1_000;
/// How long an answer waits for deadlines to be in line; they come in line without it, too.
const TIDIED_WITHIN: Duration = Duration::from_secs(5);
const TRY_AGAIN: Duration = Duration::from_secs(1);

pub(super) fn operations() -> Vec<Operation> {
    let own = Operation {
        answer: Answer::One("Controls"),
        ..Operation::new(
            "get_controls",
            Verb::Get,
            "/controls",
            "Where the tenant's controls stand",
            |call| Box::pin(get(call)),
        )
    };
    let of_tenant = Operation {
        path: "/admin/tenants/{id}/controls",
        access: Access::Platform,
        subject: Subject::Tenant,
        ..own
    };
    let moving = "Suspend expiry, pause clean-up, choose the stock mode, stop writes; or back";
    vec![
        own,
        Operation {
            id: "move_controls",
            method: Verb::Put,
            summary: moving,
            body: Body::Required(ControlsBody::schema),
            handler: |call| Box::pin(change(call)),
            ..own
        },
        Operation {
            id: "list_control_events",
            path: "/controls/events",
            summary: "Who moved which control last, and why",
            query: &[LIMIT, ROW_CURSOR],
            answer: Answer::List("Event"),
            handler: |call| Box::pin(events(call)),
            ..own
        },
        Operation {
            id: "get_tenant_controls",
            ..of_tenant
        },
        Operation {
            id: "move_tenant_controls",
            method: Verb::Put,
            summary: moving,
            body: Body::Required(ControlsBody::schema),
            handler: |call| Box::pin(change(call)),
            ..of_tenant
        },
    ]
}

/// The tenant of the path, for the platform; the caller's own otherwise.
async fn lane(call: &Call) -> Result<TenantId, Problem> {
    reading::require(call, call.subject).await?;
    Ok(call.id(0).unwrap_or_else(|_| call.tenant()))
}

async fn get(call: Call) -> Result<Response, Problem> {
    let lane = lane(&call).await?;
    let state = call.services.reader.load(lane, Needs::default()).await;
    call.show(&state.map_err(|error| unreadable(&error))?, Reply::Controls)
}

/// The newest first; far back is for the database.
async fn events(call: Call) -> Result<Response, Problem> {
    let reader = &call.services.reader;
    let found = reader.control_events(call.tenant(), EVENTS_MAX).await;
    let found = found.map_err(|error| unreadable(&error))?;
    let render = |event| serde_json::to_vec(&EventView::new(event)).unwrap_or_default();
    Ok(reading::page(&call, found.iter().map(render).collect(), 20))
}

/// Moves the controls, and answers once every deadline is as they want it, or a moment later.
async fn change(mut call: Call) -> Result<Response, Problem> {
    let lane = lane(&call).await?;
    let body = call.take_body();
    let command = ControlsBody::command(body, |name| call.operator(name));
    let answer = call.submit_to(lane, command).await?;
    let services = Arc::clone(&call.services);
    let tidying = call.services.tasks.spawn(tidy(services, lane));
    // The move is done, however long the rest takes, and whoever still listens.
    drop(tokio::time::timeout(TIDIED_WITHIN, tidying).await);
    Ok(respond::answer(&answer))
}

/// Brings every deadline in line with the controls, until that is done or the server ends.
async fn tidy(services: Arc<Services>, lane: TenantId) {
    loop {
        match services.handle.sweep(lane).await {
            Ok(()) | Err(Failure::ReadOnly) => return,
            Err(failure) => tracing::warn!(%failure, %lane, "deadlines are not in line yet"),
        }
        tokio::select! {
            () = services.stop.cancelled() => return,
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
    }
}
