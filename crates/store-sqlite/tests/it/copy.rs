//! Copying a file: interrupted anywhere, and begun again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ids::TenantId;
use domain::time::Timestamp;
use engine::audit::audit;
use engine::store::StoreError;
use rows::answer::ANSWERS;
use rows::copy::{self, NotBegun, PAGE, Row, Source, Sums, Target};
use rows::table::Column;
use rows::{Kind, Table};
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
    let mut source = SqliteSource::open(&file.path(), Timestamp::EPOCH).unwrap();
    let mine = copy::fingerprint(&mut source).unwrap();
    let tenant = *source.lanes().unwrap().last().unwrap();
    let events = source.count(&rows::event::EVENTS, tenant).unwrap();
    assert!(events > PAGE as u64, "{events} events are one page");
    let target = empty();
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
    drop(open(&target.path(), Durability::Off).unwrap());
}

/// SQL that changes every cell of a column to another value of its kind.
fn changing(table: &Table, column: &Column) -> String {
    let name = column.name;
    let answers = table.name == ANSWERS.name;
    let value = match column.kind {
        Kind::Id if answers => "randomblob(16)".to_owned(),
        Kind::Bytes => format!("randomblob(length({name}))"),
        Kind::Id => format!("'f' || substr({name}, 2)"),
        Kind::Text => format!("{name} || '!'"),
        Kind::Int => format!("-{name} - 1000000"),
        Kind::Flag => format!("1 - {name}"),
    };
    let table = if answers {
        "idempotency_answers"
    } else {
        table.name
    };
    format!("UPDATE {table} SET {name} = {value} WHERE {name} IS NOT NULL")
}

/// A change of any column of any table is found.
#[test]
fn a_comparison_sees_every_cell() {
    let file = shop();
    let (conn, _lock) = open_for_migration(&file.path()).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = off; PRAGMA ignore_check_constraints = on")
        .unwrap();
    let triggers = rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
    conn.set_db_config(triggers, false).unwrap();
    let lanes = SqliteSnapshot::open(&file.path()).unwrap().lanes().unwrap();
    let digest = |table: &Table| {
        let mut sums = Sums::default();
        for lane in &lanes {
            let mut view = SqliteSnapshot::open(&file.path()).unwrap();
            sums.add(&mut view, table, *lane).unwrap();
        }
        sums.hex()
    };
    let (mut seen, mut empty) = (0, BTreeSet::new());
    for table in copy::tables() {
        // Keys last: an answer is found by its own.
        for column in table.columns.iter().rev() {
            let before = digest(table);
            let changed = conn.execute(&changing(table, column), []).unwrap();
            let differs = digest(table) != before;
            let name = format!("{}.{}", table.name, column.name);
            assert_eq!(differs, changed > 0, "{name}");
            if differs {
                seen += 1;
            } else {
                empty.insert(name);
            }
        }
    }
    assert!(seen > 120, "{seen} columns had cells; none: {empty:?}");
}

fn begin(source: &mut SqliteSource, file: &File) -> Result<(), NotBegun> {
    let mut target = SqliteTarget::open(&file.path()).unwrap();
    let mut view = || -> Result<Box<dyn Source>, StoreError> {
        Ok(Box::new(SqliteSnapshot::open(&file.path())?))
    };
    copy::begin(source, &mut target, &mut view)
}

fn run(file: &File, sql: &str) {
    let (conn, _lock) = open_for_migration(&file.path()).unwrap();
    conn.execute_batch(sql).unwrap();
}

/// Also where whoever refused it died before saying so.
#[test]
fn a_target_that_holds_anything_is_refused_and_can_be_worked_on() {
    let file = shop();
    let mut source = SqliteSource::open(&file.path(), Timestamp::EPOCH).unwrap();
    let target = empty();
    let secret = "INSERT INTO server_secrets (tenant_id, name, value) \
         VALUES ('00000000-0000-0000-0000-000000000000', 'pepper', x'00')";
    run(&target, secret);
    for died in [false, true] {
        if died {
            let mine = copy::fingerprint(&mut source).unwrap();
            let mut target = SqliteTarget::open(&target.path()).unwrap();
            target.begin(&mine).unwrap();
        }
        let refused = begin(&mut source, &target);
        assert!(matches!(refused, Err(NotBegun::NotEmpty)), "{refused:?}");
        drop(open(&target.path(), Durability::Off).unwrap());
    }
}

