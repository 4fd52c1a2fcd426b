//! The real binary on PostgreSQL servers of its own: outages, several servers, tenants apart. The
//! tests of `it` run on PostgreSQL, too: see `cargo xtask test`.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod copy;
mod outages;
mod reads;
mod replica;
mod sharing;
mod tenants;

use std::path::Path;

use serde_json::{Value, json};

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_stockhold"))
}

fn order_of(variant: &str, quantity: i64) -> Value {
    json!({"customer_id": "c-1", "items": [{"variant_id": variant, "quantity": quantity}]})
}
