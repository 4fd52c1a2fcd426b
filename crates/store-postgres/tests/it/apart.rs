//! Tenants are kept apart by the database, whatever the application asks.

use domain::ids::TypedId as _;
use sim::world::World;

use super::{Database, Simulated, block_on, codec};

/// Every table that holds a tenant's rows.
fn tables(database: &Database) -> Vec<String> {
    let tables = database.sql(
        "SELECT relname FROM pg_class WHERE relkind = 'r' \
         AND relnamespace = 'public'::regnamespace AND relname <> 'schema_migrations' ORDER BY 1",
    );
    tables.lines().map(str::to_owned).collect()
}

/// Asks as the server's role, without any condition of the application's own.
fn as_server(database: &Database, tenant: &str, sql: &str) -> Result<String, String> {
    let sql = format!("BEGIN; SET LOCAL stockhold.tenant = '{tenant}'; {sql}; COMMIT");
    let asked = database
        .cluster
        .sql_as("stockhold_app", &database.name, &sql);
    asked.map_err(|error| error.to_string())
}

#[test]
fn the_servers_role_owns_nothing_and_is_bound_on_every_table() {
    block_on(async {
        let database = Database::migrated().await;
        for table in tables(&database) {
            let bound = database.sql(&format!(
                "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = '{table}'"
            ));
            assert_eq!(bound, "t", "{table}");
        }
        let role = database.sql(
            "SELECT (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid), rolsuper, \
             rolbypassrls, rolcreaterole FROM pg_roles r WHERE rolname = 'stockhold_app'",
        );
        assert_eq!(role, "0|f|f|f");
    });
}

#[test]
fn without_the_applications_conditions_nothing_of_others_is_seen_or_written() {
    let codec = codec();
    block_on(async {
        let database = Database::migrated().await;
        database.sql("ALTER ROLE stockhold_app LOGIN");
        let mut tenants = Vec::new();
        for seed in [3, 4] {
            let mut world = World::new(Simulated::new(&database), &codec, seed)
                .await
                .unwrap();
            world.run(200).await.unwrap();
            tenants.push(world.tenant().uuid().to_string());
            // Every history's shop has the same slug.
            database.sql(
                "UPDATE tenants SET slug = tenant_id::text; \
                 UPDATE tenant_slugs SET slug = of_tenant_id::text",
            );
        }
        let [ours, theirs] = tenants.as_slice() else {
            panic!("two tenants")
        };
        for table in tables(&database) {
            let count = format!(
                "SELECT count(*), count(*) FILTER (WHERE tenant_id <> '{ours}') FROM {table}"
            );
            let seen = as_server(&database, ours, &count).unwrap();
            assert!(seen.ends_with("|0"), "{table} shows others: {seen}");
            let unnamed = database.cluster.sql_as(
                "stockhold_app",
                &database.name,
                &format!("SELECT count(*) FROM {table}"),
            );
            assert_eq!(unnamed.unwrap(), "0", "{table} without a tenant");
        }
        let seen = as_server(&database, ours, "SELECT count(*) > 0 FROM orders").unwrap();
        assert_eq!(seen, "t", "one's own are seen");
        let changed = "WITH done AS (UPDATE stock_levels SET reserved_stock = 0 RETURNING tenant_id) \
             SELECT count(*) FILTER (WHERE tenant_id::text = ";
        let changed = format!("{changed}'{theirs}') FROM done");
        assert_eq!(as_server(&database, ours, &changed).unwrap(), "0");
        let planted = format!(
            "INSERT INTO locations (tenant_id, location_id, code, name, priority) \
             VALUES ('{theirs}', gen_random_uuid(), 'x', 'x', 1)"
        );
        let refused = as_server(&database, ours, &planted).unwrap_err();
        assert!(refused.contains("row-level security"), "{refused}");
        for forbidden in [
            "DELETE FROM events",
            "UPDATE events SET seq = seq + 1",
            "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
            "DROP TABLE orders",
            "SELECT * FROM product_stock",
        ] {
            let refused = as_server(&database, ours, forbidden).unwrap_err();
            assert!(
                refused.contains("permission denied") || refused.contains("must be owner"),
                "{forbidden}: {refused}"
            );
        }
    });
}
