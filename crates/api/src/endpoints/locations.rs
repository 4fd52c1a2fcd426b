//! `/locations`.

use axum::response::Response;
use domain::command::Reply;
use domain::needs::Needs;
use wire::input::NewLocationBody;
use wire::problem::Problem;

use crate::call::Call;
use crate::operation::{Answer, Body, Operation, Verb};
use crate::query::{LIMIT, ROW_CURSOR};
use crate::reading;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation {
            query: &[LIMIT, ROW_CURSOR],
            answer: Answer::List("Location"),
            ..Operation::new(
                "list_locations",
                Verb::Get,
                "/locations",
                "Places that hold stock, in the order in which orders take from them",
                |call| Box::pin(list(call)),
            )
        },
        Operation {
            body: Body::Required(NewLocationBody::schema),
            success: &[201],
            answer: Answer::One("Location"),
            ..Operation::new(
                "create_location",
                Verb::Post,
                "/locations",
                "Add a place that holds stock",
                |call| Box::pin(create(call)),
            )
        },
    ]
}

async fn list(call: Call) -> Result<Response, Problem> {
    let state = call.load(Needs::default()).await?;
    let render = |id| call.services.codec.render(&state, Reply::Location(id));
    let items = state
        .locations_by_priority()
        .iter()
        .map(|location| render(location.id))
        .collect();
    Ok(reading::page(&call, items, 20))
}

async fn create(mut call: Call) -> Result<Response, Problem> {
    let command = NewLocationBody::command(call.take_body());
    call.submit(command).await
}
