//! Orders: lines with prices frozen when they were made, and three statuses that move apart.

use crate::ids::{CartId, LocationId, OrderId, OrderItemId, ProductId, VariantId};
use crate::money::{Amount, Currency};
use crate::time::Timestamp;

/// Where an order stands on its way to the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderStatus {
    /// A quote: editable, holds no stock.
    Draft,
    /// Waits for payment and holds its stock.
    Pending,
    /// Paid; its stock is sold.
    Paid,
    /// Being packed.
    Processing,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Ended before it was shipped.
    Cancelled,
    /// All its money went back.
    Refunded,
}

/// What became of the money, as the customer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaymentState {
    /// Not paid yet.
    Pending,
    /// Paid in full.
    Paid,
    /// Paid, and a part went back.
    PartiallyRefunded,
    /// Paid, and all went back.
    Refunded,
    /// The last attempt failed; another may follow.
    Failed,
    /// Not paid in time.
    Expired,
}

/// What may still be changed about the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FinancialStatus {
    /// Lines and totals may change.
    Draft,
    /// Totals are frozen and their hash is stored.
    Locked,
    /// Paid.
    Paid,
    /// Paid back in full.
    Refunded,
}

/// One line of an order. Its price is the catalogue's at the time of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderItem {
    /// Its id.
    pub id: OrderItemId,
    /// The product.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// The location that the caller asked for, or that gave the whole line; `None` before stock
    /// is taken and for a line that several locations share.
    pub location_id: Option<LocationId>,
    /// True when the caller named the location.
    pub location_forced: bool,
    /// The variant's code.
    pub sku: Option<String>,
    /// The product's title.
    pub title: String,
    /// The variant's title.
    pub variant_title: String,
    /// The variant's options.
    pub options: Vec<(String, String)>,
    /// Units.
    pub quantity: i64,
    /// Price of one unit.
    pub unit_price: Amount,
    /// Taken off this line.
    pub discount: Amount,
    /// `unit_price × quantity − discount`.
    pub total_price: Amount,
}

/// The sums of an order, in minor units of its currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sum of the lines' totals.
    pub subtotal: Amount,
    /// Taken off the whole order, beside the lines' own discounts.
    pub discount_amount: Amount,
    /// Tax: added to the total, or contained in it where the tenant's prices include tax.
    pub tax_amount: Amount,
    /// Shipping.
    pub shipping_fee: Amount,
    /// What the customer pays.
    pub total_amount: Amount,
}

/// Who buys, and where it goes. Personal data: kept beside the order, never in an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// E-mail address.
    pub customer_email: Option<String>,
    /// Street and number.
    pub shipping_address: Option<String>,
    /// City.
    pub shipping_city: Option<String>,
    /// State or region.
    pub shipping_state: Option<String>,
    /// Postal code.
    pub shipping_pincode: Option<String>,
    /// Telephone number.
    pub shipping_phone: Option<String>,
}

impl Contact {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An operator keeps an order where it is: time does not end it, and it does not move on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnHold {
    /// Since when.
    pub since: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An order without its contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// A number that people use, counted per tenant from 1001.
    pub number: i64,
    /// Where it stands.
    pub status: OrderStatus,
    /// What became of the money.
    pub payment_status: PaymentState,
    /// What may still be changed.
    pub financial_status: FinancialStatus,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// Its sums.
    pub totals: Totals,
    /// Tax that the caller gave instead of the tenant's rate.
    pub given_tax: Option<Amount>,
    /// Shipping that the caller gave instead of the tenant's fee.
    pub given_shipping: Option<Amount>,
    /// Its lines, 1 to 100.
    pub items: Vec<OrderItem>,
    /// The caller's own id of the customer.
    pub customer_id: Option<String>,
    /// The customer's tier, which may lengthen the hold.
    pub customer_tier: Option<String>,
    /// How it is, or will be, paid.
    pub payment_method: Option<String>,
    /// The reference of the payment that paid it.
    pub payment_reference: Option<String>,
    /// When it expires unpaid; `None` for a draft and once paid or cancelled.
    pub payment_expires_at: Option<Timestamp>,
    /// By how many milliseconds its hold has been extended for payment providers.
    pub hold_extended_millis: i64,
    /// When its totals were frozen.
    pub locked_at: Option<Timestamp>,
    /// SHA-256, in hexadecimal, of the canonical JSON of items and totals.
    pub snapshot_hash: Option<String>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// When it was shipped.
    pub shipped_at: Option<Timestamp>,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// Whether an operator keeps it where it is.
    pub on_hold: Option<OnHold>,
    /// When it was cancelled, by somebody or by time.
    pub cancelled_at: Option<Timestamp>,
    /// The carrier's tracking number.
    pub tracking_number: Option<String>,
    /// The carrier.
    pub carrier: Option<String>,
    /// The customer's notes.
    pub notes: Option<String>,
    /// The shop's notes; "Payment timeout" when time ran out.
    pub admin_notes: Option<String>,
    /// The cart it was made from; a cart makes one order.
    pub cart_id: Option<CartId>,
    /// The key that its maker sent.
    pub idempotency_key: Option<String>,
    /// Rises by one with each event on the order.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

impl Order {
    /// Whether it still waits for its money: a draft, or a pending order in time.
    #[must_use]
    pub fn is_unpaid(&self) -> bool {
        matches!(self.status, OrderStatus::Draft | OrderStatus::Pending)
    }

    /// Whether time, and nobody, cancelled it.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.status == OrderStatus::Cancelled && self.payment_status == PaymentState::Expired
    }
}

/// What the shop's notes say when an order's time ran out (seed 003).
pub const PAYMENT_TIMEOUT: &str = "Payment timeout";

/// The number of a tenant's first order.
pub const FIRST_ORDER_NUMBER: i64 = 1001;
