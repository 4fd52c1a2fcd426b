//! Tenants, their settings and their keys: plain rows without events.

use std::collections::BTreeMap;

use crate::ids::{KeyId, LocationId, TenantId};
use crate::money::{Amount, Currency};
use crate::payment::Provider;
use crate::time::Timestamp;

/// What an unpaid order does to stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockMode {
    /// Reserves it: deducted when paid (seed 003).
    Reserve,
    /// Deducts it at once, and puts it back if the order ends unpaid (seeds 002 and 004).
    Immediate,
}

/// What a tenant decides about its own shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Minutes until an unpaid order expires; `None` takes the server's.
    pub payment_timeout_minutes: Option<i64>,
    /// The same by payment method.
    pub payment_timeout_by_method: BTreeMap<String, i64>,
    /// The same by customer tier; the longer of method and tier counts.
    pub payment_timeout_by_tier: BTreeMap<String, i64>,
    /// Seconds between a provider's deadline and the end of the hold.
    pub payment_grace_seconds: i64,
    /// Minutes by which a hold may be extended in all, for a provider that needs longer.
    pub hold_extension_max_minutes: i64,
    /// Who takes the money when the caller names nobody.
    pub default_provider: Provider,
    /// What an unpaid order does to stock.
    pub stock_mode: StockMode,
    /// Tax in hundredths of a percent of the discounted subtotal.
    pub tax_rate_bps: i64,
    /// Whether prices contain the tax already.
    pub tax_inclusive: bool,
    /// Shipping of an order, in minor units.
    pub shipping_flat_fee: Amount,
    /// From this discounted subtotal on shipping is free.
    pub free_shipping_over: Option<Amount>,
    /// The currency of new products when they name none.
    pub default_currency: Currency,
    /// At or below this many available units a level counts as low.
    pub low_stock_threshold: i64,
}

/// Minutes until an unpaid order expires, when neither tenant nor server say otherwise.
pub const PAYMENT_TIMEOUT_MINUTES: i64 = 15;

impl Settings {
    /// The settings of a new tenant.
    #[must_use]
    pub fn new(default_currency: Currency) -> Self {
        Self {
            payment_timeout_minutes: None,
            payment_timeout_by_method: BTreeMap::new(),
            payment_timeout_by_tier: BTreeMap::new(),
            payment_grace_seconds: 120,
            hold_extension_max_minutes: 30,
            default_provider: Provider::Manual,
            stock_mode: StockMode::Reserve,
            tax_rate_bps: 0,
            tax_inclusive: false,
            shipping_flat_fee: Amount::ZERO,
            free_shipping_over: None,
            default_currency,
            low_stock_threshold: 5,
        }
    }

    /// How long, in milliseconds, an order of this method and tier holds its stock.
    #[must_use]
    pub fn hold_millis(
        &self,
        method: Option<&str>,
        tier: Option<&str>,
        server_minutes: i64,
    ) -> i64 {
        let by_method = method.and_then(|m| self.payment_timeout_by_method.get(m));
        let by_tier = tier.and_then(|t| self.payment_timeout_by_tier.get(t));
        let usual = self.payment_timeout_minutes.unwrap_or(server_minutes);
        let minutes = match (by_method, by_tier) {
            (Some(method), Some(tier)) => *method.max(tier),
            (Some(minutes), None) | (None, Some(minutes)) => *minutes,
            (None, None) => usual,
        };
        minutes.saturating_mul(60_000)
    }
}

/// A shop's account with a payment provider. Its secrets are sealed: nothing in here can open them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentAccount {
    /// What may be shown, by the names of the contract.
    pub values: BTreeMap<String, String>,
    /// The secrets, sealed.
    pub sealed: Vec<u8>,
    /// When it was set last.
    pub updated_at: Timestamp,
}

/// A shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name in URLs, unique.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The location that it was born with.
    pub default_location_id: LocationId,
    /// What it decided about itself.
    pub settings: Settings,
    /// Its accounts with payment providers.
    pub accounts: BTreeMap<Provider, PaymentAccount>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Everything of its tenant.
    Secret,
    /// What a browser may.
    Publishable,
    /// Tenants and their keys, nothing of theirs.
    Platform,
}

/// An API key's record. The key itself is shown once and never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The record's id.
    pub id: KeyId,
    /// The tenant; the platform's own keys carry the nil id.
    pub tenant_id: TenantId,
    /// What it may do.
    pub kind: KeyKind,
    /// What its owner calls it.
    pub name: String,
    /// The first characters, to recognise it by.
    pub prefix: String,
    /// HMAC-SHA256 of the key.
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}
