//! From SQLite to PostgreSQL and back: every cell is what it was.

use std::path::{Path, PathBuf};

use domain::ids::{TenantId, TypedId as _};
use domain::time::Timestamp;
use engine::audit::{audit, differences};
use engine::reader::Snapshot as _;
use rows::copy::{self, Compared, Source, Target};
use sim::world::World;
use store_postgres::copy::{PostgresTarget, is_under_way};
use store_postgres::snapshot::PostgresSnapshot;
use store_sqlite::copy::{SqliteSource, SqliteTarget};
use store_sqlite::database::open_for_migration;
use store_sqlite::snapshot::SqliteSnapshot;
use throwaway::Folder;

use super::{Database, Simulated, block_on, codec};

fn file(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    let (mut conn, _lock) = open_for_migration(&path).unwrap();
    store_sqlite::migrate::up(&mut conn, 0, "test").unwrap();
    path
}

fn take_over(source: &mut dyn Source, target: &mut dyn Target) {
    let fingerprint = copy::fingerprint(source).unwrap();
    assert_eq!(target.begun().unwrap(), None);
    target.begin(&fingerprint).unwrap();
    assert_eq!(target.begun().unwrap(), Some(fingerprint));
    copy::copy(source, target, &|_| ()).unwrap();
}

fn assert_same(compared: &[Compared]) {
    for table in compared {
        assert!(table.same(), "{}", table.table);
        assert_eq!(table.source.rows, table.target.rows, "{}", table.table);
        assert_eq!(table.source.balances, table.target.balances);
    }
    assert!(compared.iter().any(|table| table.source.rows > 100));
}

/// Copies a PostgreSQL into a new file.
fn into_file(database: &Database, path: &Path) {
    let mut source = PostgresSnapshot::open_alone(&database.address()).unwrap();
    let mut target = SqliteTarget::open(path).unwrap();
    take_over(&mut source, &mut target);
    let mut there = SqliteSnapshot::open(path).unwrap();
    assert_same(&copy::compare(&mut source, &mut there, &|_| ()).unwrap());
    target.finish(&source.lanes().unwrap()).unwrap();
}

/// Whoever dies while notes are taken back has taken none back.
fn assert_finishes_at_once(target: &mut PostgresTarget, there: &Database, lanes: &[TenantId]) {
    let notes = || there.sql("SELECT count(*) FROM copy_progress");
    let before = notes();
    for lane in lanes {
        let id = lane.uuid();
        there.sql(&format!(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF OLD.tenant_id = '{id}' THEN RAISE EXCEPTION 'dead'; END IF; RETURN OLD; END $$; \
             CREATE TRIGGER dies BEFORE DELETE ON copy_progress FOR EACH ROW \
             EXECUTE FUNCTION die()"
        ));
        let died = target.finish(lanes).unwrap_err();
        assert!(died.to_string().contains("dead"), "{died}");
        assert_eq!(notes(), before);
        there.sql("DROP FUNCTION die CASCADE");
    }
    let back = block_on(store_postgres::migrate::down(&there.address(), 5, true));
    let back = back.unwrap_err().to_string();
    assert!(back.contains("is not done"), "{back}");
    block_on(store_postgres::migrate::up(&there.address(), 0, "test")).unwrap();
    target.finish(lanes).unwrap();
    assert_eq!(notes(), "0");
}

#[test]
fn a_shop_moves_to_sqlite_and_to_another_postgresql() {
    let codec = codec();
    let (database, moved) = block_on(async {
        let database = Database::migrated().await;
        let mut world = World::without_providers(Simulated::new(&database), &codec, 21)
            .await
            .unwrap();
        world.run(600).await.unwrap();
        (database, Database::migrated().await)
    });
    let folder = Folder::new("copy").unwrap();
    let path = file(&folder, "shop.db");
    into_file(&database, &path);

    let mut source = SqliteSource::open(&path, Timestamp::EPOCH).unwrap();
    let mut target = PostgresTarget::open(&moved.address()).unwrap();
    let second = PostgresTarget::open(&moved.address()).err().unwrap();
    assert!(second.to_string().contains("another copy"), "{second}");
    take_over(&mut source, &mut target);
    let under_way = || block_on(is_under_way(&moved.connections())).unwrap();
    assert!(under_way());
    let mut there = PostgresSnapshot::open(&moved.address()).unwrap();
    assert_same(&copy::compare(&mut source, &mut there, &|_| ()).unwrap());
    // Steps of the schema wait for whoever looks.
    drop(there);
    assert_finishes_at_once(&mut target, &moved, &source.lanes().unwrap());
    assert!(!under_way());

    let mut there = PostgresSnapshot::open(&moved.address()).unwrap();
    let report = audit(&mut there, &codec).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    let mut first = PostgresSnapshot::open(&database.address()).unwrap();
    let tenant = first.tenants().unwrap().pop().unwrap().id;
    let (ours, theirs) = (
        first.whole_state(tenant).unwrap(),
        there.whole_state(tenant).unwrap(),
    );
    assert_eq!(differences(&ours, &theirs), Vec::<String>::new());
    let directories = "SELECT (SELECT string_agg(slug || of_tenant_id, ' ' ORDER BY slug) \
         FROM tenant_slugs), (SELECT string_agg(hash::text || key_id, ' ' ORDER BY hash) \
         FROM api_key_hashes)";
    assert_eq!(database.sql(directories), moved.sql(directories));
}

/// Nobody writes to a PostgreSQL while it is copied.
#[test]
fn a_source_is_kept_as_it_is() {
    let codec = codec();
    block_on(async {
        let database = Database::migrated().await;
        let mut world = World::new(Simulated::new(&database), &codec, 5)
            .await
            .unwrap();
        world.run(20).await.unwrap();
        let source = PostgresSnapshot::open_alone(&database.address()).unwrap();
        let write = "SET lock_timeout = '100ms'; UPDATE lanes SET seq = seq";
        let refused = database.cluster.sql(&database.name, write).unwrap_err();
        assert!(refused.to_string().contains("lock timeout"), "{refused}");
        drop(source);
        world.run(20).await.unwrap();
    });
}
