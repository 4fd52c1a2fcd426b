//! The body of `PUT /settings`: what is given is changed, the rest stays.

use std::collections::BTreeMap;

use domain::command::Command;
use domain::decide::{ChangeSettings, SettingsPatch};
use domain::limits::TEXT_MAX;
use domain::payment::Provider;
use domain::rejection::Fault;
use domain::tenant::StockMode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::typed;
use super::checkout::provider_names;
use super::patch::{Faults, amount, present};
use crate::schema;

/// The longest hold: 30 days, in minutes.
const MINUTES_MAX: i64 = 30 * 24 * 60;

/// `PUT /settings`.
#[derive(Deserialize)]
pub struct SettingsBody {
    #[serde(default, deserialize_with = "present")]
    payment_timeout_minutes: Option<Option<i64>>,
    payment_timeout_by_method: Option<BTreeMap<String, i64>>,
    payment_timeout_by_tier: Option<BTreeMap<String, i64>>,
    payment_grace_seconds: Option<i64>,
    hold_extension_max_minutes: Option<i64>,
    default_provider: Option<String>,
    stock_mode: Option<String>,
    tax_rate_bps: Option<i64>,
    tax_inclusive: Option<bool>,
    shipping_flat_fee: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    free_shipping_over: Option<Option<i64>>,
    default_currency: Option<String>,
    low_stock_threshold: Option<i64>,
}

impl SettingsBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let minutes = || schema::integer(1, MINUTES_MAX);
        let shape = schema::object(
            &[
                ("payment_timeout_minutes", schema::nullable(minutes())),
                ("payment_timeout_by_method", timeouts(minutes())),
                ("payment_timeout_by_tier", timeouts(minutes())),
                ("payment_grace_seconds", schema::integer(0, 3_600)),
                (
                    "hold_extension_max_minutes",
                    schema::integer(0, MINUTES_MAX),
                ),
                ("default_provider", schema::one_of(&provider_names())),
                ("stock_mode", schema::one_of(&["reserve", "immediate"])),
                ("tax_rate_bps", schema::integer(0, 10_000)),
                ("tax_inclusive", schema::flag()),
                ("shipping_flat_fee", schema::money()),
                ("free_shipping_over", schema::nullable(schema::money())),
                ("default_currency", schema::currency()),
                ("low_stock_threshold", schema::stock()),
            ],
            &[],
        );
        schema::with_example(
            shape,
            &json!({"payment_timeout_minutes": 15, "tax_rate_bps": 1900}),
        )
    }

    /// The command of whoever changes them.
    pub fn command(body: Value, by: String) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let patch = SettingsPatch {
            payment_timeout_minutes: body.payment_timeout_minutes,
            payment_timeout_by_method: body.payment_timeout_by_method,
            payment_timeout_by_tier: body.payment_timeout_by_tier,
            payment_grace_seconds: body.payment_grace_seconds,
            hold_extension_max_minutes: body.hold_extension_max_minutes,
            default_provider: body.default_provider.as_deref().and_then(Provider::parse),
            stock_mode: body.stock_mode.as_deref().and_then(StockMode::parse),
            tax_rate_bps: body.tax_rate_bps,
            tax_inclusive: body.tax_inclusive,
            shipping_flat_fee: body.shipping_flat_fee.map(amount),
            free_shipping_over: body.free_shipping_over.map(|over| over.map(amount)),
            default_currency: faults.currency("/default_currency", body.default_currency),
            low_stock_threshold: body.low_stock_threshold,
        };
        faults.done(ChangeSettings { patch, by }.into())
    }
}

fn timeouts(minutes: Value) -> Value {
    let mut shape = schema::map(minutes, 100);
    shape["propertyNames"] = schema::name(TEXT_MAX);
    shape
}
