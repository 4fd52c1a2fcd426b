//! What changes an order.

use axum::response::Response;
use domain::decide::LockOrder;
use domain::ids::OrderId;
use domain::order::{Order, OrderStatus};
use domain::payment::{Payment, PaymentStatus, Stage};
use wire::input::{CancelBody, RecordPaymentBody, ReviseOrderBody, ShippingBody, StatusBody};
use wire::problem::Problem;

use crate::call::Call;
use crate::operation::{Access, Answer, Body, Operation, Subject, Verb};
use crate::query::CLIENT_TOKEN;
use crate::reading;

const REVISE_PROBLEMS: &[&str] = &[
    "order_locked",
    "invalid_state",
    "version_conflict",
    "insufficient_stock",
    "currency_mismatch",
];
const STATUS_PROBLEMS: &[&str] = &[
    "invalid_state",
    "already_cancelled",
    "insufficient_stock",
    "order_on_hold",
];
const CANCEL_PROBLEMS: &[&str] = &[
    "already_cancelled",
    "already_paid",
    "invalid_state",
    "order_on_hold",
];
const PAY_PROBLEMS: &[&str] = &[
    "already_paid",
    "already_cancelled",
    "insufficient_stock",
    "amount_mismatch",
];

pub(super) fn operations() -> Vec<Operation> {
    let order = Operation {
        subject: Subject::Order,
        answer: Answer::One("Order"),
        ..Operation::new("", Verb::Patch, "/orders/{id}", "", |call| {
            Box::pin(revise(call))
        })
    };
    vec![
        Operation {
            id: "revise_order",
            summary: "Change an order: its items and money until it is locked, its texts later",
            body: Body::Required(ReviseOrderBody::schema),
            problems: REVISE_PROBLEMS,
            ..order
        },
        Operation {
            id: "lock_order",
            method: Verb::Post,
            path: "/orders/{id}/lock",
            summary: "Freeze an order's items and totals, once",
            problems: &["order_already_locked", "invalid_state"],
            handler: |call| Box::pin(lock(call)),
            ..order
        },
        Operation {
            id: "record_payment",
            path: "/orders/{id}/payment",
            summary: "Record money that the shop's staff saw: the holds become a sale",
            body: Body::Required(RecordPaymentBody::schema),
            problems: PAY_PROBLEMS,
            handler: |call| Box::pin(pay(call)),
            ..order
        },
        Operation {
            id: "change_order_status",
            path: "/orders/{id}/status",
            summary: "Move an order along its way",
            body: Body::Required(StatusBody::schema),
            problems: STATUS_PROBLEMS,
            handler: |call| Box::pin(status(call)),
            ..order
        },
        Operation {
            id: "set_order_shipping",
            path: "/orders/{id}/shipping",
            summary: "Give an order's parcel its number",
            body: Body::Required(ShippingBody::schema),
            problems: &["invalid_state", "order_on_hold"],
            handler: |call| Box::pin(shipping(call)),
            ..order
        },
        Operation {
            id: "cancel_order",
            method: Verb::Delete,
            summary: "Cancel an order: holds go at once, money and unshipped units return",
            access: Access::ClientToken,
            query: &[CLIENT_TOKEN],
            body: Body::Optional(CancelBody::schema),
            problems: CANCEL_PROBLEMS,
            handler: |call| Box::pin(cancel(call)),
            ..order
        },
    ]
}

async fn revise(mut call: Call) -> Result<Response, Problem> {
    let command = ReviseOrderBody::command(call.id(0)?, call.take_body());
    call.submit(command).await
}

async fn lock(call: Call) -> Result<Response, Problem> {
    call.submit(Ok(LockOrder {
        order_id: call.id(0)?,
    }
    .into()))
        .await
}

async fn pay(mut call: Call) -> Result<Response, Problem> {
    let command = RecordPaymentBody::command(call.id(0)?, call.take_body());
    call.submit(command).await
}

async fn status(mut call: Call) -> Result<Response, Problem> {
    let command = StatusBody::command(call.id(0)?, call.take_body());
    call.submit(command).await
}

async fn shipping(mut call: Call) -> Result<Response, Problem> {
    let command = ShippingBody::command(call.id(0)?, call.take_body());
    call.submit(command).await
}

/// Sees to it that nobody pays any more before the order's stock is let go, as far as that can be
/// had: money that comes all the same goes back.
async fn end_payments(call: &Call) -> Result<(), Problem> {
    let id: OrderId = call.id(0)?;
    let state = call.load(reading::order(id)).await?;
    let kept = |order: &Order| order.on_hold.is_some() || order.status != OrderStatus::Pending;
    if state.lane.controls.read_only_since.is_some() || state.orders.get(&id).is_none_or(kept) {
        return Ok(());
    }
    let waits = |payment: &&Payment| {
        let begun = payment.stage == Stage::Begun && payment.status == PaymentStatus::Pending;
        begun && payment.provider.ends_payments()
    };
    for payment in state.payments_of(id).filter(waits) {
        let closed = call.services.sagas.close(call.tenant(), payment.id).await;
        if let Err(stuck) = closed {
            tracing::warn!(%stuck, payment = %payment.id, "a payment could not be ended");
        }
    }
    Ok(())
}

async fn cancel(mut call: Call) -> Result<Response, Problem> {
    let body = call.body.take();
    let command = CancelBody::command(call.id(0)?, body, call.by_client_token);
    if command.is_ok() {
        end_payments(&call).await?;
    }
    call.submit(command).await
}
