//! Payments and refunds.

use axum::response::Response;
use domain::command::Reply;
use domain::decide::ConfirmPayment;
use domain::ids::PaymentId;
use wire::input::{RefundBody, StartPaymentBody};
use wire::problem::Problem;

use crate::call::Call;
use crate::operation::{Access, Answer, Body, Operation, Subject, Verb};
use crate::query::CLIENT_TOKEN;
use crate::{reading, sagas};

pub(super) fn operations() -> Vec<Operation> {
    let payment = Operation {
        subject: Subject::Payment,
        answer: Answer::One("Payment"),
        ..Operation::new(
            "get_payment",
            Verb::Get,
            "/payments/{id}",
            "One payment",
            |call| Box::pin(get(call)),
        )
    };
    vec![
        payment,
        Operation {
            id: "start_payment",
            method: Verb::Post,
            path: "/orders/{id}/payments",
            summary: "Start an order's payment; while one is pending, that one is answered",
            access: Access::ClientToken,
            subject: Subject::Order,
            query: &[CLIENT_TOKEN],
            body: Body::Optional(StartPaymentBody::schema),
            success: &[200, 201],
            problems: &[
                "already_paid",
                "already_cancelled",
                "insufficient_stock",
                "provider_failed",
                "provider_timeout",
            ],
            handler: |call| Box::pin(start(call)),
            ..payment
        },
        Operation {
            id: "confirm_payment",
            method: Verb::Post,
            path: "/payments/{id}/confirm",
            summary: "Confirm a started payment by hand",
            problems: &[
                "already_paid",
                "already_cancelled",
                "insufficient_stock",
                "invalid_state",
                "provider_failed",
                "provider_timeout",
            ],
            handler: |call| Box::pin(confirm(call)),
            ..payment
        },
        Operation {
            id: "refund_payment",
            method: Verb::Post,
            path: "/payments/{id}/refunds",
            summary: "Send money back: what is left, an amount, or some units of some lines",
            body: Body::Optional(RefundBody::schema),
            success: &[201],
            answer: Answer::One("Refund"),
            problems: &[
                "refund_exceeds_payment",
                "invalid_state",
                "provider_failed",
                "provider_timeout",
            ],
            handler: |call| Box::pin(refund(call)),
            ..payment
        },
    ]
}

async fn get(call: Call) -> Result<Response, Problem> {
    let id = call.id(0)?;
    let state = call.load(reading::payment(id)).await?;
    call.show(&state, Reply::Payment(id))
}

async fn start(mut call: Call) -> Result<Response, Problem> {
    let body = call.body.take();
    let command = StartPaymentBody::command(call.id(0)?, body, call.usual_return());
    call.submit_and_ask(command).await
}

async fn confirm(call: Call) -> Result<Response, Problem> {
    let payment_id: PaymentId = call.id(0)?;
    let state = call.load(reading::payment(payment_id)).await?;
    let payment = state.payment(payment_id);
    if payment.is_some_and(|payment| payment.provider.is_remote()) {
        let captured = call.services.sagas.capture(call.tenant(), payment_id).await;
        captured.map_err(|stuck| sagas::problem(&stuck, Reply::Payment(payment_id)))?;
    }
    call.submit(Ok(ConfirmPayment { payment_id }.into())).await
}

async fn refund(mut call: Call) -> Result<Response, Problem> {
    let body = call.body.take();
    call.submit_and_ask(RefundBody::command(call.id(0)?, body))
        .await
}
