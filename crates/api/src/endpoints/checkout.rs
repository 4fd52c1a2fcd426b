//! `/checkout`.

use axum::response::Response;
use wire::input::CheckoutBody;
use wire::problem::Problem;

use crate::call::Call;
use crate::operation::{Access, Answer, Body, Operation, Verb};

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation {
        access: Access::Publishable,
        body: Body::Required(CheckoutBody::schema),
        success: &[200, 201],
        answer: Answer::One("Checkout"),
        problems: &[
            "cart_empty",
            "insufficient_stock",
            "currency_mismatch",
            "provider_failed",
            "provider_timeout",
        ],
        ..Operation::new(
            "checkout_create_order",
            Verb::Post,
            "/checkout/create-order",
            "Make an order of a cart and start its payment",
            |call| Box::pin(create_order(call)),
        )
    }]
}

async fn create_order(mut call: Call) -> Result<Response, Problem> {
    let body = call.take_body();
    let key = call.idempotency_key.clone();
    let command = CheckoutBody::command(body, key, call.usual_return());
    call.submit_and_ask(command).await
}
