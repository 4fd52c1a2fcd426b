//! `tenants` with their timeouts, `api_keys` and `lanes`.

use std::collections::BTreeMap;

use domain::catalogue::{DEFAULT_LOCATION, Location};
use domain::control::Controls;
use domain::ids::TenantId;
use domain::payment::Provider;
use domain::state::Lane;
use domain::tenant::{ApiKey, KeyKind, PaymentAccount, Settings, StockMode, Tenant};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cell::{Cell, id};
use crate::columns::Columns;
use crate::table::Kind::{Bytes, Flag, Id, Int, Text};
use crate::table::{Table, fixed, moves};

type Accounts = BTreeMap<Provider, PaymentAccount>;

/// Tenants; the key is `tenant_id` alone.
pub const TENANTS: Table = Table {
    name: "tenants",
    key: 0,
    columns: &[
        fixed("slug", Text),
        moves("name", Text),
        fixed("default_location_id", Id),
        moves("payment_timeout_minutes", Int),
        moves("payment_grace_seconds", Int),
        moves("hold_extension_max_minutes", Int),
        moves("default_provider", Text),
        moves("stock_mode", Text),
        moves("tax_rate_bps", Int),
        moves("tax_inclusive", Flag),
        moves("shipping_flat_fee", Int),
        moves("free_shipping_over", Int),
        moves("default_currency", Text),
        moves("low_stock_threshold", Int),
        moves("payment_accounts", Text),
        fixed("created_at", Int),
    ],
};

/// Timeouts by payment method and customer tier.
pub const TIMEOUTS: Table = Table {
    name: "tenant_timeouts",
    key: 2,
    columns: &[
        fixed("kind", Text),
        fixed("name", Text),
        fixed("minutes", Int),
    ],
};

/// API keys.
pub const KEYS: Table = Table {
    name: "api_keys",
    key: 1,
    columns: &[
        fixed("key_id", Id),
        fixed("kind", Text),
        fixed("name", Text),
        fixed("prefix", Text),
        fixed("hash", Bytes),
        fixed("created_at", Int),
        moves("revoked_at", Int),
    ],
};

/// The rows that order each tenant's batches.
pub const LANES: Table = Table {
    name: "lanes",
    key: 0,
    columns: &[
        moves("seq", Int),
        moves("last_at", Int),
        moves("next_order_number", Int),
        moves("expiry_suspended_at", Int),
        moves("expiry_resumed_at", Int),
        moves("cleanup_paused_at", Int),
        moves("read_only_since", Int),
    ],
};

/// Reads `tenant_id` and a tenant, without its timeouts by method and tier.
pub fn read<C: Columns>(c: &mut C) -> Result<Tenant, C::Error> {
    Ok(Tenant {
        id: c.id()?,
        slug: c.text()?,
        name: c.text()?,
        default_location_id: c.id()?,
        settings: Settings {
            payment_timeout_minutes: c.maybe_int()?,
            payment_timeout_by_method: BTreeMap::new(),
            payment_timeout_by_tier: BTreeMap::new(),
            payment_grace_seconds: c.int()?,
            hold_extension_max_minutes: c.int()?,
            default_provider: c.name(Provider::parse)?,
            stock_mode: c.name(StockMode::parse)?,
            tax_rate_bps: c.int()?,
            tax_inclusive: c.flag()?,
            shipping_flat_fee: c.amount()?,
            free_shipping_over: c.maybe_amount()?,
            default_currency: c.currency()?,
            low_stock_threshold: c.int()?,
        },
        accounts: read_accounts(c)?,
        created_at: c.time()?,
    })
}

/// The cells of a tenant.
#[must_use]
pub fn cells(tenant: &Tenant) -> Vec<Cell<'_>> {
    let settings = &tenant.settings;
    vec![
        (&tenant.slug).into(),
        (&tenant.name).into(),
        id(tenant.default_location_id),
        settings.payment_timeout_minutes.into(),
        settings.payment_grace_seconds.into(),
        settings.hold_extension_max_minutes.into(),
        settings.default_provider.name().into(),
        settings.stock_mode.name().into(),
        settings.tax_rate_bps.into(),
        settings.tax_inclusive.into(),
        settings.shipping_flat_fee.into(),
        settings.free_shipping_over.into(),
        settings.default_currency.into(),
        settings.low_stock_threshold.into(),
        accounts(&tenant.accounts).into(),
        tenant.created_at.into(),
    ]
}

