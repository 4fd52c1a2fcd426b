//! The reader port: what is looked at without changing it. Reads see whole commits only.

use std::pin::Pin;

use domain::ids::{
    LocationId, OrderId, PaymentId, ProductId, RefundId, ReservationId, TenantId, Uuid, VariantId,
};
use domain::ledger::{Account, Transaction};
use domain::money::{Amount, Currency};
use domain::needs::Needs;
use domain::order::{OrderStatus, PaymentState};
use domain::payment::Provider;
use domain::state::State;
use domain::stock::{Hold, HoldStatus, Movement, StockLevel};
use domain::tenant::{ApiKey, Tenant};
use domain::time::Timestamp;
use domain::webhook::{WebhookEvent, WebhookStatus};

use crate::store::StoreError;

/// What a read returns.
pub type Read<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Behind the row with this sort value and id (the last one of the page before).
    After(i64, Uuid),
    /// At this row number, counted from zero.
    Offset(usize),
}

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many rows.
    pub limit: usize,
    /// Where it begins.
    pub from: Start,
    /// Whether to count all rows, too.
    pub count: bool,
}

/// Which products.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// A part of title, description or SKU.
    pub search: Option<String>,
}

/// What orders are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderSort {
    /// When they were made.
    #[default]
    CreatedAt,
    /// What they cost.
    TotalAmount,
}

/// Which orders, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Where they stand.
    pub status: Option<OrderStatus>,
    /// What became of the money.
    pub payment_status: Option<PaymentState>,
    /// Whose.
    pub customer_id: Option<String>,
    /// Whose, by e-mail address.
    pub customer_email: Option<String>,
    /// Made at or after.
    pub from_date: Option<Timestamp>,
    /// Made at or before.
    pub to_date: Option<Timestamp>,
    /// Costing at least.
    pub min_amount: Option<Amount>,
    /// Costing at most.
    pub max_amount: Option<Amount>,
    /// A part of number, customer id, e-mail address or tracking number.
    pub search: Option<String>,
    /// By what they are sorted.
    pub sort: OrderSort,
    /// Smallest first.
    pub ascending: bool,
}

/// One page of ids, with the rows that show them.
#[derive(Debug, Default)]
pub struct Listed<I> {
    /// The ids, in the list's order.
    pub ids: Vec<I>,
    /// Sort value of the last row, when there are more behind it.
    pub next: Option<i64>,
    /// How many rows there are in all, where the page asked for it.
    pub total: Option<i64>,
    /// The rows.
    pub state: State,
}

/// Which holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldFilter {
    /// How they ended, or that they have not.
    pub status: Option<HoldStatus>,
    /// On what.
    pub variant_id: Option<VariantId>,
    /// For which order.
    pub order_id: Option<OrderId>,
}

/// One page of holds, newest first.
#[derive(Debug, Default)]
pub struct Holds {
    /// The holds.
    pub holds: Vec<Hold>,
    /// The last hold's time of making and id, when there are more behind it.
    pub next: Option<(i64, ReservationId)>,
}

/// A tenant with something due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The tenant.
    pub tenant: TenantId,
    /// When its oldest due hold ended.
    pub oldest: Timestamp,
    /// Whether its clean-up is paused: nothing sweeps it.
    pub paused: bool,
}

/// A payment, or a refund of it, whose provider has not said its last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenMoney {
    /// The tenant.
    pub tenant: TenantId,
    /// The payment.
    pub payment_id: PaymentId,
    /// The refund, if it is about one.
    pub refund_id: Option<RefundId>,
    /// Whether the provider is known to know of it.
    pub begun: bool,
    /// The time, by the clock that counts.
    pub now: Timestamp,
    /// When the payment is to be ended; now, for one that nobody waits for any more.
    pub ends_at: Option<Timestamp>,
}

/// Which transactions of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    /// The one of this reference.
    pub reference: Option<String>,
    /// Those of this order.
    pub order_id: Option<OrderId>,
    /// Those that touch this account.
    pub account: Option<Account>,
}

/// Which messages of providers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookFilter {
    /// What became of them.
    pub status: Option<WebhookStatus>,
    /// Who sent them.
    pub provider: Option<Provider>,
    /// About which payment.
    pub payment_id: Option<PaymentId>,
}

/// What an account comes to in one currency, in minor units. Sums may be larger than any amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountBalance {
    /// The account.
    pub account: Account,
    /// The currency.
    pub currency: Currency,
    /// All its debits.
    pub debit: i64,
    /// All its credits.
    pub credit: i64,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// Its number.
    pub seq: i64,
    /// When it was decided.
    pub at: Timestamp,
    /// Its type.
    pub kind: String,
    /// Its payload.
    pub payload: Vec<u8>,
    /// The order that it is about.
    pub order_id: Option<OrderId>,
    /// What it did to stock.
    pub movements: Vec<Movement>,
}

/// How a variant's figures came about.
#[derive(Debug, Default)]
pub struct Explanation {
    /// Its levels.
    pub levels: Vec<StockLevel>,
    /// Its active holds.
    pub holds: Vec<Hold>,
    /// The events that moved it last, newest first, each with its movement of one level.
    pub movements: Vec<(RawEvent, Movement)>,
}

