//! Payments and refunds at other people's servers.

use super::*;
use crate::decide::{
    CancelOrder, ConfirmPayment, PaymentRequest, ProviderOutcome, ProviderResult, RecordBegun,
    RefundOutcome, RefundPayment, RefundResult, ReleaseOrder, SetPaymentAccount, StartPayment,
};
use crate::ids::{PaymentId, RefundId};
use crate::order::{OrderStatus, PaymentState};
use crate::payment::{
    Dispute, PayPage, Payment, PaymentStatus, Provider, Refund, RefundStatus, Stage,
};

const TOTAL: i64 = 1_000;

fn amount(minor: i64) -> Amount {
    Amount::new(minor).unwrap()
}

fn with_account() -> (Shop, OrderId) {
    let mut shop = Shop::new();
    for provider in [Provider::Stripe, Provider::Vnpay] {
        let account = SetPaymentAccount {
            provider,
            values: std::collections::BTreeMap::new(),
            sealed: b"sealed".to_vec(),
        };
        shop.run(account).unwrap();
    }
    let variant = shop.variant(TOTAL, 1);
    let order = shop.order(&[(variant, 1)]).unwrap();
    (shop, order)
}

fn start(order_id: OrderId, provider: Provider) -> StartPayment {
    let request = PaymentRequest {
        provider: Some(provider),
        ..PaymentRequest::default()
    };
    StartPayment { order_id, request }
}

impl Shop {
    fn begin(&mut self, order: OrderId) -> PaymentId {
        let Ok(Reply::Payment(id)) = self.run(start(order, Provider::Stripe)) else {
            panic!("a payment")
        };
        id
    }

    fn begun(&mut self, payment_id: PaymentId) {
        let begun = RecordBegun {
            payment_id,
            provider_payment_id: Some("pi_1".to_owned()),
            page: PayPage {
                payment_url: None,
                client_secret: Some("secret".to_owned()),
            },
        };
        self.run(begun).unwrap();
    }

    fn says(&mut self, payment_id: PaymentId, outcome: ProviderOutcome) -> &'static str {
        self.code(ProviderResult {
            payment_id,
            outcome,
        })
    }

    fn payment_of(&self, id: PaymentId) -> Payment {
        self.state.payment(id).unwrap().clone()
    }

    fn refunds(&self, order: OrderId) -> Vec<Refund> {
        self.state.refunds_of(order).cloned().collect()
    }

    fn cash(&self) -> i64 {
        let entries = self
            .state
            .ledger
            .values()
            .flat_map(|booked| &booked.entries);
        entries
            .filter(|entry| entry.account.name() == "cash:stripe")
            .map(|entry| entry.debit.minor() - entry.credit.minor())
            .sum()
    }
}

fn paid(minor: i64) -> ProviderOutcome {
    ProviderOutcome::Succeeded {
        provider_payment_id: "pi_1".to_owned(),
        amount: amount(minor),
        currency: Currency::parse("EUR").unwrap(),
        fee: None,
    }
}

fn failed() -> ProviderOutcome {
    ProviderOutcome::Failed {
        code: "canceled".to_owned(),
    }
}

#[test]
fn a_provider_without_an_account_or_for_another_currency_is_a_fault_of_the_request() {
    let mut shop = Shop::new();
    let variant = shop.variant(TOTAL, 1);
    let order = shop.order(&[(variant, 1)]).unwrap();
    let refused = shop.run(start(order, Provider::Stripe)).unwrap_err();
    assert!(refused.to_string().contains("account") || refused.code() == "validation_failed");
    let (mut shop, order) = with_account();
    assert_eq!(
        shop.code(start(order, Provider::Vnpay)),
        "validation_failed"
    );
    assert!(shop.state.payments.is_empty(), "nothing was begun");
    assert_eq!(shop.code(start(order, Provider::Stripe)), "ok");
}

#[test]
fn a_payment_goes_from_intended_to_begun_to_its_end_once() {
    let (mut shop, order) = with_account();
    let id = shop.begin(order);
    assert!(Reply::Payment(id).is_open(&shop.state));
    assert_eq!(shop.payment_of(id).stage, Stage::Intended);
    shop.begun(id);
    let events = shop.state.lane.seq;
    shop.begun(id);
    assert_eq!(shop.state.lane.seq, events, "once");
    assert!(!Reply::Payment(id).is_open(&shop.state));
    let payment = shop.payment_of(id);
    assert_eq!(payment.page.client_secret.as_deref(), Some("secret"));
    let Ok(Reply::Payment(again)) = shop.run(start(order, Provider::Stripe)) else {
        panic!("the pending one")
    };
    assert_eq!(again, id);
    let by_hand = ConfirmPayment { payment_id: id };
    assert_eq!(shop.code(by_hand), "invalid_state", "only Stripe knows");
    let other = ProviderOutcome::Succeeded {
        provider_payment_id: "pi_2".to_owned(),
        amount: amount(TOTAL),
        currency: Currency::parse("EUR").unwrap(),
        fee: None,
    };
    assert_eq!(shop.says(id, other), "not_found", "another payment's name");
    assert_eq!(shop.says(id, paid(TOTAL + 1)), "amount_mismatch");
    assert_eq!(shop.says(id, paid(TOTAL)), "ok");
    let payment = shop.payment_of(id);
    assert_eq!(
        (payment.stage, payment.status),
        (Stage::Closed, PaymentStatus::Succeeded)
    );
    assert_eq!(
        payment.page,
        PayPage::default(),
        "nothing to pay with any more"
    );
    let events = shop.state.lane.seq;
    assert_eq!(shop.says(id, paid(TOTAL)), "ok");
    assert_eq!(shop.says(id, failed()), "ok");
    assert_eq!(shop.says(id, paid(1)), "amount_mismatch");
    assert_eq!(shop.state.lane.seq, events);
}

