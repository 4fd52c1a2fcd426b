//! One command at a time straight on a store, without queues: for the command line, for filling a
//! demo, and for simulation.

use domain::command::Command;
use domain::ids::TenantId;
use domain::needs::Needs;
use domain::time::Timestamp;

use crate::batch::{Rules, decide_lane, ends_batch};
use crate::request::{Answer, Failure, Request};
use crate::store::{LaneLoad, Store, StoreError};

/// Decides and commits some requests as one batch of a lane at `now` (several, where a lever
/// ends one); their answers in order.
pub async fn execute<S: Store>(
    store: &mut S,
    tenant: TenantId,
    requests: &[Request],
    now: Timestamp,
    rules: Rules<'_>,
) -> Result<Vec<Result<Answer, Failure>>, StoreError> {
    let mut answers = Vec::with_capacity(requests.len());
    for batch in requests.chunk_by(|request, _| !ends_batch(request)) {
        answers.extend(execute_batch(store, tenant, batch, now, rules).await?);
    }
    Ok(answers)
}

async fn execute_batch<S: Store>(
    store: &mut S,
    tenant: TenantId,
    requests: &[Request],
    now: Timestamp,
    rules: Rules<'_>,
) -> Result<Vec<Result<Answer, Failure>>, StoreError> {
    let mut needs = Needs::default();
    let mut claims = Vec::new();
    for request in requests {
        request.command.needs(&mut needs);
        claims.extend(request.claim.map(|claim| claim.key));
    }
    loop {
        let lane = LaneLoad {
            tenant,
            needs: &needs,
            claims: &claims,
        };
        let loaded = store.load(&[lane], now).await?;
        let Some(loaded) = loaded.into_iter().next() else {
            return Ok(Vec::new());
        };
        let requests: Vec<&Request> = requests.iter().collect();
        let outcome = decide_lane(tenant, loaded, &requests, now, rules);
        if outcome.is_changed() {
            store.commit(std::slice::from_ref(&outcome.write)).await?;
        } else {
            store.abandon().await?;
        }
        if !outcome.again {
            return Ok(outcome.answers);
        }
    }
}

/// Decides and commits one command.
pub async fn run<S: Store>(
    store: &mut S,
    tenant: TenantId,
    (command, entropy): (Command, u64),
    now: Timestamp,
    rules: Rules<'_>,
) -> Result<Answer, Failure> {
    let request = Request {
        command,
        claim: None,
        entropy,
    };
    let answers = execute(store, tenant, &[request], now, rules).await;
    let failed = |error: StoreError| {
        tracing::error!(%error, "a command could not be committed");
        Failure::Unavailable
    };
    answers
        .map_err(failed)?
        .pop()
        .unwrap_or(Err(Failure::Internal))
}