#[test]
fn a_half_copied_target_takes_only_the_same_copy() {
    let file = shop();
    let mut source = SqliteSource::open(&file.path(), Timestamp::EPOCH).unwrap();
    let target = empty();
    begin(&mut source, &target).unwrap();
    let mut dying = Dying {
        target: SqliteTarget::open(&target.path()).unwrap(),
        writes_left: 3,
    };
    copy::copy(&mut source, &mut dying, &|_| ()).unwrap_err();
    drop(dying);
    begin(&mut source, &target).unwrap();
    let (mut conn, lock) = open_for_migration(&target.path()).unwrap();
    let back = migrate::down(&mut conn, 4, true).unwrap_err().to_string();
    assert!(
        back.contains("a_copy_into_this_database_is_not_done"),
        "{back}"
    );
    migrate::up(&mut conn, 0, "test").unwrap();
    drop((conn, lock));

    let mut other = SqliteSource::open(&empty().path(), Timestamp::EPOCH).unwrap();
    let refused = begin(&mut other, &target);
    assert!(matches!(refused, Err(NotBegun::OtherSource)), "{refused:?}");
    let more = "INSERT INTO server_secrets (tenant_id, name, value) \
         VALUES ('00000000-0000-0000-0000-000000000000', 'more', x'00')";
    run(&target, more);
    let refused = begin(&mut source, &target);
    assert!(matches!(refused, Err(NotBegun::NotEmpty)), "{refused:?}");
    let half = open(&target.path(), Durability::Off).err();
    assert!(matches!(half, Some(OpenError::HalfCopied)), "{half:?}");
}

/// Every write moves a lane, so a source that was written to is another one.
#[test]
fn a_source_that_was_written_to_is_another_one() {
    let file = shop();
    let mut source = SqliteSource::open(&file.path(), Timestamp::EPOCH).unwrap();
    let before = copy::fingerprint(&mut source).unwrap();
    assert_eq!(copy::fingerprint(&mut source).unwrap(), before);
    drop(source);
    let (conn, lock) = open_for_migration(&file.path()).unwrap();
    conn.execute("UPDATE lanes SET last_at = last_at + 1 WHERE seq > 0", [])
        .unwrap();
    drop((conn, lock));
    let mut source = SqliteSource::open(&file.path(), Timestamp::EPOCH).unwrap();
    assert_ne!(copy::fingerprint(&mut source).unwrap(), before);
}

#[test]
fn a_file_in_use_and_answers_without_an_owner_are_refused() {
    let file = shop();
    let used = file.open(Durability::Off);
    let refused = SqliteSource::open(&file.path(), Timestamp::EPOCH)
        .err()
        .unwrap()
        .to_string();
    assert!(refused.contains("another process uses"), "{refused}");
    drop(used);
    let (conn, lock) = open_for_migration(&file.path()).unwrap();
    let sql = "UPDATE idempotency_answers SET tenant_id = NULL WHERE answer_id = 1";
    assert_eq!(conn.execute(sql, []).unwrap(), 1);
    let sql = "SELECT created_at FROM idempotency_answers WHERE answer_id = 1";
    let given: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    drop((conn, lock));
    let expired = Timestamp::from_millis;
    let refused = SqliteSource::open(&file.path(), expired(given)).err();
    let refused = refused.unwrap().to_string();
    assert!(
        refused.starts_with("1 answers under idempotency keys"),
        "{refused}"
    );
    let mut source = SqliteSource::open(&file.path(), expired(given + 1)).unwrap();
    let copied: u64 = source
        .lanes()
        .unwrap()
        .into_iter()
        .map(|lane| source.count(&ANSWERS, lane).unwrap())
        .sum();
    let conn = rusqlite::Connection::open(file.path()).unwrap();
    let kept = "SELECT count(*) FROM idempotency_keys";
    let kept: i64 = conn.query_row(kept, [], |row| row.get(0)).unwrap();
    assert_eq!(i64::try_from(copied).unwrap(), kept - 1);
}

/// Of answers under one key, only the one that stands under it counts.
#[test]
fn an_answer_that_was_replaced_is_not_copied() {
    let file = shop();
    let answers = |file: &File| {
        let mut source = SqliteSource::open(&file.path(), Timestamp::EPOCH).unwrap();
        let lanes = source.lanes().unwrap();
        let mut rows = Vec::new();
        for lane in lanes {
            let mut take = |page: Vec<Row>| {
                rows.extend(page);
                Ok(())
            };
            source.rows(&ANSWERS, lane, 0, &mut take).unwrap();
        }
        rows
    };
    let before = answers(&file);
    run(
        &file,
        "INSERT INTO idempotency_answers (answer_id, tenant_id, key, fingerprint, status, body, \
         seq, created_at) SELECT -answer_id, tenant_id, key, fingerprint, status, body, seq, \
         created_at - 1 FROM idempotency_answers",
    );
    assert_eq!(answers(&file), before);
}
