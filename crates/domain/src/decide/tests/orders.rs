//! The whole matrix: every state of an order against every command on it.

use super::{Shop, line, pay, place};
use crate::decide::{
    CancelOrder, ChangeStatus, ContactPatch, LockOrder, PaymentRequest, RefundPayment, ReviseOrder,
    SetShipping, StartPayment,
};
use crate::ids::OrderId;
use crate::money::Amount;
use crate::order::OrderStatus;
use crate::payment::PaymentStatus;
use crate::pricing::Charges;

/// Brings a new order into a state.
fn bring(shop: &mut Shop, state: &str) -> OrderId {
    let variant = shop.variant(1_000, 10);
    let mut order = place(&[(variant, 2)]);
    order.draft = state.starts_with("draft");
    let reply = shop.run(order).unwrap();
    let crate::command::Reply::Order { id, .. } = reply else {
        panic!("{reply:?}")
    };
    let go = |shop: &mut Shop, status| {
        shop.run(ChangeStatus {
            order_id: id,
            status,
            notes: None,
        })
        .unwrap();
    };
    match state {
        "draft" | "pending" => {}
        "draft locked" | "pending locked" => {
            shop.run(LockOrder { order_id: id }).unwrap();
        }
        "expired" => {
            shop.pass(15 * 60_000);
            shop.run(crate::decide::Sweep).unwrap();
        }
        "cancelled" => {
            shop.run(CancelOrder {
                order_id: id,
                reason: None,
                only_unpaid: false,
            })
            .unwrap();
        }
        _ => {
            shop.run(pay(id, "paid")).unwrap();
        }
    }
    if matches!(state, "processing" | "shipped" | "delivered") {
        go(shop, OrderStatus::Processing);
    }
    if matches!(state, "shipped" | "delivered") {
        go(shop, OrderStatus::Shipped);
    }
    if state == "delivered" {
        go(shop, OrderStatus::Delivered);
    }
    if state == "refunded" {
        let payment_id = shop.state.payments_of(id).next().unwrap().id;
        let (amount, items, reason) = (None, Vec::new(), None);
        shop.run(RefundPayment {
            payment_id,
            amount,
            items,
            restock: false,
            reason,
        })
        .unwrap();
    }
    id
}

fn revise(shop: &Shop, order_id: OrderId) -> ReviseOrder {
    let variant = shop.of(order_id).items[0].variant_id;
    ReviseOrder {
        order_id,
        lines: Some(vec![line(variant, 1)]),
        discount: None,
        tax: None,
        shipping: None,
        contact: ContactPatch::default(),
        notes: None,
        admin_notes: None,
        version: None,
    }
}

#[test]
fn every_state_against_every_command() {
    // pay anew, pay again by the same reference, cancel, lock, start a payment, revise, ship
    let table: [(&str, [&str; 7]); 11] = [
        (
            "draft",
            ["ok", "ok", "ok", "ok", "ok", "ok", "invalid_state"],
        ),
        (
            "draft locked",
            [
                "ok",
                "ok",
                "ok",
                "order_already_locked",
                "ok",
                "order_locked",
                "invalid_state",
            ],
        ),
        (
            "pending",
            ["ok", "ok", "ok", "ok", "ok", "ok", "invalid_state"],
        ),
        (
            "pending locked",
            [
                "ok",
                "ok",
                "ok",
                "order_already_locked",
                "ok",
                "order_locked",
                "invalid_state",
            ],
        ),
        (
            "paid",
            [
                "already_paid",
                "ok",
                "ok",
                "order_already_locked",
                "already_paid",
                "order_locked",
                "ok",
            ],
        ),
        (
            "processing",
            [
                "already_paid",
                "ok",
                "ok",
                "order_already_locked",
                "already_paid",
                "order_locked",
                "ok",
            ],
        ),
        (
            "shipped",
            [
                "already_paid",
                "ok",
                "invalid_state",
                "order_already_locked",
                "already_paid",
                "order_locked",
                "ok",
            ],
        ),
        (
            "delivered",
            [
                "already_paid",
                "ok",
                "invalid_state",
                "order_already_locked",
                "already_paid",
                "order_locked",
                "ok",
            ],
        ),
        (
            "expired",
            [
                "ok",
                "ok",
                "already_cancelled",
                "invalid_state",
                "already_cancelled",
                "invalid_state",
                "invalid_state",
            ],
        ),
        (
            "cancelled",
            [
                "already_cancelled",
                "already_cancelled",
                "already_cancelled",
                "invalid_state",
                "already_cancelled",
                "invalid_state",
                "invalid_state",
            ],
        ),
        (
            "refunded",
            [
                "already_paid",
                "ok",
                "invalid_state",
                "order_already_locked",
                "already_paid",
                "order_locked",
                "invalid_state",
            ],
        ),
    ];
    for (state, expected) in table {
        let codes: Vec<&str> = (0..7)
            .map(|which| {
                let mut shop = Shop::new();
                let id = bring(&mut shop, state);
                match which {
                    0 => shop.code(pay(id, "other")),
                    1 => shop.code(pay(id, "paid")),
                    2 => shop.code(CancelOrder {
                        order_id: id,
                        reason: None,
                        only_unpaid: false,
                    }),
                    3 => shop.code(LockOrder { order_id: id }),
                    4 => shop.code(StartPayment {
                        order_id: id,
                        request: PaymentRequest::default(),
                    }),
                    5 => {
                        let command = revise(&shop, id);
                        shop.code(command)
                    }
                    _ => {
                        let tracking_number = "T".to_owned();
                        shop.code(SetShipping {
                            order_id: id,
                            tracking_number,
                            carrier: None,
                        })
                    }
                }
            })
            .collect();
        assert_eq!(codes, expected, "{state}");
    }
}

