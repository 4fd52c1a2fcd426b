//! `/cart`.

use axum::response::Response;
use domain::command::Reply;
use domain::decide::RemoveCartItem;
use wire::input::{AddItemBody, ChangeItemBody, ConvertBody, NewCartBody};
use wire::problem::Problem;

use crate::call::Call;
use crate::operation::{Access, Answer, Body, Operation, Subject, Verb};
use crate::reading;

pub(super) fn operations() -> Vec<Operation> {
    let open = Operation {
        access: Access::Publishable,
        subject: Subject::Cart,
        answer: Answer::One("Cart"),
        ..Operation::new("", Verb::Get, "", "", |call| Box::pin(get(call)))
    };
    vec![
        Operation {
            id: "create_cart",
            method: Verb::Post,
            path: "/cart",
            summary: "Make a cart",
            subject: Subject::None,
            body: Body::Optional(NewCartBody::schema),
            success: &[201],
            handler: |call| Box::pin(create(call)),
            ..open
        },
        Operation {
            id: "get_cart",
            path: "/cart/{id}",
            summary: "One cart",
            ..open
        },
        Operation {
            id: "add_cart_item",
            method: Verb::Post,
            path: "/cart/{id}/items",
            summary: "Put units into a cart; onto their line if there is one",
            body: Body::Required(AddItemBody::schema),
            problems: &["cart_converted", "currency_mismatch"],
            handler: |call| Box::pin(add(call)),
            ..open
        },
        Operation {
            id: "change_cart_item",
            method: Verb::Patch,
            path: "/cart/{id}/items/{item_id}",
            summary: "Set or move the units of a line",
            body: Body::Required(ChangeItemBody::schema),
            problems: &["cart_converted"],
            handler: |call| Box::pin(change(call)),
            ..open
        },
        Operation {
            id: "remove_cart_item",
            method: Verb::Delete,
            path: "/cart/{id}/items/{item_id}",
            summary: "Take a line out of a cart",
            problems: &["cart_converted"],
            handler: |call| Box::pin(remove(call)),
            ..open
        },
        Operation {
            id: "convert_cart",
            method: Verb::Post,
            path: "/cart/{id}/convert",
            summary: "Make an order of a cart, once",
            body: Body::Optional(ConvertBody::schema),
            success: &[200, 201],
            answer: Answer::One("Order"),
            problems: &["cart_empty", "insufficient_stock", "currency_mismatch"],
            handler: |call| Box::pin(convert(call)),
            ..open
        },
    ]
}

async fn create(mut call: Call) -> Result<Response, Problem> {
    let body = call.body.take().unwrap_or_else(|| serde_json::json!({}));
    call.submit(NewCartBody::command(body)).await
}

async fn get(call: Call) -> Result<Response, Problem> {
    let id = call.id(0)?;
    let state = call.load(reading::cart(id)).await?;
    call.show(&state, Reply::Cart(id))
}

async fn add(mut call: Call) -> Result<Response, Problem> {
    let command = AddItemBody::command(call.id(0)?, call.take_body());
    call.submit(command).await
}

async fn change(mut call: Call) -> Result<Response, Problem> {
    let command = ChangeItemBody::command(call.id(0)?, call.id(1)?, call.take_body());
    call.submit(command).await
}

async fn remove(call: Call) -> Result<Response, Problem> {
    let (cart_id, item_id) = (call.id(0)?, call.id(1)?);
    call.submit(Ok(RemoveCartItem { cart_id, item_id }.into()))
        .await
}

async fn convert(mut call: Call) -> Result<Response, Problem> {
    let body = call.body.take();
    let command = ConvertBody::command(call.id(0)?, body, call.idempotency_key.clone());
    call.submit(command).await
}
