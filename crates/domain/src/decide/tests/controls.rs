//! An operator's levers.

use super::{Shop, pay};
use crate::control::Control;
use crate::decide::{
    CancelOrder, ChangeSettings, ChangeStatus, HoldOrder, MoveControls, ReleaseOrder, SetShipping,
    SettingsPatch, StartPayment, Sweep,
};
use crate::ids::{OrderId, VariantId};
use crate::order::{Order, OrderStatus};
use crate::payment::Provider;
use crate::tenant::StockMode;
use crate::time::Timestamp;

const MINUTE: i64 = 60_000;

impl Shop {
    fn pull(&mut self, control: Control) -> usize {
        let seq = self.state.lane.seq;
        let (by, reason) = ("ada".to_owned(), "an incident".to_owned());
        let to = vec![control];
        self.run(MoveControls { to, by, reason }).unwrap();
        usize::try_from(self.state.lane.seq - seq).unwrap()
    }

    fn hold(&mut self, order_id: OrderId) -> &'static str {
        let (by, reason) = ("ada".to_owned(), "a look".to_owned());
        self.code(HoldOrder {
            order_id,
            by,
            reason,
        })
    }

    fn release(&mut self, order_id: OrderId) -> &'static str {
        let (by, reason) = ("ada".to_owned(), "looked".to_owned());
        self.code(ReleaseOrder {
            order_id,
            by,
            reason,
        })
    }

    fn ends(&self, order: OrderId) -> Option<Timestamp> {
        let order: &Order = self.state.orders.get(&order).unwrap();
        let holds: Vec<_> = self.state.active_holds_of(order.id).collect();
        assert!(
            holds
                .iter()
                .all(|hold| hold.expires_at == order.payment_expires_at)
        );
        order.payment_expires_at
    }

    fn free(&self, variant: VariantId) -> i64 {
        let (stock, reserved) = self.stock(variant);
        stock - reserved
    }

    fn status(&self, order: OrderId) -> OrderStatus {
        self.state.orders.get(&order).unwrap().status
    }

    fn wait(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
        self.run(Sweep).unwrap();
    }
}

#[test]
fn suspended_expiry_keeps_holds_and_resuming_sets_new_deadlines() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 10);
    let early = shop.order(&[(variant, 2)]).unwrap();
    shop.wait(10 * MINUTE);
    let seq = shop.state.lane.seq;
    assert_eq!(shop.pull(Control::ExpirySuspended), 1);
    assert_eq!(
        shop.pull(Control::ExpirySuspended),
        0,
        "it stands there already"
    );
    assert!(shop.ends(early).is_some(), "a sweep clears it");
    shop.wait(0);
    assert_eq!(shop.ends(early), None);
    assert_eq!(shop.state.lane.seq, seq + 2, "one move, one deadline");
    let late = shop.order(&[(variant, 3)]).unwrap();
    assert_eq!(shop.ends(late), None);
    shop.wait(24 * 60 * MINUTE);
    assert_eq!(
        (shop.status(early), shop.status(late)),
        (OrderStatus::Pending, OrderStatus::Pending)
    );
    assert_eq!(shop.free(variant), 5);

    shop.pull(Control::ExpiryRunning);
    shop.wait(0);
    let fresh = Some(shop.now.plus_millis(15 * MINUTE));
    assert_eq!((shop.ends(early), shop.ends(late)), (fresh, fresh));
    shop.wait(15 * MINUTE - 1);
    assert_eq!(shop.status(early), OrderStatus::Pending);
    shop.wait(1);
    assert_eq!(
        (shop.status(early), shop.status(late)),
        (OrderStatus::Cancelled, OrderStatus::Cancelled)
    );
    assert_eq!(shop.free(variant), 10);
}

