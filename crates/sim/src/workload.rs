//! Draws commands: mostly sensible, often racing for the same few units, sometimes absurd.

use domain::command::Command;
use domain::control::Control;
use domain::decide::{
    AddCartItem, AdjustStock, CancelOrder, ChangeStatus, ConfirmPayment, ConvertCart, CreateCart,
    HoldOrder, ImportProduct, ImportedLevel, ImportedVariant, LineRequest, LockOrder, MoveControls,
    PaymentRequest, Pick, PlaceOrder, ProviderOutcome, ProviderResult, RecordBegun, RecordPayment,
    RefundOutcome, RefundPayment, RefundResult, ReleaseOrder, ReviseOrder, SetShipping, SetStock,
    StartPayment, StockRule, Sweep,
};
use domain::ids::{
    CartId, LocationId, OrderId, PaymentId, RefundId, TypedId as _, Uuid, VariantId,
};
use domain::money::{Amount, Currency};
use domain::order::{Contact, OrderStatus};
use domain::payment::{PayPage, Provider, provider_key};

use crate::dice::Dice;
use crate::model::Model;

/// What commands are drawn from.
pub struct Draw<'a> {
    /// The dice.
    pub dice: &'a mut Dice,
    /// Whether payments are taken elsewhere, too.
    pub providers: bool,
    /// Variants of the shop.
    pub variants: &'a [VariantId],
    /// Its locations.
    pub locations: &'a [LocationId],
    /// What exists.
    pub model: &'a Model,
}