/// An account as it is stored.
#[derive(Serialize, Deserialize)]
struct Account {
    values: BTreeMap<String, String>,
    sealed: Vec<u8>,
    updated_at: i64,
}

/// Accounts with payment providers, stored as JSON by the provider's name.
fn read_accounts<C: Columns>(c: &mut C) -> Result<Accounts, C::Error> {
    let stored: BTreeMap<String, Account> = c.json()?;
    let account = |(name, account): (String, Account)| {
        let unreadable = || c.unreadable("an account with a payment provider");
        let read = PaymentAccount {
            values: account.values,
            sealed: account.sealed,
            updated_at: Timestamp::from_millis(account.updated_at),
        };
        Ok((Provider::parse(&name).ok_or_else(unreadable)?, read))
    };
    stored.into_iter().map(account).collect()
}

fn accounts(accounts: &Accounts) -> String {
    let account = |account: &PaymentAccount| Account {
        values: account.values.clone(),
        sealed: account.sealed.clone(),
        updated_at: account.updated_at.millis(),
    };
    let stored: BTreeMap<&str, Account> = accounts
        .iter()
        .map(|(provider, found)| (provider.name(), account(found)))
        .collect();
    serde_json::json!(stored).to_string()
}

/// The location that a tenant begins with.
#[must_use]
pub fn default_location(tenant: &Tenant) -> Location {
    Location {
        id: tenant.default_location_id,
        code: DEFAULT_LOCATION.to_owned(),
        name: "Default".to_owned(),
        priority: 0,
    }
}

/// Adds one timeout, of the kind `method` or `tier`.
pub fn add_timeout(settings: &mut Settings, kind: &str, name: String, minutes: i64) {
    let map = if kind == "tier" {
        &mut settings.payment_timeout_by_tier
    } else {
        &mut settings.payment_timeout_by_method
    };
    map.insert(name, minutes);
}

/// The cells of all of a tenant's timeouts.
pub fn timeouts(settings: &Settings) -> impl Iterator<Item = Vec<Cell<'_>>> {
    let maps = [
        ("method", &settings.payment_timeout_by_method),
        ("tier", &settings.payment_timeout_by_tier),
    ];
    maps.into_iter().flat_map(|(kind, map)| {
        map.iter()
            .map(move |(name, minutes)| vec![kind.into(), name.into(), (*minutes).into()])
    })
}

/// Reads `tenant_id` and a key.
pub fn read_key<C: Columns>(c: &mut C) -> Result<ApiKey, C::Error> {
    let tenant_id: TenantId = c.id()?;
    Ok(ApiKey {
        id: c.id()?,
        tenant_id,
        kind: c.name(KeyKind::parse)?,
        name: c.text()?,
        prefix: c.text()?,
        hash: c.bytes()?,
        created_at: c.time()?,
        revoked_at: c.maybe_time()?,
    })
}

/// The cells of a key.
#[must_use]
pub fn key_cells(key: &ApiKey) -> Vec<Cell<'_>> {
    vec![
        id(key.id),
        key.kind.name().into(),
        (&key.name).into(),
        (&key.prefix).into(),
        key.hash.as_slice().into(),
        key.created_at.into(),
        key.revoked_at.into(),
    ]
}

/// Reads a lane.
pub fn read_lane<C: Columns>(c: &mut C) -> Result<Lane, C::Error> {
    Ok(Lane {
        seq: c.int()?,
        last_at: c.time()?,
        next_order_number: c.int()?,
        controls: Controls {
            expiry_suspended_at: c.maybe_time()?,
            expiry_resumed_at: c.maybe_time()?,
            cleanup_paused_at: c.maybe_time()?,
            read_only_since: c.maybe_time()?,
        },
    })
}

/// The cells of a lane.
#[must_use]
pub fn lane_cells(lane: &Lane) -> Vec<Cell<'_>> {
    let controls = lane.controls;
    vec![
        lane.seq.into(),
        lane.last_at.into(),
        lane.next_order_number.into(),
        controls.expiry_suspended_at.into(),
        controls.expiry_resumed_at.into(),
        controls.cleanup_paused_at.into(),
        controls.read_only_since.into(),
    ]
}
