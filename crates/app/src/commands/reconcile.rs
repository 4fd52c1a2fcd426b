//! `stockhold reconcile`: what providers say of every payment, beside what stands here. Changes
//! nothing, and may run beside a server.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use domain::ids::{OrderId, TypedId as _, Uuid};
use domain::tenant::Tenant;
use domain::time::Timestamp;
use engine::clock::Clock as _;
use engine::reconcile::{Cash, Difference, add_cash, differences};
use outbound::providers::AllProviders;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::output;
use crate::cli::ReconcileArgs;
use crate::clock::SystemClock;
use crate::database::{Frozen, Location};
use crate::providers::{self, Setting};

/// Rows that are looked at together.
const PAGE: usize = 1_000;
const DAY: i64 = 86_400_000;

/// Exits 1 when something differs.
pub(crate) fn run(args: &ReconcileArgs) -> Result<ExitCode> {
    let location: Location = args.at.database.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let providers = runtime.block_on(providers_of(&location, args))?;
    let mut frozen = location.freeze()?;
    let since = SystemClock::new().now().plus_millis(-args.days * DAY);
    let is_meant = |tenant: &Tenant| args.tenant.as_ref().is_none_or(|slug| *slug == tenant.slug);
    let mut tenants = frozen.tenants()?;
    tenants.retain(is_meant);
    if let Some(slug) = args.tenant.as_ref().filter(|_| tenants.is_empty()) {
        anyhow::bail!("there is no tenant {slug:?}");
    }
    let (mut orders, mut found) = (0, Vec::new());
    for tenant in tenants {
        orders += compare(
            &mut *frozen,
            (&runtime, &providers),
            (&tenant, since),
            &mut found,
        )?;
    }
    report(args, orders, &found);
    Ok(ExitCode::from(u8::from(!found.is_empty())))
}

fn report(args: &ReconcileArgs, orders: usize, found: &[Difference]) {
    if args.json {
        let all: Vec<_> = found.iter().map(shown).collect();
        let ok = all.is_empty();
        output::line(&json!({"ok": ok, "orders": orders, "differences": all}).to_string());
        return;
    }
    for difference in found {
        output::line(&difference.to_string());
    }
    output::line(&format!("{orders} orders, {} differences", found.len()));
}

fn shown(difference: &Difference) -> serde_json::Value {
    json!({
        "order_id": difference.order_id.to_string(),
        "payment_id": difference.payment_id.to_string(),
        "refund_id": difference.refund_id.map(|id| id.to_string()),
        "provider": difference.provider.name(),
        "difference": difference.what,
    })
}

async fn providers_of(location: &Location, args: &ReconcileArgs) -> Result<AllProviders> {
    let pepper = location.pepper().await?;
    providers::all(Setting {
        clock: Arc::new(SystemClock::new()),
        pepper,
        // What no key was given for may have been sealed by a demo.
        vault: providers::vault(args.vault.accounts_key.as_deref(), &pepper, true)?,
        mock_webhook_key: None,
        public_url: String::new(),
        tasks: TaskTracker::new(),
        stop: CancellationToken::new(),
    })
}

/// The lowest id of an order that was made at a time (RFC 9562, 5.7).
fn first_at(at: Timestamp) -> Result<OrderId> {
    let millis = u128::try_from(at.millis()).context("a time before 1970")?;
    Ok(OrderId::from_uuid(Uuid::from_u128(millis << 80)))
}

/// Compares a tenant's orders since a time; returns how many they were.
fn compare(
    frozen: &mut dyn Frozen,
    (runtime, providers): (&Runtime, &AllProviders),
    (tenant, since): (&Tenant, Timestamp),
    found: &mut Vec<Difference>,
) -> Result<usize> {
    let mut ledger = Cash::new();
    let mut after = 0;
    loop {
        let page = frozen.ledger(tenant.id, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        add_cash(&mut ledger, &page);
    }
    let (mut orders, mut after) = (0, first_at(since)?);
    loop {
        let state = frozen.orders(tenant.id, Some(after), PAGE)?;
        let Some((last, _)) = state.orders.iter().last() else {
            return Ok(orders);
        };
        after = *last;
        orders += state.orders.len();
        let compared = differences(&ledger, providers, tenant, &state);
        found.extend(runtime.block_on(compared));
    }
}
