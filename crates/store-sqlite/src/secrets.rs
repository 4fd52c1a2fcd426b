//! Secrets of the server itself, kept in the database: the pepper of API keys, a demo's keys.

use std::path::Path;

use engine::request::platform;
use engine::store::StoreError;
use rusqlite::{Connection, OptionalExtension as _};

use crate::cells::text;
use crate::database::open_connection;
use crate::error::sort;

/// Reads and writes the server's secrets, before the server starts.
pub struct Secrets(Connection);

impl Secrets {
    /// Opens the secrets of a migrated database.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        open_connection(path).map(Self).map_err(sort)
    }

    /// The secret of that name.
    pub fn get(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT value FROM server_secrets WHERE tenant_id = ?1 AND name = ?2";
        self.0
            .query_row(sql, (text(platform()), name), |row| row.get(0))
            .optional()
            .map_err(sort)
    }

    /// Keeps a secret; one that is there already stays, and is returned.
    pub fn keep(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let sql = "INSERT INTO server_secrets (tenant_id, name, value) VALUES (?1, ?2, ?3) \
             ON CONFLICT (tenant_id, name) DO NOTHING";
        let row = (text(platform()), name, value);
        self.0.execute(sql, row).map_err(sort)?;
        Ok(self.get(name)?.unwrap_or_else(|| value.to_vec()))
    }
}
