//! Spreads the tables over the nodes of a Citus cluster, by tenant: one shop's rows stay together,
//! so each batch and each read is one node's work.
//!
//! Citus writes what comes out of `UNNEST` by `COPY`, which PostgreSQL refuses under row-level
//! security: on Citus the program alone keeps tenants apart.

use rows::steps::MigrateError;
use tokio_postgres::Client;

use crate::address::Address;
use crate::migrate::{connected, failed, require_current};

/// Why the tables could not be spread.
#[derive(Debug, thiserror::Error)]
pub enum DistributeError {
    /// The extension is not in the database.
    #[error(
        "this database has no Citus: install it on every node, put `citus` into \
         shared_preload_libraries, and run CREATE EXTENSION citus here (docs/scaling.md)"
    )]
    NoCitus,
    /// Nodes connect to each other as the server's role.
    #[error(
        "Citus' nodes connect to each other as stockhold_app, which may not log in: run \
         ALTER ROLE stockhold_app LOGIN"
    )]
    NoLogin,
    /// The schema is not right, or the database refused.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
}

/// Tables with a tenant that stand on one node only, those that are referred to first.
const LEFT: &str = "\
SELECT c.relname::text FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
    AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
    AND NOT EXISTS (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = c.oid)
ORDER BY EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'),
    c.relname";

/// Due holds of all tenants in one question to all nodes; on one node, a look at the first hold of
/// each tenant is cheaper.
const DUE: &str = "\
CREATE OR REPLACE FUNCTION stockhold_due(at BIGINT)
RETURNS TABLE (tenant_id UUID, oldest BIGINT, paused BOOLEAN)
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
    RETURN QUERY SELECT r.tenant_id, min(r.expires_at), bool_or(l.cleanup_paused_at IS NOT NULL)
    FROM stock_reservations r JOIN lanes l ON l.tenant_id = r.tenant_id
    WHERE r.status = 'active' AND r.expires_at > COALESCE(l.expiry_resumed_at, -1)
        AND r.expires_at <= COALESCE(at, (EXTRACT(EPOCH FROM now()) * 1000)::BIGINT)
        AND l.expiry_suspended_at IS NULL AND l.read_only_since IS NULL
    GROUP BY r.tenant_id;
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION stockhold_due(BIGINT) SET search_path = %I, pg_temp',
        current_schema());
END $$";

/// Spreads every table that is not yet; their names.
pub async fn distribute(address: &Address) -> Result<Vec<String>, DistributeError> {
    require_current(address).await?;
    let done = connected(address, async |client: &mut Client| {
        if !is(
            client,
            "EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')",
        )
        .await?
        {
            return Ok(Err(DistributeError::NoCitus));
        }
        let login = "EXISTS (SELECT FROM pg_roles WHERE rolname = 'stockhold_app' AND rolcanlogin)";
        if !is(client, login).await? {
            return Ok(Err(DistributeError::NoLogin));
        }
        Ok(Ok(spread(client).await.map_err(failed)?))
    });
    done.await?
}

async fn is(client: &Client, so: &str) -> Result<bool, MigrateError> {
    let asked = client.query_one(&format!("SELECT {so}"), &[]).await;
    Ok(asked.map_err(failed)?.get(0))
}

async fn spread(client: &mut Client) -> Result<Vec<String>, tokio_postgres::Error> {
    let left = client.query(LEFT, &[]).await?;
    let names: Vec<String> = left.iter().map(|row| row.get(0)).collect();
    for name in &names {
        let tx = client.transaction().await?;
        // Citus takes no table with triggers: the program and `audit` balance the ledger there.
        tx.batch_execute(&format!(
            "DROP TRIGGER IF EXISTS ledger_transactions_balance ON {name};
             DROP TRIGGER IF EXISTS ledger_entries_complete ON {name};
             DROP POLICY tenants_apart ON {name};
             DROP POLICY owner_sees_all ON {name};
             ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY;
             ALTER TABLE {name} DISABLE ROW LEVEL SECURITY;
             SELECT create_distributed_table('{name}', 'tenant_id')"
        ))
        .await?;
        tx.commit().await?;
    }
    client.batch_execute(DUE).await?;
    Ok(names)
}
