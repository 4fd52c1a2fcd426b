//! `tenants` with their timeouts, `api_keys` and `lanes`.

use std::collections::BTreeMap;

use domain::catalogue::{DEFAULT_LOCATION, Location};
use domain::control::Controls;
use domain::payment::Provider;
use domain::state::Lane;
use domain::tenant::{ApiKey, KeyKind, Settings, StockMode, Tenant};
use domain::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use super::catalogue;
use crate::columns::{Columns, text};

pub(crate) const TENANT: &str = "tenant_id, slug, name, default_location_id, \
     payment_timeout_minutes, payment_grace_seconds, hold_extension_max_minutes, \
     default_provider, stock_mode, tax_rate_bps, tax_inclusive, shipping_flat_fee, \
     free_shipping_over, default_currency, low_stock_threshold, created_at";
pub(crate) const KEY: &str = "key_id, tenant_id, kind, name, prefix, hash, created_at, revoked_at";

/// Reads a tenant without its timeouts by method and tier.
pub(crate) fn read(row: &Row<'_>) -> Result<Tenant> {
    let mut c = Columns::new(row);
    Ok(Tenant {
        id: c.id()?,
        slug: c.get()?,
        name: c.get()?,
        default_location_id: c.id()?,
        settings: Settings {
            payment_timeout_minutes: c.get()?,
            payment_timeout_by_method: BTreeMap::new(),
            payment_timeout_by_tier: BTreeMap::new(),
            payment_grace_seconds: c.get()?,
            hold_extension_max_minutes: c.get()?,
            default_provider: c.name(Provider::parse)?,
            stock_mode: c.name(StockMode::parse)?,
            tax_rate_bps: c.get()?,
            tax_inclusive: c.get()?,
            shipping_flat_fee: c.amount()?,
            free_shipping_over: c.maybe_amount()?,
            default_currency: c.currency()?,
            low_stock_threshold: c.get()?,
        },
        created_at: c.time()?,
    })
}

/// Adds the timeouts by method and tier.
pub(crate) fn read_timeouts(conn: &Connection, tenant: &mut Tenant) -> Result<()> {
    let mut select = conn
        .prepare_cached("SELECT kind, name, minutes FROM tenant_timeouts WHERE tenant_id = ?1")?;
    let mut rows = select.query([text(tenant.id)])?;
    while let Some(row) = rows.next()? {
        let (kind, name, minutes): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let map = if kind == "tier" {
            &mut tenant.settings.payment_timeout_by_tier
        } else {
            &mut tenant.settings.payment_timeout_by_method
        };
        map.insert(name, minutes);
    }
    Ok(())
}

pub(crate) fn write(conn: &Connection, before: Option<&Tenant>, tenant: &Tenant) -> Result<()> {
    let settings = &tenant.settings;
    let id = text(tenant.id);
    let mut upsert = conn.prepare_cached(
        "INSERT INTO tenants (tenant_id, slug, name, default_location_id, \
         payment_timeout_minutes, payment_grace_seconds, hold_extension_max_minutes, \
         default_provider, stock_mode, tax_rate_bps, tax_inclusive, shipping_flat_fee, \
         free_shipping_over, default_currency, low_stock_threshold, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
         ON CONFLICT (tenant_id) DO UPDATE SET slug = excluded.slug, name = excluded.name, \
         payment_timeout_minutes = excluded.payment_timeout_minutes, \
         payment_grace_seconds = excluded.payment_grace_seconds, \
         hold_extension_max_minutes = excluded.hold_extension_max_minutes, \
         default_provider = excluded.default_provider, stock_mode = excluded.stock_mode, \
         tax_rate_bps = excluded.tax_rate_bps, tax_inclusive = excluded.tax_inclusive, \
         shipping_flat_fee = excluded.shipping_flat_fee, \
         free_shipping_over = excluded.free_shipping_over, \
         default_currency = excluded.default_currency, \
         low_stock_threshold = excluded.low_stock_threshold",
    )?;
    upsert.execute(params![
        id,
        tenant.slug,
        tenant.name,
        text(tenant.default_location_id),
        settings.payment_timeout_minutes,
        settings.payment_grace_seconds,
        settings.hold_extension_max_minutes,
        settings.default_provider.name(),
        settings.stock_mode.name(),
        settings.tax_rate_bps,
        settings.tax_inclusive,
        settings.shipping_flat_fee.minor(),
        settings
            .free_shipping_over
            .map(domain::money::Amount::minor),
        settings.default_currency.code(),
        settings.low_stock_threshold,
        tenant.created_at.millis()
    ])?;
    if before.is_none() {
        let location = Location {
            id: tenant.default_location_id,
            code: DEFAULT_LOCATION.to_owned(),
            name: "Default".to_owned(),
            priority: 0,
        };
        catalogue::write_location(conn, &id, &location)?;
    }
    write_timeouts(conn, &id, settings)
}

