//! The schema: up, down, up again; on data; by several at once; and what holds for all of it.

use rows::steps::MigrateError;
use sim::world::World;
use store_postgres::distribute::{DistributeError, distribute};
use store_postgres::migrate;

use super::{Database, Simulated, block_on, codec};

/// Everything that the catalogue says of tables, columns, constraints, indexes, functions, policies
/// and rights of the schema.
const CATALOGUE: &str = "\
SELECT 'column', table_name, column_name, data_type || is_nullable || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'function', proname, pg_get_function_identity_arguments(oid),
        md5(prosrc) || prosecdef || coalesce(proacl::text, '')
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'policy', tablename, policyname, roles::text || qual FROM pg_policies
UNION ALL SELECT 'table', relname, relkind::text,
        relrowsecurity::text || relforcerowsecurity || coalesce(relacl::text, '')
            || coalesce(reloptions::text, '')
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
ORDER BY 1, 2, 3, 4";

#[test]
fn all_up_all_down_and_all_up_again_is_the_same_schema() {
    block_on(async {
        let database = Database::empty();
        let address = database.address();
        assert_eq!(
            migrate::up(&address, 5, "test").await.unwrap(),
            [1, 2, 3, 4, 5, 6, 7]
        );
        let first = database.sql(CATALOGUE);
        assert!(first.contains("tenants_apart") && first.contains("stock_levels_not_oversold"));
        assert!(migrate::up(&address, 6, "test").await.unwrap().is_empty());
        let refused = migrate::down(&address, 9, false).await;
        assert!(matches!(
            refused,
            Err(MigrateError::Destroys { number: 7, .. })
        ));
        assert_eq!(database.sql(CATALOGUE), first);
        assert_eq!(
            migrate::down(&address, 9, true).await.unwrap(),
            [7, 6, 5, 4, 3, 2, 1]
        );
        let left = database.sql(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace \
             AND relkind = 'r'",
        );
        assert_eq!(left, "schema_migrations");
        assert_eq!(
            migrate::up(&address, 7, "test").await.unwrap(),
            [1, 2, 3, 4, 5, 6, 7]
        );
        assert_eq!(database.sql(CATALOGUE), first);
    });
}

#[test]
fn printed_scripts_do_what_the_steps_do() {
    block_on(async {
        let (stepped, printed) = (Database::migrated().await, Database::empty());
        for step in migrate::STEPS {
            printed.sql(&step.script_up(migrate::DIALECT));
        }
        migrate::require_current(&printed.address()).await.unwrap();
        assert_eq!(printed.sql(CATALOGUE), stepped.sql(CATALOGUE));
        for step in migrate::STEPS.iter().rev() {
            printed.sql(&step.script_down(migrate::DIALECT));
        }
        assert!(
            migrate::status(&printed.address())
                .await
                .unwrap()
                .is_empty()
        );
    });
}

#[test]
fn many_that_start_at_once_take_each_step_once() {
    block_on(async {
        let database = Database::empty();
        let address = database.address();
        let ups = (0..8).map(|_| migrate::up(&address, 0, "test"));
        let taken: Vec<i64> = futures_util::future::join_all(ups)
            .await
            .into_iter()
            .flat_map(Result::unwrap)
            .collect();
        assert_eq!(taken, [1, 2, 3, 4, 5, 6, 7]);
    });
}

#[test]
fn a_newer_or_an_older_schema_is_refused() {
    block_on(async {
        let database = Database::empty();
        let address = database.address();
        let behind = migrate::require_current(&address).await;
        assert!(matches!(
            behind,
            Err(MigrateError::Behind {
                found: 0,
                wanted: 7
            })
        ));
        migrate::up(&address, 0, "test").await.unwrap();
        database.sql("INSERT INTO schema_migrations VALUES (99, 0, 'newer')");
        for refused in [
            migrate::require_current(&address).await.err(),
            migrate::up(&address, 0, "test").await.err(),
            migrate::down(&address, 1, true).await.err(),
        ] {
            assert!(matches!(
                refused,
                Some(MigrateError::Newer { found: 99, .. })
            ));
        }
    });
}

