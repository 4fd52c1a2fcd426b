//! Bodies of payments and refunds.

use domain::command::Command;
use domain::decide::{PaymentRequest, RefundPayment, StartPayment};
use domain::ids::{OrderId, OrderItemId, PaymentId};
use domain::limits::{AMOUNT_MAX, LINES_MAX, TEXT_MAX};
use domain::payment::Provider;
use domain::rejection::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::typed;
use super::checkout::{provider_names, return_url};
use super::patch::{Faults, amount};
use crate::schema;

/// `POST /orders/{id}/payments`.
#[derive(Default, Deserialize)]
pub struct StartPaymentBody {
    provider: Option<String>,
    payment_method: Option<String>,
    return_url: Option<String>,
}

impl StartPaymentBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                (
                    "provider",
                    schema::nullable(schema::one_of(&provider_names())),
                ),
                ("payment_method", schema::nullable(schema::name(TEXT_MAX))),
                ("return_url", schema::nullable(return_url())),
            ],
            &[],
        );
        schema::with_example(shape, &json!({"provider": "mock"}))
    }

    /// The command. `usual_return` is where the server takes payers back, less the provider's name.
    pub fn command(
        order_id: OrderId,
        body: Option<Value>,
        usual_return: String,
    ) -> Result<Command, Vec<Fault>> {
        let body: Self = body.map_or_else(|| Ok(Self::default()), typed)?;
        let request = PaymentRequest {
            provider: body.provider.as_deref().and_then(Provider::parse),
            payment_method: body.payment_method,
            return_url: body.return_url,
            usual_return: Some(usual_return),
        };
        Ok(StartPayment { order_id, request }.into())
    }
}

/// `POST /payments/{id}/refunds`.
#[derive(Default, Deserialize)]
pub struct RefundBody {
    amount: Option<i64>,
    items: Option<Vec<RefundItemBody>>,
    restock: Option<bool>,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct RefundItemBody {
    order_item_id: String,
    quantity: i64,
}

impl RefundBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let item = schema::object(
            &[
                ("order_item_id", schema::uuid()),
                ("quantity", schema::quantity()),
            ],
            &["order_item_id", "quantity"],
        );
        let shape = schema::object(
            &[
                ("amount", schema::nullable(schema::integer(1, AMOUNT_MAX))),
                ("items", schema::nullable(schema::list(item, 1, LINES_MAX))),
                ("restock", schema::nullable(schema::flag())),
                ("reason", schema::nullable(schema::long_text())),
            ],
            &[],
        );
        schema::with_example(shape, &json!({"amount": 500, "reason": "scratched"}))
    }

    /// The command.
    pub fn command(payment_id: PaymentId, body: Option<Value>) -> Result<Command, Vec<Fault>> {
        let body: Self = body.map_or_else(|| Ok(Self::default()), typed)?;
        let mut faults = Faults::default();
        let mut items = Vec::new();
        for (index, item) in body.items.unwrap_or_default().into_iter().enumerate() {
            let pointer = format!("/items/{index}/order_item_id");
            let id: Option<OrderItemId> = faults.id(&pointer, Some(item.order_item_id));
            items.extend(id.map(|id| (id, item.quantity)));
        }
        let command = RefundPayment {
            payment_id,
            amount: body.amount.map(amount),
            items,
            restock: body.restock.unwrap_or_default(),
            reason: body.reason,
        };
        faults.done(command.into())
    }
}
