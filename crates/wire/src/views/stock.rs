//! Levels, reservations, and how a variant's figures came about.

use domain::stock::{Hold, Movement, StockLevel};
use engine::reader::{Explanation, RawEvent};
use serde::Serialize;
use serde_json::Value;

use super::{At, Id};
use crate::schema;

/// One variant at one location.
#[derive(Serialize)]
pub struct LevelView {
    variant_id: Id,
    location_id: Id,
    stock_quantity: i64,
    reserved_stock: i64,
    available: i64,
    version: i64,
    low_stock_threshold: Option<i64>,
    backorder_limit: i64,
}

impl LevelView {
    /// A level.
    #[must_use]
    pub fn new(level: &StockLevel) -> Self {
        Self {
            variant_id: Id::of(level.variant_id),
            location_id: Id::of(level.location_id),
            stock_quantity: level.stock_quantity,
            reserved_stock: level.reserved_stock,
            available: level.available(),
            version: level.version,
            low_stock_threshold: level.low_stock_threshold,
            backorder_limit: level.backorder_limit,
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        schema::answer(&[
            ("variant_id", schema::uuid()),
            ("location_id", schema::uuid()),
            ("stock_quantity", any()),
            ("reserved_stock", any()),
            ("available", any()),
            ("version", any()),
            ("low_stock_threshold", schema::nullable(any())),
            ("backorder_limit", any()),
        ])
    }
}

/// A hold.
#[derive(Serialize)]
pub struct ReservationView {
    reservation_id: Id,
    order_id: Id,
    product_id: Id,
    variant_id: Id,
    location_id: Id,
    quantity: i64,
    reserved_at: At,
    expires_at: Option<At>,
    status: &'static str,
    created_at: At,
    updated_at: At,
}

impl ReservationView {
    /// A hold.
    #[must_use]
    pub fn new(hold: &Hold) -> Self {
        Self {
            reservation_id: Id::of(hold.id),
            order_id: Id::of(hold.order_id),
            product_id: Id::of(hold.product_id),
            variant_id: Id::of(hold.variant_id),
            location_id: Id::of(hold.location_id),
            quantity: hold.quantity,
            reserved_at: At(hold.reserved_at),
            expires_at: hold.expires_at.map(At),
            status: hold.status.name(),
            created_at: At(hold.reserved_at),
            updated_at: At(hold.updated_at),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        schema::answer(&[
            ("reservation_id", schema::uuid()),
            ("order_id", schema::uuid()),
            ("product_id", schema::uuid()),
            ("variant_id", schema::uuid()),
            ("location_id", schema::uuid()),
            ("quantity", schema::any_integer()),
            ("reserved_at", schema::time()),
            ("expires_at", schema::nullable(schema::time())),
            (
                "status",
                schema::one_of(&["active", "converted", "expired", "cancelled"]),
            ),
            ("created_at", schema::time()),
            ("updated_at", schema::time()),
        ])
    }
}

#[derive(Serialize)]
struct MovementView<'a> {
    seq: i64,
    at: At,
    r#type: &'a str,
    location_id: Id,
    delta_stock: i64,
    delta_reserved: i64,
    order_id: Option<Id>,
    reason: Option<String>,
}

impl<'a> MovementView<'a> {
    fn new((event, movement): &'a (RawEvent, Movement)) -> Self {
        let payload: Value = serde_json::from_slice(&event.payload).unwrap_or_default();
        Self {
            seq: event.seq,
            at: At(event.at),
            r#type: &event.kind,
            location_id: Id::of(movement.location_id),
            delta_stock: movement.delta_stock,
            delta_reserved: movement.delta_reserved,
            order_id: event.order_id.map(Id::of),
            reason: payload
                .get("reason")
                .and_then(Value::as_str)
                .map(str::to_owned),
        }
    }
}

/// Who holds a variant, and how its figures came about.
#[derive(Serialize)]
pub struct ExplanationView<'a> {
    levels: Vec<LevelView>,
    holds: Vec<ReservationView>,
    movements: Vec<MovementView<'a>>,
}

impl<'a> ExplanationView<'a> {
    /// An explanation.
    #[must_use]
    pub fn new(explanation: &'a Explanation) -> Self {
        Self {
            levels: explanation.levels.iter().map(LevelView::new).collect(),
            holds: explanation.holds.iter().map(ReservationView::new).collect(),
            movements: explanation
                .movements
                .iter()
                .map(MovementView::new)
                .collect(),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        let movement = schema::answer(&[
            ("seq", any()),
            ("at", schema::time()),
            ("type", schema::long_text()),
            ("location_id", schema::uuid()),
            ("delta_stock", any()),
            ("delta_reserved", any()),
            ("order_id", schema::nullable(schema::uuid())),
            ("reason", schema::nullable(schema::long_text())),
        ]);
        schema::answer(&[
            ("levels", schema::any_list(schema::component("StockLevel"))),
            ("holds", schema::any_list(schema::component("Reservation"))),
            ("movements", schema::any_list(movement)),
        ])
    }
}
