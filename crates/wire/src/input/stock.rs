//! Bodies of stock.

use domain::command::Command;
use domain::decide::{AdjustStock, SetStock};
use domain::ids::{TypedId as _, Uuid, VariantId};
use domain::limits::{STOCK_MAX, TEXT_MAX};
use domain::rejection::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::typed;
use super::patch::{Faults, present};
use crate::schema;

/// `PUT /stock`.
#[derive(Deserialize)]
pub struct SetStockBody {
    variant_id: String,
    location_id: Option<String>,
    stock_quantity: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    low_stock_threshold: Option<Option<i64>>,
    backorder_limit: Option<i64>,
    version: Option<i64>,
}

impl SetStockBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                ("variant_id", schema::uuid()),
                ("location_id", schema::nullable(schema::uuid())),
                ("stock_quantity", schema::stock()),
                ("low_stock_threshold", schema::nullable(schema::stock())),
                ("backorder_limit", schema::stock()),
                ("version", schema::integer(0, i64::MAX)),
            ],
            &["variant_id"],
        );
        let example = json!({
            "variant_id": "01980000-0000-7000-8000-000000000101", "stock_quantity": 25,
        });
        schema::with_example(shape, &example)
    }

    /// The command.
    pub fn command(body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let command = SetStock {
            variant_id: variant(&mut faults, body.variant_id),
            location_id: faults.id("/location_id", body.location_id),
            stock_quantity: body.stock_quantity,
            low_stock_threshold: body.low_stock_threshold,
            backorder_limit: body.backorder_limit,
            version: body.version,
        };
        faults.done(command.into())
    }
}

/// `POST /stock/adjustments`.
#[derive(Deserialize)]
pub struct AdjustStockBody {
    variant_id: String,
    location_id: Option<String>,
    delta: i64,
    reason: String,
}

impl AdjustStockBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let mut delta = schema::integer(-STOCK_MAX, STOCK_MAX);
        delta["not"] = json!({"const": 0});
        let shape = schema::object(
            &[
                ("variant_id", schema::uuid()),
                ("location_id", schema::nullable(schema::uuid())),
                ("delta", delta),
                ("reason", schema::name(TEXT_MAX)),
            ],
            &["variant_id", "delta", "reason"],
        );
        let example = json!({
            "variant_id": "01980000-0000-7000-8000-000000000101", "delta": -1, "reason": "damaged",
        });
        schema::with_example(shape, &example)
    }

    /// The command.
    pub fn command(body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let command = AdjustStock {
            variant_id: variant(&mut faults, body.variant_id),
            location_id: faults.id("/location_id", body.location_id),
            delta: body.delta,
            reason: body.reason,
        };
        faults.done(command.into())
    }
}

fn variant(faults: &mut Faults, id: String) -> VariantId {
    faults
        .id("/variant_id", Some(id))
        .unwrap_or_else(|| VariantId::from_uuid(Uuid::nil()))
}
