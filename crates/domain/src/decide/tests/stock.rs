//! Allocation: the same function says what is there and takes it.

use super::{Shop, line, place, unknown};
use crate::allocation::available;
use crate::decide::{AdjustStock, SetStock};
use crate::limits::{QUANTITY_MAX, STOCK_MAX};
use crate::rejection::Rejection;

#[test]
fn all_lines_or_none_and_every_short_one_is_named() {
    let mut shop = Shop::new();
    let (a, b, c) = (
        shop.variant(100, 3),
        shop.variant(100, 0),
        shop.variant(100, 1),
    );
    let Err(Rejection::InsufficientStock(short)) = shop.order(&[(a, 2), (b, 1), (c, 2), (a, 2)])
    else {
        panic!("must be refused");
    };
    let mut found: Vec<_> = short
        .iter()
        .map(|s| (s.variant_id, s.requested, s.available))
        .collect();
    found.sort();
    let mut expected = vec![(a, 4, 3), (b, 1, 0), (c, 2, 1)];
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(shop.stock(a), (3, 0));
    shop.order(&[(a, 2), (c, 1), (a, 1)]).unwrap();
    assert_eq!((shop.stock(a), shop.stock(c)), ((3, 3), (1, 1)));
}

/// Figures of two locations, what is wanted, and which location gives how many.
#[test]
fn one_location_with_everything_comes_first_then_priority() {
    let cases: [(i64, i64, i64, &[i64]); 6] = [
        (5, 5, 5, &[5, 0]),
        (4, 5, 5, &[0, 5]),
        (3, 4, 5, &[3, 2]),
        (0, 4, 4, &[0, 4]),
        (3, 0, 3, &[3, 0]),
        (3, 4, 7, &[3, 4]),
    ];
    for (first, second, wanted, expected) in cases {
        let mut shop = Shop::new();
        let variant = shop.variant(100, first);
        let home = shop.state.default_location().unwrap();
        let other = shop.location("other", 5);
        shop.set(variant, other, second);
        assert_eq!(available(&shop.state, variant), first + second);
        let order = shop.order(&[(variant, wanted)]).unwrap();
        let taken = |place| {
            let level = shop.state.levels.get(&(variant, place));
            level.map_or(0, |level| level.reserved_stock)
        };
        assert_eq!(
            [taken(home), taken(other)],
            *expected,
            "{first}+{second}, {wanted} wanted"
        );
        let whole = expected.contains(&wanted);
        assert_eq!(shop.of(order).items[0].location_id.is_some(), whole);
        assert!(
            shop.order(&[(variant, first + second - wanted + 1)])
                .is_err()
        );
    }
}

#[test]
fn a_named_location_gives_all_or_the_order_is_refused() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 5);
    let other = shop.location("other", 5);
    shop.set(variant, other, 2);
    let forced = |quantity| {
        let mut order = place(&[]);
        let mut line = line(variant, quantity);
        line.location_id = Some(other);
        order.lines.push(line);
        order
    };
    assert_eq!(shop.code(forced(3)), "insufficient_stock");
    assert_eq!(shop.code(forced(2)), "ok");
    assert_eq!(shop.code(forced(1)), "insufficient_stock");
}

#[test]
fn backorders_go_below_zero_as_far_as_they_may() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 1);
    let backorder = SetStock {
        variant_id: variant,
        location_id: None,
        stock_quantity: None,
        low_stock_threshold: None,
        backorder_limit: Some(2),
        version: None,
    };
    shop.run(backorder.clone()).unwrap();
    assert_eq!(available(&shop.state, variant), 3);
    let order = shop.order(&[(variant, 3)]).unwrap();
    assert_eq!(shop.code(place(&[(variant, 1)])), "insufficient_stock");
    shop.run(super::pay(order, "r")).unwrap();
    assert_eq!(shop.stock(variant), (-2, 0));
    let less = SetStock {
        backorder_limit: Some(1),
        ..backorder
    };
    assert_eq!(shop.code(less), "insufficient_stock");
}

#[test]
fn quantities_and_deltas_outside_their_bounds_are_refused() {
    let mut shop = Shop::new();
    let variant = shop.variant(1, STOCK_MAX);
    for quantity in [0, -1, QUANTITY_MAX + 1, i64::MAX, i64::MIN] {
        assert_eq!(
            shop.code(place(&[(variant, quantity)])),
            "validation_failed",
            "{quantity}"
        );
    }
    assert_eq!(shop.code(place(&[(variant, QUANTITY_MAX)])), "ok");
    assert_eq!(shop.code(place(&[(unknown(), 1)])), "validation_failed");
    assert_eq!(shop.code(place(&[])), "validation_failed");
    assert_eq!(
        shop.code(place(&vec![(variant, 1); 101])),
        "validation_failed"
    );
    for delta in [0, 1, STOCK_MAX + 1, i64::MIN, i64::MAX] {
        let reason = "count".to_owned();
        let adjust = AdjustStock {
            variant_id: variant,
            location_id: None,
            delta,
            reason,
        };
        assert_eq!(shop.code(adjust), "validation_failed", "{delta}");
    }
}

#[test]
fn movements_chain_back_to_the_first() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 5);
    let first = shop.state.levels_of(variant).next().unwrap().last_seq;
    shop.order(&[(variant, 1)]).unwrap();
    let level = shop.state.levels_of(variant).next().unwrap();
    assert!(level.last_seq > first);
    assert_eq!(level.version, 2);
}
