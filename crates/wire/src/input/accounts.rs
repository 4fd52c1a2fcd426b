//! Bodies of accounts with payment providers.

use std::collections::BTreeMap;

use domain::payment::Provider;
use domain::rejection::Fault;
use serde_json::{Map, Value, json};

use crate::schema;

/// Characters of the longest address, code or secret.
const MEMBER_MAX: usize = 500;

/// The members of an account: what may be shown, and what is sealed.
#[derive(Debug, PartialEq, Eq)]
pub struct AccountMembers {
    /// What may be shown.
    pub values: BTreeMap<String, String>,
    /// The secrets.
    pub secrets: BTreeMap<String, String>,
}

/// Members that are never shown.
const SECRETS: [&str; 3] = ["hash_secret", "secret_key", "webhook_secret"];

fn url() -> Value {
    json!({"type": "string", "maxLength": MEMBER_MAX, "pattern": "^https?://[^\\s\\u0000]+$"})
}

/// `PUT /payment-accounts/vnpay`.
#[must_use]
pub fn vnpay_account() -> Value {
    let secret = || schema::name(MEMBER_MAX);
    let shape = schema::object(
        &[
            ("tmn_code", schema::name(MEMBER_MAX)),
            ("hash_secret", secret()),
            ("payment_url", schema::nullable(url())),
            ("api_url", schema::nullable(url())),
        ],
        &["tmn_code", "hash_secret"],
    );
    schema::with_example(
        shape,
        &json!({"tmn_code": "DEMOTMN1", "hash_secret": "EXAMPLEHASHSECRET"}),
    )
}

/// `PUT /payment-accounts/yookassa`.
#[must_use]
pub fn yookassa_account() -> Value {
    let shape = schema::object(
        &[
            ("shop_id", schema::name(MEMBER_MAX)),
            ("secret_key", schema::name(MEMBER_MAX)),
            ("api_url", schema::nullable(url())),
            ("check_sender", schema::nullable(schema::flag())),
        ],
        &["shop_id", "secret_key"],
    );
    schema::with_example(
        shape,
        &json!({"shop_id": "123456", "secret_key": "test_example"}),
    )
}

/// `PUT /payment-accounts/stripe`.
#[must_use]
pub fn stripe_account() -> Value {
    let shape = schema::object(
        &[
            ("secret_key", schema::name(MEMBER_MAX)),
            ("webhook_secret", schema::name(MEMBER_MAX)),
            ("api_url", schema::nullable(url())),
        ],
        &["secret_key", "webhook_secret"],
    );
    schema::with_example(
        shape,
        &json!({"secret_key": "sk_test_example", "webhook_secret": "whsec_example"}),
    )
}

impl AccountMembers {
    /// Reads a body that its schema has let through; what it leaves out is as usual. Over `http://`
    /// secrets travel in the clear, which only a demo may do.
    pub fn read(
        provider: Provider,
        body: Value,
        usual: &[(&str, &str)],
        may_be_plain: bool,
    ) -> Result<Self, Vec<Fault>> {
        let mut given: Map<String, Value> = match body {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        given.retain(|_, value| !value.is_null());
        if provider == Provider::Yookassa {
            given.entry("check_sender").or_insert(Value::Bool(true));
        }
        for (name, url) in usual {
            given.entry(*name).or_insert_with(|| (*url).into());
        }
        let (mut values, mut secrets) = (BTreeMap::new(), BTreeMap::new());
        let mut faults = Vec::new();
        for (name, value) in given {
            let text = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            if text.starts_with("http://") && !may_be_plain {
                faults.push(Fault {
                    pointer: format!("/{name}"),
                    message: "must be an https:// address".to_owned(),
                });
            }
            // What goes into a header must be fit for one.
            let is_secret = SECRETS.contains(&name.as_str());
            if (is_secret || name == "shop_id") && !text.bytes().all(|byte| byte.is_ascii_graphic())
            {
                faults.push(Fault {
                    pointer: format!("/{name}"),
                    message: "must be visible ASCII characters".to_owned(),
                });
            }
            if is_secret {
                secrets.insert(name, text);
            } else {
                values.insert(name, text);
            }
        }
        if faults.is_empty() {
            Ok(Self { values, secrets })
        } else {
            Err(faults)
        }
    }
}
