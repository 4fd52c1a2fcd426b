//! Bodies of the platform's own endpoints.

use domain::command::Command;
use domain::decide::CreateTenant;
use domain::limits::TEXT_MAX;
use domain::money::Currency;
use domain::rejection::Fault;
use domain::tenant::KeyKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::typed;
use super::patch::Faults;
use crate::schema;

/// `POST /admin/tenants`.
#[derive(Deserialize)]
pub struct NewTenantBody {
    slug: String,
    name: Option<String>,
    default_currency: Option<String>,
}

impl NewTenantBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let slug =
            json!({"type": "string", "pattern": "^[a-z0-9](-?[a-z0-9]){0,62}$", "maxLength": 63});
        let shape = schema::object(
            &[
                ("slug", slug),
                ("name", schema::name(TEXT_MAX)),
                ("default_currency", schema::currency()),
            ],
            &["slug"],
        );
        let example = json!({"slug": "acme", "name": "Acme", "default_currency": "EUR"});
        schema::with_example(shape, &example)
    }

    /// The command.
    pub fn command(body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let code = body.default_currency.unwrap_or_else(|| "EUR".to_owned());
        let euro = Currency::parse("EUR");
        let currency = faults.currency("/default_currency", Some(code)).or(euro);
        let Some(default_currency) = currency else {
            return Err(faults.0);
        };
        let name = body.name.unwrap_or_else(|| body.slug.clone());
        faults.done(
            CreateTenant {
                slug: body.slug,
                name,
                default_currency,
            }
            .into(),
        )
    }
}

/// `POST /admin/tenants/{id}/keys`.
#[derive(Deserialize)]
pub struct NewKeyBody {
    kind: String,
    name: Option<String>,
}

impl NewKeyBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                ("kind", schema::one_of(&["secret", "publishable"])),
                ("name", schema::name(TEXT_MAX)),
            ],
            &["kind"],
        );
        schema::with_example(shape, &json!({"kind": "secret", "name": "backend"}))
    }

    /// The kind and name of the key to make.
    pub fn read(body: Value) -> Result<(KeyKind, String), Vec<Fault>> {
        let body: Self = typed(body)?;
        let kind = KeyKind::parse(&body.kind).unwrap_or(KeyKind::Publishable);
        Ok((kind, body.name.unwrap_or_default()))
    }
}
