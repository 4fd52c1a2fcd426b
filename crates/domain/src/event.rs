//! Events: the facts that commands decide, numbered per tenant and kept for ever.
//!
//! Folding a tenant's events over [`crate::state::State::genesis`] gives its tables again; that
//! is what `stockhold audit` does. Personal data never stands in an event.

use crate::cart::Cart;
use crate::catalogue::{Location, Product, Variant};
use crate::control::Control;
use crate::ids::{OrderId, PaymentId, RefundId, ReservationId};
use crate::money::Amount;
use crate::order::{Contact, Order, OrderStatus};
use crate::payment::{Dispute, PayPage, Payment, Refund, Unearned};
use crate::stock::{Hold, HoldStatus, LevelKey, Movement};
use crate::tenant::{ApiKey, Tenant};
use crate::time::Timestamp;
use crate::webhook::WebhookEvent;

/// What happened to a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductChange {
    /// It is new.
    Created,
    /// Its row or some of its variants changed.
    Updated,
    /// It is no longer sold.
    Archived,
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A product was created, changed or archived; the variants are those that changed.
    ProductSaved {
        /// What happened.
        change: ProductChange,
        /// The product as it is now.
        product: Product,
        /// The new or changed variants as they are now.
        variants: Vec<Variant>,
    },
    /// A location was added.
    LocationAdded {
        /// The location.
        location: Location,
    },
    /// Somebody counted, or changed how a level behaves.
    StockSet {
        /// The level.
        level: LevelKey,
        /// Units on hand from now on.
        stock_quantity: i64,
        /// The level's own low-stock threshold from now on.
        low_stock_threshold: Option<i64>,
        /// The backorder limit from now on.
        backorder_limit: i64,
    },
    /// Units came or went without an order.
    StockAdjusted {
        /// The level.
        level: LevelKey,
        /// How many came (or went, below zero).
        delta: i64,
        /// Why.
        reason: String,
    },
    /// Stock was taken for an order.
    StockReserved {
        /// The order.
        order_id: OrderId,
        /// The new holds.
        holds: Vec<Hold>,
    },
    /// Holds became a sale.
    StockConverted {
        /// The order.
        order_id: OrderId,
        /// The holds.
        holds: Vec<ReservationId>,
    },
    /// Holds were let go.
    StockReleased {
        /// The order.
        order_id: OrderId,
        /// The holds.
        holds: Vec<ReservationId>,
        /// `Expired` when time ran out, `Cancelled` when somebody cancelled.
        status: HoldStatus,
    },
    /// An operator moved a control.
    ControlMoved {
        /// Where to.
        control: Control,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// An operator put an order on hold.
    OrderPutOnHold {
        /// The order.
        order_id: OrderId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// An operator released an order from hold.
    OrderReleased {
        /// The order.
        order_id: OrderId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A pending order's deadline was cleared, or set anew, by what an operator did.
    DeadlineSet {
        /// The order.
        order_id: OrderId,
        /// When it and its holds end; `None` when time does not end them.
        payment_expires_at: Option<Timestamp>,
    },
    /// An order's holds end later.
    HoldsExtended {
        /// The order.
        order_id: OrderId,
        /// The new end.
        expires_at: Timestamp,
    },
    /// Sold units went back on the shelf.
    StockReturned {
        /// The order that they had been sold to.
        order_id: OrderId,
        /// Where and how many.
        units: Vec<(LevelKey, i64)>,
        /// Why.
        reason: String,
    },
    /// An order was made.
    OrderPlaced {
        /// The order.
        order: Box<Order>,
    },
    /// An unlocked order's lines, money or texts changed.
    OrderRevised {
        /// The order as it is now.
        order: Box<Order>,
    },
    /// Texts changed that stay editable after the lock.
    OrderAnnotated {
        /// The order.
        order_id: OrderId,
        /// The customer's notes from now on.
        notes: Option<String>,
        /// The shop's notes from now on.
        admin_notes: Option<String>,
    },
    /// A draft took its stock and now waits for payment.
    OrderSubmitted {
        /// The order.
        order_id: OrderId,
        /// When it expires unpaid; `None` while expiry is suspended.
        payment_expires_at: Option<Timestamp>,
    },
    /// An order's totals were frozen.
    OrderLocked {
        /// The order.
        order_id: OrderId,
        /// SHA-256 of the canonical JSON of items and totals.
        snapshot_hash: String,
    },
    /// An order was paid.
    OrderPaid {
        /// The order.
        order_id: OrderId,
        /// The payment.
        payment_id: PaymentId,
        /// How.
        payment_method: Option<String>,
        /// Its reference.
        payment_reference: String,
    },
    /// An order that time had cancelled came back, because its money came after all.
    OrderRevived {
        /// The order.
        order_id: OrderId,
    },
    /// An attempt failed; the order still waits.
    OrderPaymentFailed {
        /// The order.
        order_id: OrderId,
    },
    /// Time ran out.
    OrderExpired {
        /// The order.
        order_id: OrderId,
    },
    /// Somebody cancelled.
    OrderCancelled {
        /// The order.
        order_id: OrderId,
        /// Why.
        reason: Option<String>,
    },
    /// An order went on along its way.
    OrderMoved {
        /// The order.
        order_id: OrderId,
        /// Where it stands now.
        status: OrderStatus,
        /// The shop's notes, if given.
        notes: Option<String>,
    },
    /// The parcel got a number.
    OrderShippingSet {
        /// The order.
        order_id: OrderId,
        /// The carrier's number.
        tracking_number: String,
        /// The carrier.
        carrier: Option<String>,
    },
    /// A part or all of an order's money went back.
    OrderRefunded {
        /// The order.
        order_id: OrderId,
        /// Whether nothing is left.
        in_full: bool,
    },
    /// A payment attempt was started.
    PaymentStarted {
        /// The payment.
        payment: Box<Payment>,
    },
    /// The provider has begun the payment.
    PaymentBegun {
        /// The order.
        order_id: OrderId,
        /// The payment.
        payment_id: PaymentId,
        /// What the provider calls it, where it says so already.
        provider_payment_id: Option<String>,
    },
    /// The money was taken.
    PaymentSucceeded {
        /// The order.
        order_id: OrderId,
        /// The payment.
        payment_id: PaymentId,
        /// What the provider calls it.
        provider_payment_id: Option<String>,
        /// What was taken, where it is not all that was asked for.
        captured_amount: Option<Amount>,
    },
    /// The provider takes no money any more for a payment that nobody waits for.
    PaymentClosed {
        /// The order.
        order_id: OrderId,
        /// The payment.
        payment_id: PaymentId,
        /// Why, in the provider's words.
        code: String,
    },
    /// The provider has said what it keeps of the money.
    PaymentFeeKnown {
        /// The order.
        order_id: OrderId,
        /// The payment.
        payment_id: PaymentId,
        /// How much, in the payment's currency.
        fee_amount: Amount,
    },
    /// The money was taken, and the provider suspects a fraud.
    PaymentSuspected {
        /// The order.
        order_id: OrderId,
        /// The payment.
        payment_id: PaymentId,
    },
    /// The payer's bank disputes the payment. Money that it takes back is a refund.
    PaymentDisputed {
        /// The order.
        order_id: OrderId,
        /// The payment.
        payment_id: PaymentId,
        /// What the provider calls the dispute.
        dispute_id: String,
        /// Where it stands.
        dispute: Dispute,
    },
    /// The attempt certainly failed.
    PaymentFailed {
        /// The order.
        order_id: OrderId,
        /// The payment.
        payment_id: PaymentId,
        /// Why.
        failure_code: String,
    },
    /// Nobody waits for this payment any more.
    PaymentCancelled {
        /// The order.
        order_id: OrderId,
        /// The payment.
        payment_id: PaymentId,
    },
    /// Money was taken that paid nothing; it goes back.
    PaymentUnearned {
        /// The order.
        order_id: OrderId,
        /// The payment.
        payment_id: PaymentId,
        /// Why.
        why: Unearned,
    },
    /// Money goes back: it is gone where the refund has succeeded, and set aside where a provider
    /// is still to be asked.
    PaymentRefunded {
        /// The refund.
        refund: Refund,
    },
    /// The provider works on a refund.
    RefundSent {
        /// The order.
        order_id: OrderId,
        /// The refund.
        refund_id: RefundId,
        /// What the provider calls it, where it says so.
        provider_refund_id: Option<String>,
    },
    /// The provider has sent the money back.
    RefundSettled {
        /// The order.
        order_id: OrderId,
        /// The refund.
        refund_id: RefundId,
        /// What the provider calls it.
        provider_refund_id: String,
    },
    /// The provider certainly does not send the money back.
    RefundFailed {
        /// The order.
        order_id: OrderId,
        /// The refund.
        refund_id: RefundId,
        /// What the provider calls it, where it says so.
        provider_refund_id: Option<String>,
        /// Why.
        failure_code: String,
    },
}

impl Event {
    /// The order that the event is about.
    #[must_use]
    pub fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::ProductSaved { .. }
            | Self::LocationAdded { .. }
            | Self::StockSet { .. }
            | Self::StockAdjusted { .. }
            | Self::ControlMoved { .. } => None,
            Self::StockReserved { order_id, .. }
            | Self::StockConverted { order_id, .. }
            | Self::StockReleased { order_id, .. }
            | Self::HoldsExtended { order_id, .. }
            | Self::StockReturned { order_id, .. }
            | Self::OrderPutOnHold { order_id, .. }
            | Self::OrderReleased { order_id, .. }
            | Self::DeadlineSet { order_id, .. }
            | Self::OrderAnnotated { order_id, .. }
            | Self::OrderSubmitted { order_id, .. }
            | Self::OrderLocked { order_id, .. }
            | Self::OrderPaid { order_id, .. }
            | Self::OrderRevived { order_id }
            | Self::OrderPaymentFailed { order_id }
            | Self::OrderExpired { order_id }
            | Self::OrderCancelled { order_id, .. }
            | Self::OrderMoved { order_id, .. }
            | Self::OrderShippingSet { order_id, .. }
            | Self::OrderRefunded { order_id, .. }
            | Self::PaymentBegun { order_id, .. }
            | Self::PaymentClosed { order_id, .. }
            | Self::PaymentFeeKnown { order_id, .. }
            | Self::PaymentSuspected { order_id, .. }
            | Self::PaymentDisputed { order_id, .. }
            | Self::RefundSent { order_id, .. }
            | Self::RefundSettled { order_id, .. }
            | Self::RefundFailed { order_id, .. }
            | Self::PaymentSucceeded { order_id, .. }
            | Self::PaymentFailed { order_id, .. }
            | Self::PaymentUnearned { order_id, .. }
            | Self::PaymentCancelled { order_id, .. } => Some(*order_id),
            Self::OrderPlaced { order } | Self::OrderRevised { order } => Some(order.id),
            Self::PaymentStarted { payment } => Some(payment.order_id),
            Self::PaymentRefunded { refund } => Some(refund.order_id),
        }
    }
}

/// A row without events: written by the same lane, left out of the journal and of `audit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A cart as it is now.
    Cart(Cart),
    /// An order's contact as it is now.
    Contact(OrderId, Contact),
    /// A tenant with its settings as it is now.
    Tenant(Box<Tenant>),
    /// A key's record as it is now.
    Key(ApiKey),
    /// With what a payment is made.
    PayPage(OrderId, PaymentId, PayPage),
    /// A message of a provider, and what became of it.
    WebhookEvent(Box<WebhookEvent>),
}

/// One thing that a command decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A fact for the journal.
    Event(Event),
    /// A row without events.
    Row(Row),
}

impl From<Event> for Change {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

impl From<Row> for Change {
    fn from(row: Row) -> Self {
        Self::Row(row)
    }
}

/// An event in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number in the tenant, from 1 without gaps.
    pub seq: i64,
    /// When it was decided.
    pub at: Timestamp,
    /// The fact.
    pub event: Event,
    /// What it did to stock.
    pub movements: Vec<Movement>,
}
