//! A simulator that finds nothing proves nothing: each planted bug must be found, on every run.

use domain::planted::{Bug, plant};

use super::history;

/// Histories in which a planted bug must show itself.
const HISTORIES: u64 = 40;

#[test]
fn every_planted_bug_is_found() {
    assert!(!found(None), "a history breaks without any bug");
    std::panic::set_hook(Box::new(|_| {}));
    let missed: Vec<Bug> = Bug::ALL
        .into_iter()
        .filter(|bug| !found(Some(*bug)))
        .collect();
    drop(std::panic::take_hook());
    assert!(missed.is_empty(), "not found: {missed:?}");
}

/// Whether some history breaks, or trips an assertion, with the bug planted.
fn found(bug: Option<Bug>) -> bool {
    plant(bug);
    let broken = (0..HISTORIES)
        .any(|seed| std::panic::catch_unwind(|| history(seed, 300).is_err()).unwrap_or(true));
    plant(None);
    broken
}
