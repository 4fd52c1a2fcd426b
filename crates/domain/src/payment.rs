//! Payments of orders, one attempt after another, and what went back of them.

use crate::ids::{OrderId, OrderItemId, PaymentId, RefundId, VariantId};
use crate::money::{Amount, Currency};
use crate::time::Timestamp;

/// Who takes the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// The built-in test provider.
    Mock,
    /// Confirmed by the shop's own staff.
    Manual,
    /// VNPAY.
    Vnpay,
    /// YooKassa.
    Yookassa,
    /// Stripe.
    Stripe,
}

/// The currencies that YooKassa takes (payment-protocols, section 8).
const YOOKASSA: [&str; 12] = [
    "RUB", "EUR", "USD", "KZT", "BYN", "UAH", "UZS", "TRY", "INR", "MDL", "AZN", "AMD",
];

impl Provider {
    /// The shortest time, in milliseconds, that a payer must be given.
    #[must_use]
    pub const fn window_min_millis(self) -> i64 {
        match self {
            Self::Mock | Self::Manual => 60_000,
            // A payer needs that for a code from the bank.
            Self::Vnpay | Self::Yookassa | Self::Stripe => 300_000,
        }
    }

    /// Whether it is somebody else's server, which has to be asked.
    #[must_use]
    pub const fn is_remote(self) -> bool {
        match self {
            Self::Mock | Self::Manual => false,
            Self::Vnpay | Self::Yookassa | Self::Stripe => true,
        }
    }

    /// Whether a payment that nobody has made yet can be ended there; others end by themselves.
    #[must_use]
    pub const fn ends_payments(self) -> bool {
        matches!(self, Self::Stripe)
    }

    /// Whether it takes a currency at all.
    #[must_use]
    pub fn takes(self, currency: Currency) -> bool {
        match self {
            Self::Mock | Self::Manual | Self::Stripe => true,
            Self::Vnpay => currency.code() == "VND",
            Self::Yookassa => YOOKASSA.contains(&currency.code()),
        }
    }
}

/// How far a payment has come with its provider. Those of the mock and by hand are closed from the
/// start: there is nobody to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is to be begun; whether the provider knows of it is not known.
    Intended,
    /// The provider has begun it; its outcome is not known.
    Begun,
    /// The provider has said its last word.
    Closed,
}

/// With what a payer pays. It is no part of the journal: whoever has it may pay, and an address may
/// name the payer's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayPage {
    /// Where the payer is sent.
    pub payment_url: Option<String>,
    /// With what a browser goes on (Stripe).
    pub client_secret: Option<String>,
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
    /// The provider took less than was asked for.
    Partial,
}

/// Where a dispute stands that a payer's bank has opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dispute {
    /// It is open.
    Opened,
    /// The shop keeps the money.
    Won,
    /// The bank took the money back.
    Lost,
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
    /// How far it has come with its provider.
    pub stage: Stage,
    /// Whether its money paid the order; money that did not is the customer's.
    pub earned: bool,
    /// What is asked for.
    pub amount: Amount,
    /// What was taken.
    pub captured_amount: Amount,
    /// What went back or is on its way; never more than what was taken.
    pub refunded_amount: Amount,
    /// What the provider kept of it, where it says so.
    pub fee_amount: Amount,
    /// The order's currency.
    pub currency: Currency,
    /// What the provider calls the payment by in our name; derived from the order, so that a
    /// repeated request is the same request.
    pub provider_reference: String,
    /// What the provider itself calls it.
    pub provider_payment_id: Option<String>,
    /// Where the payer is sent afterwards.
    pub return_url: Option<String>,
    /// With what the payer pays; not in the journal.
    pub page: PayPage,
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
            let left = self.captured_amount.minus(self.refunded_amount);
            left.unwrap_or_default()
        } else {
            Amount::ZERO
        }
    }
}

/// The failure code of a payment whose money was taken while its provider suspects a fraud.
pub const SUSPECTED: &str = "suspected_fraud";

/// The key that a provider is sent for attempt `attempt` of an order (contract, "Payments").
#[must_use]
pub fn provider_key(order_id: OrderId, attempt: i64) -> String {
    if attempt <= 1 {
        format!("order-{order_id}-payment")
    } else {
        format!("order-{order_id}-payment-{attempt}")
    }
}

/// The order and the attempt that a [`provider_key`] names.
#[must_use]
pub fn parse_provider_key(key: &str) -> Option<(OrderId, i64)> {
    let rest = key.strip_prefix("order-")?;
    let (order, rest) = rest.split_once("-payment")?;
    let order: OrderId = order.parse().ok()?;
    let attempt = match rest.strip_prefix('-') {
        Some(number) => number.parse().ok()?,
        None => 1,
    };
    (provider_key(order, attempt) == key).then_some((order, attempt))
}

/// The key that a provider is sent for a refund.
#[must_use]
pub fn refund_key(id: RefundId) -> String {
    format!("refund-{id}")
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefundStatus {
    /// It is to be asked for; whether the provider knows of it is not known.
    Requested,
    /// The provider works on it.
    Pending,
    /// The money is on its way back.
    Succeeded,
    /// It certainly failed: the money is still there.
    Failed,
}

/// Money that went back, or shall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The payment.
    pub payment_id: PaymentId,
    /// The payment's order.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: RefundStatus,
    /// What the provider calls it.
    pub provider_refund_id: Option<String>,
    /// Why it failed.
    pub failure_code: Option<String>,
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
    /// The units that it put back there; `None` for refunds of before this was kept, which put back
    /// all of theirs.
    pub put_back: Option<Vec<(VariantId, i64)>>,
    /// When the provider took it over.
    pub sent_at: Option<Timestamp>,
    /// When the money was on its way back, whatever became of it since.
    pub settled_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

impl Refund {
    /// Whether its money is gone or set aside.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.status != RefundStatus::Failed
    }

    /// Whether its provider still has a word to say.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.status, RefundStatus::Requested | RefundStatus::Pending)
    }
}
