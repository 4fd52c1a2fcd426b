//! Holds end at their very moment, and money that comes then finds an answer.

use super::{Shop, pay, place};
use crate::command::Reply;
use crate::decide::{
    CancelOrder, ConfirmPayment, PaymentRequest, ProviderOutcome, ProviderResult, StartPayment,
};
use crate::ids::{OrderId, PaymentId};
use crate::money::{Amount, Currency};
use crate::order::{OrderStatus, PAYMENT_TIMEOUT, PaymentState};
use crate::payment::{PaymentStatus, Provider};

const HOLD: i64 = 15 * 60_000;

fn start(shop: &mut Shop, order_id: OrderId) -> PaymentId {
    let request = PaymentRequest {
        provider: Some(Provider::Mock),
        ..PaymentRequest::default()
    };
    match shop.run(StartPayment { order_id, request }) {
        Ok(Reply::Payment(id)) => id,
        other => panic!("{other:?}"),
    }
}

fn succeeded(payment_id: PaymentId, amount: i64) -> ProviderResult {
    let outcome = ProviderOutcome::Succeeded {
        provider_payment_id: "p".to_owned(),
        amount: Amount::new(amount).unwrap(),
        currency: Currency::parse("EUR").unwrap(),
        fee: None,
    };
    ProviderResult {
        payment_id,
        outcome,
    }
}

fn status(shop: &Shop, payment: PaymentId) -> PaymentStatus {
    shop.state.payment(payment).unwrap().status
}

#[test]
fn the_last_millisecond_is_held_and_the_next_is_free() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 1);
    let order = shop.order(&[(variant, 1)]).unwrap();
    shop.pass(HOLD - 1);
    assert_eq!(shop.code(place(&[(variant, 1)])), "insufficient_stock");
    shop.pass(1);
    shop.order(&[(variant, 1)]).unwrap();
    let expired = shop.of(order);
    assert_eq!(expired.status, OrderStatus::Cancelled);
    assert_eq!(expired.payment_status, PaymentState::Expired);
    assert_eq!(expired.admin_notes.as_deref(), Some(PAYMENT_TIMEOUT));
    assert_eq!(expired.payment_expires_at, None);
}

#[test]
fn a_confirmation_is_decided_by_its_time() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 2);
    let (in_time, late) = (
        shop.order(&[(variant, 1)]).unwrap(),
        shop.order(&[(variant, 1)]).unwrap(),
    );
    shop.pass(HOLD - 1);
    shop.run(pay(in_time, "a")).unwrap();
    shop.pass(1);
    let rival = shop.order(&[(variant, 1)]).unwrap();
    assert_eq!(shop.code(pay(late, "b")), "insufficient_stock");
    shop.run(CancelOrder {
        order_id: rival,
        reason: None,
        only_unpaid: false,
    })
    .unwrap();
    shop.run(pay(late, "b")).unwrap();
    assert_eq!(shop.of(late).status, OrderStatus::Paid);
    assert_eq!(shop.stock(variant), (0, 0));
    assert_eq!(shop.code(pay(rival, "c")), "already_cancelled");
}

#[test]
fn late_money_revives_or_goes_back_once() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 1);
    let order = shop.order(&[(variant, 1)]).unwrap();
    let payment = start(&mut shop, order);
    shop.pass(HOLD);
    let rival = shop.order(&[(variant, 1)]).unwrap();
    assert_eq!(status(&shop, payment), PaymentStatus::Cancelled);
    for _ in 0..3 {
        shop.run(succeeded(payment, 100)).unwrap();
    }
    assert_eq!(status(&shop, payment), PaymentStatus::Refunded);
    assert_eq!(shop.state.refunds_of(order).count(), 1);
    assert_eq!(shop.of(order).status, OrderStatus::Cancelled);
    let cancelled = start(&mut shop, rival);
    shop.run(CancelOrder {
        order_id: rival,
        reason: None,
        only_unpaid: false,
    })
    .unwrap();
    shop.run(succeeded(cancelled, 100)).unwrap();
    assert_eq!(status(&shop, cancelled), PaymentStatus::Refunded);
    assert_eq!(shop.stock(variant), (1, 0));
    let again = shop.order(&[(variant, 1)]).unwrap();
    let late = start(&mut shop, again);
    shop.pass(HOLD * 2);
    shop.run(succeeded(late, 100)).unwrap();
    assert_eq!(shop.of(again).status, OrderStatus::Paid);
    assert_eq!(
        shop.code(succeeded(late, 99)),
        "amount_mismatch",
        "what is settled stays settled"
    );
}

#[test]
fn a_wrong_amount_is_refused_and_a_second_success_goes_back() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 1);
    let order = shop.order(&[(variant, 1)]).unwrap();
    let first = start(&mut shop, order);
    assert_eq!(shop.code(succeeded(first, 99)), "amount_mismatch");
    let failed = ProviderOutcome::Failed {
        code: "declined".to_owned(),
    };
    shop.run(ProviderResult {
        payment_id: first,
        outcome: failed,
    })
    .unwrap();
    assert_eq!(shop.of(order).payment_status, PaymentState::Failed);
    let second = start(&mut shop, order);
    assert_ne!(first, second);
    assert_eq!(
        start(&mut shop, order),
        second,
        "the pending one is answered"
    );
    shop.run(ConfirmPayment { payment_id: second }).unwrap();
    shop.run(ConfirmPayment { payment_id: second }).unwrap();
    shop.run(succeeded(first, 100)).unwrap();
    assert_eq!(status(&shop, first), PaymentStatus::Refunded);
    assert_eq!(status(&shop, second), PaymentStatus::Succeeded);
    assert_eq!(shop.of(order).status, OrderStatus::Paid);
}

#[test]
fn a_hold_too_short_for_the_provider_is_lengthened_within_the_cap() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 1);
    let order = shop.order(&[(variant, 1)]).unwrap();
    let before = shop.of(order).payment_expires_at.unwrap();
    shop.pass(HOLD - 1_000);
    let payment = start(&mut shop, order);
    let after = shop.of(order).payment_expires_at.unwrap();
    assert_eq!(
        after.since(shop.now),
        180_000,
        "a minute to pay and two of grace"
    );
    assert_eq!(after.since(before), shop.of(order).hold_extended_millis);
    let deadline = shop.state.payment(payment).unwrap().expires_at.unwrap();
    assert_eq!(after.since(deadline), 120_000);
}
