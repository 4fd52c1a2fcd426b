//! Why a command was refused. A refusal changed nothing; it carries all that a client needs.

use core::fmt;

use crate::ids::VariantId;
use crate::order::OrderStatus;

/// A fault in what the caller sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the request's body.
    pub pointer: String,
    /// What is wrong, for people.
    pub message: String,
}

/// A line that stock does not suffice for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The variant.
    pub variant_id: VariantId,
    /// Units asked for, summed over the order's lines.
    pub requested: i64,
    /// Units that could have been had.
    pub available: i64,
}

/// A refusal. The order of the variants is the order in which faults are reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// What the path names does not exist in this tenant.
    NotFound,
    /// The body is at fault; every fault is listed.
    Invalid(Vec<Fault>),
    /// An amount differs from what it must be.
    AmountMismatch,
    /// Two currencies in one place.
    CurrencyMismatch,
    /// More would go back than was captured.
    RefundExceedsPayment,
    /// The key was used with another request before.
    IdempotencyKeyReused,
    /// An operator keeps the order where it is.
    OrderOnHold,
    /// The cart has become an order.
    CartConverted,
    /// The cart has no lines.
    CartEmpty,
    /// The order is paid already.
    AlreadyPaid,
    /// The order is cancelled already.
    AlreadyCancelled,
    /// The order's totals are frozen.
    OrderLocked,
    /// The order was locked before.
    OrderAlreadyLocked,
    /// The order cannot go from one status to another.
    InvalidState {
        /// Where it stands.
        from: OrderStatus,
        /// Where it was to go.
        to: &'static str,
    },
    /// The expected version is not the current one.
    VersionConflict,
    /// Below what is reserved, or not enough to sell: every short line.
    InsufficientStock(Vec<Shortage>),
}

impl Rejection {
    /// A single fault.
    #[must_use]
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault {
            pointer: pointer.into(),
            message: message.into(),
        }])
    }

    /// A sum that leaves the bounds of money.
    #[must_use]
    pub fn amount_out_of_range() -> Self {
        Self::invalid(
            "",
            "an amount of this request leaves the range of ±1000000000000000",
        )
    }

    /// The stable code that clients act on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Invalid(_) => "validation_failed",
            Self::AmountMismatch => "amount_mismatch",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::RefundExceedsPayment => "refund_exceeds_payment",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::OrderOnHold => "order_on_hold",
            Self::CartConverted => "cart_converted",
            Self::CartEmpty => "cart_empty",
            Self::AlreadyPaid => "already_paid",
            Self::AlreadyCancelled => "already_cancelled",
            Self::OrderLocked => "order_locked",
            Self::OrderAlreadyLocked => "order_already_locked",
            Self::InvalidState { .. } => "invalid_state",
            Self::VersionConflict => "version_conflict",
            Self::InsufficientStock(_) => "insufficient_stock",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such object in this tenant"),
            Self::Invalid(faults) => match faults.as_slice() {
                [only] if only.pointer.is_empty() => f.write_str(&only.message),
                [only] => write!(f, "{}: {}", only.pointer, only.message),
                many => write!(f, "{} faults; see errors", many.len()),
            },
            Self::AmountMismatch => f.write_str("the amount is not the order's total"),
            Self::CurrencyMismatch => f.write_str("all items must be priced in one currency"),
            Self::RefundExceedsPayment => {
                f.write_str("refunds would exceed what was captured of this payment")
            }
            Self::IdempotencyKeyReused => {
                f.write_str("this Idempotency-Key was used with another method, path or body")
            }
            Self::OrderOnHold => f.write_str("an operator put the order on hold"),
            Self::CartConverted => f.write_str("the cart has become an order"),
            Self::CartEmpty => f.write_str("the cart has no items"),
            Self::AlreadyPaid => f.write_str("the order is paid already"),
            Self::AlreadyCancelled => f.write_str("the order is cancelled already"),
            Self::OrderLocked => {
                f.write_str("the order is locked: its items and money can no longer change")
            }
            Self::OrderAlreadyLocked => f.write_str("the order was locked before"),
            Self::InvalidState { from, to } => {
                write!(f, "an order that is {} cannot become {to}", from.name())
            }
            Self::VersionConflict => f.write_str("the expected version is not the current one"),
            Self::InsufficientStock(items) => {
                write!(
                    f,
                    "not enough stock for {} item(s) of this request",
                    items.len()
                )
            }
        }
    }
}