impl Draw<'_> {
    /// A command.
    pub fn command(&mut self) -> Command {
        let most = if self.providers { 114 } else { 108 };
        match self.dice.up_to(most) {
            0..=27 => self.place(),
            28..=31 => CreateCart::default().into(),
            32..=39 => self.add_to_cart(),
            40..=46 => self.convert(),
            47..=56 => self.record_payment(),
            57..=63 => self.cancel(),
            64..=67 => LockOrder {
                order_id: self.order(),
            }
            .into(),
            68..=72 => self.start_payment(),
            73..=78 => self.provider_result(),
            79..=80 => ConfirmPayment {
                payment_id: self.payment().0,
            }
            .into(),
            81..=85 => self.refund(),
            86..=89 => self.change_status(),
            90..=92 => self.adjust(),
            93 => self.set_stock(),
            94 => self.shipping(),
            95..=96 => self.revise(),
            97..=99 => self.move_controls(),
            100..=101 => HoldOrder {
                order_id: self.order(),
                by: "ada".to_owned(),
                reason: "a look".to_owned(),
            }
            .into(),
            102..=103 => self.import(),
            104..=105 => ReleaseOrder {
                order_id: self.order(),
                by: "ada".to_owned(),
                reason: "looked".to_owned(),
            }
            .into(),
            109..=110 => RecordBegun {
                payment_id: self.payment().0,
                provider_payment_id: Some("p".to_owned()),
                page: PayPage::default(),
            }
            .into(),
            111..=114 => self.refund_result(),
            _ => Sweep.into(),
        }
    }

    /// A refund of some payment, and what its provider says of it.
    fn refund_result(&mut self) -> Command {
        let backs: Vec<_> = self
            .model
            .orders
            .values()
            .flat_map(|o| &o.refunds)
            .collect();
        let recent = backs.len().saturating_sub(8);
        let found = self.dice.pick(&backs[recent..]).copied();
        let unknown = (
            PaymentId::from_uuid(Uuid::nil()),
            RefundId::from_uuid(Uuid::nil()),
        );
        let (payment_id, refund_id) = found.map_or(unknown, |back| (back.payment, back.id));
        let name = "r".to_owned();
        let outcome = match self.dice.up_to(3) {
            0 => RefundOutcome::Pending {
                provider_refund_id: Some(name),
            },
            1 => RefundOutcome::Failed {
                provider_refund_id: None,
                code: name,
            },
            _ => RefundOutcome::Succeeded {
                provider_refund_id: name,
            },
        };
        RefundResult {
            payment_id,
            refund_id,
            outcome,
        }
        .into()
    }

    fn provider(&mut self) -> Option<Provider> {
        let all = [Provider::Mock, Provider::Stripe];
        let count = if self.providers { 2 } else { 1 };
        self.dice.pick(&all[..count]).copied()
    }

    /// A product of one of a few handles: new, changed, or just as it is. Nobody orders it.
    fn import(&mut self) -> Command {
        let handle = format!("imported-{}", self.dice.up_to(3));
        let variant = |code: &str, price: i64, stock: i64| ImportedVariant {
            sku: Some(format!("{handle}-{code}")),
            options: vec![("size".to_owned(), code.to_owned())],
            unit_price: Amount::new(price).unwrap_or_default(),
            stock: vec![ImportedLevel {
                stock_quantity: Some(stock),
                ..ImportedLevel::default()
            }],
            ..ImportedVariant::default()
        };
        let codes = ["s", "m", "l"];
        let count = 1 + self.index(3);
        let (price, stock) = (self.dice.up_to(2), self.dice.up_to(9));
        let variants = codes
            .iter()
            .take(count)
            .map(|code| variant(code, price, stock));
        let rule = self.dice.pick(StockRule::ALL).copied();
        ImportProduct {
            variants: variants.collect(),
            handle: Some(handle),
            title: Some("Imported".to_owned()),
            stock: rule.unwrap_or_default(),
            dry_run: self.dice.one_in(4),
            ..ImportProduct::default()
        }
        .into()
    }

    /// Mostly back to where controls usually stand, so that a history goes on.
    fn move_controls(&mut self) -> Command {
        let back = [Control::ExpiryRunning, Control::ReadWrite];
        let to = if self.dice.one_in(3) || self.model.controls.read_only {
            back.to_vec()
        } else {
            self.dice.pick(Control::ALL).into_iter().copied().collect()
        };
        let (by, reason) = ("ada".to_owned(), "an incident".to_owned());
        MoveControls { to, by, reason }.into()
    }

    fn variant(&mut self) -> VariantId {
        let unknown = VariantId::from_uuid(Uuid::nil());
        self.dice.pick(self.variants).copied().unwrap_or(unknown)
    }

    fn order(&mut self) -> OrderId {
        let orders: Vec<_> = self.model.orders.keys().copied().collect();
        let recent = orders.len().saturating_sub(12);
        let some = if self.dice.one_in(3) {
            &orders[..]
        } else {
            &orders[recent..]
        };
        let unknown = OrderId::from_uuid(Uuid::nil());
        self.dice.pick(some).copied().unwrap_or(unknown)
    }

    fn cart(&mut self) -> CartId {
        let carts: Vec<_> = self.model.carts.keys().copied().collect();
        let unknown = CartId::from_uuid(Uuid::nil());
        self.dice.pick(&carts).copied().unwrap_or(unknown)
    }

    /// A payment, with its amount.
    fn payment(&mut self) -> (PaymentId, i64) {
        let all = self.model.orders.values().flat_map(|order| &order.payments);
        let payments: Vec<_> = all.map(|payment| (payment.id, payment.amount)).collect();
        let recent = payments.len().saturating_sub(8);
        let unknown = (PaymentId::from_uuid(Uuid::nil()), 1);
        self.dice
            .pick(&payments[recent..])
            .copied()
            .unwrap_or(unknown)
    }

    fn lines(&mut self) -> Vec<LineRequest> {
        let count = 1 + self.dice.up_to(2);
        let mut lines = Vec::new();
        for _ in 0..count {
            let quantity = match self.dice.up_to(19) {
                0 => [0, -1, 1_000_001, i64::MAX, 1_000_000][self.index(5)],
                1..=3 => 3 + self.dice.up_to(4),
                _ => 1 + self.dice.up_to(1),
            };
            let location_id = if self.dice.one_in(8) {
                self.dice.pick(self.locations).copied()
            } else {
                None
            };
            let pick = Pick {
                variant_id: Some(self.variant()),
                ..Pick::default()
            };
            lines.push(LineRequest {
                pick,
                quantity,
                location_id,
                discount: Amount::ZERO,
            });
        }
        lines
    }

    fn index(&mut self, count: i64) -> usize {
        usize::try_from(self.dice.up_to(count - 1)).unwrap_or(0)
    }

    fn place(&mut self) -> Command {
        PlaceOrder {
            lines: self.lines(),
            customer_id: Some("c".to_owned()),
            draft: self.dice.one_in(6),
            ..PlaceOrder::default()
        }
        .into()
    }

    fn add_to_cart(&mut self) -> Command {
        let pick = Pick {
            variant_id: Some(self.variant()),
            ..Pick::default()
        };
        let quantity = if self.dice.one_in(20) {
            1_000_000
        } else {
            1 + self.dice.up_to(1)
        };
        AddCartItem {
            cart_id: self.cart(),
            pick,
            quantity,
        }
        .into()
    }

    fn convert(&mut self) -> Command {
        let provider = self.provider();
        let payment = self.dice.one_in(2).then(|| PaymentRequest {
            provider,
            ..PaymentRequest::default()
        });
        ConvertCart {
            cart_id: self.cart(),
            cart_in_body: false,
            customer_id: None,
            contact: Contact::default(),
            payment_method: None,
            payment,
            idempotency_key: None,
        }
        .into()
    }

    fn record_payment(&mut self) -> Command {
        let order_id = self.order();
        // Sometimes the very name that the order's payment has at its provider.
        let payment_reference = match self.dice.up_to(3) {
            3 => provider_key(order_id, 1),
            number => format!("ref-{number}"),
        };
        RecordPayment {
            order_id,
            payment_method: "bank".to_owned(),
            payment_reference,
            amount: None,
        }
        .into()
    }

    fn cancel(&mut self) -> Command {
        CancelOrder {
            order_id: self.order(),
            reason: None,
            only_unpaid: false,
        }
        .into()
    }

    fn start_payment(&mut self) -> Command {
        let request = PaymentRequest {
            provider: self.provider(),
            ..PaymentRequest::default()
        };
        StartPayment {
            order_id: self.order(),
            request,
        }
        .into()
    }

    fn provider_result(&mut self) -> Command {
        let (payment_id, amount) = self.payment();
        let currency = Currency::parse("EUR").unwrap_or_else(|| unreachable!());
        let outcome = if self.dice.one_in(4) {
            ProviderOutcome::Failed {
                code: "declined".to_owned(),
            }
        } else if self.providers && amount > 2 && self.dice.one_in(12) {
            ProviderOutcome::CapturedInPart {
                provider_payment_id: "p".to_owned(),
                amount: Amount::new(amount / 2).unwrap_or_default(),
                currency,
            }
        } else {
            let wrong = self.dice.one_in(15);
            ProviderOutcome::Succeeded {
                provider_payment_id: "p".to_owned(),
                amount: Amount::new(amount + i64::from(wrong)).unwrap_or_default(),
                currency,
                fee: Amount::new(i64::from(self.providers && self.dice.one_in(3))),
            }
        };
        ProviderResult {
            payment_id,
            outcome,
        }
        .into()
    }

    fn refund(&mut self) -> Command {
        let (payment_id, amount) = self.payment();
        let part = 1 + self.dice.up_to(amount.max(1));
        let whole = self.dice.one_in(2);
        RefundPayment {
            payment_id,
            amount: if whole { None } else { Amount::new(part) },
            items: Vec::new(),
            restock: whole && self.dice.one_in(2),
            reason: None,
        }
        .into()
    }

    fn change_status(&mut self) -> Command {
        let status = *self
            .dice
            .pick(OrderStatus::ALL)
            .unwrap_or(&OrderStatus::Paid);
        ChangeStatus {
            order_id: self.order(),
            status,
            notes: None,
        }
        .into()
    }

    fn adjust(&mut self) -> Command {
        let delta = match self.dice.up_to(9) {
            0 => [0, 1_000_000_001, i64::MAX, i64::MIN, 1_000_000_000][self.index(5)],
            1..=4 => -1 - self.dice.up_to(3),
            _ => 1 + self.dice.up_to(3),
        };
        let location_id = self.dice.pick(self.locations).copied();
        let variant_id = self.variant();
        AdjustStock {
            variant_id,
            location_id,
            delta,
            reason: "count".to_owned(),
        }
        .into()
    }

    fn set_stock(&mut self) -> Command {
        let location_id = self.dice.pick(self.locations).copied();
        SetStock {
            variant_id: self.variant(),
            location_id,
            stock_quantity: Some(self.dice.up_to(12)),
            low_stock_threshold: None,
            backorder_limit: None,
            version: None,
        }
        .into()
    }

    fn shipping(&mut self) -> Command {
        let (order_id, tracking_number) = (self.order(), "T1".to_owned());
        SetShipping {
            order_id,
            tracking_number,
            carrier: None,
        }
        .into()
    }

    fn revise(&mut self) -> Command {
        ReviseOrder {
            order_id: self.order(),
            lines: Some(self.lines()),
            discount: None,
            tax: None,
            shipping: None,
            contact: domain::decide::ContactPatch::default(),
            notes: None,
            admin_notes: None,
            version: None,
        }
        .into()
    }
}
