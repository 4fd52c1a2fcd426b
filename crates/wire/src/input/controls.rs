//! Bodies of an operator's levers: each says why, and may say who.

use domain::command::Command;
use domain::control::Control;
use domain::decide::{HoldOrder, MoveControls, ReleaseOrder};
use domain::ids::OrderId;
use domain::limits::TEXT_MAX;
use domain::rejection::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::typed;
use crate::schema;

/// Characters of a person's name.
const NAME_MAX: usize = 100;

/// `PUT /controls`.
#[derive(Deserialize)]
pub struct ControlsBody {
    expiry: Option<String>,
    cleanup: Option<String>,
    stock_mode: Option<String>,
    read_only: Option<bool>,
    reason: String,
    by: Option<String>,
}

impl ControlsBody {
    /// Its schema: what is not given stays.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                ("expiry", schema::one_of(&["running", "suspended"])),
                ("cleanup", schema::one_of(&["running", "paused"])),
                ("stock_mode", schema::one_of(&["reserve", "immediate"])),
                ("read_only", schema::flag()),
                ("reason", schema::name(TEXT_MAX)),
                ("by", schema::name(NAME_MAX)),
            ],
            &["reason"],
        );
        let example = json!({"expiry": "running", "reason": "payments are back", "by": "Ada"});
        schema::with_example(shape, &example)
    }

    /// The command; `operator` makes the journal's words of who acts.
    pub fn command(
        body: Value,
        operator: impl FnOnce(Option<&str>) -> String,
    ) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let expiry = body.expiry.map(|to| format!("expiry_{to}"));
        let cleanup = body.cleanup.map(|to| format!("cleanup_{to}"));
        let stock = body.stock_mode.map(|to| format!("stock_{to}"));
        let writes = body
            .read_only
            .map(|on| if on { "read_only" } else { "read_write" });
        let names = [expiry, cleanup, stock, writes.map(str::to_owned)];
        let to: Vec<Control> = names
            .iter()
            .flatten()
            .filter_map(|name| Control::parse(name))
            .collect();
        if to.is_empty() {
            let message = "give expiry, cleanup, stock_mode or read_only".to_owned();
            let pointer = String::new();
            return Err(vec![Fault { pointer, message }]);
        }
        let (by, reason) = (operator(body.by.as_deref()), body.reason);
        Ok(MoveControls { to, by, reason }.into())
    }
}

/// `POST /orders/{id}/hold` and `POST /orders/{id}/release`.
#[derive(Deserialize)]
pub struct OrderHoldBody {
    reason: String,
    by: Option<String>,
}

impl OrderHoldBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                ("reason", schema::name(TEXT_MAX)),
                ("by", schema::name(NAME_MAX)),
            ],
            &["reason"],
        );
        schema::with_example(
            shape,
            &json!({"reason": "address looks wrong", "by": "Ada"}),
        )
    }

    /// The command that puts an order on hold.
    pub fn hold(
        order_id: OrderId,
        body: Value,
        operator: impl FnOnce(Option<&str>) -> String,
    ) -> Result<Command, Vec<Fault>> {
        let (by, reason) = Self::read(body, operator)?;
        Ok(HoldOrder {
            order_id,
            by,
            reason,
        }
        .into())
    }

    /// The command that releases it.
    pub fn release(
        order_id: OrderId,
        body: Value,
        operator: impl FnOnce(Option<&str>) -> String,
    ) -> Result<Command, Vec<Fault>> {
        let (by, reason) = Self::read(body, operator)?;
        Ok(ReleaseOrder {
            order_id,
            by,
            reason,
        }
        .into())
    }

    /// Who, and why.
    fn read(
        body: Value,
        operator: impl FnOnce(Option<&str>) -> String,
    ) -> Result<(String, String), Vec<Fault>> {
        let body: Self = typed(body)?;
        Ok((operator(body.by.as_deref()), body.reason))
    }
}
