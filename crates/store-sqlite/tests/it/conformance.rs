//! Simulated histories over SQLite give the answers and the state that they give over memory.

use sim::conformance::same_as_memory;

use super::{Simulated, block_on, codec};

fn run(seeds: std::ops::Range<u64>) {
    let codec = codec();
    for seed in seeds {
        if let Err(broken) = block_on(same_as_memory(Simulated::new(), &codec, seed, 300)) {
            panic!("{broken:?}");
        }
    }
}

#[test]
fn five_hundred_histories_end_as_in_memory_first_half() {
    run(0..250);
}

#[test]
fn five_hundred_histories_end_as_in_memory_second_half() {
    run(250..500);
}
