//! `/settings`.

use axum::response::Response;
use domain::command::Reply;
use domain::needs::Needs;
use wire::input::SettingsBody;
use wire::problem::Problem;

use crate::call::Call;
use crate::operation::{Answer, Body, Operation, Verb};

pub(super) fn operations() -> Vec<Operation> {
    let settings = Operation {
        answer: Answer::One("Settings"),
        ..Operation::new(
            "get_settings",
            Verb::Get,
            "/settings",
            "The tenant's settings",
            |call| Box::pin(get(call)),
        )
    };
    vec![
        settings,
        Operation {
            id: "change_settings",
            method: Verb::Put,
            summary: "Change settings; what is not given stays",
            body: Body::Required(SettingsBody::schema),
            changes_catalogue: true,
            handler: |call| Box::pin(change(call)),
            ..settings
        },
    ]
}

async fn get(call: Call) -> Result<Response, Problem> {
    let state = call.load(Needs::default()).await?;
    call.show(&state, Reply::Settings)
}

async fn change(mut call: Call) -> Result<Response, Problem> {
    let by = call.operator(None);
    let command = SettingsBody::command(call.take_body(), by);
    call.submit(command).await
}
