//! Secrets of the servers themselves, under the platform's id.

use crate::table::Kind::{Bytes, Text};
use crate::table::{Table, fixed};

/// Secrets by name, such as the pepper of API keys.
pub const SECRETS: Table = Table {
    name: "server_secrets",
    key: 1,
    columns: &[fixed("name", Text), fixed("value", Bytes)],
};
