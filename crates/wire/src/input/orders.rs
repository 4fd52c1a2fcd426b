//! Bodies of orders.

use domain::command::Command;
use domain::decide::{
    CancelOrder, ChangeStatus, ContactPatch, LineRequest, Pick, PlaceOrder, RecordPayment,
    ReviseOrder, SetShipping,
};
use domain::ids::OrderId;
use domain::limits::{LINES_MAX, TEXT_MAX};
use domain::order::{Contact, OrderStatus};
use domain::pricing::Charges;
use domain::rejection::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::typed;
use super::checkout::address_members;
use super::patch::{Faults, amount, present};
use crate::schema;

#[derive(Deserialize)]
struct LineBody {
    product_id: Option<String>,
    variant_id: Option<String>,
    sku: Option<String>,
    quantity: i64,
    location_id: Option<String>,
    discount: Option<i64>,
}

impl LineBody {
    fn schema() -> Value {
        schema::object(
            &[
                ("product_id", schema::nullable(schema::uuid())),
                ("variant_id", schema::nullable(schema::uuid())),
                ("sku", schema::nullable(schema::name(TEXT_MAX))),
                ("quantity", schema::quantity()),
                ("location_id", schema::nullable(schema::uuid())),
                ("discount", schema::nullable(schema::money())),
            ],
            &["quantity"],
        )
    }

    fn lines(lines: Vec<Self>, faults: &mut Faults) -> Vec<LineRequest> {
        let line = |(index, line): (usize, Self)| {
            let at = |field: &str| format!("/items/{index}/{field}");
            LineRequest {
                pick: Pick {
                    product_id: faults.id(&at("product_id"), line.product_id),
                    variant_id: faults.id(&at("variant_id"), line.variant_id),
                    sku: line.sku,
                },
                quantity: line.quantity,
                location_id: faults.id(&at("location_id"), line.location_id),
                discount: amount(line.discount.unwrap_or_default()),
            }
        };
        lines.into_iter().enumerate().map(line).collect()
    }
}

/// `POST /orders`. `business_id` has been compared with the key's tenant before.
#[derive(Deserialize)]
pub struct NewOrderBody {
    customer_id: Option<String>,
    customer_email: Option<String>,
    items: Vec<LineBody>,
    discount_amount: Option<i64>,
    tax_amount: Option<i64>,
    shipping_fee: Option<i64>,
    shipping_address: Option<String>,
    shipping_city: Option<String>,
    shipping_state: Option<String>,
    shipping_pincode: Option<String>,
    shipping_phone: Option<String>,
    payment_method: Option<String>,
    customer_tier: Option<String>,
    notes: Option<String>,
    #[serde(default)]
    draft: Option<bool>,
}

impl NewOrderBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let mut members = vec![
            ("customer_id", schema::nullable(schema::name(64))),
            ("customer_email", schema::nullable(schema::email())),
            ("items", schema::list(LineBody::schema(), 1, LINES_MAX)),
            ("discount_amount", schema::nullable(schema::money())),
            ("tax_amount", schema::nullable(schema::money())),
            ("shipping_fee", schema::nullable(schema::money())),
            ("payment_method", schema::nullable(schema::name(TEXT_MAX))),
            ("customer_tier", schema::nullable(schema::name(TEXT_MAX))),
            ("notes", schema::nullable(schema::long_text())),
            ("draft", schema::nullable(schema::flag())),
        ];
        members.extend(address_members());
        let shape = schema::object(&members, &["items"]);
        let example = json!({
            "customer_id": "c-1", "items": [{"sku": "TEE-BLUE-L", "quantity": 1}],
        });
        schema::with_example(shape, &example)
    }

    /// The command.
    pub fn command(body: Value, idempotency_key: Option<String>) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        if body.customer_id.is_none() && body.customer_email.is_none() {
            faults.add("/customer_id", "name a customer_id or a customer_email");
        }
        let command = PlaceOrder {
            lines: LineBody::lines(body.items, &mut faults),
            customer_id: body.customer_id,
            customer_tier: body.customer_tier,
            contact: Contact {
                customer_email: body.customer_email,
                shipping_address: body.shipping_address,
                shipping_city: body.shipping_city,
                shipping_state: body.shipping_state,
                shipping_pincode: body.shipping_pincode,
                shipping_phone: body.shipping_phone,
            },
            charges: Charges {
                discount: amount(body.discount_amount.unwrap_or_default()),
                tax: body.tax_amount.map(amount),
                shipping: body.shipping_fee.map(amount),
            },
            payment_method: body.payment_method,
            notes: body.notes,
            draft: body.draft.unwrap_or_default(),
            cart_id: None,
            idempotency_key,
        };
        faults.done(command.into())
    }
}

type Patch<T> = Option<Option<T>>;

