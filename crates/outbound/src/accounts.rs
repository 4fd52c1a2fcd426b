//! Shops' accounts with providers: what they are made of, and the adapter of each.

use std::collections::BTreeMap;

use domain::payment::Provider;
use domain::tenant::Tenant;

use crate::adapter::Adapter;
use crate::stripe::{self, Stripe};
use crate::vault::Vault;
use crate::vnpay::{self, Vnpay};
use crate::yookassa::{self, Yookassa};

/// A provider's addresses, where an account names no others: the member's name and the address.
#[must_use]
pub const fn usual_urls(provider: Provider) -> &'static [(&'static str, &'static str)] {
    match provider {
        Provider::Mock | Provider::Manual => &[],
        Provider::Vnpay => &[
            ("payment_url", vnpay::SANDBOX.0),
            ("api_url", vnpay::SANDBOX.1),
        ],
        Provider::Yookassa => &[("api_url", yookassa::API)],
        Provider::Stripe => &[("api_url", stripe::API)],
    }
}

/// A provider with a shop's account; `None` where the shop has none, or its secrets do not open.
pub(crate) fn adapter(
    vault: &Vault,
    tenant: &Tenant,
    provider: Provider,
) -> Option<Box<dyn Adapter>> {
    let account = tenant.accounts.get(&provider)?;
    let secrets = vault.open((tenant.id, provider, &account.values), &account.sealed)?;
    let of = |map: &BTreeMap<String, String>, name: &str| map.get(name).cloned();
    let secret = |name: &str| of(&secrets, name);
    let value = |name: &str| of(&account.values, name);
    Some(match provider {
        Provider::Mock | Provider::Manual => return None,
        Provider::Vnpay => Box::new(Vnpay(vnpay::Account {
            tmn_code: value("tmn_code")?,
            hash_secret: secret("hash_secret")?,
            payment_url: value("payment_url")?,
            api_url: value("api_url")?,
        })),
        Provider::Yookassa => Box::new(Yookassa {
            account: yookassa::Account {
                shop_id: value("shop_id")?,
                secret_key: secret("secret_key")?,
                api_url: value("api_url")?,
            },
            check_sender: value("check_sender")? != "false",
        }),
        Provider::Stripe => Box::new(Stripe(stripe::Account {
            secret_key: secret("secret_key")?,
            webhook_secret: secret("webhook_secret")?,
            api_url: value("api_url")?,
        })),
    })
}
