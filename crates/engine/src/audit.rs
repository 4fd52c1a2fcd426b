//! The proof: folding a tenant's events again must give its tables, and the tables must keep
//! every invariant. Reads one snapshot, and no clock.

use domain::apply;
use domain::ids::{OrderId, PaymentId};
use domain::invariant;
use domain::payment::{PayPage, Payment};
use domain::state::{Lane, State};
use domain::table::Table;
use domain::tenant::Tenant;

use crate::codec::Codec;
use crate::reader::{RawEvent, Snapshot};
use crate::store::StoreError;

type Payments = Table<(OrderId, PaymentId), Payment>;

/// Events read at a time.
const EVENTS_PER_READ: usize = 10_000;
/// Findings listed for one tenant; more of them say nothing more.
const FINDINGS_MAX: usize = 100;

/// What an audit found.
#[derive(Debug, Default)]
pub struct Report {
    /// Events folded.
    pub events: u64,
    /// What is wrong, in words; empty when all is well.
    pub findings: Vec<String>,
}

/// Audits every tenant of a snapshot.
pub fn audit(snapshot: &mut dyn Snapshot, codec: &dyn Codec) -> Result<Report, StoreError> {
    let mut report = Report::default();
    for tenant in snapshot.tenants()? {
        let id = tenant.id;
        let findings = audit_tenant(snapshot, codec, tenant, &mut report.events)?;
        let shown = findings.into_iter().take(FINDINGS_MAX);
        report
            .findings
            .extend(shown.map(|finding| format!("tenant {id}: {finding}")));
    }
    Ok(report)
}

fn audit_tenant(
    snapshot: &mut dyn Snapshot,
    codec: &dyn Codec,
    tenant: Tenant,
    events: &mut u64,
) -> Result<Vec<String>, StoreError> {
    let id = tenant.id;
    let mut findings = Vec::new();
    let mut folded = State::genesis(tenant);
    loop {
        let page = snapshot.events(id, folded.lane.seq, EVENTS_PER_READ)?;
        if page.is_empty() {
            break;
        }
        for raw in &page {
            *events += 1;
            if let Err(finding) = fold(&mut folded, raw, codec) {
                findings.push(finding);
                return Ok(findings);
            }
        }
        folded.settle();
    }
    let stored = snapshot.whole_state(id)?;
    compare(&folded, &stored, &mut findings);
    for order in stored.orders.values() {
        if order
            .snapshot_hash
            .as_ref()
            .is_some_and(|hash| *hash != codec.seal(order))
        {
            findings.push(format!(
                "{:?}: its totals differ from what was locked",
                order.id
            ));
        }
    }
    findings.extend(invariant::violations(&stored, None));
    Ok(findings)
}

/// Folds one stored event; an error when the journal is broken there.
fn fold(folded: &mut State, raw: &RawEvent, codec: &dyn Codec) -> Result<(), String> {
    let expected = folded.lane.seq.saturating_add(1);
    if raw.seq != expected {
        return Err(format!(
            "event {expected} is missing; the next one is {}",
            raw.seq
        ));
    }
    if raw.at < folded.lane.last_at {
        return Err(format!("event {} is older than the one before it", raw.seq));
    }
    let event = codec
        .read_event(&raw.kind, &raw.payload)
        .map_err(|error| format!("event {} ({}) cannot be read: {error}", raw.seq, raw.kind))?;
    let movements = apply::apply_event(folded, &event, raw.at);
    if movements != raw.movements {
        return Err(format!(
            "event {} moved stock otherwise than it says",
            raw.seq
        ));
    }
    if raw.order_id != event.order_id() {
        return Err(format!("event {} stands under another order", raw.seq));
    }
    Ok(())
}

fn compare(folded: &State, stored: &State, findings: &mut Vec<String>) {
    let (ours, theirs) = (folded.lane, stored.lane);
    let facts = |lane: Lane| (lane.seq, lane.next_order_number, lane.controls);
    if facts(ours) != facts(theirs) {
        findings.push(format!(
            "the lane's row is {theirs:?}, its events give {ours:?}"
        ));
    }
    compare_table("locations", &folded.locations, &stored.locations, findings);
    compare_table("products", &folded.products, &stored.products, findings);
    compare_table(
        "product_variants",
        &folded.variants,
        &stored.variants,
        findings,
    );
    compare_table("stock_levels", &folded.levels, &stored.levels, findings);
    compare_table("orders", &folded.orders, &stored.orders, findings);
    compare_table("stock_reservations", &folded.holds, &stored.holds, findings);
    let (ours, theirs) = (journaled(&folded.payments), journaled(&stored.payments));
    compare_table("payments", &ours, &theirs, findings);
    compare_table("refunds", &folded.refunds, &stored.refunds, findings);
    compare_table("ledger", &folded.ledger, &stored.ledger, findings);
}

/// Payments without what stands in no event.
fn journaled(payments: &Payments) -> Payments {
    let mut without = Table::default();
    for (key, payment) in payments.iter() {
        let page = PayPage::default();
        without.load(
            *key,
            Payment {
                page,
                ..payment.clone()
            },
        );
    }
    without
}

fn compare_table<K, V>(
    name: &str,
    folded: &Table<K, V>,
    stored: &Table<K, V>,
    findings: &mut Vec<String>,
) where
    K: Ord + Copy + std::fmt::Debug,
    V: Clone + PartialEq + std::fmt::Debug,
{
    for (key, row) in stored.iter() {
        match folded.get(key) {
            None => findings.push(format!("{name}: {key:?} has no events")),
            Some(expected) if expected != row => {
                findings.push(format!(
                    "{name}: {row:?} stands where events give {expected:?}"
                ));
            }
            Some(_) => {}
        }
    }
    for (key, _) in folded.iter().filter(|(key, _)| !stored.contains(key)) {
        findings.push(format!("{name}: {key:?} is missing"));
    }
}

/// Where two whole states of one tenant differ, as the conformance suite asks of two stores.
#[must_use]
pub fn differences(ours: &State, theirs: &State) -> Vec<String> {
    let mut findings = Vec::new();
    compare(ours, theirs, &mut findings);
    findings
}
