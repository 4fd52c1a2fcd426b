//! Migrations, the lock, and what the database itself refuses.

use std::sync::Arc;

use domain::command::Command;
use domain::control::Control;
use domain::decide::{MoveControls, ReleaseOrder, Sweep};
use domain::order::Order;
use domain::time::Timestamp;
use engine::audit::audit;
use engine::batch::Rules;
use engine::direct::execute;
use engine::reader::Snapshot as _;
use engine::request::Request;
use rows::steps::MigrateError;
use rusqlite::Connection;
use store_sqlite::database::{self, Durability, OpenError, open_for_migration};
use store_sqlite::migrate;
use store_sqlite::snapshot::SqliteSnapshot;

use super::File;

fn catalogue(conn: &Connection) -> Vec<String> {
    conn.prepare(
        "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master \
         WHERE name NOT LIKE 'sqlite_%' ORDER BY 1",
    )
    .unwrap()
    .query_map([], |row| row.get(0))
    .unwrap()
    .collect::<Result<_, _>>()
    .unwrap()
}

#[test]
fn up_down_up_gives_the_same_catalogue() {
    let file = File::new();
    let (mut conn, _lock) = open_for_migration(&file.path()).unwrap();
    assert_eq!(
        migrate::up(&mut conn, 5, "test").unwrap(),
        [1, 2, 3, 4, 5, 6, 7]
    );
    let first = catalogue(&conn);
    assert_eq!(
        migrate::up(&mut conn, 6, "test").unwrap(),
        Vec::<i64>::new()
    );
    assert!(matches!(
        migrate::down(&mut conn, 1, false),
        Err(MigrateError::Destroys { number: 7, .. })
    ));
    assert_eq!(catalogue(&conn), first);
    assert_eq!(
        migrate::down(&mut conn, 9, true).unwrap(),
        [7, 6, 5, 4, 3, 2, 1]
    );
    assert_eq!(catalogue(&conn).len(), 1, "only schema_migrations is left");
    migrate::up(&mut conn, 7, "test").unwrap();
    assert_eq!(catalogue(&conn), first);
    assert_eq!(migrate::status(&conn).unwrap().len(), 7);
}

#[test]
fn the_printed_scripts_do_what_the_program_does() {
    let file = File::new();
    let (mut conn, _lock) = open_for_migration(&file.path()).unwrap();
    for step in migrate::STEPS {
        conn.execute_batch(&step.script_up(migrate::DIALECT))
            .unwrap();
    }
    let by_hand = catalogue(&conn);
    migrate::require_current(&conn).unwrap();
    assert_eq!(
        migrate::up(&mut conn, 0, "test").unwrap(),
        Vec::<i64>::new()
    );
    assert!(migrate::has_idempotency_key(&conn).unwrap());
    for step in migrate::STEPS.iter().rev() {
        conn.execute_batch(&step.script_down(migrate::DIALECT))
            .unwrap();
    }
    assert!(migrate::status(&conn).unwrap().is_empty());
    migrate::up(&mut conn, 0, "test").unwrap();
    assert_eq!(catalogue(&conn), by_hand);
}

/// Every row of a table, as text.
fn rows(conn: &Connection, table: &str) -> Vec<String> {
    let sql = format!("SELECT * FROM {table}");
    let mut select = conn.prepare(&sql).unwrap();
    let columns = select.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let cell = |column| format!("{:?}", row.get_ref(column).unwrap());
        Ok((0..columns).map(cell).collect::<Vec<_>>().join("|"))
    };
    let mut all: Vec<String> = select
        .query_map([], row)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    all.sort();
    all
}

/// Releases every lever and every order on hold, as the way back asks for.
fn release_all(file: &File) {
    let codec = super::codec();
    let tenant = SqliteSnapshot::open(&file.path())
        .unwrap()
        .tenants()
        .unwrap()[0]
        .id;
    let orders = SqliteSnapshot::open(&file.path())
        .unwrap()
        .whole_state(tenant)
        .unwrap()
        .orders;
    let (by, reason) = ("ada".to_owned(), "going back".to_owned());
    let to = vec![
        Control::ReadWrite,
        Control::ExpiryRunning,
        Control::CleanupRunning,
    ];
    let mut commands: Vec<Command> = vec![
        MoveControls {
            to,
            by: by.clone(),
            reason: reason.clone(),
        }
        .into(),
        Sweep.into(),
    ];
    let release = |order: &Order| {
        let (order_id, by, reason) = (order.id, by.clone(), reason.clone());
        ReleaseOrder {
            order_id,
            by,
            reason,
        }
        .into()
    };
    commands.extend(orders.values().map(release));
    let request = |command| Request {
        command,
        claim: None,
        entropy: 7,
    };
    let requests: Vec<Request> = commands.into_iter().map(request).collect();
    let rules = Rules {
        codec: &codec,
        payment_timeout_minutes: 15,
        answers_kept_millis: 86_400_000,
    };
    let mut database = file.open(Durability::Off);
    let now = Timestamp::from_millis(1_800_000_000_000);
    let done = super::block_on(execute(&mut database.store, tenant, &requests, now, rules));
    assert!(done.unwrap().iter().all(Result::is_ok));
}