/// Resumed before a sweep cleared it, a deadline from before must not end the order at once.
#[test]
fn a_deadline_left_over_from_before_does_not_count() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 10);
    let order = shop.order(&[(variant, 2)]).unwrap();
    shop.pull(Control::ExpirySuspended);
    shop.now = shop.now.plus_millis(60 * MINUTE);
    shop.pull(Control::ExpiryRunning);
    assert_eq!(shop.status(order), OrderStatus::Pending);
    let request = crate::decide::PaymentRequest {
        provider: Some(Provider::Mock),
        ..crate::decide::PaymentRequest::default()
    };
    let order_id = order;
    shop.run(StartPayment { order_id, request }).unwrap();
    assert_eq!(shop.ends(order), Some(shop.now.plus_millis(15 * MINUTE)));
}

#[test]
fn an_order_on_hold_stays_where_it_is() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 10);
    let order = shop.order(&[(variant, 2)]).unwrap();
    assert_eq!(shop.hold(order), "ok");
    assert_eq!(shop.hold(order), "ok", "on hold already");
    shop.wait(60 * MINUTE);
    assert_eq!(shop.status(order), OrderStatus::Pending);
    let by_customer = CancelOrder {
        order_id: order,
        reason: None,
        only_unpaid: true,
    };
    assert_eq!(shop.code(by_customer), "order_on_hold");
    assert_eq!(shop.release(order), "ok");
    assert_eq!(shop.ends(order), Some(shop.now.plus_millis(15 * MINUTE)));

    // Paid while on hold: the money is taken, the parcel stays.
    assert_eq!(shop.hold(order), "ok");
    shop.run(pay(order, "r")).unwrap();
    assert_eq!(shop.status(order), OrderStatus::Paid);
    let ship = |status| ChangeStatus {
        order_id: order,
        status,
        notes: None,
    };
    assert_eq!(shop.code(ship(OrderStatus::Processing)), "order_on_hold");
    let parcel = SetShipping {
        order_id: order,
        tracking_number: "T1".to_owned(),
        carrier: None,
    };
    assert_eq!(shop.code(parcel.clone()), "order_on_hold");
    assert_eq!(shop.release(order), "ok");
    assert_eq!(shop.release(order), "ok", "nothing to release");
    for status in [OrderStatus::Processing, OrderStatus::Shipped] {
        assert_eq!(shop.code(ship(status)), "ok");
    }
    assert_eq!(shop.hold(order), "invalid_state", "it is on its way");
    assert_eq!(shop.code(parcel), "ok");
    let unknown = crate::ids::TypedId::from_uuid(crate::ids::Uuid::nil());
    assert_eq!(
        (shop.hold(unknown), shop.release(unknown)),
        ("not_found", "not_found")
    );
}

#[test]
fn the_stock_mode_is_a_control_whoever_moves_it() {
    let mut shop = Shop::new();
    let variant = shop.variant(100, 10);
    assert_eq!(shop.pull(Control::StockImmediate), 1);
    let order = shop.order(&[(variant, 2)]).unwrap();
    assert_eq!(shop.stock(variant), (8, 0));
    let patch = SettingsPatch {
        stock_mode: Some(StockMode::Reserve),
        ..SettingsPatch::default()
    };
    let by = "key 1".to_owned();
    let seq = shop.state.lane.seq;
    shop.run(ChangeSettings {
        patch: patch.clone(),
        by: by.clone(),
    })
    .unwrap();
    assert_eq!(shop.state.lane.seq, seq + 1, "settings that move it say so");
    shop.run(ChangeSettings { patch, by }).unwrap();
    assert_eq!(shop.state.lane.seq, seq + 1, "nothing moved");
    shop.order(&[(variant, 3)]).unwrap();
    assert_eq!(shop.stock(variant), (8, 3));
    let (reason, only_unpaid) = (None, false);
    shop.run(CancelOrder {
        order_id: order,
        reason,
        only_unpaid,
    })
    .unwrap();
    assert_eq!(shop.stock(variant), (10, 3));
}
