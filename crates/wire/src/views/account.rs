//! Accounts with payment providers.

use domain::payment::Provider;
use domain::tenant::PaymentAccount;
use serde::Serialize;
use serde_json::Value;

use super::At;
use crate::schema;

/// An account without its secrets; members of other providers are `null`.
#[derive(Serialize)]
pub struct PaymentAccountView<'a> {
    provider: &'static str,
    tmn_code: Option<&'a str>,
    shop_id: Option<&'a str>,
    payment_url: Option<&'a str>,
    api_url: Option<&'a str>,
    check_sender: Option<bool>,
    webhook_url: String,
    updated_at: At,
}

impl<'a> PaymentAccountView<'a> {
    /// An account, and where its provider is to send notifications.
    #[must_use]
    pub fn new(provider: Provider, account: &'a PaymentAccount, webhook_url: String) -> Self {
        let value = |name: &str| account.values.get(name).map(String::as_str);
        Self {
            provider: provider.name(),
            tmn_code: value("tmn_code"),
            shop_id: value("shop_id"),
            payment_url: value("payment_url"),
            api_url: value("api_url"),
            check_sender: value("check_sender").map(|text| text != "false"),
            webhook_url,
            updated_at: At(account.updated_at),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let maybe = || schema::nullable(schema::long_text());
        schema::answer(&[
            ("provider", schema::one_of(&["vnpay", "yookassa", "stripe"])),
            ("tmn_code", maybe()),
            ("shop_id", maybe()),
            ("payment_url", maybe()),
            ("api_url", maybe()),
            ("check_sender", schema::nullable(schema::flag())),
            ("webhook_url", schema::long_text()),
            ("updated_at", schema::time()),
        ])
    }
}
