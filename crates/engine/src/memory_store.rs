//! A store in memory: the specification of the port by example, and the simulator's ground.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{BatchId, OrderId, TenantId, VariantId};
use domain::limits::DUE_MAX;
use domain::needs::Needs;
use domain::state::State;
use domain::tenant::Tenant;
use domain::time::Timestamp;

use crate::reader::{RawEvent, Snapshot};
use crate::request::{KeyDigest, StoredAnswer};
use crate::store::{LaneLoad, LaneWrite, Loaded, Store, StoreError};

/// Everything of one lane.
#[derive(Debug, Default)]
struct Shelf {
    state: State,
    events: Vec<RawEvent>,
    answers: BTreeMap<KeyDigest, StoredAnswer>,
    batches: Vec<BatchId>,
}

/// All lanes, in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    lanes: BTreeMap<TenantId, Shelf>,
    tenants: BTreeMap<TenantId, Tenant>,
}

impl MemoryStore {
    /// The whole state of a tenant.
    #[must_use]
    pub fn state(&self, tenant: TenantId) -> Option<&State> {
        self.lanes.get(&tenant).map(|shelf| &shelf.state)
    }

    /// A tenant's lane, begun if it is new.
    fn shelf(&mut self, tenant: TenantId) -> &mut Shelf {
        let known = self.tenants.get(&tenant);
        self.lanes.entry(tenant).or_insert_with(|| Shelf {
            state: known.cloned().map_or_else(State::default, State::genesis),
            ..Shelf::default()
        })
    }
}

impl Store for MemoryStore {
    fn lanes_per_batch(&self) -> usize {
        64
    }

