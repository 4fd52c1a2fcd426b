//! The working set: what the store loaded for a batch, and what has been decided on it since.

use std::collections::BTreeMap;

use crate::cart::Cart;
use crate::catalogue::{DEFAULT_LOCATION, Location, Product, Variant};
use crate::control::Controls;
use crate::ids::{
    CartId, KeyId, LocationId, OrderId, PaymentId, ProductId, RefundId, ReservationId, TenantId,
    TypedId, Uuid, VariantId, WebhookEventId,
};
use crate::ledger::Transaction;
use crate::order::{Contact, FIRST_ORDER_NUMBER, Order};
use crate::payment::{Payment, Refund};
use crate::stock::{Hold, HoldStatus, LevelKey, StockLevel};
use crate::table::Table;
use crate::tenant::{ApiKey, Settings, Tenant};
use crate::time::Timestamp;
use crate::webhook::WebhookEvent;

/// A lane's own row: what totally orders a tenant's batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The number of the last event.
    pub seq: i64,
    /// The time of the last batch that wrote; time in a lane never goes back.
    pub last_at: Timestamp,
    /// The number that the next order gets.
    pub next_order_number: i64,
    /// Where the tenant's controls stand.
    pub controls: Controls,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            seq: 0,
            last_at: Timestamp::EPOCH,
            next_order_number: FIRST_ORDER_NUMBER,
            controls: Controls::default(),
        }
    }
}

/// Everything of one tenant that a batch may look at or change.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The lane's row.
    pub lane: Lane,
    /// The tenant, and in the platform's lane every tenant that the batch names.
    pub tenants: Table<TenantId, Tenant>,
    /// The tenant that this lane belongs to.
    pub tenant_id: Option<TenantId>,
    /// All its locations.
    pub locations: Table<LocationId, Location>,
    /// Products.
    pub products: Table<ProductId, Product>,
    /// Variants.
    pub variants: Table<VariantId, Variant>,
    /// Stock levels.
    pub levels: Table<LevelKey, StockLevel>,
    /// Orders.
    pub orders: Table<OrderId, Order>,
    /// Contacts of orders; an order without personal data has none.
    pub contacts: Table<OrderId, Contact>,
    /// Holds, by the order that they are kept for.
    pub holds: Table<(OrderId, ReservationId), Hold>,
    /// Payments, by order.
    pub payments: Table<(OrderId, PaymentId), Payment>,
    /// Refunds, by order.
    pub refunds: Table<(OrderId, RefundId), Refund>,
    /// Transactions of the ledger by their events' numbers. Nothing is decided by them: a batch has
    /// only those that it books.
    pub ledger: Table<i64, Transaction>,
    /// Carts.
    pub carts: Table<CartId, Cart>,
    /// Messages of providers.
    pub webhook_events: Table<WebhookEventId, WebhookEvent>,
    /// Keys.
    pub keys: Table<KeyId, ApiKey>,
    /// Products by their handles, of those loaded.
    pub handles: BTreeMap<String, ProductId>,
    /// Variants by their codes, of those loaded.
    pub skus: BTreeMap<String, VariantId>,
    /// True when more orders are due than one load brings in; the batch must then expire these
    /// and load again before it decides anything about stock.
    pub more_due: bool,
}

fn lowest<I: TypedId>() -> I {
    I::from_uuid(Uuid::nil())
}

fn highest<I: TypedId>() -> I {
    I::from_uuid(Uuid::max())
}

impl State {
    /// A tenant before its first event: it has its default location and nothing else.
    #[must_use]
    pub fn genesis(tenant: Tenant) -> Self {
        let mut state = Self {
            tenant_id: Some(tenant.id),
            ..Self::default()
        };
        let location = Location {
            id: tenant.default_location_id,
            code: DEFAULT_LOCATION.to_owned(),
            name: "Default".to_owned(),
            priority: 0,
        };
        state.locations.load(location.id, location);
        state.tenants.load(tenant.id, tenant);
        state
    }

