//! Copying a file: interrupted anywhere, and begun again.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::TenantId;
use engine::audit::audit;
use engine::store::StoreError;
use rows::Table;
use rows::copy::{self, PAGE, Row, Source as _, Target};
use sim::world::World;
use store_sqlite::copy::{SqliteSource, SqliteTarget};
use store_sqlite::database::{Durability, OpenError, open, open_for_migration};
use store_sqlite::migrate;
use store_sqlite::snapshot::SqliteSnapshot;

use super::{File, Simulated, codec};

/// A target whose process dies before one of its writes.
struct Dying {
    target: SqliteTarget,
    writes_left: usize,
}

impl Target for Dying {
    fn begun(&mut self) -> Result<Option<String>, StoreError> {
        self.target.begun()
    }

    fn begin(&mut self, source: &str) -> Result<(), StoreError> {
        self.target.begin(source)
    }

    fn copied(&mut self, tenant: TenantId) -> Result<BTreeMap<String, u64>, StoreError> {
        self.target.copied(tenant)
    }

    fn put(&mut self, table: &Table, tenant: TenantId, rows: Vec<Row>) -> Result<(), StoreError> {
        let Some(left) = self.writes_left.checked_sub(1) else {
            return Err(StoreError::Unavailable("dead".to_owned()));
        };
        self.writes_left = left;
        self.target.put(table, tenant, rows)
    }

    fn finish(&mut self, lanes: &[TenantId]) -> Result<(), StoreError> {
        self.target.finish(lanes)
    }
}

fn empty() -> File {
    let file = File::new();
    let (mut conn, _lock) = open_for_migration(&file.path()).unwrap();
    migrate::up(&mut conn, 0, "test").unwrap();
    file
}

/// A shop whose journal takes more than one page.
fn shop() -> Arc<File> {
    let simulated = Simulated::new();
    let file = Arc::clone(&simulated.file);
    let codec = codec();
    super::block_on(async {
        let mut world = World::new(simulated, &codec, 11).await.unwrap();
        world.run(2_500).await.unwrap();
    });
    file
}

#[test]
fn a_copy_that_dies_at_any_write_goes_on_where_it_was() {
    let file = shop();
    let mut source = SqliteSource::open(&file.path()).unwrap();
    let mine = copy::fingerprint(&mut source).unwrap();
    let tenant = *source.lanes().unwrap().last().unwrap();
    let events = source.count(&rows::event::EVENTS, tenant).unwrap();
    assert!(events > PAGE as u64, "{events} events are one page");
    let target = empty();
    let mut view = SqliteSnapshot::open(&target.path()).unwrap();
    assert!(copy::is_empty(&mut view).unwrap());
    drop(view);
    let mut died = 0;
    loop {
        let mut target = Dying {
            target: SqliteTarget::open(&target.path()).unwrap(),
            writes_left: 1,
        };
        match target.begun().unwrap() {
            None => target.begin(&mine).unwrap(),
            Some(begun) => assert_eq!(begun, mine),
        }
        match copy::copy(&mut source, &mut target, &|_| ()) {
            Ok(()) => break,
            Err(StoreError::Unavailable(_)) => died += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(died > 10, "it died {died} times only");
    let half = open(&target.path(), Durability::Off).err();
    assert!(matches!(half, Some(OpenError::HalfCopied)), "{half:?}");
    let mut there = SqliteSnapshot::open(&target.path()).unwrap();
    for table in copy::compare(&mut source, &mut there, &|_| ()).unwrap() {
        assert!(table.same(), "{}", table.table);
    }
    let report = audit(&mut there, &codec()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    let lanes = source.lanes().unwrap();
    let mut done = SqliteTarget::open(&target.path()).unwrap();
    done.finish(&lanes).unwrap();
    drop(done);
    assert!(!copy::is_empty(&mut there).unwrap());
    drop(open(&target.path(), Durability::Off).unwrap());
}

/// One cell that is not as it was is found, wherever it stands.
#[test]
fn a_comparison_sees_every_table() {
    let file = shop();
    let target = empty();
    {
        let mut source = SqliteSource::open(&file.path()).unwrap();
        let mut target = SqliteTarget::open(&target.path()).unwrap();
        copy::copy(&mut source, &mut target, &|_| ()).unwrap();
    }
    let mut source = SqliteSource::open(&file.path()).unwrap();
    let (conn, _lock) = open_for_migration(&target.path()).unwrap();
    for (table, change) in [
        (
            "stock_levels",
            "UPDATE stock_levels SET stock_quantity = stock_quantity + 1",
        ),
        ("events", "DELETE FROM events WHERE seq = 7"),
        (
            "order_items",
            "UPDATE order_items SET sku = '' WHERE sku IS NULL",
        ),
        (
            "idempotency_keys",
            "DELETE FROM idempotency_answers WHERE answer_id = 3",
        ),
        (
            "lanes",
            "UPDATE lanes SET next_order_number = next_order_number + 1",
        ),
    ] {
        conn.execute_batch("BEGIN").unwrap();
        let changed = conn.execute(change, []).unwrap();
        conn.execute_batch("COMMIT").unwrap();
        let mut there = SqliteSnapshot::open(&target.path()).unwrap();
        let compared = copy::compare(&mut source, &mut there, &|_| ()).unwrap();
        let found = compared.iter().find(|found| found.table == table).unwrap();
        assert_eq!(found.same(), changed == 0, "{table}");
        assert!(changed > 0, "{table} had nothing to change");
    }
}

/// Every write moves a lane, so a source that was written to is another one.
#[test]
fn a_source_that_was_written_to_is_another_one() {
    let file = shop();
    let mut source = SqliteSource::open(&file.path()).unwrap();
    let before = copy::fingerprint(&mut source).unwrap();
    assert_eq!(copy::fingerprint(&mut source).unwrap(), before);
    drop(source);
    let (conn, lock) = open_for_migration(&file.path()).unwrap();
    conn.execute("UPDATE lanes SET last_at = last_at + 1 WHERE seq > 0", [])
        .unwrap();
    drop((conn, lock));
    let mut source = SqliteSource::open(&file.path()).unwrap();
    assert_ne!(copy::fingerprint(&mut source).unwrap(), before);
}

#[test]
fn a_file_in_use_and_answers_without_an_owner_are_refused() {
    let file = shop();
    let used = file.open(Durability::Off);
    let refused = SqliteSource::open(&file.path()).err().unwrap().to_string();
    assert!(refused.contains("another process uses"), "{refused}");
    drop(used);
    let (conn, lock) = open_for_migration(&file.path()).unwrap();
    let sql = "UPDATE idempotency_answers SET tenant_id = NULL WHERE answer_id = 1";
    assert_eq!(conn.execute(sql, []).unwrap(), 1);
    drop((conn, lock));
    let refused = SqliteSource::open(&file.path()).err().unwrap().to_string();
    assert!(
        refused.starts_with("1 answers under idempotency keys"),
        "{refused}"
    );
}
