//! Bodies of the cart.

use domain::command::Command;
use domain::decide::{AddCartItem, ChangeCartItem, CreateCart, Pick, QuantityChange};
use domain::ids::{CartId, CartItemId};
use domain::limits::{QUANTITY_MAX, TEXT_MAX};
use domain::rejection::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::typed;
use super::patch::Faults;
use crate::schema;

/// `POST /cart`.
#[derive(Deserialize)]
pub struct NewCartBody {
    currency: Option<String>,
    customer_id: Option<String>,
    customer_email: Option<String>,
    session_id: Option<String>,
}

impl NewCartBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                ("currency", schema::nullable(schema::currency())),
                ("customer_id", schema::nullable(schema::name(64))),
                ("customer_email", schema::nullable(schema::email())),
                ("session_id", schema::nullable(schema::name(TEXT_MAX))),
            ],
            &[],
        );
        schema::with_example(shape, &json!({"currency": "EUR", "session_id": "s-1"}))
    }

    /// The command.
    pub fn command(body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let command = CreateCart {
            currency: faults.currency("/currency", body.currency),
            customer_id: body.customer_id,
            customer_email: body.customer_email,
            session_id: body.session_id,
        };
        faults.done(command.into())
    }
}

/// `POST /cart/{id}/items`.
#[derive(Deserialize)]
pub struct AddItemBody {
    variant_id: Option<String>,
    product_id: Option<String>,
    sku: Option<String>,
    quantity: i64,
}

impl AddItemBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                ("variant_id", schema::nullable(schema::uuid())),
                ("product_id", schema::nullable(schema::uuid())),
                ("sku", schema::nullable(schema::name(TEXT_MAX))),
                ("quantity", schema::quantity()),
            ],
            &["quantity"],
        );
        schema::with_example(shape, &json!({"sku": "TEE-BLUE-L", "quantity": 1}))
    }

    /// The command.
    pub fn command(cart_id: CartId, body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let pick = Pick {
            product_id: faults.id("/product_id", body.product_id),
            variant_id: faults.id("/variant_id", body.variant_id),
            sku: body.sku,
        };
        faults.done(
            AddCartItem {
                cart_id,
                pick,
                quantity: body.quantity,
            }
            .into(),
        )
    }
}

/// `PATCH /cart/{id}/items/{item_id}`.
#[derive(Deserialize)]
pub struct ChangeItemBody {
    quantity: Option<i64>,
    delta: Option<i64>,
}

impl ChangeItemBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let mut shape = schema::object(
            &[
                ("quantity", schema::quantity()),
                ("delta", schema::integer(-QUANTITY_MAX, QUANTITY_MAX)),
            ],
            &[],
        );
        shape["minProperties"] = json!(1);
        shape["maxProperties"] = json!(1);
        schema::with_example(shape, &json!({"delta": 1}))
    }

    /// The command.
    pub fn command(
        cart_id: CartId,
        item_id: CartItemId,
        body: Value,
    ) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let change = match (body.quantity, body.delta) {
            (Some(quantity), None) => QuantityChange::To(quantity),
            (None, Some(delta)) => QuantityChange::By(delta),
            _ => {
                faults.add("", "give either quantity or delta");
                QuantityChange::By(0)
            }
        };
        faults.done(
            ChangeCartItem {
                cart_id,
                item_id,
                change,
            }
            .into(),
        )
    }
}
