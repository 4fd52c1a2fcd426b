//! Other servers hear of what the platform's lane commits.

use std::cell::Cell;
use std::time::Duration;

use sim::world::World;
use store_postgres::listen::listen;
use tokio_util::sync::CancellationToken;

use super::{Database, Simulated, block_on, codec};

/// Waits until it was heard more than `before` times.
async fn heard(count: &Cell<usize>, before: usize) -> usize {
    while count.get() <= before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    count.get()
}

#[test]
fn a_batch_of_the_platform_is_heard_and_a_shops_is_not() {
    let codec = codec();
    block_on(async {
        let database = Database::migrated().await;
        let (count, stop) = (Cell::new(0), CancellationToken::new());
        let hear = || count.set(count.get() + 1);
        let listening = listen(database.address(), stop.clone(), hear);
        let work = async {
            let opened = heard(&count, 0).await;
            let store = Simulated::new(&database);
            let mut world = World::new(store, &codec, 5).await.unwrap();
            let made = heard(&count, opened).await;
            world.run(40).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(count.get(), made, "shops' batches send nothing");
            stop.cancel();
        };
        tokio::join!(listening, work);
    });
}
