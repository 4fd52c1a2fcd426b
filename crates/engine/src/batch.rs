//! One lane's share of a batch: its commands decided and applied one after another, in memory.
//!
//! A pure function of what was loaded; the executor brings it in and commits what it made.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::apply;
use domain::command::{Command, Context, Decision};
use domain::decide::expire_due;
use domain::event::{Change, Event, Recorded};
use domain::ids::{BatchId, Ids, TenantId};
use domain::planted::{self, Bug};
use domain::rejection::Rejection;
use domain::state::State;
use domain::time::Timestamp;

use crate::codec::{Codec, Encoded};
use crate::open::{self, OPEN};
use crate::request::{Answer, Claim, Failure, KeyDigest, Request, StoredAnswer};
use crate::store::{Journaled, LaneWrite, Loaded};

/// What deciding needs beside state and requests.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Makes the bytes.
    pub codec: &'a dyn Codec,
    /// Minutes until an unpaid order expires, where the tenant says nothing.
    pub payment_timeout_minutes: i64,
    /// For how many milliseconds an answer is kept under its key.
    pub answers_kept_millis: i64,
}

/// What a lane's commands came to.
#[derive(Debug)]
pub struct LaneOutcome {
    /// What to write.
    pub write: LaneWrite,
    /// What to answer, in the order of the requests; given only once the write is committed.
    pub answers: Vec<Result<Answer, Failure>>,
    /// Orders that expired.
    pub expired: usize,
    /// True when more is due than was loaded: nothing was decided but expiry, and after the
    /// commit the same requests are to be taken up again.
    pub again: bool,
}

impl LaneOutcome {
    /// Whether there is anything to write.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.write.state.is_changed()
            || !self.write.events.is_empty()
            || !self.write.answers.is_empty()
    }
}

/// Whether a batch ends with this command: what follows a lever is loaded under the new controls.
#[must_use]
pub(crate) fn ends_batch(request: &Request) -> bool {
    matches!(request.command, Command::MoveControls(_))
}

/// A batch's id. The same first request at the same time may begin two batches, one after the
/// other, when more is due than one takes: the lane has moved on then.
fn batch_id(now: Timestamp, entropy: u64, seq: i64) -> BatchId {
    Ids::new(now, entropy ^ 0xba7c ^ seq.cast_unsigned().rotate_left(32)).make()
}

struct Deciding<'a> {
    rules: Rules<'a>,
    now: Timestamp,
    state: State,
    known: BTreeMap<KeyDigest, StoredAnswer>,
    events: Vec<Journaled>,
    answers: Vec<(KeyDigest, StoredAnswer)>,
}

/// Decides a lane's requests at the later of `now` and the lane's last time.
#[must_use]
pub fn decide_lane(
    tenant: TenantId,
    loaded: Loaded,
    requests: &[&Request],
    now: Timestamp,
    rules: Rules<'_>,
) -> LaneOutcome {
    let before = loaded.state.lane;
    let now = loaded.now.unwrap_or(now).max(before.last_at);
    let mut deciding = Deciding {
        rules,
        now,
        state: loaded.state,
        known: loaded.answers,
        events: Vec::new(),
        answers: Vec::new(),
    };
    let due = expire_due(&deciding.state, now);
    let is_expiry = |change: &&Change| matches!(change, Change::Event(Event::OrderExpired { .. }));
    let expired = due.iter().filter(is_expiry).count();
    let again = deciding.state.more_due && !due.is_empty();
    deciding.apply(due);
    let answers = if again {
        Vec::new()
    } else {
        requests
            .iter()
            .map(|request| deciding.decide(request))
            .collect()
    };
    let mut state = deciding.state;
    if state.is_changed() || !deciding.events.is_empty() {
        state.lane.last_at = now;
    }
    let entropy = requests.first().map_or(0, |request| request.entropy);
    let write = LaneWrite {
        tenant,
        batch: batch_id(now, entropy, before.seq),
        before,
        state,
        events: deciding.events,
        answers: deciding.answers,
        forget_before: now.plus_millis(rules.answers_kept_millis.saturating_neg()),
    };
    LaneOutcome {
        write,
        answers,
        expired,
        again,
    }
}

