//! The names of states: the same on the wire and in the database.

use crate::catalogue::ProductStatus;
use crate::command::Outcome;
use crate::control::Control;
use crate::decide::StockRule;
use crate::order::{FinancialStatus, OrderStatus, PaymentState};
use crate::payment::{Dispute, PaymentStatus, Provider, RefundStatus, Stage, Unearned};
use crate::stock::HoldStatus;
use crate::tenant::{KeyKind, StockMode};
use crate::webhook::WebhookStatus;

macro_rules! names {
    ($($kind:ident { $($variant:ident = $name:literal,)* })*) => {$(
        impl $kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name on the wire and in the database.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    )*};
}

names! {
    Unearned {
        Late = "late",
        Cancelled = "cancelled",
        Twice = "twice",
        Partial = "partial",
    }
    Stage { Intended = "intended", Begun = "begun", Closed = "closed", }
    RefundStatus {
        Requested = "requested",
        Pending = "pending",
        Succeeded = "succeeded",
        Failed = "failed",
    }
    Dispute { Opened = "opened", Won = "won", Lost = "lost", }
    WebhookStatus { Applied = "applied", Ignored = "ignored", Dead = "dead", }
    ProductStatus { Active = "active", Archived = "archived", }
    HoldStatus {
        Active = "active",
        Converted = "converted",
        Expired = "expired",
        Cancelled = "cancelled",
    }
    OrderStatus {
        Draft = "draft",
        Pending = "pending",
        Paid = "paid",
        Processing = "processing",
        Shipped = "shipped",
        Delivered = "delivered",
        Cancelled = "cancelled",
        Refunded = "refunded",
    }
    PaymentState {
        Pending = "pending",
        Paid = "paid",
        PartiallyRefunded = "partially_refunded",
        Refunded = "refunded",
        Failed = "failed",
        Expired = "expired",
    }
    FinancialStatus { Draft = "draft", Locked = "locked", Paid = "paid", Refunded = "refunded", }
    PaymentStatus {
        Pending = "pending",
        Succeeded = "succeeded",
        Failed = "failed",
        Cancelled = "cancelled",
        PartiallyRefunded = "partially_refunded",
        Refunded = "refunded",
    }
    Provider {
        Mock = "mock",
        Manual = "manual",
        Vnpay = "vnpay",
        Yookassa = "yookassa",
        Stripe = "stripe",
    }
    Control {
        ExpirySuspended = "expiry_suspended",
        ExpiryRunning = "expiry_running",
        CleanupPaused = "cleanup_paused",
        CleanupRunning = "cleanup_running",
        StockReserve = "stock_reserve",
        StockImmediate = "stock_immediate",
        ReadOnly = "read_only",
        ReadWrite = "read_write",
    }
    Outcome { Created = "created", Updated = "updated", Unchanged = "unchanged", }
    StockRule { New = "new", Set = "set", Keep = "keep", }
    StockMode { Reserve = "reserve", Immediate = "immediate", }
    KeyKind { Secret = "secret", Publishable = "publishable", Platform = "platform", }
}