/// `PATCH /orders/{id}`.
#[derive(Deserialize)]
pub struct ReviseOrderBody {
    items: Option<Vec<LineBody>>,
    discount_amount: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    tax_amount: Patch<i64>,
    #[serde(default, deserialize_with = "present")]
    shipping_fee: Patch<i64>,
    #[serde(default, deserialize_with = "present")]
    customer_email: Patch<String>,
    #[serde(default, deserialize_with = "present")]
    shipping_address: Patch<String>,
    #[serde(default, deserialize_with = "present")]
    shipping_city: Patch<String>,
    #[serde(default, deserialize_with = "present")]
    shipping_state: Patch<String>,
    #[serde(default, deserialize_with = "present")]
    shipping_pincode: Patch<String>,
    #[serde(default, deserialize_with = "present")]
    shipping_phone: Patch<String>,
    #[serde(default, deserialize_with = "present")]
    notes: Patch<String>,
    #[serde(default, deserialize_with = "present")]
    admin_notes: Patch<String>,
    version: Option<i64>,
}

impl ReviseOrderBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let mut members = vec![
            ("items", schema::list(LineBody::schema(), 1, LINES_MAX)),
            ("discount_amount", schema::money()),
            ("tax_amount", schema::nullable(schema::money())),
            ("shipping_fee", schema::nullable(schema::money())),
            ("customer_email", schema::nullable(schema::email())),
            ("notes", schema::nullable(schema::long_text())),
            ("admin_notes", schema::nullable(schema::long_text())),
            ("version", schema::integer(0, i64::MAX)),
        ];
        members.extend(address_members());
        let shape = schema::object(&members, &[]);
        schema::with_example(shape, &json!({"notes": "Leave it at the door."}))
    }

    /// The command.
    pub fn command(order_id: OrderId, body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let command = ReviseOrder {
            order_id,
            lines: body.items.map(|items| LineBody::lines(items, &mut faults)),
            discount: body.discount_amount.map(amount),
            tax: body.tax_amount.map(|tax| tax.map(amount)),
            shipping: body.shipping_fee.map(|fee| fee.map(amount)),
            contact: ContactPatch {
                customer_email: body.customer_email,
                shipping_address: body.shipping_address,
                shipping_city: body.shipping_city,
                shipping_state: body.shipping_state,
                shipping_pincode: body.shipping_pincode,
                shipping_phone: body.shipping_phone,
            },
            notes: body.notes,
            admin_notes: body.admin_notes,
            version: body.version,
        };
        faults.done(command.into())
    }
}

/// `PATCH /orders/{id}/payment`.
#[derive(Deserialize)]
pub struct RecordPaymentBody {
    payment_method: String,
    payment_reference: String,
    amount: Option<i64>,
}

impl RecordPaymentBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                ("payment_method", schema::name(TEXT_MAX)),
                ("payment_reference", schema::name(TEXT_MAX)),
                ("amount", schema::nullable(schema::money())),
            ],
            &["payment_method", "payment_reference"],
        );
        let example = json!({"payment_method": "bank", "payment_reference": "TR-1"});
        schema::with_example(shape, &example)
    }

    /// The command.
    pub fn command(order_id: OrderId, body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        Ok(RecordPayment {
            order_id,
            payment_method: body.payment_method,
            payment_reference: body.payment_reference,
            amount: body.amount.map(amount),
        }
        .into())
    }
}

/// `PATCH /orders/{id}/status`.
#[derive(Deserialize)]
pub struct StatusBody {
    status: String,
    notes: Option<String>,
}

impl StatusBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let names: Vec<_> = OrderStatus::ALL
            .iter()
            .map(|status| status.name())
            .collect();
        let shape = schema::object(
            &[
                ("status", schema::one_of(&names)),
                ("notes", schema::nullable(schema::long_text())),
            ],
            &["status"],
        );
        schema::with_example(shape, &json!({"status": "processing"}))
    }

    /// The command.
    pub fn command(order_id: OrderId, body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let status = OrderStatus::parse(&body.status);
        if status.is_none() {
            faults.add("/status", "is unknown");
        }
        let status = status.unwrap_or(OrderStatus::Draft);
        faults.done(
            ChangeStatus {
                order_id,
                status,
                notes: body.notes,
            }
            .into(),
        )
    }
}

/// `PATCH /orders/{id}/shipping`.
#[derive(Deserialize)]
pub struct ShippingBody {
    tracking_number: String,
    carrier: Option<String>,
}

impl ShippingBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                ("tracking_number", schema::name(TEXT_MAX)),
                ("carrier", schema::nullable(schema::name(TEXT_MAX))),
            ],
            &["tracking_number"],
        );
        schema::with_example(
            shape,
            &json!({"tracking_number": "JD014600003", "carrier": "DHL"}),
        )
    }

    /// The command.
    pub fn command(order_id: OrderId, body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let (tracking_number, carrier) = (body.tracking_number, body.carrier);
        Ok(SetShipping {
            order_id,
            tracking_number,
            carrier,
        }
        .into())
    }
}

/// `DELETE /orders/{id}`.
#[derive(Default, Deserialize)]
pub struct CancelBody {
    reason: Option<String>,
}

impl CancelBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(&[("reason", schema::nullable(schema::long_text()))], &[]);
        schema::with_example(shape, &json!({"reason": "ordered twice"}))
    }

    /// The command; `only_unpaid` for a customer who holds the order's client token.
    pub fn command(
        order_id: OrderId,
        body: Option<Value>,
        only_unpaid: bool,
    ) -> Result<Command, Vec<Fault>> {
        let body: Self = body.map_or_else(|| Ok(Self::default()), typed)?;
        Ok(CancelOrder {
            order_id,
            reason: body.reason,
            only_unpaid,
        }
        .into())
    }
}
