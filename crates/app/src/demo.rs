//! The demo shop: made once, by ordinary commands at a fixed time, so that its ids are constants.

mod catalogue;

use anyhow::{Context as _, Result, anyhow};
use api::keys::{KeyHasher, generate, shown};
use domain::command::Command;
use domain::decide::{
    AddLocation, ChangeSettings, CreateProduct, CreateTenant, IssueKey, NewVariant, SetStock,
    SettingsPatch,
};
use domain::ids::{LocationId, TenantId, VariantId};
use domain::money::{Amount, Currency};
use domain::payment::Provider;
use domain::tenant::KeyKind;
use domain::time::Timestamp;
use engine::batch::Rules;
use engine::clock::{Entropy as _, SeededEntropy};
use engine::direct;
use engine::request::platform;
use serde_json::{Value, json};
use wire::codec::JsonCodec;

use crate::clock::SystemEntropy;
use crate::commands::line;
use crate::database::{AnyStore, Database};
use crate::serve::codec;

/// When the demo's objects were made: 2026-01-01T00:00:00Z.
const MADE_AT: i64 = 1_767_225_600_000;
/// Seed of the demo's ids. Changing it changes every id that the shipped load files name.
const SEED: u64 = 0x5170_c401;

/// A demo's tenant and keys.
pub(crate) struct Shop {
    pub(crate) tenant_id: TenantId,
    secret_key: String,
    publishable_key: String,
    platform_key: String,
    /// A variant with plenty of stock.
    plenty: String,
    /// A variant with one unit.
    last_one: String,
}

/// Opens the demo shop of a database; fills it first if it is new.
pub(crate) async fn open(mut database: Database, pepper: &[u8; 32]) -> Result<Shop> {
    let codec = codec(pepper, String::new());
    let store = database.stores.pop().ok_or_else(|| anyhow!("no writer"))?;
    let secrets = database.secrets;
    let mut filling = Filling {
        store,
        codec,
        entropy: SeededEntropy::new(SEED),
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| anyhow!("damaged demo keys"));
    let facts = if let Some(kept) = secrets.get("demo").await? {
        serde_json::from_str(&text(kept)?)?
    } else {
        let cut_off = "the demo was cut off while it was made; delete the database and start again";
        let made = filling.fill().await.context(cut_off)?;
        let kept = made.to_string();
        secrets.keep("demo", kept.as_bytes()).await?;
        made
    };
    let tenant_id: TenantId = field(&facts, "tenant_id").parse()?;
    let mut key = async |name: &str, kind, tenant| -> Result<String> {
        if let Some(kept) = secrets.get(name).await? {
            return text(kept);
        }
        let key = filling.issue(pepper, kind, tenant).await?;
        secrets.keep(name, key.as_bytes()).await?;
        Ok(key)
    };
    Ok(Shop {
        tenant_id,
        secret_key: key("demo_secret_key", KeyKind::Secret, tenant_id).await?,
        publishable_key: key("demo_publishable_key", KeyKind::Publishable, tenant_id).await?,
        platform_key: key("demo_platform_key", KeyKind::Platform, platform()).await?,
        plenty: field(&facts, "plenty"),
        last_one: field(&facts, "last_one"),
    })
}

fn field(facts: &Value, name: &str) -> String {
    facts[name].as_str().unwrap_or_default().to_owned()
}

struct Filling {
    store: AnyStore,
    codec: JsonCodec,
    entropy: SeededEntropy,
}

impl Filling {
    async fn run(
        &mut self,
        lane: TenantId,
        command: impl Into<Command>,
        entropy: u64,
    ) -> Result<Value> {
        let rules = Rules {
            codec: &self.codec,
            payment_timeout_minutes: domain::tenant::PAYMENT_TIMEOUT_MINUTES,
            answers_kept_millis: 86_400_000,
        };
        let now = Timestamp::from_millis(MADE_AT);
        let work = (command.into(), entropy);
        let answer = direct::run(&mut self.store, lane, work, now, rules).await?;
        Ok(serde_json::from_slice(&answer.body)?)
    }

    async fn made(&mut self, lane: TenantId, command: impl Into<Command>) -> Result<Value> {
        let word = self.entropy.word();
        self.run(lane, command, word).await
    }

    async fn issue(
        &mut self,
        pepper: &[u8; 32],
        kind: KeyKind,
        tenant_id: TenantId,
    ) -> Result<String> {
        let key = generate(kind, &SystemEntropy);
        let hash = KeyHasher::new(pepper).hash(&key);
        let command = IssueKey {
            tenant_id,
            kind,
            name: "demo".to_owned(),
            prefix: shown(&key),
            hash,
        };
        self.run(platform(), command, SystemEntropy.word()).await?;
        Ok(key)
    }

