//! Turns, bounds, conflicts, unknown outcomes, deadlines, shutting down.

use std::sync::atomic::Ordering;

use engine::request::{Claim, Failure};
use tokio::task::JoinSet;

use super::{Fate, Rig, make_cart, make_tenant};

fn claim(key: u8) -> Claim {
    Claim {
        key: [key; 16],
        fingerprint: [key; 32],
    }
}

/// Queues makings of tenants without an executor; the answers come once one runs.
fn queue(rig: &Rig, slugs: &[&str]) -> JoinSet<Result<engine::request::Answer, Failure>> {
    let mut waiting = JoinSet::new();
    for slug in slugs {
        let (handle, (lane, command)) = (rig.handle.clone(), make_tenant(slug));
        waiting.spawn(async move { handle.submit(lane, command, None).await });
    }
    waiting
}

#[tokio::test(start_paused = true)]
async fn what_queues_meanwhile_shares_one_commit() {
    let mut rig = Rig::new(100, 64);
    let waiting = queue(&rig, &["a", "b", "c", "d", "e"]);
    tokio::task::yield_now().await;
    let mut executor = JoinSet::new();
    executor.spawn(rig.executor());
    let answers = waiting.join_all().await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(rig.script.commits.lock().unwrap().len(), 1);
    assert_eq!(rig.stats.commands.load(Ordering::Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn a_full_lane_refuses_before_any_work_and_others_go_on() {
    let mut rig = Rig::new(2, 64);
    let waiting = queue(&rig, &["a", "b"]);
    tokio::task::yield_now().await;
    let (lane, command) = make_tenant("c");
    let refused = rig.handle.submit(lane, command, None).await;
    assert_eq!(refused, Err(Failure::Overloaded));
    assert_eq!(rig.stats.shed.load(Ordering::Relaxed), 1);
    let mut executor = JoinSet::new();
    executor.spawn(rig.executor());
    assert!(waiting.join_all().await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn a_busy_lane_does_not_starve_the_others() {
    let mut rig = Rig::new(1_000, 8);
    let busy: Vec<String> = (0..100).map(|number| format!("t{number}")).collect();
    let busy: Vec<&str> = busy.iter().map(String::as_str).collect();
    let waiting = queue(&rig, &busy);
    tokio::task::yield_now().await;
    // The lane of a tenant that does not exist answers too: what counts is its turn.
    let other = domain::ids::Ids::new(domain::time::Timestamp::EPOCH, 9).make();
    let handle = rig.handle.clone();
    let mut quiet = JoinSet::new();
    quiet.spawn(async move { handle.submit(other, make_cart(), None).await });
    tokio::task::yield_now().await;
    let mut executor = JoinSet::new();
    executor.spawn(rig.executor());
    quiet.join_all().await;
    waiting.join_all().await;
    let loads = rig.script.loads.lock().unwrap();
    assert!(loads.len() > 10, "the busy lane takes many turns");
    assert!(
        loads[0].contains(&other),
        "the quiet lane waited for the busy one"
    );
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_decided_anew_and_retries_end() {
    let mut rig = Rig::new(100, 64);
    *rig.script.fates.lock().unwrap() = vec![Fate::Conflict, Fate::Conflict];
    let mut executor = JoinSet::new();
    executor.spawn(rig.executor());
    let (lane, command) = make_tenant("a");
    assert!(rig.handle.submit(lane, command, None).await.is_ok());
    assert_eq!(rig.stats.conflicts.load(Ordering::Relaxed), 2);
    *rig.script.fates.lock().unwrap() = vec![Fate::Conflict; 4];
    let (lane, command) = make_tenant("b");
    let used_up = rig.handle.submit(lane, command, None).await;
    assert_eq!(used_up, Err(Failure::Contended));
}

/// The caller of a commit that was cut learns what became of it, and a retry never doubles.
#[tokio::test(start_paused = true)]
async fn an_unknown_commit_is_looked_up_before_anybody_is_answered() {
    let mut rig = Rig::new(100, 64);
    let mut executor = JoinSet::new();
    executor.spawn(rig.executor());
    rig.script.fates.lock().unwrap().push(Fate::UnknownDone);
    let (lane, command) = make_tenant("a");
    let first = rig
        .handle
        .submit(lane, command.clone(), Some(claim(1)))
        .await
        .unwrap();
    let again = rig
        .handle
        .submit(lane, command, Some(claim(1)))
        .await
        .unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(first.body, again.body);

    rig.script.fates.lock().unwrap().push(Fate::UnknownLost);
    let (lane, command) = make_tenant("b");
    let anew = rig
        .handle
        .submit(lane, command.clone(), Some(claim(2)))
        .await
        .unwrap();
    assert!(!anew.replayed, "nothing had been done: it was decided anew");
    let again = rig
        .handle
        .submit(lane, command, Some(claim(2)))
        .await
        .unwrap();
    assert!(again.replayed);
}

#[tokio::test(start_paused = true)]
async fn what_stays_unknown_is_never_decided_anew() {
    let mut rig = Rig::new(100, 64);
    let mut executor = JoinSet::new();
    executor.spawn(rig.executor());
    rig.script.fates.lock().unwrap().push(Fate::UnknownHeld);
    let (lane, command) = make_tenant("a");
    let told = rig.handle.submit(lane, command, None).await;
    assert_eq!(told, Err(Failure::Unavailable));
    assert_eq!(
        rig.script.commits.lock().unwrap().len(),
        1,
        "one commit, and no second"
    );
}

#[tokio::test(start_paused = true)]
async fn an_absent_database_is_told_and_survived() {
    let mut rig = Rig::new(100, 64);
    let mut executor = JoinSet::new();
    executor.spawn(rig.executor());
    rig.script.fates.lock().unwrap().push(Fate::Away);
    let (lane, command) = make_tenant("a");
    let refused = rig.handle.submit(lane, command.clone(), None).await;
    assert_eq!(refused, Err(Failure::Unavailable));
    assert!(rig.handle.submit(lane, command, None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_waited_too_long_is_dropped_undecided() {
    let mut rig = Rig::new(100, 64);
    let waiting = queue(&rig, &["a", "b"]);
    tokio::task::yield_now().await;
    tokio::time::advance(std::time::Duration::from_millis(10_001)).await;
    let mut executor = JoinSet::new();
    executor.spawn(rig.executor());
    let answers = waiting.join_all().await;
    assert_eq!(
        answers,
        [Err(Failure::Overloaded), Err(Failure::Overloaded)]
    );
    assert!(rig.script.commits.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn closing_serves_what_is_queued_and_refuses_the_rest() {
    let mut rig = Rig::new(100, 64);
    let waiting = queue(&rig, &["a", "b", "c"]);
    tokio::task::yield_now().await;
    rig.lanes.close();
    let (lane, command) = make_tenant("d");
    let late = rig.handle.submit(lane, command, None).await;
    assert_eq!(late, Err(Failure::Unavailable));
    rig.executor().await;
    assert!(waiting.join_all().await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn answers_are_forgotten_after_their_time() {
    let mut rig = Rig::new(100, 64);
    let mut executor = JoinSet::new();
    executor.spawn(rig.executor());
    let (lane, command) = make_tenant("a");
    rig.handle
        .submit(lane, command.clone(), Some(claim(1)))
        .await
        .unwrap();
    rig.clock.advance(1_001);
    let (_, other) = make_tenant("b");
    rig.handle
        .submit(lane, other, Some(claim(2)))
        .await
        .unwrap();
    let again = rig.handle.submit(lane, command, Some(claim(1))).await;
    assert!(
        matches!(again, Err(Failure::Refused { .. })),
        "decided anew: the slug is taken"
    );
}
