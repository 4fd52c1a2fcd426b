//! `/stock`.

use axum::response::Response;
use engine::reader::Start;
use wire::cursor;
use wire::input::{AdjustStockBody, SetStockBody};
use wire::problem::Problem;
use wire::views::{ExplanationView, LevelView};

use crate::call::{Call, unreadable};
use crate::operation::{Access, Answer, Body, Operation, Subject, Verb};
use crate::query::{Kind, LIMIT, Param, ROW_CURSOR};
use crate::{reading, respond};

const VARIANT: Param = Param {
    name: "variant_id",
    kind: Kind::Id,
    about: "levels of this variant only",
};
const LOCATION: Param = Param {
    name: "location_id",
    kind: Kind::Id,
    about: "levels at this location only",
};
/// Movements that an explanation goes back.
const MOVEMENTS_MAX: usize = 100;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation {
            access: Access::Publishable,
            query: &[VARIANT, LOCATION, LIMIT, ROW_CURSOR],
            answer: Answer::List("StockLevel"),
            ..Operation::new("list_stock", Verb::Get, "/stock", "Stock levels", |call| {
                Box::pin(list(call))
            })
        },
        Operation {
            body: Body::Required(SetStockBody::schema),
            answer: Answer::One("StockLevel"),
            problems: &["insufficient_stock", "version_conflict"],
            changes_catalogue: true,
            ..Operation::new(
                "set_stock",
                Verb::Put,
                "/stock",
                "Set a level: units on hand, thresholds, backorder limit",
                |call| Box::pin(set(call)),
            )
        },
        Operation {
            body: Body::Required(AdjustStockBody::schema),
            answer: Answer::One("StockLevel"),
            problems: &["insufficient_stock"],
            changes_catalogue: true,
            ..Operation::new(
                "adjust_stock",
                Verb::Post,
                "/stock/adjustments",
                "Move a level by some units, with a reason",
                |call| Box::pin(adjust(call)),
            )
        },
        Operation {
            subject: Subject::Variant,
            answer: Answer::One("Explanation"),
            ..Operation::new(
                "explain_stock",
                Verb::Get,
                "/stock/{id}/explain",
                "Who holds a variant, and how its figures came about",
                |call| Box::pin(explain(call)),
            )
        },
    ]
}

async fn list(call: Call) -> Result<Response, Problem> {
    let page = call.query.page();
    let Start::Offset(offset) = page.from else {
        return Err(Problem::malformed("the cursor is none of this list"));
    };
    let (variant, location) = (call.query.id("variant_id"), call.query.id("location_id"));
    let limit = page.limit;
    let levels = call
        .services
        .reader
        .levels(call.tenant(), variant, location, page)
        .await;
    let (levels, more) = levels.map_err(|error| unreadable(&error))?;
    let render = |level| serde_json::to_vec(&LevelView::new(level)).unwrap_or_default();
    let items = levels.iter().map(render).collect();
    let next = more.then(|| cursor::offset(offset + limit));
    Ok(respond::json(200, wire::codec::list(items, next, &[])))
}

async fn set(mut call: Call) -> Result<Response, Problem> {
    let command = SetStockBody::command(call.take_body());
    call.submit(command).await
}

async fn adjust(mut call: Call) -> Result<Response, Problem> {
    let command = AdjustStockBody::command(call.take_body());
    call.submit(command).await
}

async fn explain(call: Call) -> Result<Response, Problem> {
    reading::require(&call, Subject::Variant).await?;
    let explanation = call
        .services
        .reader
        .explain(call.tenant(), call.id(0)?, MOVEMENTS_MAX)
        .await;
    let explanation = explanation.map_err(|error| unreadable(&error))?;
    let body = serde_json::to_vec(&ExplanationView::new(&explanation)).unwrap_or_default();
    Ok(respond::json(200, body))
}
