//! Each event's type and payload.

use domain::catalogue::{Location, Product, Variant};
use domain::control::Control;
use domain::event::{Event, ProductChange};
use domain::ids::{OrderId, PaymentId, RefundId, ReservationId};
use domain::money::Amount;
use domain::order::{Order, OrderStatus};
use domain::payment::{Dispute, Payment, Refund, Unearned};
use domain::stock::{Hold, HoldStatus, LevelKey};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::plain::Plain;

impl Plain for ProductChange {
    type Json = String;

    fn to_json(&self) -> String {
        match self {
            Self::Created => "created".to_owned(),
            Self::Updated => "updated".to_owned(),
            Self::Archived => "archived".to_owned(),
        }
    }

    fn from_json(json: String) -> Result<Self, String> {
        match json.as_str() {
            "created" => Ok(Self::Created),
            "updated" => Ok(Self::Updated),
            "archived" => Ok(Self::Archived),
            _ => Err(format!("{json:?} is unknown")),
        }
    }
}

macro_rules! events {
    ($($kind:literal $name:ident { $($field:ident: $type:ty,)* })*) => {
        mod payload {
            use super::*;
            $(
                #[derive(Serialize, Deserialize)]
                pub(super) struct $name {
                    $(pub(super) $field: <$type as Plain>::Json,)*
                }
            )*
        }

        /// An event's type and its payload.
        #[must_use]
        pub fn encode(event: &Event) -> (&'static str, Vec<u8>) {
            let (kind, json) = match event {
                $(Event::$name { $($field,)* } => {
                    let payload = payload::$name { $($field: $field.to_json(),)* };
                    ($kind, serde_json::to_vec(&payload))
                })*
            };
            (kind, json.unwrap_or_default())
        }

        /// The event of a type and payload.
        pub fn decode(kind: &str, payload: &[u8]) -> Result<Event, String> {
            match kind {
                $($kind => {
                    let payload: payload::$name =
                        serde_json::from_slice(payload).map_err(|error| error.to_string())?;
                    Ok(Event::$name {
                        $($field: <$type as Plain>::from_json(payload.$field)?,)*
                    })
                })*
                _ => Err(format!("{kind:?} is no known type of event")),
            }
        }
    };
}

events! {
    "product.saved" ProductSaved {
        change: ProductChange,
        product: Product,
        variants: Vec<Variant>,
    }
    "location.added" LocationAdded { location: Location, }
    "control.moved" ControlMoved { control: Control, by: String, reason: String, }
    "stock.set" StockSet {
        level: LevelKey,
        stock_quantity: i64,
        low_stock_threshold: Option<i64>,
        backorder_limit: i64,
    }
    "stock.adjusted" StockAdjusted { level: LevelKey, delta: i64, reason: String, }
    "stock.reserved" StockReserved { order_id: OrderId, holds: Vec<Hold>, }
    "stock.converted" StockConverted { order_id: OrderId, holds: Vec<ReservationId>, }
    "stock.released" StockReleased {
        order_id: OrderId,
        holds: Vec<ReservationId>,
        status: HoldStatus,
    }
    "stock.hold_extended" HoldsExtended { order_id: OrderId, expires_at: Timestamp, }
    "stock.returned" StockReturned {
        order_id: OrderId,
        units: Vec<(LevelKey, i64)>,
        reason: String,
    }
    "order.placed" OrderPlaced { order: Box<Order>, }
    "order.revised" OrderRevised { order: Box<Order>, }
    "order.annotated" OrderAnnotated {
        order_id: OrderId,
        notes: Option<String>,
        admin_notes: Option<String>,
    }
    "order.submitted" OrderSubmitted {
        order_id: OrderId,
        payment_expires_at: Option<Timestamp>,
    }
    "order.put_on_hold" OrderPutOnHold { order_id: OrderId, by: String, reason: String, }
    "order.released" OrderReleased { order_id: OrderId, by: String, reason: String, }
    "order.deadline_set" DeadlineSet {
        order_id: OrderId,
        payment_expires_at: Option<Timestamp>,
    }
    "order.locked" OrderLocked { order_id: OrderId, snapshot_hash: String, }
    "order.paid" OrderPaid {
        order_id: OrderId,
        payment_id: PaymentId,
        payment_method: Option<String>,
        payment_reference: String,
    }
    "order.revived" OrderRevived { order_id: OrderId, }
    "order.payment_failed" OrderPaymentFailed { order_id: OrderId, }
    "order.expired" OrderExpired { order_id: OrderId, }
    "order.cancelled" OrderCancelled { order_id: OrderId, reason: Option<String>, }
    "order.moved" OrderMoved {
        order_id: OrderId,
        status: OrderStatus,
        notes: Option<String>,
    }
    "order.shipping_set" OrderShippingSet {
        order_id: OrderId,
        tracking_number: String,
        carrier: Option<String>,
    }
    "order.refunded" OrderRefunded { order_id: OrderId, in_full: bool, }
    "payment.started" PaymentStarted { payment: Box<Payment>, }
    "payment.begun" PaymentBegun {
        order_id: OrderId,
        payment_id: PaymentId,
        provider_payment_id: Option<String>,
    }
    "payment.succeeded" PaymentSucceeded {
        order_id: OrderId,
        payment_id: PaymentId,
        provider_payment_id: Option<String>,
        captured_amount: Option<Amount>,
    }
    "payment.closed" PaymentClosed { order_id: OrderId, payment_id: PaymentId, code: String, }
    "payment.fee_known" PaymentFeeKnown {
        order_id: OrderId,
        payment_id: PaymentId,
        fee_amount: Amount,
    }
    "payment.suspected" PaymentSuspected { order_id: OrderId, payment_id: PaymentId, }
    "payment.disputed" PaymentDisputed {
        order_id: OrderId,
        payment_id: PaymentId,
        dispute_id: String,
        dispute: Dispute,
    }
    "payment.failed" PaymentFailed {
        order_id: OrderId,
        payment_id: PaymentId,
        failure_code: String,
    }
    "payment.cancelled" PaymentCancelled { order_id: OrderId, payment_id: PaymentId, }
    "payment.unearned" PaymentUnearned { order_id: OrderId, payment_id: PaymentId, why: Unearned, }
    "payment.refunded" PaymentRefunded { refund: Refund, }
    "refund.sent" RefundSent {
        order_id: OrderId,
        refund_id: RefundId,
        provider_refund_id: Option<String>,
    }
    "refund.settled" RefundSettled {
        order_id: OrderId,
        refund_id: RefundId,
        provider_refund_id: String,
    }
    "refund.failed" RefundFailed {
        order_id: OrderId,
        refund_id: RefundId,
        provider_refund_id: Option<String>,
        failure_code: String,
    }
}
