//! Answers under idempotency keys. Their rows stand in the order in which they were given; only the narrow
//! index of keys is random.

use std::collections::BTreeMap;

use domain::ids::Uuid;
use engine::request::{KeyDigest, StoredAnswer};
use rows::copy::Row;
use rows::{Cell, answer};
use rusqlite::{Connection, Result, params};

use crate::cells::Bound;
use crate::columns::one;

/// The answers that stand under keys.
pub(crate) fn find(
    conn: &Connection,
    claims: &[KeyDigest],
) -> Result<BTreeMap<KeyDigest, StoredAnswer>> {
    let mut found = BTreeMap::new();
    for key in claims {
        let sql = format!(
            "SELECT {} FROM idempotency_keys JOIN idempotency_answers USING (answer_id) \
             WHERE idempotency_keys.key = ?1",
            answer::COLUMNS
        );
        let answer = one(conn, &sql, [key], |c| answer::read(c))?;
        found.extend(answer.map(|answer| (*key, answer)));
    }
    Ok(found)
}

/// Keeps an answer: the cells of its row.
pub(crate) fn keep(conn: &Connection, tenant: &str, cells: &[Cell<'_>]) -> Result<()> {
    let sql = "INSERT INTO idempotency_answers \
         (tenant_id, key, fingerprint, status, body, seq, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let Some((Cell::Id(key), rest)) = cells.split_first() else {
        return Err(rusqlite::Error::InvalidQuery);
    };
    let mut insert = conn.prepare_cached(sql)?;
    insert.raw_bind_parameter(1, tenant)?;
    insert.raw_bind_parameter(2, key.as_bytes())?;
    for (place, cell) in rest.iter().enumerate() {
        insert.raw_bind_parameter(place + 3, Bound(cell))?;
    }
    insert.raw_execute()?;
    let mut claim = conn.prepare_cached(
        "INSERT OR REPLACE INTO idempotency_keys (key, answer_id) VALUES (?1, ?2)",
    )?;
    claim.execute(params![key.as_bytes(), conn.last_insert_rowid()])?;
    Ok(())
}

/// Drops up to `most` of the oldest answers given before `before`.
pub(crate) fn forget(conn: &Connection, before: i64, most: usize) -> Result<()> {
    let mut oldest = conn.prepare_cached(
        "SELECT answer_id, key, created_at FROM idempotency_answers ORDER BY answer_id LIMIT ?1",
    )?;
    let mut rows = oldest.query([i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let (id, key, at): (i64, KeyDigest, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if at >= before {
            break;
        }
        let mut delete =
            conn.prepare_cached("DELETE FROM idempotency_keys WHERE key = ?1 AND answer_id = ?2")?;
        delete.execute(params![key, id])?;
        last = Some(id);
    }
    drop(rows);
    if let Some(last) = last {
        let sql = "DELETE FROM idempotency_answers WHERE answer_id <= ?1";
        conn.execute(sql, [last])?;
    }
    Ok(())
}

/// Where all answers stand by tenant, once [`sort_by_tenant`] has been called.
pub(crate) const BY_TENANT: &str = "sorted_answers \
     CROSS JOIN idempotency_answers USING (answer_id, tenant_id, created_at, key)";

/// Sorts the answers that stand under keys by tenant and time, for this connection only: those who
/// serve look them up by key, and need no index for it.
pub(crate) fn sort_by_tenant(conn: &Connection) -> Result<()> {
    let there = "SELECT 1 FROM temp.sqlite_master WHERE name = 'sorted_answers'";
    if one(conn, there, [], |_| Ok(()))?.is_some() {
        return Ok(());
    }
    conn.pragma_update(None, "query_only", false)?;
    conn.execute_batch(
        "CREATE TEMP TABLE sorted_answers (tenant_id, created_at, key, answer_id,
             PRIMARY KEY (tenant_id, created_at, key)) WITHOUT ROWID;
         INSERT INTO sorted_answers
         SELECT tenant_id, created_at, given.key, answer_id FROM idempotency_answers AS given
         JOIN idempotency_keys USING (answer_id)
         WHERE idempotency_keys.key = given.key AND tenant_id IS NOT NULL;",
    )?;
    conn.pragma_update(None, "query_only", true)
}

/// The columns of a whole row, its key last.
pub(crate) const ROW: &str = "fingerprint, status, body, seq, created_at, key";

/// Reads [`ROW`].
pub(crate) fn read_row(row: &rusqlite::Row<'_>) -> Result<Row> {
    let bytes = |column| {
        row.get(column)
            .map(|bytes: Vec<u8>| Cell::Bytes(bytes.into()))
    };
    let key: KeyDigest = row.get(5)?;
    Ok(vec![
        Cell::Id(Uuid::from_bytes(key)),
        bytes(0)?,
        Cell::Int(row.get(1)?),
        bytes(2)?,
        Cell::Int(row.get(3)?),
        Cell::Int(row.get(4)?),
    ])
}
