//! Tenants and keys, as the platform sees them.

use domain::tenant::{ApiKey, Tenant};
use serde::Serialize;
use serde_json::Value;

use super::{At, Id};
use crate::schema;

/// A tenant.
#[derive(Serialize)]
pub struct TenantView<'a> {
    id: Id,
    slug: &'a str,
    name: &'a str,
    default_currency: &'a str,
    created_at: At,
}

impl<'a> TenantView<'a> {
    /// A tenant.
    #[must_use]
    pub fn new(tenant: &'a Tenant) -> Self {
        Self {
            id: Id::of(tenant.id),
            slug: &tenant.slug,
            name: &tenant.name,
            default_currency: tenant.settings.default_currency.code(),
            created_at: At(tenant.created_at),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        schema::answer(&[
            ("id", schema::uuid()),
            ("slug", schema::long_text()),
            ("name", schema::long_text()),
            ("default_currency", schema::currency()),
            ("created_at", schema::time()),
        ])
    }
}

/// A key's record.
#[derive(Serialize)]
pub struct KeyView<'a> {
    id: Id,
    kind: &'static str,
    name: &'a str,
    prefix: &'a str,
    created_at: At,
    revoked_at: Option<At>,
}

fn key_members() -> Vec<(&'static str, Value)> {
    vec![
        ("id", schema::uuid()),
        (
            "kind",
            schema::one_of(&["secret", "publishable", "platform"]),
        ),
        ("name", schema::long_text()),
        ("prefix", schema::long_text()),
        ("created_at", schema::time()),
        ("revoked_at", schema::nullable(schema::time())),
    ]
}

impl<'a> KeyView<'a> {
    /// A key's record.
    #[must_use]
    pub fn new(key: &'a ApiKey) -> Self {
        Self {
            id: Id::of(key.id),
            kind: key.kind.name(),
            name: &key.name,
            prefix: &key.prefix,
            created_at: At(key.created_at),
            revoked_at: key.revoked_at.map(At),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        schema::answer(&key_members())
    }
}

/// A new key with the key itself, which is shown this once; a replay shows `null`.
pub struct NewKeyView;

impl NewKeyView {
    /// Puts the key beside its record.
    #[must_use]
    pub fn render(record: &[u8], key: Option<&str>) -> Vec<u8> {
        let mut view: Value = serde_json::from_slice(record).unwrap_or_default();
        view["key"] = key.map_or(Value::Null, Value::from);
        view.to_string().into_bytes()
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let mut members = key_members();
        members.push(("key", schema::nullable(schema::long_text())));
        schema::answer(&members)
    }
}
