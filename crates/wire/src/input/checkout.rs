//! Bodies that make an order of a cart.

use domain::command::Command;
use domain::decide::{ConvertCart, PaymentRequest};
use domain::ids::{CartId, TypedId as _, Uuid};
use domain::limits::TEXT_MAX;
use domain::order::Contact;
use domain::payment::Provider;
use domain::rejection::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::typed;
use super::patch::Faults;
use crate::schema;

/// The providers' names.
pub(super) fn provider_names() -> Vec<&'static str> {
    Provider::ALL
        .iter()
        .map(|provider| provider.name())
        .collect()
}

/// Members of a shipping address, all optional.
pub(super) fn address_members() -> [(&'static str, Value); 5] {
    let text = || schema::nullable(schema::text(TEXT_MAX));
    [
        ("shipping_address", text()),
        ("shipping_city", text()),
        ("shipping_state", text()),
        ("shipping_pincode", text()),
        ("shipping_phone", text()),
    ]
}

/// `POST /cart/{id}/convert`.
#[derive(Default, Deserialize)]
pub struct ConvertBody {
    customer_email: Option<String>,
    customer_id: Option<String>,
    payment_method: Option<String>,
    shipping_address: Option<String>,
    shipping_city: Option<String>,
    shipping_state: Option<String>,
    shipping_pincode: Option<String>,
    shipping_phone: Option<String>,
}

impl ConvertBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let mut members = vec![
            ("customer_email", schema::nullable(schema::email())),
            ("customer_id", schema::nullable(schema::name(64))),
            ("payment_method", schema::nullable(schema::name(TEXT_MAX))),
        ];
        members.extend(address_members());
        let example = json!({"customer_email": "a@b.com", "shipping_city": "Berlin"});
        schema::with_example(schema::object(&members, &[]), &example)
    }

    /// The command.
    pub fn command(
        cart_id: CartId,
        body: Option<Value>,
        idempotency_key: Option<String>,
    ) -> Result<Command, Vec<Fault>> {
        let body: Self = body.map_or_else(|| Ok(Self::default()), typed)?;
        Ok(ConvertCart {
            cart_id,
            cart_in_body: false,
            customer_id: body.customer_id,
            contact: Contact {
                customer_email: body.customer_email,
                shipping_address: body.shipping_address,
                shipping_city: body.shipping_city,
                shipping_state: body.shipping_state,
                shipping_pincode: body.shipping_pincode,
                shipping_phone: body.shipping_phone,
            },
            payment_method: body.payment_method,
            payment: None,
            idempotency_key,
        }
        .into())
    }
}

/// `POST /checkout/create-order`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckoutBody {
    cart_id: String,
    customer_email: String,
    customer_id: Option<String>,
    provider: Option<String>,
    payment_method: Option<String>,
    return_url: Option<String>,
}

impl CheckoutBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                ("cartId", schema::uuid()),
                ("customerEmail", schema::email()),
                ("customerId", schema::nullable(schema::name(64))),
                (
                    "provider",
                    schema::nullable(schema::one_of(&provider_names())),
                ),
                ("paymentMethod", schema::nullable(schema::name(TEXT_MAX))),
                ("returnUrl", schema::nullable(return_url())),
            ],
            &["cartId", "customerEmail"],
        );
        let example = json!({
            "cartId": "01980000-0000-7000-8000-00000000c001", "customerEmail": "a@b.com",
        });
        schema::with_example(shape, &example)
    }

    /// The command.
    pub fn command(
        body: Value,
        idempotency_key: Option<String>,
        usual_return: String,
    ) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let cart_id = faults
            .id("/cartId", Some(body.cart_id))
            .unwrap_or_else(|| CartId::from_uuid(Uuid::nil()));
        let command = ConvertCart {
            cart_id,
            cart_in_body: true,
            customer_id: body.customer_id,
            contact: Contact {
                customer_email: Some(body.customer_email),
                ..Contact::default()
            },
            payment_method: body.payment_method.clone(),
            payment: Some(PaymentRequest {
                provider: body.provider.as_deref().and_then(Provider::parse),
                payment_method: body.payment_method,
                return_url: body.return_url,
                usual_return: Some(usual_return),
            }),
            idempotency_key,
        };
        faults.done(command.into())
    }
}

/// An address that a payer is sent back to.
pub(super) fn return_url() -> Value {
    json!({"type": "string", "maxLength": 2000, "pattern": "^https?://[^\\s\\u0000]+$"})
}
