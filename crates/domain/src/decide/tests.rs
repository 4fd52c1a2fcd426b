//! Tables of what commands decide, on a shop that is built by commands.

mod controls;
mod holds;
mod import;
mod ledger;
mod orders;
mod providers;
mod stock;

use crate::apply;
use crate::command::{Command, Context, Reply, Seal};
use crate::decide::expire_due;
use crate::decide::{
    AddLocation, CreateProduct, LineRequest, NewVariant, Pick, PlaceOrder, RecordPayment, SetStock,
};
use crate::ids::{Ids, LocationId, OrderId, TypedId as _, Uuid, VariantId};
use crate::invariant;
use crate::money::{Amount, Currency};
use crate::order::Order;
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::{Settings, Tenant};
use crate::time::Timestamp;

struct NoSeal;

impl Seal for NoSeal {
    fn seal(&self, order: &Order) -> String {
        format!("{}:{}", order.items.len(), order.totals.total_amount)
    }
}

/// A shop in memory, with a clock of its own.
struct Shop {
    state: State,
    now: Timestamp,
    commands: u64,
}

impl Shop {
    fn new() -> Self {
        let currency = Currency::parse("EUR").unwrap();
        let tenant = Tenant {
            id: Ids::new(Timestamp::EPOCH, 1).make(),
            slug: "shop".to_owned(),
            name: "Shop".to_owned(),
            default_location_id: Ids::new(Timestamp::EPOCH, 2).make(),
            settings: Settings::new(currency),
            accounts: std::collections::BTreeMap::new(),
            created_at: Timestamp::EPOCH,
        };
        let now = Timestamp::from_millis(1_767_225_600_000);
        Self {
            state: State::genesis(tenant),
            now,
            commands: 0,
        }
    }

    /// Decides and applies, as a batch of one; every invariant holds afterwards.
    fn run(&mut self, command: impl Into<Command>) -> Result<Reply, Rejection> {
        for change in expire_due(&self.state, self.now) {
            apply::apply(&mut self.state, &change, self.now);
        }
        self.commands += 1;
        let mut context = Context {
            now: self.now,
            ids: Ids::new(self.now, self.commands),
            payment_timeout_minutes: 15,
            seal: &NoSeal,
        };
        let before = self.state.lane;
        let decided = command.into().decide(&self.state, &mut context);
        assert_eq!(self.state.lane, before, "deciding changes nothing");
        let decision = decided?;
        for change in &decision.changes {
            apply::apply(&mut self.state, change, self.now);
        }
        assert_eq!(
            invariant::violations(&self.state, Some(self.now)),
            Vec::<String>::new()
        );
        Ok(decision.reply)
    }

    /// The code of a command, `ok` when it is done.
    fn code(&mut self, command: impl Into<Command>) -> &'static str {
        self.run(command)
            .map_or_else(|rejection| rejection.code(), |_| "ok")
    }

    fn variant(&mut self, price: i64, stock: i64) -> VariantId {
        let variant = NewVariant {
            unit_price: Amount::new(price).unwrap(),
            stock_quantity: stock,
            ..NewVariant::default()
        };
        let (title, variants) = ("Thing".to_owned(), vec![variant]);
        let made = self.run(CreateProduct {
            handle: None,
            title,
            description: None,
            currency: None,
            variants,
        });
        let Ok(Reply::Product(product)) = made else {
            panic!("{made:?}")
        };
        self.state
            .variants_of(product)
            .first()
            .map(|variant| variant.id)
            .unwrap()
    }

    fn location(&mut self, code: &str, priority: i64) -> LocationId {
        let made = self.run(AddLocation {
            code: code.to_owned(),
            name: code.to_owned(),
            priority,
        });
        let Ok(Reply::Location(id)) = made else {
            panic!("{made:?}")
        };
        id
    }

    fn set(&mut self, variant_id: VariantId, location: LocationId, stock: i64) {
        let set = SetStock {
            variant_id,
            location_id: Some(location),
            stock_quantity: Some(stock),
            low_stock_threshold: None,
            backorder_limit: None,
            version: None,
        };
        self.run(set).unwrap();
    }

    fn order(&mut self, lines: &[(VariantId, i64)]) -> Result<OrderId, Rejection> {
        let reply = self.run(place(lines))?;
        let Reply::Order { id, .. } = reply else {
            panic!("{reply:?}")
        };
        Ok(id)
    }

    fn pass(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
    }

    fn of(&self, order: OrderId) -> &Order {
        self.state.orders.get(&order).unwrap()
    }

    /// Units on hand and reserved, summed over locations.
    fn stock(&self, variant: VariantId) -> (i64, i64) {
        self.state
            .levels_of(variant)
            .fold((0, 0), |(stock, reserved), level| {
                (
                    stock + level.stock_quantity,
                    reserved + level.reserved_stock,
                )
            })
    }
}

fn line(variant: VariantId, quantity: i64) -> LineRequest {
    let pick = Pick {
        variant_id: Some(variant),
        ..Pick::default()
    };
    LineRequest {
        pick,
        quantity,
        location_id: None,
        discount: Amount::ZERO,
    }
}

fn place(lines: &[(VariantId, i64)]) -> PlaceOrder {
    PlaceOrder {
        lines: lines
            .iter()
            .map(|(variant, quantity)| line(*variant, *quantity))
            .collect(),
        customer_id: Some("c".to_owned()),
        ..PlaceOrder::default()
    }
}

fn pay(order_id: OrderId, reference: &str) -> RecordPayment {
    RecordPayment {
        order_id,
        payment_method: "bank".to_owned(),
        payment_reference: reference.to_owned(),
        amount: None,
    }
}

fn unknown() -> VariantId {
    VariantId::from_uuid(Uuid::nil())
}