/// Orders of one currency, counted and summed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderStats {
    /// The currency's code.
    pub currency: String,
    /// Orders made.
    pub total_orders: i64,
    /// Captured and not refunded, in minor units.
    pub total_revenue: i64,
    /// Orders that wait for payment.
    pub pending_orders: i64,
    /// Orders that arrived.
    pub completed_orders: i64,
    /// Orders that were paid.
    pub paid_orders: i64,
}

/// Reads committed state.
pub trait Reader: Send + Sync {
    /// What hangs on the keys of `needs` (see [`Needs`]); due holds do not come along.
    fn load(&self, tenant: TenantId, needs: Needs) -> Read<'_, State>;

    /// A tenant by its id.
    fn tenant(&self, id: TenantId) -> Read<'_, Option<Tenant>>;

    /// A tenant by its slug.
    fn tenant_by_slug(&self, slug: String) -> Read<'_, Option<Tenant>>;

    /// All tenants, newest first.
    fn tenants(&self) -> Read<'_, Vec<Tenant>>;

    /// A key by its hash, revoked or not.
    fn key_by_hash(&self, hash: [u8; 32]) -> Read<'_, Option<ApiKey>>;

    /// A tenant's keys, newest first.
    fn keys(&self, tenant: TenantId) -> Read<'_, Vec<ApiKey>>;

    /// Products, newest first.
    fn products(
        &self,
        tenant: TenantId,
        filter: ProductFilter,
        page: Page,
    ) -> Read<'_, Listed<ProductId>>;

    /// Orders.
    fn orders(
        &self,
        tenant: TenantId,
        filter: OrderFilter,
        page: Page,
    ) -> Read<'_, Listed<OrderId>>;

    /// An order's events, oldest first.
    fn order_events(&self, tenant: TenantId, order: OrderId) -> Read<'_, Vec<RawEvent>>;

    /// The last moves of the tenant's controls, newest first, at most `limit`.
    fn control_events(&self, tenant: TenantId, limit: usize) -> Read<'_, Vec<RawEvent>>;

    /// Orders made in a span of time, by currency.
    fn order_stats(
        &self,
        tenant: TenantId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Read<'_, Vec<OrderStats>>;

    /// Stock levels, by variant and location.
    fn levels(
        &self,
        tenant: TenantId,
        variant: Option<VariantId>,
        location: Option<LocationId>,
        page: Page,
    ) -> Read<'_, (Vec<StockLevel>, bool)>;

    /// How a variant's figures came about; at most `movements_max` movements.
    fn explain(
        &self,
        tenant: TenantId,
        variant: VariantId,
        movements_max: usize,
    ) -> Read<'_, Explanation>;

    /// Holds, newest first.
    fn holds(&self, tenant: TenantId, filter: HoldFilter, page: Page) -> Read<'_, Holds>;

    /// Transactions of the ledger, newest first, and whether there are more.
    fn ledger(
        &self,
        tenant: TenantId,
        filter: LedgerFilter,
        page: Page,
    ) -> Read<'_, (Vec<Transaction>, bool)>;

    /// Messages of providers, newest first, and whether there are more.
    fn webhook_events(
        &self,
        tenant: TenantId,
        filter: WebhookFilter,
        page: Page,
    ) -> Read<'_, (Vec<WebhookEvent>, bool)>;

    /// What every account comes to, by currency and account.
    fn balances(&self, tenant: TenantId) -> Read<'_, Vec<AccountBalance>>;

    /// Tenants with holds that are due at `now` and may end; not those that only read.
    fn due_tenants(&self, now: Timestamp) -> Read<'_, Vec<Due>>;

    /// The payment of a remote provider that the provider calls so.
    fn payment_named(&self, tenant: TenantId, name: String) -> Read<'_, Option<PaymentId>>;

    /// Payments and refunds of all tenants with whose providers we are not through, in the order of
    /// their ids (a refund's own), behind `after`, at most about `limit`. `now` is the caller's clock, which counts where the
    /// database has none of its own.
    fn open_money(&self, after: Uuid, limit: usize, now: Timestamp) -> Read<'_, Vec<OpenMoney>>;

    /// Whether the database answers.
    fn ping(&self) -> Read<'_, ()>;
}

/// A frozen view of the whole database, for `audit` and `export`. Blocks; not for a server's own threads.
pub trait Snapshot {
    /// All tenants.
    fn tenants(&mut self) -> Result<Vec<Tenant>, StoreError>;

    /// Everything of one tenant.
    fn whole_state(&mut self, tenant: TenantId) -> Result<State, StoreError>;

    /// The events behind `after`, oldest first, at most `limit`.
    fn events(
        &mut self,
        tenant: TenantId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<RawEvent>, StoreError>;
}

/// A frozen view that can be gone through page by page, for `export`.
pub trait Pages {
    /// Products behind `after` in the order of their ids, at most `limit`, with their variants,
    /// levels and the tenant's locations.
    fn products(
        &mut self,
        tenant: TenantId,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<State, StoreError>;

    /// Transactions of the ledger behind `after`, oldest first, at most `limit`.
    fn ledger(
        &mut self,
        tenant: TenantId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Transaction>, StoreError>;

    /// Orders behind `after` in the order of their ids, at most `limit`, with all that hangs on
    /// them.
    fn orders(
        &mut self,
        tenant: TenantId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<State, StoreError>;
}
