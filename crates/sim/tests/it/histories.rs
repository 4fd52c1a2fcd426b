//! Histories that must be right.

use super::history;

/// Seeds that failed once; they run first for ever.
const REGRESSIONS: &[u64] = &[];

fn run(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        if let Err(broken) = history(seed, 300) {
            panic!("{broken:?}\nreplay: cargo xtask sim {seed} 300");
        }
    }
}

#[test]
fn seeds_that_failed_once_stay_right() {
    run(REGRESSIONS.iter().copied());
}

#[test]
fn two_thousand_histories_are_right_first_half() {
    run(0..1_000);
}

#[test]
fn two_thousand_histories_are_right_second_half() {
    run(1_000..2_000);
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [1, 42, 1_999] {
        assert_eq!(history(seed, 300).unwrap(), history(seed, 300).unwrap());
    }
}

#[test]
fn histories_reach_every_answer() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..60 {
        seen.extend(history(seed, 300).unwrap().into_iter().filter_map(|line| {
            let mut words = line.split(' ').skip(1).map(str::to_owned);
            Some((words.next()?, words.next()?))
        }));
    }
    let expected = [
        ("PlaceOrder", "ok"),
        ("PlaceOrder", "insufficient_stock"),
        ("PlaceOrder", "validation_failed"),
        ("PlaceOrder", "idempotency_key_reused"),
        ("ConvertCart", "cart_empty"),
        ("AddCartItem", "cart_converted"),
        ("RecordPayment", "ok"),
        ("RecordPayment", "already_paid"),
        ("RecordPayment", "already_cancelled"),
        ("RecordPayment", "insufficient_stock"),
        ("CancelOrder", "ok"),
        ("CancelOrder", "already_cancelled"),
        ("CancelOrder", "invalid_state"),
        ("LockOrder", "order_already_locked"),
        ("LockOrder", "invalid_state"),
        ("StartPayment", "already_paid"),
        ("StartPayment", "already_cancelled"),
        ("ProviderResult", "amount_mismatch"),
        ("RefundPayment", "ok"),
        ("RefundPayment", "refund_exceeds_payment"),
        ("ReviseOrder", "ok"),
        ("ReviseOrder", "order_locked"),
        ("AdjustStock", "insufficient_stock"),
        ("AdjustStock", "validation_failed"),
        ("ChangeStatus", "ok"),
        ("ChangeStatus", "invalid_state"),
        ("ChangeStatus", "order_on_hold"),
        ("SetShipping", "order_on_hold"),
        ("PlaceOrder", "read_only"),
        ("MoveControls", "ok"),
        ("HoldOrder", "invalid_state"),
        ("ReleaseOrder", "ok"),
    ];
    for (command, code) in expected {
        let pair = (command.to_owned(), code.to_owned());
        assert!(seen.contains(&pair), "{command} never answered {code}");
    }
}
