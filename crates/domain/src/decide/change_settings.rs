//! Changes a tenant's settings. They have no events, but for the stock mode, which is a control:
//! what the others did stands in each order.

use std::collections::BTreeMap;

use crate::command::{Context, Decision, Reply};
use crate::control::Control;
use crate::event::{Event, Row};
use crate::money::{Amount, Currency};
use crate::needs::Needs;
use crate::payment::Provider;
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::{Settings, StockMode};

/// Settings to change; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsPatch {
    /// Minutes until an unpaid order expires; `Some(None)` takes the server's again.
    pub payment_timeout_minutes: Option<Option<i64>>,
    /// The same by payment method; replaces the whole map.
    pub payment_timeout_by_method: Option<BTreeMap<String, i64>>,
    /// The same by customer tier; replaces the whole map.
    pub payment_timeout_by_tier: Option<BTreeMap<String, i64>>,
    /// Seconds between a provider's deadline and the end of the hold.
    pub payment_grace_seconds: Option<i64>,
    /// Minutes by which a hold may be extended in all.
    pub hold_extension_max_minutes: Option<i64>,
    /// Who takes the money when the caller names nobody.
    pub default_provider: Option<Provider>,
    /// What an unpaid order does to stock.
    pub stock_mode: Option<StockMode>,
    /// Tax in hundredths of a percent.
    pub tax_rate_bps: Option<i64>,
    /// Whether prices contain the tax.
    pub tax_inclusive: Option<bool>,
    /// Shipping of an order.
    pub shipping_flat_fee: Option<Amount>,
    /// From this discounted subtotal on shipping is free.
    pub free_shipping_over: Option<Option<Amount>>,
    /// The currency of new products when they name none.
    pub default_currency: Option<Currency>,
    /// At or below this many available units a level counts as low.
    pub low_stock_threshold: Option<i64>,
}

impl SettingsPatch {
    /// The settings with the changes.
    #[must_use]
    pub fn apply(&self, settings: &Settings) -> Settings {
        let patch = self.clone();
        let old = settings.clone();
        Settings {
            payment_timeout_minutes: patch
                .payment_timeout_minutes
                .unwrap_or(old.payment_timeout_minutes),
            payment_timeout_by_method: patch
                .payment_timeout_by_method
                .unwrap_or(old.payment_timeout_by_method),
            payment_timeout_by_tier: patch
                .payment_timeout_by_tier
                .unwrap_or(old.payment_timeout_by_tier),
            payment_grace_seconds: patch
                .payment_grace_seconds
                .unwrap_or(old.payment_grace_seconds),
            hold_extension_max_minutes: patch
                .hold_extension_max_minutes
                .unwrap_or(old.hold_extension_max_minutes),
            default_provider: patch.default_provider.unwrap_or(old.default_provider),
            stock_mode: patch.stock_mode.unwrap_or(old.stock_mode),
            tax_rate_bps: patch.tax_rate_bps.unwrap_or(old.tax_rate_bps),
            tax_inclusive: patch.tax_inclusive.unwrap_or(old.tax_inclusive),
            shipping_flat_fee: patch.shipping_flat_fee.unwrap_or(old.shipping_flat_fee),
            free_shipping_over: patch.free_shipping_over.unwrap_or(old.free_shipping_over),
            default_currency: patch.default_currency.unwrap_or(old.default_currency),
            low_stock_threshold: patch.low_stock_threshold.unwrap_or(old.low_stock_threshold),
        }
    }
}

/// A change of the tenant's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSettings {
    /// What changes.
    pub patch: SettingsPatch,
    /// Who changes it.
    pub by: String,
}

impl ChangeSettings {
    #[expect(clippy::unused_self, reason = "every command has this method")]
    pub(crate) fn needs(&self, _needs: &mut Needs) {}

    pub(crate) fn decide(
        &self,
        state: &State,
        _context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let mut tenant = state.tenant().ok_or(Rejection::NotFound)?.clone();
        let before = tenant.settings.stock_mode;
        tenant.settings = self.patch.apply(&tenant.settings);
        let control = match tenant.settings.stock_mode {
            StockMode::Reserve => Control::StockReserve,
            StockMode::Immediate => Control::StockImmediate,
        };
        let moved = (before != tenant.settings.stock_mode).then(|| {
            Event::ControlMoved {
                control,
                by: self.by.clone(),
                reason: "settings changed".to_owned(),
            }
            .into()
        });
        let row = Row::Tenant(Box::new(tenant)).into();
        Ok(Decision::changed(
            moved.into_iter().chain([row]).collect(),
            Reply::Settings,
        ))
    }
}
