//! An operator keeps an order where it is, and lets it go on.

use axum::response::Response;
use wire::input::OrderHoldBody;
use wire::problem::Problem;

use crate::call::Call;
use crate::operation::{Answer, Body, Operation, Subject, Verb};

pub(super) fn operations() -> Vec<Operation> {
    let hold = Operation {
        subject: Subject::Order,
        body: Body::Required(OrderHoldBody::schema),
        answer: Answer::One("Order"),
        problems: &["invalid_state"],
        ..Operation::new(
            "hold_order",
            Verb::Post,
            "/orders/{id}/hold",
            "Keep an order where it is: time does not end it, it does not move on",
            |call| Box::pin(hold(call)),
        )
    };
    vec![
        hold,
        Operation {
            id: "release_order",
            path: "/orders/{id}/release",
            summary: "Let an order on hold go on, with a new deadline if it is unpaid",
            problems: &[],
            handler: |call| Box::pin(release(call)),
            ..hold
        },
    ]
}

async fn hold(mut call: Call) -> Result<Response, Problem> {
    let (id, body) = (call.id(0)?, call.take_body());
    call.submit(OrderHoldBody::hold(id, body, |name| call.operator(name)))
        .await
}

async fn release(mut call: Call) -> Result<Response, Problem> {
    let (id, body) = (call.id(0)?, call.take_body());
    call.submit(OrderHoldBody::release(id, body, |name| call.operator(name)))
        .await
}