    async fn load(
        &mut self,
        lanes: &[LaneLoad<'_>],
        now: Timestamp,
    ) -> Result<Vec<Loaded>, StoreError> {
        let mut loaded = Vec::with_capacity(lanes.len());
        for lane in lanes {
            let tenants = self.tenants.clone();
            let shelf = self.shelf(lane.tenant);
            let now = now.max(shelf.state.lane.last_at);
            let mut state = extract(&shelf.state, lane.needs, Some(now));
            for tenant in tenants.into_values() {
                let wanted = Some(tenant.id) == state.tenant_id
                    || lane.needs.tenants.contains(&tenant.id)
                    || lane.needs.slugs.contains(&tenant.slug);
                if wanted {
                    state.tenants.load(tenant.id, tenant);
                }
            }
            let answer = |key: &KeyDigest| Some((*key, shelf.answers.get(key)?.clone()));
            let answers = lane.claims.iter().filter_map(answer).collect();
            loaded.push(Loaded {
                state,
                answers,
                now: None,
            });
        }
        Ok(loaded)
    }

    async fn commit(
        &mut self,
        lanes: &[LaneWrite],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        for write in lanes {
            for (_, tenant) in write.state.tenants.changed() {
                self.tenants.insert(tenant.id, tenant.clone());
            }
            let shelf = self.shelf(write.tenant);
            if shelf.state.lane != write.before {
                return Err(StoreError::Conflict);
            }
            merge(&mut shelf.state, &write.state);
            for journaled in &write.events {
                shelf.events.push(RawEvent {
                    seq: journaled.recorded.seq,
                    at: journaled.recorded.at,
                    kind: journaled.kind.to_owned(),
                    payload: journaled.payload.clone(),
                    order_id: journaled.recorded.event.order_id(),
                    movements: journaled.recorded.movements.clone(),
                });
            }
            shelf
                .answers
                .retain(|_, answer| answer.at >= write.forget_before);
            shelf.answers.extend(write.answers.iter().cloned());
            shelf.batches.push(write.batch);
        }
        Ok(lanes.iter().map(|_| Ok(())).collect())
    }

    async fn abandon(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn resolve(&mut self, tenant: TenantId, batch: BatchId) -> Result<bool, StoreError> {
        Ok(self.shelf(tenant).batches.contains(&batch))
    }
}

impl Snapshot for &MemoryStore {
    fn tenants(&mut self) -> Result<Vec<Tenant>, StoreError> {
        Ok(self.tenants.values().cloned().collect())
    }

    fn whole_state(&mut self, tenant: TenantId) -> Result<State, StoreError> {
        let mut state = self.state(tenant).cloned().unwrap_or_default();
        state.settle();
        Ok(state)
    }

    fn events(
        &mut self,
        tenant: TenantId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<RawEvent>, StoreError> {
        let all = self
            .lanes
            .get(&tenant)
            .map_or(&[][..], |shelf| &shelf.events);
        Ok(all
            .iter()
            .filter(|event| event.seq > after)
            .take(limit)
            .cloned()
            .collect())
    }
}

/// What hangs on the keys of `needs`, and what is due on its variants at `due_at`.
fn extract(all: &State, needs: &Needs, due_at: Option<Timestamp>) -> State {
    let mut out = State {
        lane: all.lane,
        tenant_id: all.tenant_id,
        ..State::default()
    };
    for location in all.locations.values() {
        out.locations.load(location.id, location.clone());
    }
    let mut orders = needs.orders.clone();
    let mut variants = needs.variants.clone();
    let payments = all
        .payments
        .values()
        .filter(|payment| needs.payments.contains(&payment.id));
    orders.extend(payments.map(|payment| payment.order_id));
    for id in &needs.carts {
        if let Some(cart) = all.carts.get(id) {
            out.carts.load(*id, cart.clone());
            variants.extend(cart.items.iter().map(|item| item.variant_id));
            orders.extend(cart.order_id);
        }
    }
    variants.extend(needs.skus.iter().filter_map(|sku| all.skus.get(sku)));
    let mut products = needs.products.clone();
    products.extend(needs.handles.iter().filter_map(|h| all.handles.get(h)));
    let of_skus = needs
        .product_skus
        .iter()
        .filter_map(|sku| all.skus.get(sku));
    products.extend(of_skus.filter_map(|id| all.variants.get(id).map(|v| v.product_id)));
    let of_products = all
        .variants
        .values()
        .filter(|v| products.contains(&v.product_id));
    variants.extend(of_products.map(|variant| variant.id));
    for id in &products {
        if let Some(product) = all.products.get(id) {
            out.load_product(product.clone());
        }
    }
    for id in orders.clone() {
        load_order(all, id, &mut out, &mut variants);
    }
    if let Some(now) = due_at.filter(|_| all.lane.controls.read_only_since.is_none()) {
        let due = due_orders(all, &variants, needs.due, now);
        out.more_due = due.len() > DUE_MAX;
        for id in due.into_iter().take(DUE_MAX) {
            load_order(all, id, &mut out, &mut variants);
        }
        for id in untidy_orders(all, needs.due) {
            load_order(all, id, &mut out, &mut variants);
        }
    }
    for id in variants {
        load_variant(all, id, &mut out);
    }
    for id in &needs.webhook_events {
        if let Some(event) = all.webhook_events.get(id) {
            out.webhook_events.load(*id, event.clone());
        }
    }
    for key in all.keys.values().filter(|key| needs.keys.contains(&key.id)) {
        out.keys.load(key.id, key.clone());
    }
    out
}

/// Orders with due holds on the variants, and the first `any` of all due ones; the oldest first.
fn due_orders(
    all: &State,
    variants: &BTreeSet<VariantId>,
    any: usize,
    now: Timestamp,
) -> Vec<OrderId> {
    let controls = &all.lane.controls;
    let due = || all.holds.values().filter(|hold| controls.is_due(hold, now));
    let on_variants = due().filter(|hold| variants.contains(&hold.variant_id));
    let mut found: BTreeSet<_> = on_variants.map(|h| (h.expires_at, h.order_id)).collect();
    if controls.cleanup_paused_at.is_none() {
        let every: BTreeSet<_> = due().map(|h| (h.expires_at, h.order_id)).collect();
        found.extend(every.into_iter().take(any));
    }
    found.into_iter().map(|(_, order)| order).collect()
}

/// The first `most` orders whose deadline is not as the controls want it; the oldest first.
fn untidy_orders(all: &State, most: usize) -> Vec<OrderId> {
    let on_hold = |id| all.orders.get(id).is_some_and(|o| o.on_hold.is_some());
    let untidy = all.holds.values().filter(|hold| {
        all.lane.controls.wants_tidying(hold)
            && (hold.expires_at.is_some() || !on_hold(&hold.order_id))
    });
    let found: BTreeSet<_> = untidy.map(|h| (h.expires_at, h.order_id)).collect();
    found
        .into_iter()
        .take(most)
        .map(|(_, order)| order)
        .collect()
}

fn load_order(all: &State, id: OrderId, out: &mut State, variants: &mut BTreeSet<VariantId>) {
    let Some(order) = all.orders.get(&id) else {
        return;
    };
    out.orders.load(id, order.clone());
    variants.extend(order.items.iter().map(|item| item.variant_id));
    if let Some(contact) = all.contacts.get(&id) {
        out.contacts.load(id, contact.clone());
    }
    for hold in all.holds_of(id) {
        variants.insert(hold.variant_id);
        out.holds.load((id, hold.id), hold.clone());
    }
    for payment in all.payments_of(id) {
        out.payments.load((id, payment.id), payment.clone());
    }
    for refund in all.refunds_of(id) {
        out.refunds.load((id, refund.id), refund.clone());
    }
}

fn load_variant(all: &State, id: VariantId, out: &mut State) {
    let Some(variant) = all.variants.get(&id) else {
        return;
    };
    out.load_variant(variant.clone());
    if let Some(product) = all.products.get(&variant.product_id) {
        out.load_product(product.clone());
    }
    for level in all.levels_of(id) {
        out.levels.load(level.key(), level.clone());
    }
}

/// Puts the changed rows of a batch into the whole.
fn merge(all: &mut State, changed: &State) {
    all.lane = changed.lane;
    for (_, row) in changed.locations.changed() {
        all.locations.load(row.id, row.clone());
    }
    for (_, row) in changed.products.changed() {
        all.load_product(row.clone());
    }
    for (before, row) in changed.variants.changed() {
        if let Some(sku) = before.and_then(|before| before.sku.as_ref())
            && all.skus.get(sku) == Some(&row.id)
        {
            all.skus.remove(sku);
        }
        all.load_variant(row.clone());
    }
    for (_, row) in changed.levels.changed() {
        all.levels.load(row.key(), row.clone());
    }
    for (_, row) in changed.orders.changed() {
        all.orders.load(row.id, row.clone());
    }
    for (id, row) in changed.contacts.iter() {
        all.contacts.load(*id, row.clone());
    }
    for (_, row) in changed.holds.changed() {
        all.holds.load((row.order_id, row.id), row.clone());
    }
    for (_, row) in changed.payments.changed() {
        all.payments.load((row.order_id, row.id), row.clone());
    }
    for (_, row) in changed.refunds.changed() {
        all.refunds.load((row.order_id, row.id), row.clone());
    }
    for (_, row) in changed.ledger.changed() {
        all.ledger.load(row.seq, row.clone());
    }
    for (_, row) in changed.carts.changed() {
        all.carts.load(row.id, row.clone());
    }
    for (_, row) in changed.webhook_events.changed() {
        all.webhook_events.load(row.id, row.clone());
    }
    for (_, row) in changed.keys.changed() {
        all.keys.load(row.id, row.clone());
    }
}
