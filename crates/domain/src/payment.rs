//! Payments of orders, one attempt after another, and what went back of them.

use crate::ids::{OrderId, OrderItemId, PaymentId, RefundId};
use crate::money::{Amount, Currency};
use crate::time::Timestamp;

/// Who takes the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// The built-in test provider.
    Mock,
    /// Confirmed by the shop's own staff.
    Manual,
}

impl Provider {
    /// The shortest time, in milliseconds, that a payer must be given.
    #[must_use]
    pub const fn window_min_millis(self) -> i64 {
        match self {
            Self::Mock | Self::Manual => 60_000,
        }
    }
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaymentStatus {
    /// Started; the outcome is not known.
    Pending,
    /// The money was taken.
    Succeeded,
    /// It certainly failed.
    Failed,
    /// Nobody waits for it any more.
    Cancelled,
    /// A part of the money went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
}

impl PaymentStatus {
    /// Whether money was taken, whatever went back since.
    #[must_use]
    pub const fn is_captured(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::PartiallyRefunded | Self::Refunded
        )
    }
}

/// Why money that was taken paid nothing, and goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unearned {
    /// It came after the order's time was up, and the stock was gone.
    Late,
    /// It came after somebody had cancelled the order.
    Cancelled,
    /// Another payment had paid the order.
    Twice,
}

/// One attempt to pay an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// 1 for the first attempt.
    pub attempt: i64,
    /// Who takes the money.
    pub provider: Provider,
    /// The method within the provider.
    pub payment_method: Option<String>,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Whether its money paid the order; money that did not is the customer's.
    pub earned: bool,
    /// What is taken.
    pub amount: Amount,
    /// What went back; never more than `amount`.
    pub refunded_amount: Amount,
    /// The order's currency.
    pub currency: Currency,
    /// What the provider calls the payment by in our name; derived from the order, so that a
    /// repeated request is the same request.
    pub provider_reference: String,
    /// What the provider itself calls it.
    pub provider_payment_id: Option<String>,
    /// Where the payer is sent afterwards.
    pub return_url: Option<String>,
    /// When the provider stops taking it: the hold's end less the grace.
    pub expires_at: Option<Timestamp>,
    /// Why it failed.
    pub failure_code: Option<String>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

impl Payment {
    /// What could still go back.
    #[must_use]
    pub fn refundable(&self) -> Amount {
        if self.status.is_captured() {
            self.amount.minus(self.refunded_amount).unwrap_or_default()
        } else {
            Amount::ZERO
        }
    }
}

/// The key that a provider is sent for attempt `attempt` of an order (contract, "Payments").
#[must_use]
pub fn provider_key(order_id: OrderId, attempt: i64) -> String {
    if attempt <= 1 {
        format!("order-{order_id}-payment")
    } else {
        format!("order-{order_id}-payment-{attempt}")
    }
}

/// Money that went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The payment.
    pub payment_id: PaymentId,
    /// The payment's order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Amount,
    /// How much of it is tax that the shop need not pay any more.
    pub tax_amount: Amount,
    /// The currency.
    pub currency: Currency,
    /// The lines that it was for: line and units.
    pub items: Vec<(OrderItemId, i64)>,
    /// Whether those units went back on the shelf.
    pub restock: bool,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub created_at: Timestamp,
}
