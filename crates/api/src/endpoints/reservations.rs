//! `/reservations`.

use axum::response::Response;
use domain::ids::TypedId as _;
use domain::stock::HoldStatus;
use engine::reader::HoldFilter;
use wire::cursor;
use wire::problem::Problem;
use wire::views::ReservationView;

use crate::call::{Call, unreadable};
use crate::operation::{Answer, Operation, Verb};
use crate::query::{CURSOR, Kind, LIMIT, Param};
use crate::respond;

const STATUS: Param = Param {
    name: "status",
    kind: Kind::OneOf(&["active", "converted", "expired", "cancelled"]),
    about: "holds that ended so, or have not",
};
const VARIANT: Param = Param {
    name: "variant_id",
    kind: Kind::Id,
    about: "holds on this variant only",
};
const ORDER: Param = Param {
    name: "order_id",
    kind: Kind::Id,
    about: "holds of this order only",
};

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation {
        query: &[STATUS, VARIANT, ORDER, LIMIT, CURSOR],
        answer: Answer::List("Reservation"),
        ..Operation::new(
            "list_reservations",
            Verb::Get,
            "/reservations",
            "Holds on stock, newest first",
            |call| Box::pin(list(call)),
        )
    }]
}

async fn list(call: Call) -> Result<Response, Problem> {
    let filter = HoldFilter {
        status: call
            .query
            .text("status")
            .as_deref()
            .and_then(HoldStatus::parse),
        variant_id: call.query.id("variant_id"),
        order_id: call.query.id("order_id"),
    };
    let holds = call
        .services
        .reader
        .holds(call.tenant(), filter, call.query.page())
        .await;
    let holds = holds.map_err(|error| unreadable(&error))?;
    let render = |hold| serde_json::to_vec(&ReservationView::new(hold)).unwrap_or_default();
    let items = holds.holds.iter().map(render).collect();
    let next = holds.next.map(|(at, id)| cursor::after(at, id.uuid()));
    Ok(respond::json(200, wire::codec::list(items, next, &[])))
}