/// Each step but the first is taken back and taken again on a shop with a history: rows stay, and
/// the journal still gives the tables.
#[test]
fn each_step_goes_down_and_up_on_a_database_with_data() {
    let codec = super::codec();
    let simulated = super::Simulated::new();
    let file = Arc::clone(&simulated.file);
    super::block_on(async {
        let mut world = sim::world::World::without_providers(simulated, &codec, 7)
            .await
            .unwrap();
        world.run(300).await.unwrap();
    });
    {
        let (mut conn, _lock) = open_for_migration(&file.path()).unwrap();
        let refused = migrate::down(&mut conn, 6, true).unwrap_err().to_string();
        assert!(
            refused.contains("release_every_lever_and_order_first"),
            "{refused}"
        );
        migrate::up(&mut conn, 0, "test").unwrap();
    }
    release_all(&file);
    let (mut conn, _lock) = open_for_migration(&file.path()).unwrap();
    let counted = [
        "orders",
        "products",
        "stock_reservations",
        "payments",
        "refunds",
    ];
    let kept = ["stock_levels", "order_items", "carts", "events"];
    let count = |conn: &Connection| counted.map(|table| rows(conn, table).len());
    let all = |conn: &Connection| kept.map(|table| rows(conn, table));
    let (counts, before) = (count(&conn), all(&conn));
    assert!(counts[0] > 20, "{counts:?}");
    for back in 1..migrate::STEPS.len() {
        migrate::down(&mut conn, back, true).unwrap();
        assert_eq!(
            (count(&conn), all(&conn)),
            (counts, before.clone()),
            "{back} back"
        );
        migrate::up(&mut conn, 0, "test").unwrap();
        assert_eq!(
            (count(&conn), all(&conn)),
            (counts, before.clone()),
            "{back} up again"
        );
        let mut snapshot = SqliteSnapshot::open(&file.path()).unwrap();
        let report = audit(&mut snapshot, &codec).unwrap();
        assert_eq!(
            report.findings,
            Vec::<String>::new(),
            "{back} back and up again"
        );
    }
}