/// From and to: which moves the status endpoint may make.
#[test]
fn status_moves_along_the_arrows_only() {
    let states = [
        "draft",
        "pending",
        "paid",
        "processing",
        "shipped",
        "delivered",
        "cancelled",
        "refunded",
    ];
    let allowed = [
        ("draft", "pending"),
        ("paid", "processing"),
        ("processing", "shipped"),
        ("shipped", "delivered"),
        ("draft", "cancelled"),
        ("pending", "cancelled"),
        ("paid", "cancelled"),
        ("processing", "cancelled"),
    ];
    for from in states {
        for to in states {
            let mut shop = Shop::new();
            let order_id = bring(&mut shop, from);
            let status = OrderStatus::parse(to).unwrap();
            let code = shop.code(ChangeStatus {
                order_id,
                status,
                notes: None,
            });
            let expected = match (from, to) {
                _ if allowed.contains(&(from, to)) => "ok",
                ("cancelled", "cancelled") => "already_cancelled",
                _ => "invalid_state",
            };
            assert_eq!(code, expected, "{from} → {to}");
        }
    }
}

#[test]
fn totals_add_up_and_discounts_stay_within_what_they_discount() {
    let mut shop = Shop::new();
    let variant = shop.variant(1_000, 10);
    let mut settings = shop.state.tenant().unwrap().clone();
    settings.settings.tax_rate_bps = 1_900;
    settings.settings.shipping_flat_fee = Amount::new(490).unwrap();
    settings.settings.free_shipping_over = Amount::new(5_000);
    shop.state.tenants.load(settings.id, settings);
    let amount = |minor| Amount::new(minor).unwrap();
    // units, line discount, order discount, given tax, given shipping → total
    let cases = [
        (1, 0, 0, None, None, 1_000 + 190 + 490),
        (5, 0, 0, None, None, 5_000 + 950),
        (5, 1, 0, None, None, 4_999 + 950 + 490),
        (2, 500, 300, None, None, 1_200 + 228 + 490),
        (2, 0, 2_000, None, Some(0), 0),
        (1, 0, 0, Some(7), Some(3), 1_010),
    ];
    for (units, line_discount, discount, tax, shipping, total) in cases {
        let mut order = place(&[(variant, units)]);
        order.draft = true;
        order.lines[0].discount = amount(line_discount);
        order.charges = Charges {
            discount: amount(discount),
            tax: tax.map(amount),
            shipping: shipping.map(amount),
        };
        let reply = shop.run(order).unwrap();
        let crate::command::Reply::Order { id, .. } = reply else {
            panic!("{reply:?}")
        };
        let totals = shop.of(id).totals;
        assert_eq!(totals.total_amount, amount(total));
        let sum = totals.subtotal.minor() - totals.discount_amount.minor()
            + totals.tax_amount.minor()
            + totals.shipping_fee.minor();
        assert_eq!(sum, total);
    }
    let mut order = place(&[(variant, 1)]);
    order.lines[0].discount = amount(1_001);
    assert_eq!(shop.code(order), "validation_failed");
    let mut order = place(&[(variant, 1)]);
    order.charges.discount = amount(1_001);
    assert_eq!(shop.code(order), "validation_failed");
}

#[test]
fn sums_that_leave_the_bounds_of_money_are_refused() {
    let mut shop = Shop::new();
    let dear = shop.variant(1_000_000_000_000_000, 1_000_000);
    assert_eq!(shop.code(place(&[(dear, 1)])), "ok");
    assert_eq!(shop.code(place(&[(dear, 2)])), "validation_failed");
    assert_eq!(shop.code(place(&[(dear, 1_000_000)])), "validation_failed");
    assert_eq!(
        shop.code(place(&[(dear, 1), (dear, 1)])),
        "validation_failed"
    );
}

#[test]
fn refunds_are_bounded_by_what_is_left() {
    let mut shop = Shop::new();
    let order = bring(&mut shop, "paid");
    let payment_id = shop.state.payments_of(order).next().unwrap().id;
    let refund = |amount: Option<i64>, restock| RefundPayment {
        payment_id,
        amount: amount.and_then(Amount::new),
        items: Vec::new(),
        restock,
        reason: None,
    };
    assert_eq!(
        shop.code(refund(Some(2_001), false)),
        "refund_exceeds_payment"
    );
    assert_eq!(shop.code(refund(Some(1_500), false)), "ok");
    assert_eq!(
        shop.code(refund(Some(501), false)),
        "refund_exceeds_payment"
    );
    assert_eq!(shop.code(refund(None, true)), "ok");
    assert_eq!(shop.code(refund(None, false)), "refund_exceeds_payment");
    assert_eq!(
        shop.state.payment(payment_id).unwrap().status,
        PaymentStatus::Refunded
    );
    let variant = shop.of(order).items[0].variant_id;
    assert_eq!(shop.stock(variant), (10, 0));
}
