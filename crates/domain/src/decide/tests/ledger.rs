//! What money books.

use super::*;
use crate::decide::{
    CancelOrder, PaymentRequest, ProviderOutcome, ProviderResult, RefundPayment, StartPayment,
};
use crate::ids::PaymentId;
use crate::payment::Provider;
use crate::pricing::Charges;

/// The last transaction: its reference, and its entries as account and debit less credit.
fn last(shop: &Shop) -> (String, Vec<(String, i64)>) {
    let booked = shop.state.ledger.values().next_back().unwrap();
    assert!(booked.balances());
    let entries = booked.entries.iter();
    let entry = |entry: &crate::ledger::Entry| {
        (
            entry.account.name(),
            entry.debit.minor() - entry.credit.minor(),
        )
    };
    (booked.reference.clone(), entries.map(entry).collect())
}

fn entries(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    let owned = |(account, sum): &(&str, i64)| ((*account).to_owned(), *sum);
    pairs.iter().map(owned).collect()
}

fn amount(minor: i64) -> Amount {
    Amount::new(minor).unwrap()
}

fn refund(shop: &mut Shop, payment_id: PaymentId, minor: Option<i64>) {
    let refund = RefundPayment {
        payment_id,
        amount: minor.map(amount),
        items: Vec::new(),
        restock: false,
        reason: None,
    };
    shop.run(refund).unwrap();
}

#[test]
fn a_sale_and_its_refunds_book_tax_in_proportion() {
    let mut shop = Shop::new();
    let variant = shop.variant(1_000, 10);
    let mut order = place(&[(variant, 2)]);
    order.charges = Charges {
        discount: amount(300),
        tax: Some(amount(100)),
        shipping: Some(amount(50)),
    };
    let Ok(Reply::Order { id, .. }) = shop.run(order) else {
        panic!("an order")
    };
    assert!(shop.state.ledger.is_empty(), "nothing moved yet");
    shop.run(pay(id, "r1")).unwrap();
    let payment = shop.state.payments_of(id).next().unwrap().id;
    let sale = [
        ("cash:manual", 1_850),
        ("revenue", -2_000),
        ("shipping_revenue", -50),
        ("tax_payable", -100),
        ("discounts", 300),
    ];
    let reference = format!("payment_confirmed:{payment}");
    assert_eq!(last(&shop), (reference, entries(&sale)));
    shop.run(pay(id, "r1")).unwrap();
    assert_eq!(
        shop.state.ledger.len(),
        1,
        "the same reference again books nothing"
    );
    // 100 of tax in 1,850: one third of it in 617, and so on, until all of it is back.
    let mut tax = 0;
    for part in [Some(617), Some(617), None] {
        refund(&mut shop, payment, part);
        let (reference, booked) = last(&shop);
        assert!(reference.starts_with("refund:"));
        let of = |name: &str| {
            booked
                .iter()
                .find(|(account, _)| account == name)
                .unwrap()
                .1
        };
        tax += of("tax_payable");
        assert_eq!(of("refunds") + of("tax_payable"), -of("cash:manual"));
    }
    assert_eq!(tax, 100);
}

#[test]
fn money_that_pays_nothing_is_the_customers_until_it_is_back() {
    let mut shop = Shop::new();
    let variant = shop.variant(1_000, 10);
    let order = shop.order(&[(variant, 1)]).unwrap();
    let request = PaymentRequest {
        provider: Some(Provider::Mock),
        ..PaymentRequest::default()
    };
    shop.run(StartPayment {
        order_id: order,
        request,
    })
    .unwrap();
    let payment = shop.state.payments_of(order).next().unwrap().clone();
    shop.run(CancelOrder {
        order_id: order,
        only_unpaid: false,
        reason: None,
    })
    .unwrap();
    let succeeded = ProviderResult {
        payment_id: payment.id,
        outcome: ProviderOutcome::Succeeded {
            provider_payment_id: "p".to_owned(),
            amount: payment.amount,
            currency: payment.currency,
            fee: None,
        },
    };
    shop.run(succeeded.clone()).unwrap();
    let booked: Vec<_> = shop.state.ledger.values().cloned().collect();
    assert_eq!(booked.len(), 2, "it came, and went back");
    assert_eq!(
        booked[0].reference,
        format!("payment_confirmed:{}", payment.id)
    );
    let accounts: Vec<_> = booked[0].entries.iter().map(|e| e.account.name()).collect();
    assert_eq!(accounts, ["cash:mock", "customer_credit"]);
    let back = [("cash:mock", -1_000), ("customer_credit", 1_000)];
    assert_eq!(last(&shop).1, entries(&back));
    shop.run(succeeded).unwrap();
    assert_eq!(shop.state.ledger.len(), 2, "told again, nothing is booked");
}

/// Prices that contain tax, and goods that cost nothing: the tax comes out of the shipping.
#[test]
fn a_sale_of_nothing_but_shipping_balances() {
    let mut shop = Shop::new();
    let variant = shop.variant(1_000, 10);
    let mut tenant = shop.state.tenant().unwrap().clone();
    tenant.settings.tax_rate_bps = 1_900;
    tenant.settings.tax_inclusive = true;
    tenant.settings.shipping_flat_fee = amount(490);
    shop.state.tenants.load(tenant.id, tenant);
    let mut order = place(&[(variant, 1)]);
    order.charges.discount = amount(1_000);
    order.charges.tax = Some(amount(78));
    let Ok(Reply::Order { id, .. }) = shop.run(order) else {
        panic!("an order")
    };
    shop.run(pay(id, "r1")).unwrap();
    assert!(
        last(&shop)
            .1
            .contains(&("shipping_revenue".to_owned(), -490))
    );
}

#[test]
fn an_order_that_costs_nothing_books_its_discount_only() {
    let mut shop = Shop::new();
    let variant = shop.variant(1_000, 10);
    let mut order = place(&[(variant, 1)]);
    order.charges.discount = amount(1_000);
    let Ok(Reply::Order { id, .. }) = shop.run(order) else {
        panic!("an order")
    };
    shop.run(pay(id, "r1")).unwrap();
    let sale = [("revenue", -1_000), ("discounts", 1_000)];
    assert_eq!(last(&shop).1, entries(&sale));
}

#[test]
fn accounts_have_one_name_each() {
    use crate::ledger::Account;
    let names = [
        "cash:mock",
        "cash:manual",
        "receivable",
        "revenue",
        "shipping_revenue",
        "tax_payable",
        "discounts",
        "refunds",
        "customer_credit",
        "provider_fees",
    ];
    for name in names {
        assert_eq!(Account::parse(name).unwrap().name(), name);
    }
    for wrong in ["", "cash", "cash:", "cash:nobody", "Revenue"] {
        assert_eq!(Account::parse(wrong), None, "{wrong}");
    }
}