fn write_timeouts(conn: &Connection, tenant: &str, settings: &Settings) -> Result<()> {
    conn.execute("DELETE FROM tenant_timeouts WHERE tenant_id = ?1", [tenant])?;
    let maps = [
        ("method", &settings.payment_timeout_by_method),
        ("tier", &settings.payment_timeout_by_tier),
    ];
    for (kind, map) in maps {
        for (name, minutes) in map {
            conn.execute(
                "INSERT INTO tenant_timeouts (tenant_id, kind, name, minutes) \
                 VALUES (?1, ?2, ?3, ?4)",
                params![tenant, kind, name, minutes],
            )?;
        }
    }
    Ok(())
}

pub(crate) fn read_key(row: &Row<'_>) -> Result<ApiKey> {
    let mut c = Columns::new(row);
    Ok(ApiKey {
        id: c.id()?,
        tenant_id: c.id()?,
        kind: c.name(KeyKind::parse)?,
        name: c.get()?,
        prefix: c.get()?,
        hash: c.get()?,
        created_at: c.time()?,
        revoked_at: c.maybe_time()?,
    })
}

pub(crate) fn write_key(conn: &Connection, key: &ApiKey) -> Result<()> {
    conn.execute(
        "INSERT INTO api_keys (key_id, tenant_id, kind, name, prefix, hash, created_at, \
         revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (tenant_id, key_id) DO UPDATE SET revoked_at = excluded.revoked_at",
        params![
            text(key.id),
            text(key.tenant_id),
            key.kind.name(),
            key.name,
            key.prefix,
            key.hash,
            key.created_at.millis(),
            key.revoked_at.map(Timestamp::millis)
        ],
    )?;
    Ok(())
}

pub(crate) fn read_lane(conn: &Connection, tenant: &str) -> Result<Option<Lane>> {
    let mut select = conn.prepare_cached(
        "SELECT seq, last_at, next_order_number, expiry_suspended_at, expiry_resumed_at, \
         cleanup_paused_at, read_only_since FROM lanes WHERE tenant_id = ?1",
    )?;
    select
        .query_row([tenant], |row| {
            let mut c = Columns::new(row);
            Ok(Lane {
                seq: c.get()?,
                last_at: c.time()?,
                next_order_number: c.get()?,
                controls: Controls {
                    expiry_suspended_at: c.maybe_time()?,
                    expiry_resumed_at: c.maybe_time()?,
                    cleanup_paused_at: c.maybe_time()?,
                    read_only_since: c.maybe_time()?,
                },
            })
        })
        .optional()
}

/// Writes a lane's row; false when it does not stand there as it was loaded.
pub(crate) fn write_lane(
    conn: &Connection,
    tenant: &str,
    before: Lane,
    lane: Lane,
) -> Result<bool> {
    if before == Lane::default() {
        let mut begin = conn.prepare_cached(
            "INSERT INTO lanes (tenant_id, seq, last_at, next_order_number) \
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?;
        begin.execute(params![
            tenant,
            before.seq,
            before.last_at.millis(),
            before.next_order_number
        ])?;
    }
    let mut update = conn.prepare_cached(
        "UPDATE lanes SET seq = ?2, last_at = ?3, next_order_number = ?4, \
         expiry_suspended_at = ?5, expiry_resumed_at = ?6, cleanup_paused_at = ?7, \
         read_only_since = ?8 WHERE tenant_id = ?1 AND seq = ?9 AND last_at = ?10",
    )?;
    let controls = lane.controls;
    let rows = update.execute(params![
        tenant,
        lane.seq,
        lane.last_at.millis(),
        lane.next_order_number,
        controls.expiry_suspended_at.map(Timestamp::millis),
        controls.expiry_resumed_at.map(Timestamp::millis),
        controls.cleanup_paused_at.map(Timestamp::millis),
        controls.read_only_since.map(Timestamp::millis),
        before.seq,
        before.last_at.millis()
    ])?;
    Ok(rows == 1)
}
