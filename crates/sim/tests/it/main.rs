//! Simulated histories over memory, and the bugs that they must find.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod histories;
mod planted;

use std::sync::Arc;

use engine::memory_store::MemoryStore;
use sim::world::{Broken, World};
use wire::codec::JsonCodec;
use wire::token::Tokens;

fn codec() -> Arc<JsonCodec> {
    Arc::new(JsonCodec {
        tokens: Tokens::new(&[7; 32]),
        public_url: String::new(),
    })
}

/// Runs one history over memory; its trace.
fn history(seed: u64, commands: usize) -> Result<Vec<String>, Broken> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let codec = codec();
    runtime.block_on(async {
        let mut world = World::new(MemoryStore::default(), &*codec, seed).await?;
        world.run(commands).await?;
        Ok(world.trace)
    })
}