#[test]
fn what_is_given_up_stays_open_until_the_provider_has_spoken() {
    for (outcome, status, cash) in [
        (failed(), PaymentStatus::Cancelled, 0),
        (paid(TOTAL), PaymentStatus::Refunded, TOTAL),
    ] {
        let (mut shop, order) = with_account();
        let id = shop.begin(order);
        shop.begun(id);
        let cancel = CancelOrder {
            order_id: order,
            only_unpaid: false,
            reason: None,
        };
        shop.run(cancel).unwrap();
        let given_up = shop.payment_of(id);
        assert_eq!(
            (given_up.status, given_up.stage),
            (PaymentStatus::Cancelled, Stage::Begun)
        );
        assert_eq!(shop.says(id, outcome), "ok");
        let payment = shop.payment_of(id);
        assert_eq!((payment.status, payment.stage), (status, Stage::Closed));
        // Late money lies there until the refund has gone through.
        assert_eq!(shop.cash(), cash);
        for refund in shop.refunds(order) {
            assert_eq!(refund.status, RefundStatus::Requested);
            let outcome = RefundOutcome::Succeeded {
                provider_refund_id: "re_1".to_owned(),
            };
            shop.run(RefundResult {
                payment_id: id,
                refund_id: refund.id,
                outcome,
            })
            .unwrap();
        }
        assert_eq!(shop.cash(), 0);
    }
}

fn refund(
    shop: &mut Shop,
    payment_id: PaymentId,
    minor: Option<i64>,
) -> Result<RefundId, Rejection> {
    let refund = RefundPayment {
        payment_id,
        amount: minor.map(amount),
        items: Vec::new(),
        restock: false,
        reason: None,
    };
    let Reply::Refund(_, id) = shop.run(refund)? else {
        panic!("a refund")
    };
    Ok(id)
}

#[test]
fn a_refund_is_set_aside_then_sent_then_gone_or_back() {
    let (mut shop, order) = with_account();
    let id = shop.begin(order);
    shop.begun(id);
    shop.says(id, paid(TOTAL));
    let first = refund(&mut shop, id, Some(400)).unwrap();
    assert!(Reply::Refund(order, first).is_open(&shop.state));
    assert_eq!(shop.cash(), TOTAL, "not gone yet");
    let too_much = refund(&mut shop, id, Some(601)).unwrap_err();
    assert_eq!(too_much.code(), "refund_exceeds_payment");
    let second = refund(&mut shop, id, None).unwrap();
    assert_eq!(shop.payment_of(id).status, PaymentStatus::Refunded);
    let result = |refund_id, outcome| RefundResult {
        payment_id: id,
        refund_id,
        outcome,
    };
    let pending = RefundOutcome::Pending {
        provider_refund_id: Some("re_1".to_owned()),
    };
    let done = RefundOutcome::Succeeded {
        provider_refund_id: "re_1".to_owned(),
    };
    let failed = RefundOutcome::Failed {
        provider_refund_id: None,
        code: "closed".to_owned(),
    };
    for outcome in [&pending, &pending, &done, &done, &pending] {
        shop.run(result(first, outcome.clone())).unwrap();
    }
    let settled = shop.state.refunds.get(&(order, first)).unwrap();
    assert_eq!(settled.status, RefundStatus::Succeeded);
    assert_eq!(shop.cash(), TOTAL - 400);
    shop.run(result(second, failed.clone())).unwrap();
    let payment = shop.payment_of(id);
    assert_eq!(payment.refunded_amount, amount(400));
    assert_eq!(payment.status, PaymentStatus::PartiallyRefunded);
    let seen = shop.state.orders.get(&order).unwrap();
    assert_eq!(seen.payment_status, PaymentState::PartiallyRefunded);
    // What came back may be refunded again.
    refund(&mut shop, id, Some(600)).unwrap();
    assert_eq!(shop.cash(), TOTAL - 400);
    // What was taken for failed finds its money set aside for another.
    let late = shop.code(result(second, done.clone()));
    assert_eq!(late, "refund_exceeds_payment");
    // The bank sends the first one back: that is booked, and it is done with.
    for _ in 0..2 {
        shop.run(result(first, failed.clone())).unwrap();
        assert_eq!(shop.cash(), TOTAL);
    }
    assert_eq!(shop.payment_of(id).refunded_amount, amount(600));
    let again = shop.code(result(first, done.clone()));
    assert_eq!(again, "refund_exceeds_payment");
    let unknown = RefundId::from_uuid(Uuid::nil());
    assert_eq!(shop.code(result(unknown, done)), "not_found");
}