impl Deciding<'_> {
    fn decide(&mut self, request: &Request) -> Result<Answer, Failure> {
        if let Some(answer) = self.replay(request.claim.as_ref())? {
            return Ok(answer);
        }
        let read_only = self.state.lane.controls.read_only_since.is_some();
        if read_only && !matches!(request.command, Command::MoveControls(_)) {
            return Err(Failure::ReadOnly);
        }
        let mut context = Context {
            now: self.now,
            ids: Ids::new(self.now, request.entropy),
            payment_timeout_minutes: self.rules.payment_timeout_minutes,
            seal: self.rules.codec,
        };
        // Deciding reads the state and changes nothing, so a panic in it spoils one command.
        let decided = catch_unwind(AssertUnwindSafe(|| {
            request.command.decide(&self.state, &mut context)
        }));
        let mut decision = match decided {
            Ok(Ok(decision)) => decision,
            Ok(Err(rejection)) => return Err(self.refused(rejection)),
            Err(_panic) => {
                tracing::error!(command = request.command.name(), "deciding panicked");
                return Err(Failure::Internal);
            }
        };
        let changes = std::mem::take(&mut decision.changes);
        self.apply(changes);
        Ok(self.answer(&decision, None, request.claim.as_ref()))
    }

    fn replay(&mut self, claim: Option<&Claim>) -> Result<Option<Answer>, Failure> {
        let Some((claim, known)) =
            claim.and_then(|claim| Some((claim, self.known.get(&claim.key)?)))
        else {
            return Ok(None);
        };
        if known.at < self.forget_before() {
            return Ok(None);
        }
        if known.fingerprint != claim.fingerprint {
            return Err(self.refused(Rejection::IdempotencyKeyReused));
        }
        let known = known.clone();
        if known.status == OPEN {
            let claimed = open::decode(&known.body);
            let (reply, status) = claimed.ok_or(Failure::Internal)?;
            if reply.is_void(&self.state) {
                return Ok(None);
            }
            // A claim that still waits for its provider stands as it is.
            let claim = Some(claim).filter(|_| !reply.is_open(&self.state));
            return Ok(Some(Answer {
                replayed: true,
                ..self.answer(&Decision::repeated(reply), Some(status), claim)
            }));
        }
        Ok(Some(Answer {
            status: known.status,
            body: known.body,
            seq: known.seq,
            replayed: true,
            open: None,
        }))
    }

    /// Answers older than this count as forgotten, whether the store still has them or not.
    fn forget_before(&self) -> Timestamp {
        self.now
            .plus_millis(self.rules.answers_kept_millis.saturating_neg())
    }

    fn refused(&self, rejection: Rejection) -> Failure {
        Failure::Refused {
            rejection,
            seq: self.state.lane.seq,
        }
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            let movements = apply::apply(&mut self.state, &change, self.now);
            if let Change::Event(event) = change {
                let (kind, payload) = self.rules.codec.event(&event);
                let (seq, at) = (self.state.lane.seq, self.now);
                let recorded = Recorded {
                    seq,
                    at,
                    event,
                    movements,
                };
                self.events.push(Journaled {
                    recorded,
                    kind,
                    payload,
                });
            }
        }
    }

    /// What is answered, kept under the key: as it is, or as a claim that a provider is still to be
    /// asked for.
    fn answer(
        &mut self,
        decision: &Decision,
        status: Option<u16>,
        claim: Option<&Claim>,
    ) -> Answer {
        let Encoded {
            status: usual,
            body,
        } = self.rules.codec.answer(&self.state, decision);
        let status = status.unwrap_or(usual);
        let seq = self.state.lane.seq;
        let reply = decision.reply;
        let open = reply.is_open(&self.state).then_some(reply);
        if let Some(claim) = claim {
            let claimed = open.and_then(|reply| open::encode(reply, status));
            let (kept_status, kept_body) =
                claimed.map_or_else(|| (status, body.clone()), |claimed| (OPEN, claimed));
            let stored = StoredAnswer {
                fingerprint: claim.fingerprint,
                status: kept_status,
                body: kept_body,
                seq,
                at: self.now,
            };
            if !planted::is(Bug::KeyClaimedLate) {
                self.known.insert(claim.key, stored.clone());
            }
            self.answers.retain(|(key, _)| *key != claim.key);
            self.answers.push((claim.key, stored));
        }
        Answer {
            status,
            body,
            seq,
            replayed: decision.repeated,
            open,
        }
    }
}