    /// The tenant of this lane.
    #[must_use]
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenants.get(&self.tenant_id?)
    }

    /// The tenant's settings.
    #[must_use]
    pub fn settings(&self) -> Option<&Settings> {
        self.tenant().map(|tenant| &tenant.settings)
    }

    /// Takes a product in as the store has it.
    pub fn load_product(&mut self, product: Product) {
        self.index_handle(&product);
        self.products.load(product.id, product);
    }

    /// Makes a product findable by its handle.
    pub(crate) fn index_handle(&mut self, product: &Product) {
        if let Some(handle) = &product.handle {
            self.handles.insert(handle.clone(), product.id);
        }
    }

    /// Takes a variant in as the store has it.
    pub fn load_variant(&mut self, variant: Variant) {
        self.index_sku(&variant);
        self.variants.load(variant.id, variant);
    }

    /// Makes a variant findable by its code.
    pub(crate) fn index_sku(&mut self, variant: &Variant) {
        if let Some(sku) = &variant.sku {
            self.skus.insert(sku.clone(), variant.id);
        }
    }

    /// Frees a variant's code.
    pub(crate) fn forget_sku(&mut self, id: VariantId) {
        let variant = self.variants.get(&id);
        if let Some(sku) = variant.and_then(|variant| variant.sku.as_ref())
            && self.skus.get(sku) == Some(&id)
        {
            self.skus.remove(sku);
        }
    }

    /// The loaded variants of a product, in their order.
    #[must_use]
    pub fn variants_of(&self, product: ProductId) -> Vec<&Variant> {
        let mut variants: Vec<_> = self
            .variants
            .values()
            .filter(|variant| variant.product_id == product)
            .collect();
        variants.sort_by_key(|variant| (variant.position, variant.id));
        variants
    }

    /// The levels of a variant.
    pub fn levels_of(&self, variant: VariantId) -> impl Iterator<Item = &StockLevel> {
        self.levels
            .range((variant, lowest())..=(variant, highest()))
    }

    /// The holds of an order.
    pub fn holds_of(&self, order: OrderId) -> impl Iterator<Item = &Hold> {
        self.holds.range((order, lowest())..=(order, highest()))
    }

    /// The active holds of an order.
    pub fn active_holds_of(&self, order: OrderId) -> impl Iterator<Item = &Hold> {
        self.holds_of(order)
            .filter(|hold| hold.status == HoldStatus::Active)
    }

    /// The payments of an order, oldest first.
    pub fn payments_of(&self, order: OrderId) -> impl Iterator<Item = &Payment> {
        self.payments.range((order, lowest())..=(order, highest()))
    }

    /// The refunds of an order.
    pub fn refunds_of(&self, order: OrderId) -> impl Iterator<Item = &Refund> {
        self.refunds.range((order, lowest())..=(order, highest()))
    }

    /// The payment of an id, whatever its order.
    #[must_use]
    pub fn payment(&self, id: PaymentId) -> Option<&Payment> {
        self.payments.values().find(|payment| payment.id == id)
    }

    /// The locations in the order in which stock is taken from them.
    #[must_use]
    pub fn locations_by_priority(&self) -> Vec<&Location> {
        let mut locations: Vec<_> = self.locations.values().collect();
        locations.sort_by_key(|location| (location.priority, location.id));
        locations
    }

    /// The location that is meant when none is named.
    #[must_use]
    pub fn default_location(&self) -> Option<LocationId> {
        self.tenant().map(|tenant| tenant.default_location_id)
    }

    /// Whether anything changed since it was loaded.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.tenants.is_changed()
            || self.locations.is_changed()
            || self.products.is_changed()
            || self.variants.is_changed()
            || self.levels.is_changed()
            || self.orders.is_changed()
            || self.contacts.is_changed()
            || self.holds.is_changed()
            || self.payments.is_changed()
            || self.refunds.is_changed()
            || self.ledger.is_changed()
            || self.carts.is_changed()
            || self.webhook_events.is_changed()
            || self.keys.is_changed()
    }

    /// Forgets what changed; the rows stay as they are.
    pub fn settle(&mut self) {
        self.tenants.settle();
        self.locations.settle();
        self.products.settle();
        self.variants.settle();
        self.levels.settle();
        self.orders.settle();
        self.contacts.settle();
        self.holds.settle();
        self.payments.settle();
        self.refunds.settle();
        self.ledger.settle();
        self.carts.settle();
        self.webhook_events.settle();
        self.keys.settle();
    }
}
