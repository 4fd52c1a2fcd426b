//! Simulated histories over PostgreSQL give the answers and the state that they give over memory.

use sim::conformance::same_as_memory;

use super::{Database, Simulated, block_on, codec};

/// Everything but what the schema itself brings along.
const EMPTY: &str = "TRUNCATE tenants, tenant_slugs, tenant_timeouts, batches, api_keys, \
     api_key_hashes, locations, products, product_variants, stock_levels, orders, order_contacts, \
     order_items, stock_reservations, payments, refunds, carts, cart_items, events, \
     idempotency_keys; DELETE FROM lanes WHERE tenant_id <> '00000000-0000-0000-0000-000000000000'; \
     UPDATE lanes SET seq = 0, last_at = 0, next_order_number = 1001";

fn run(seeds: std::ops::Range<u64>) {
    let codec = codec();
    block_on(async {
        let database = Database::migrated().await;
        let connections = database.connections();
        for seed in seeds {
            let store = Simulated::on(&database, connections.clone());
            if let Err(broken) = same_as_memory(store, &codec, seed, 150).await {
                panic!("{broken:?}");
            }
            database.sql(EMPTY);
        }
    });
}

#[test]
fn five_hundred_histories_end_as_in_memory_first_half() {
    run(0..250);
}

#[test]
fn five_hundred_histories_end_as_in_memory_second_half() {
    run(250..500);
}