#[test]
fn the_contracts_tables_indexes_and_views_are_there_and_strict() {
    let file = File::new();
    drop(file.open(Durability::Off));
    let conn = Connection::open(file.path()).unwrap();
    let has = |kind: &str, name: &str| {
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = ?1 AND name = ?2";
        conn.query_row(sql, [kind, name], |row| row.get::<_, i64>(0))
            .unwrap()
            == 1
    };
    for table in [
        "products",
        "product_variants",
        "locations",
        "stock_levels",
        "carts",
        "cart_items",
        "orders",
        "order_items",
        "stock_reservations",
        "payments",
        "refunds",
        "ledger_transactions",
        "ledger_entries",
        "webhook_events",
        "events",
    ] {
        assert!(has("table", table), "{table}");
    }
    for index in [
        "idx_reservations_order_id",
        "idx_reservations_expires_at",
        "idx_active_reservation_per_order",
        "idx_orders_cart_id",
    ] {
        assert!(has("index", index), "{index}");
    }
    assert!(has("view", "product_stock") && has("view", "variant_stock"));
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
         AND strict = 0 AND name NOT LIKE 'sqlite_%'";
    let loose: Vec<String> = conn
        .prepare(sql)
        .unwrap()
        .query_map([], |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(loose, Vec::<String>::new());
    for view in ["product_stock", "variant_stock"] {
        let sql = format!(
            "SELECT stock_quantity, reserved_stock, available, version, in_stock FROM {view}"
        );
        conn.prepare(&sql).unwrap();
    }
}

#[test]
fn a_schema_that_is_behind_or_ahead_is_refused() {
    let file = File::new();
    let (mut conn, lock) = open_for_migration(&file.path()).unwrap();
    assert!(matches!(
        migrate::require_current(&conn),
        Err(MigrateError::Behind { found: 0, .. })
    ));
    migrate::up(&mut conn, 0, "test").unwrap();
    conn.execute("INSERT INTO schema_migrations VALUES (99, 0, 'later')", [])
        .unwrap();
    assert!(matches!(
        migrate::up(&mut conn, 0, "test"),
        Err(MigrateError::Newer { found: 99, .. })
    ));
    drop((conn, lock));
    let opened = database::open(&file.path(), Durability::Off);
    assert!(matches!(
        opened,
        Err(OpenError::Schema(MigrateError::Newer { .. }))
    ));
}

#[test]
fn a_second_writer_is_refused_with_what_to_do() {
    let file = File::new();
    let first = file.open(Durability::Off);
    let Err(error) = database::open(&file.path(), Durability::Off) else {
        panic!("a second writer got in");
    };
    assert!(matches!(error, OpenError::InUse(_)));
    assert!(error.to_string().contains("stop it"), "{error}");
    drop(first);
    drop(database::open(&file.path(), Durability::Off).unwrap());
}

#[test]
fn the_last_lines_of_defence_hold_whoever_writes() {
    let file = File::new();
    drop(file.open(Durability::Off));
    let conn = Connection::open(file.path()).unwrap();
    let level = |variant: &str, stock: i64, reserved: i64, backorder: i64| {
        conn.execute(
            "INSERT INTO stock_levels VALUES ('t', ?1, 'l', ?2, ?3, ?4, NULL, 1, 1)",
            (variant, stock, reserved, backorder),
        )
    };
    level("fits", 5, 5, 0).unwrap();
    level("backorder", 0, 3, 3).unwrap();
    let hold = |order: &str, id: &str, status: &str| {
        conn.execute(
            "INSERT INTO stock_reservations VALUES \
             ('t', ?2, ?1, 'p', 'v', 'l', 1, 0, 0, 0, ?3, 0, 0)",
            (order, id, status),
        )
    };
    hold("o", "a", "active").unwrap();
    hold("o", "b", "expired").unwrap();
    let payment = |id: &str, refunded: i64| {
        conn.execute(
            "INSERT INTO payments (tenant_id, payment_id, order_id, attempt, provider, status, \
             amount, captured_amount, refunded_amount, currency, provider_reference, created_at, \
             updated_at) VALUES ('t', ?1, ?1, 1, 'mock', 'succeeded', 200, 100, ?2, 'EUR', 'r', 0, 0)",
            (id, refunded),
        )
    };
    payment("p1", 100).unwrap();
    let key = |key: &[u8]| {
        conn.execute(
            "INSERT INTO idempotency_keys (key, answer_id) VALUES (?1, 1)",
            [key],
        )
    };
    key(&[1; 16]).unwrap();
    let refused = [
        (level("oversold", 5, 6, 0), "stock_levels_not_oversold"),
        (
            level("beyond backorder", 0, 4, 3),
            "stock_levels_not_oversold",
        ),
        (
            level("below zero", 5, -1, 0),
            "stock_levels_reserved_not_negative",
        ),
        (level("fits", 1, 0, 0), "UNIQUE"),
        (hold("o", "c", "active"), "UNIQUE"),
        (hold("o2", "d", "lost"), "stock_reservations_status_known"),
        (payment("p2", 101), "payments_not_over_captured"),
        (key(&[1; 16]), "UNIQUE"),
    ];
    for (result, constraint) in refused {
        let error = result.expect_err(constraint).to_string();
        assert!(error.contains(constraint), "{error}");
    }
}

/// What the database itself refuses of a ledger, whoever writes.
#[test]
fn the_ledger_balances_and_only_grows() {
    let file = File::new();
    drop(file.open(Durability::Off));
    let conn = Connection::open(file.path()).unwrap();
    let entry = |seq: i64, account: &str, sides: &str| {
        let position = account.len();
        format!(
            "INSERT INTO ledger_entries VALUES ('t', {seq}, {position}, '{account}', 'EUR', {sides}); "
        )
    };
    let head = |seq: i64, reference: &str| {
        format!(
            "INSERT INTO ledger_transactions VALUES ('t', {seq}, 0, '{reference}', 'o', 'p', 'EUR'); "
        )
    };
    let balanced = |seq| entry(seq, "cash:mock", "5, 0") + &entry(seq, "revenue", "0, 5");
    conn.execute_batch(&(balanced(1) + &head(1, "payment_confirmed:1")))
        .unwrap();
    let short = entry(2, "cash:mock", "5, 0") + &entry(2, "revenue", "0, 4");
    for (sql, why) in [
        (short + &head(2, "a"), "ledger_transactions_balance"),
        (head(3, "b"), "ledger_transactions_balance"),
        (entry(1, "receivable", "1, 0"), "ledger_entries_complete"),
        (balanced(4) + &head(4, "payment_confirmed:1"), "reference"),
        (entry(5, "cash:mock", "5, 5"), "ledger_entries_one_side"),
        (entry(5, "cash:mock", "0, 0"), "ledger_entries_one_side"),
        (
            "DELETE FROM ledger_entries".to_owned(),
            "ledger_entries_stay",
        ),
        (
            "UPDATE ledger_entries SET debit = 1".to_owned(),
            "ledger_entries_kept",
        ),
        (
            "DELETE FROM ledger_transactions".to_owned(),
            "ledger_transactions_stay",
        ),
        (
            "UPDATE ledger_transactions SET at = 1".to_owned(),
            "ledger_transactions_kept",
        ),
    ] {
        let refused = conn.execute_batch(&sql).unwrap_err().to_string();
        assert!(refused.contains(why), "{sql}: {refused}");
    }
}