/// Each step that keeps data is taken back and taken again on a shop with a history: its rows stay,
/// and its next commands go on as if nothing had been.
#[test]
fn steps_are_taken_on_a_database_with_data_in_it() {
    let codec = codec();
    block_on(async {
        let database = Database::migrated().await;
        let address = database.address();
        let mut world = World::without_providers(Simulated::new(&database), &codec, 7)
            .await
            .unwrap();
        world.run(300).await.unwrap();
        let count = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM orders), \
             (SELECT sum(reserved_stock) FROM stock_levels), (SELECT string_agg(t::text, ';' \
             ORDER BY tenant_id, seq, position) FROM ledger_entries t), \
             (SELECT string_agg(t::text, ';' ORDER BY tenant_id, seq) FROM ledger_transactions t), \
             (SELECT string_agg(refund_id || ' ' || tax_amount, ';' ORDER BY refund_id) \
             FROM refunds)";
        let before = database.sql(count);
        for back in 1..migrate::STEPS.len() {
            migrate::down(&address, back, true).await.unwrap();
            migrate::up(&address, 0, "test").await.unwrap();
        }
        assert_eq!(database.sql(count), before);
        world.run(400).await.unwrap();
    });
}

/// What the database itself refuses of a ledger, whoever writes.
#[test]
fn the_ledger_balances_and_only_grows() {
    block_on(async {
        let database = Database::migrated().await;
        let nil = "'00000000-0000-0000-0000-000000000000'";
        let entry = |seq: i64, account: &str, sides: &str| {
            format!(
                "INSERT INTO ledger_entries VALUES ({nil}, {seq}, {}, '{account}', 'EUR', {sides}); ",
                account.len()
            )
        };
        let head = |seq: i64, reference: &str| {
            format!(
                "INSERT INTO ledger_transactions VALUES ({nil}, {seq}, 0, '{reference}', {nil}, {nil}, 'EUR'); "
            )
        };
        let balanced = |seq| entry(seq, "cash:mock", "5, 0") + &entry(seq, "revenue", "0, 5");
        database.sql(&(balanced(1) + &head(1, "payment_confirmed:1")));
        for (sql, why) in [
            (
                entry(2, "cash:mock", "5, 0") + &entry(2, "revenue", "0, 4") + &head(2, "a"),
                "ledger_transactions_balance",
            ),
            (head(3, "b"), "ledger_transactions_balance"),
            (entry(1, "receivable", "1, 0"), "ledger_entries_complete"),
            (
                balanced(4) + &head(4, "payment_confirmed:1"),
                "ledger_transactions_reference_once",
            ),
            (entry(5, "cash:mock", "5, 5"), "ledger_entries_one_side"),
            (entry(5, "cash:mock", "0, 0"), "ledger_entries_one_side"),
            (
                "SET ROLE stockhold_app; DELETE FROM ledger_entries".to_owned(),
                "permission denied",
            ),
            (
                "SET ROLE stockhold_app; UPDATE ledger_transactions SET at = 1".to_owned(),
                "permission denied",
            ),
        ] {
            let refused = database.cluster.sql(&database.name, &sql).unwrap_err();
            assert!(refused.to_string().contains(why), "{sql}: {refused}");
        }
    });
}

/// So the schema distributes by tenant: on Citus, and in anything that shards by a key.
#[test]
fn every_key_begins_with_the_tenant_and_every_reference_carries_it() {
    block_on(async {
        let database = Database::migrated().await;
        let astray = database.sql(
            "SELECT i.indexrelid::regclass FROM pg_index i \
             JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace \
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
             WHERE c.relname <> 'schema_migrations' AND a.attname <> 'tenant_id'",
        );
        assert_eq!(astray, "", "an index begins with another column");
        let keyless = database.sql(
            "SELECT relname FROM pg_class c WHERE relkind = 'r' \
             AND relnamespace = 'public'::regnamespace AND relname <> 'schema_migrations' \
             AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary)",
        );
        assert_eq!(keyless, "", "a table has no primary key");
        let references = database.sql(
            "SELECT conname FROM pg_constraint k WHERE contype = 'f' AND NOT EXISTS \
             (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid \
             AND a.attnum = k.conkey[1] AND a.attname = 'tenant_id')",
        );
        assert_eq!(references, "", "a foreign key does not carry the tenant");
    });
}

/// Citus itself is not among Debian's packages; docs/scaling.md says how it was tried.
#[test]
fn without_citus_nothing_is_distributed_and_everything_stays() {
    block_on(async {
        let database = Database::migrated().await;
        let before = database.sql(CATALOGUE);
        let refused = distribute(&database.address()).await;
        assert!(matches!(refused, Err(DistributeError::NoCitus)));
        assert_eq!(database.sql(CATALOGUE), before);
    });
}
