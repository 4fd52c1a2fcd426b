//! Tenants with their timeouts, and lanes.

use domain::state::Lane;
use domain::tenant::Tenant;
use rows::{Columns as _, tenant};
use rusqlite::{Connection, Result, params_from_iter};

use crate::cells::text;
use crate::columns::{RowColumns, all, one};

/// Tenants that fulfil a condition, which may also order them.
pub(crate) fn tenants(conn: &Connection, condition: &str, key: &[String]) -> Result<Vec<Tenant>> {
    let names = tenant::TENANTS.names("");
    let sql = format!("SELECT tenant_id, {names} FROM tenants {condition}");
    let mut found = all(conn, &sql, params_from_iter(key), |c| tenant::read(c))?;
    for found in &mut found {
        let sql = "SELECT kind, name, minutes FROM tenant_timeouts WHERE tenant_id = ?1";
        let read = |c: &mut RowColumns<'_, '_>| Ok((c.text()?, c.text()?, c.int()?));
        for (kind, name, minutes) in all(conn, sql, [text(found.id)], read)? {
            tenant::add_timeout(&mut found.settings, &kind, name, minutes);
        }
    }
    Ok(found)
}

/// A tenant's lane, if it has begun.
pub(crate) fn read_lane(conn: &Connection, tenant: &str) -> Result<Option<Lane>> {
    let names = tenant::LANES.names("");
    let sql = format!("SELECT {names} FROM lanes WHERE tenant_id = ?1");
    one(conn, &sql, [tenant], |c| tenant::read_lane(c))
}
