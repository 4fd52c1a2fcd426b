//! Secrets of the server itself, kept in the database: the pepper of API keys, a demo's keys.

use engine::request::platform;
use engine::store::StoreError;
use rows::Columns as _;
use tokio_postgres::types::Type;

use crate::columns::{RowColumns, read_all};
use crate::connections::Connections;
use crate::error::{Error, sort};
use crate::pipeline::{Ask, name_tenant};
use crate::reader::Frozen;

/// Keeps a secret; one that is there already stays, and is returned.
pub async fn keep(
    connections: &Connections,
    name: &str,
    value: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let sql = "INSERT INTO server_secrets (tenant_id, name, value) VALUES ($1, $2, $3) \
         ON CONFLICT (tenant_id, name) DO NOTHING";
    let insert = Ask::new(sql).tenant(platform());
    let insert = insert.with(Type::TEXT, name).with(Type::BYTEA, value);
    let found = with(connections, name, vec![insert]).await.map_err(sort)?;
    Ok(found.unwrap_or_else(|| value.to_vec()))
}

/// The secret of that name.
pub async fn get(connections: &Connections, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    with(connections, name, Vec::new()).await.map_err(sort)
}

async fn with(
    connections: &Connections,
    name: &str,
    first: Vec<Ask<'_>>,
) -> Result<Option<Vec<u8>>, Error> {
    let mut held = Frozen::idle(connections).await?;
    let mut asks = vec![Ask::new("BEGIN"), name_tenant(platform())];
    asks.extend(first);
    let sql = "SELECT value FROM server_secrets WHERE tenant_id = $1 AND name = $2";
    let select = Ask::new(sql).tenant(platform());
    asks.push(select.with(Type::TEXT, name));
    asks.push(Ask::new("COMMIT"));
    let mut answers = held.ask(&asks).await?;
    held.free();
    answers.pop();
    let rows = answers.pop().unwrap_or_default();
    let read = |c: &mut RowColumns| c.maybe_bytes();
    Ok(read_all(rows, read)?.pop().flatten())
}