    /// Makes the shop; returns the ids that the demo names.
    async fn fill(&mut self) -> Result<Value> {
        let currency = Currency::parse("EUR").ok_or_else(|| anyhow!("EUR is a currency"))?;
        let tenant = self.made(
            platform(),
            CreateTenant {
                slug: "demo".to_owned(),
                name: "Demo shop".to_owned(),
                default_currency: currency,
            },
        );
        let tenant = tenant.await?;
        let tenant_id: TenantId = field(&tenant, "id").parse()?;
        let patch = SettingsPatch {
            default_provider: Some(Provider::Mock),
            ..SettingsPatch::default()
        };
        let by = "demo".to_owned();
        self.made(tenant_id, ChangeSettings { patch, by }).await?;
        let (code, name) = ("outlet".to_owned(), "Outlet store".to_owned());
        let outlet = self.made(
            tenant_id,
            AddLocation {
                code,
                name,
                priority: 10,
            },
        );
        let outlet = outlet.await?;
        let outlet: LocationId = field(&outlet, "id").parse()?;
        let mut plenty = Value::Null;
        let mut last_one = Value::Null;
        for product in catalogue::PRODUCTS {
            let made = self.made(tenant_id, create(product, currency)).await?;
            let variants = made["variants"].as_array().cloned().unwrap_or_default();
            for variant in &variants {
                match variant["available"].as_i64() {
                    Some(1) if last_one.is_null() => last_one = variant["id"].clone(),
                    Some(1_000_000..) if plenty.is_null() => plenty = variant["id"].clone(),
                    _ => {}
                }
            }
            if product.outlet > 0
                && let Some(first) = variants.first()
            {
                let variant = field(first, "id").parse()?;
                self.stock_outlet(tenant_id, variant, outlet, product.outlet)
                    .await?;
            }
        }
        Ok(json!({"tenant_id": tenant["id"], "plenty": plenty, "last_one": last_one}))
    }

    async fn stock_outlet(
        &mut self,
        tenant: TenantId,
        variant_id: VariantId,
        outlet: LocationId,
        units: i64,
    ) -> Result<()> {
        let command = SetStock {
            variant_id,
            location_id: Some(outlet),
            stock_quantity: Some(units),
            low_stock_threshold: None,
            backorder_limit: None,
            version: None,
        };
        self.made(tenant, command).await.map(|_| ())
    }
}

fn create(product: &catalogue::DemoProduct, currency: Currency) -> CreateProduct {
    let variant = |(value, sku, cents, units): &(&str, &str, i64, i64)| NewVariant {
        sku: Some((*sku).to_owned()),
        title: (!value.is_empty()).then(|| (*value).to_owned()),
        options: if value.is_empty() {
            Vec::new()
        } else {
            vec![(product.option.to_owned(), (*value).to_owned())]
        },
        unit_price: Amount::new(*cents).unwrap_or_default(),
        stock_quantity: *units,
    };
    CreateProduct {
        handle: None,
        title: product.title.to_owned(),
        description: Some(product.description.to_owned()),
        currency: Some(currency),
        variants: product.variants.iter().map(variant).collect(),
    }
}

/// Says where the server is and, for a demo, what to try.
pub(crate) fn announce(address: &str, shop: Option<&Shop>, as_json: bool) {
    let Some(shop) = shop else {
        line(&if as_json {
            json!({"listening": address}).to_string()
        } else {
            format!("Stockhold serves {address}  (docs: {address}/docs)")
        });
        return;
    };
    if as_json {
        let facts = json!({
            "listening": address,
            "tenant_id": shop.tenant_id.to_string(),
            "tenant": "demo",
            "secret_key": shop.secret_key,
            "publishable_key": shop.publishable_key,
            "platform_key": shop.platform_key,
        });
        line(&facts.to_string());
        return;
    }
    let order = |variant: &str, customer: &str| {
        format!(
            r#"{{"customer_id":"{customer}","items":[{{"variant_id":"{variant}","quantity":1}}]}}"#
        )
    };
    let (plenty, last) = (order(&shop.plenty, "ada"), order(&shop.last_one, "racer"));
    line(&format!(
        "Stockhold serves the demo shop at {address}  (docs: {address}/docs)\n\n\
         secret key       {}\n\
         publishable key  {}\n\
         platform key     {}\n\n\
         Buy:\n  curl -s {address}/orders -d '{plenty}'\n\
         Buy once, however often you send it (run it twice):\n  \
         curl -s {address}/orders -H 'Idempotency-Key: first-try' -d '{plenty}'\n\
         Race ten buyers for the last one:\n  \
         seq 10 | xargs -P 10 -I@ curl -s -o /dev/null -w '%{{http_code}}\\n' {address}/orders -d '{last}' | sort | uniq -c\n",
        shop.secret_key, shop.publishable_key, shop.platform_key
    ));
}
