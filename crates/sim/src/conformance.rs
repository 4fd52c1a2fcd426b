//! What every store must pass, beside the simulated histories themselves: the same commands leave
//! the same state as in memory, and what a batch was refused leaves no trace.

use engine::audit::differences;
use engine::codec::Codec;
use engine::memory_store::MemoryStore;

use crate::world::{Broken, Watched, World};

/// Runs one history over a store and over memory and compares answers and whole states.
pub async fn same_as_memory<S: Watched>(
    store: S,
    codec: &dyn Codec,
    seed: u64,
    commands: usize,
) -> Result<(), Broken> {
    let mut theirs = World::new(store, codec, seed).await?;
    theirs.run(commands).await?;
    let mut ours = World::new(MemoryStore::default(), codec, seed).await?;
    ours.run(commands).await?;
    let broken = |what: String| Broken {
        seed,
        commands,
        what,
    };
    if ours.trace != theirs.trace {
        return Err(broken(
            "the answers differ from those over memory".to_owned(),
        ));
    }
    let found = differences(&ours.state()?, &theirs.state()?);
    if found.is_empty() {
        Ok(())
    } else {
        Err(broken(found.join("; ")))
    }
}
