//! `/orders`.

mod change;
mod hold;
mod list;

use axum::response::Response;
use domain::command::Reply;
use wire::input::NewOrderBody;
use wire::problem::Problem;
use wire::views::EventView;

use crate::call::{Call, unreadable};
use crate::operation::{Access, Answer, Body, Operation, Subject, Verb};
use crate::query::{CLIENT_TOKEN, LIMIT, ROW_CURSOR};
use crate::reading;

pub(super) fn operations() -> Vec<Operation> {
    let mut operations = vec![
        Operation {
            access: Access::Publishable,
            body: Body::Required(NewOrderBody::schema),
            secret_fields: &[
                "discount_amount",
                "tax_amount",
                "shipping_fee",
                "customer_tier",
                "draft",
                "items/*/discount",
            ],
            success: &[201],
            answer: Answer::One("Order"),
            problems: &["insufficient_stock", "currency_mismatch"],
            ..Operation::new(
                "create_order",
                Verb::Post,
                "/orders",
                "Make an order: all of its stock is held, or none",
                |call| Box::pin(create(call)),
            )
        },
        Operation {
            access: Access::ClientToken,
            subject: Subject::Order,
            query: &[CLIENT_TOKEN],
            answer: Answer::One("Order"),
            ..Operation::new(
                "get_order",
                Verb::Get,
                "/orders/{id}",
                "One order",
                |call| Box::pin(get(call)),
            )
        },
        Operation {
            subject: Subject::Order,
            query: &[LIMIT, ROW_CURSOR],
            answer: Answer::List("Event"),
            ..Operation::new(
                "list_order_events",
                Verb::Get,
                "/orders/{id}/events",
                "An order's whole history, oldest first",
                |call| Box::pin(events(call)),
            )
        },
    ];
    operations.extend(list::operations());
    operations.extend(change::operations());
    operations.extend(hold::operations());
    operations
}

async fn create(mut call: Call) -> Result<Response, Problem> {
    let body = call.take_body();
    call.submit(NewOrderBody::command(body, call.idempotency_key.clone()))
        .await
}

async fn get(call: Call) -> Result<Response, Problem> {
    let id = call.id(0)?;
    let state = call.load(reading::order(id)).await?;
    call.show(
        &state,
        Reply::Order {
            id,
            to_maker: call.by_client_token,
        },
    )
}

async fn events(call: Call) -> Result<Response, Problem> {
    reading::require(&call, Subject::Order).await?;
    let events = call
        .services
        .reader
        .order_events(call.tenant(), call.id(0)?)
        .await;
    let events = events.map_err(|error| unreadable(&error))?;
    let render = |event| serde_json::to_vec(&EventView::new(event)).unwrap_or_default();
    let items = events.iter().map(render).collect();
    // The whole history, unless the query asks for a page.
    Ok(reading::page(&call, items, usize::MAX))
}
