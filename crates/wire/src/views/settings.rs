//! A tenant's settings.

use std::collections::BTreeMap;

use domain::tenant::Settings;
use serde::Serialize;
use serde_json::Value;

use crate::schema;

/// Settings; what a tenant left to the server is `null`.
#[derive(Serialize)]
pub struct SettingsView<'a> {
    payment_timeout_minutes: Option<i64>,
    payment_timeout_by_method: &'a BTreeMap<String, i64>,
    payment_timeout_by_tier: &'a BTreeMap<String, i64>,
    payment_grace_seconds: i64,
    hold_extension_max_minutes: i64,
    default_provider: &'static str,
    stock_mode: &'static str,
    tax_rate_bps: i64,
    tax_inclusive: bool,
    shipping_flat_fee: i64,
    free_shipping_over: Option<i64>,
    default_currency: &'a str,
    low_stock_threshold: i64,
}

impl<'a> SettingsView<'a> {
    /// Settings.
    #[must_use]
    pub fn new(settings: &'a Settings) -> Self {
        Self {
            payment_timeout_minutes: settings.payment_timeout_minutes,
            payment_timeout_by_method: &settings.payment_timeout_by_method,
            payment_timeout_by_tier: &settings.payment_timeout_by_tier,
            payment_grace_seconds: settings.payment_grace_seconds,
            hold_extension_max_minutes: settings.hold_extension_max_minutes,
            default_provider: settings.default_provider.name(),
            stock_mode: settings.stock_mode.name(),
            tax_rate_bps: settings.tax_rate_bps,
            tax_inclusive: settings.tax_inclusive,
            shipping_flat_fee: settings.shipping_flat_fee.minor(),
            free_shipping_over: settings
                .free_shipping_over
                .map(domain::money::Amount::minor),
            default_currency: settings.default_currency.code(),
            low_stock_threshold: settings.low_stock_threshold,
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        let minutes = || schema::map(schema::any_integer(), 100);
        schema::answer(&[
            ("payment_timeout_minutes", schema::nullable(any())),
            ("payment_timeout_by_method", minutes()),
            ("payment_timeout_by_tier", minutes()),
            ("payment_grace_seconds", any()),
            ("hold_extension_max_minutes", any()),
            ("default_provider", schema::long_text()),
            ("stock_mode", schema::one_of(&["reserve", "immediate"])),
            ("tax_rate_bps", any()),
            ("tax_inclusive", schema::flag()),
            ("shipping_flat_fee", any()),
            ("free_shipping_over", schema::nullable(any())),
            ("default_currency", schema::currency()),
            ("low_stock_threshold", any()),
        ])
    }
}