#[test]
fn fees_parts_and_disputes_each_have_their_end() {
    let (mut shop, order) = with_account();
    let id = shop.begin(order);
    shop.begun(id);
    let part = ProviderOutcome::CapturedInPart {
        provider_payment_id: "pi_1".to_owned(),
        amount: amount(300),
        currency: Currency::parse("EUR").unwrap(),
    };
    assert_eq!(shop.says(id, part), "ok");
    let payment = shop.payment_of(id);
    assert_eq!(
        (payment.captured_amount, payment.earned),
        (amount(300), false)
    );
    assert_eq!(shop.refunds(order)[0].amount, amount(300));
    let waits = shop.state.orders.get(&order).unwrap().status;
    assert_eq!(waits, OrderStatus::Pending);

    let id = shop.begin(order);
    shop.begun(id);
    let with_fee = ProviderOutcome::Succeeded {
        provider_payment_id: "pi_1".to_owned(),
        amount: amount(TOTAL),
        currency: Currency::parse("EUR").unwrap(),
        fee: Some(amount(29)),
    };
    for _ in 0..2 {
        assert_eq!(shop.says(id, with_fee.clone()), "ok");
    }
    assert_eq!(shop.cash(), 300 + TOTAL - 29);
    let dispute = |dispute| ProviderOutcome::Disputed {
        dispute_id: "dp_1".to_owned(),
        dispute,
        amount: amount(TOTAL),
    };
    assert_eq!(shop.says(id, dispute(Dispute::Opened)), "ok");
    assert_eq!(shop.payment_of(id).refunded_amount, Amount::ZERO);
    for _ in 0..2 {
        assert_eq!(shop.says(id, dispute(Dispute::Lost)), "ok");
    }
    assert_eq!(shop.payment_of(id).refunded_amount, amount(TOTAL));
    assert_eq!(
        shop.cash(),
        300 - 29,
        "gone, and the fee stays the provider's"
    );
}

#[test]
fn goods_come_back_once_however_often_their_refund_is_made() {
    let mut shop = with_account().0;
    let variant = shop.variant(100, 10);
    let order = shop.order(&[(variant, 10)]).unwrap();
    let id = shop.begin(order);
    shop.begun(id);
    shop.says(id, paid(TOTAL));
    let line = shop.state.orders.get(&order).unwrap().items[0].id;
    let back = |units: i64| RefundPayment {
        payment_id: id,
        amount: None,
        items: vec![(line, units)],
        restock: true,
        reason: None,
    };
    let fail = |shop: &mut Shop| {
        let open = shop
            .refunds(order)
            .into_iter()
            .find(Refund::is_open)
            .unwrap();
        let outcome = RefundOutcome::Failed {
            provider_refund_id: None,
            code: "no".to_owned(),
        };
        shop.run(RefundResult {
            payment_id: id,
            refund_id: open.id,
            outcome,
        })
        .unwrap();
    };
    for (units, fails, on_hand) in [(3, true, 3), (3, true, 3), (5, false, 5)] {
        shop.run(back(units)).unwrap();
        if fails {
            fail(&mut shop);
        }
        assert_eq!(shop.stock(variant), (on_hand, 0), "{units}");
    }
    // One that went well may fail after others were made, and be made again.
    shop.run(back(4)).unwrap();
    assert_eq!(shop.stock(variant), (9, 0));
    fail(&mut shop);
    shop.run(back(1)).unwrap();
    assert_eq!(shop.stock(variant), (9, 0));
    let cancel = CancelOrder {
        order_id: order,
        only_unpaid: false,
        reason: None,
    };
    shop.run(cancel).unwrap();
    assert_eq!(shop.stock(variant), (10, 0), "ten were sold");
}

#[test]
fn suspected_money_keeps_its_order_where_it_is() {
    let (mut shop, order) = with_account();
    let id = shop.begin(order);
    shop.begun(id);
    for _ in 0..2 {
        assert_eq!(shop.says(id, ProviderOutcome::Suspected), "ok");
    }
    let held = shop.state.orders.get(&order).unwrap();
    assert!(held.on_hold.is_some() && held.payment_expires_at.is_none());
    let release = ReleaseOrder {
        order_id: order,
        by: "ada".to_owned(),
        reason: "looked".to_owned(),
    };
    shop.run(release).unwrap();
    shop.says(id, ProviderOutcome::Suspected);
    let seen = shop.state.orders.get(&order).unwrap();
    assert!(seen.on_hold.is_none(), "somebody has looked");
    assert_eq!(
        shop.code(ConfirmPayment { payment_id: id }),
        "ok",
        "and accepts it"
    );
    assert_eq!(shop.cash(), TOTAL);
}
