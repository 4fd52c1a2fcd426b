//! `POST /products/import`: products line by line, each decided by the lane like any other
//! command, while orders go on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use domain::command::Command;
use domain::decide::StockRule;
use domain::ids::TenantId;
use domain::rejection::Rejection;
use engine::handle::Queued;
use engine::request::{Claim, Failure};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use wire::input::{BodyError, ImportLine, parse};
use wire::problem::Problem;

use crate::call::{Call, problem_of};
use crate::lines::{BrokenOff, Line, Lines, Sender, sent};
use crate::operation::{Answer, Body, Operation, Verb};
use crate::query::{Kind, Param};
use crate::respond;
use crate::services::Services;

/// Lines that wait in the lane at the same time: few, so that orders do not wait for an import.
const IN_FLIGHT: usize = 32;
/// Lines of one request.
const LINES_MAX: u64 = 100_000;
/// How long a full lane is waited for.
const FULL_MAX: Duration = Duration::from_secs(10);
const FULL_WAIT: Duration = Duration::from_millis(50);

const DRY_RUN: Param = Param {
    name: "dry_run",
    kind: Kind::OneOf(&["true", "false"]),
    about: "only say what would be done",
};
const STOCK: Param = Param {
    name: "stock",
    kind: Kind::OneOf(&["new", "set", "keep"]),
    about: "set levels that do not exist yet (default), all levels, or none",
};

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation {
        query: &[DRY_RUN, STOCK],
        body: Body::Lines(ImportLine::schema),
        answer: Answer::Lines("ImportResult"),
        ..Operation::new(
            "import_products",
            Verb::Post,
            "/products/import",
            "Make products as lines of JSON say, or bring them in line; one result a line",
            |call| Box::pin(import(call)),
        )
    }]
}

/// Answers at once and goes on while lines arrive; a client that goes away ends it.
async fn import(call: Call) -> Result<Response, Problem> {
    let options = call.services.options;
    let idle = Duration::from_millis(options.read_timeout_millis);
    let stock = call
        .query
        .text("stock")
        .and_then(|name| StockRule::parse(&name));
    let dry_run = call.query.text("dry_run").as_deref() == Some("true");
    let (results, body) = sent();
    let import = Import {
        tenant: call.tenant(),
        stock: stock.unwrap_or_default(),
        dry_run,
        // What is only thought of is not kept under a key.
        claim: call.claim.filter(|_| !dry_run),
        services: Arc::clone(&call.services),
        results,
        idle,
        waiting: VecDeque::new(),
    };
    let lines = Lines::new(call.take_stream(), options.body_max, idle);
    let tasks = call.services.tasks.clone();
    tasks.spawn(import.run(lines));
    Ok(respond::lines(body))
}

fn broken_off(why: &BrokenOff) -> Problem {
    match why {
        BrokenOff::Failed => Problem::malformed("the body broke off"),
        BrokenOff::Idle => Problem::malformed("no line arrived in time"),
        BrokenOff::Endless => Problem::new("body_too_large", "a line has no end"),
        BrokenOff::Stopped => {
            let detail = "the server goes down; send what has no result again";
            Problem::new("store_unavailable", detail)
        }
    }
}

struct Import {
    tenant: TenantId,
    stock: StockRule,
    dry_run: bool,
    claim: Option<Claim>,
    services: Arc<Services>,
    results: Sender,
    idle: Duration,
    waiting: VecDeque<(u64, Queued)>,
}

impl Import {
    async fn run(mut self, mut lines: Lines) {
        let mut number = 0;
        loop {
            let next = tokio::select! {
                () = self.services.stop.cancelled() => Err(BrokenOff::Stopped),
                next = lines.next() => next,
            };
            number += 1;
            let line = match next {
                Ok(Some(_)) if number > LINES_MAX => {
                    let detail = format!("a request has at most {LINES_MAX} lines; send another");
                    self.finish_with(number, Problem::new("body_too_large", detail))
                        .await;
                    lines.discard().await;
                    return;
                }
                Ok(Some(Line::Bytes(line))) if line.trim_ascii().is_empty() => continue,
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(why) => {
                    self.finish_with(number, broken_off(&why)).await;
                    return;
                }
            };
            let queued = match self.command(line) {
                Ok((command, claim)) => self.queue(command, claim(number)).await,
                Err(problem) => Err(problem),
            };
            match queued {
                Ok(queued) => self.waiting.push_back((number, queued)),
                Err(problem) => {
                    self.settle(0).await;
                    self.say(number, Err(problem));
                }
            }
            if self.waiting.len() > IN_FLIGHT {
                self.settle(IN_FLIGHT / 2).await;
            }
            if !self.results.room(self.idle).await {
                return;
            }
        }
        self.settle(0).await;
    }

    async fn finish_with(&mut self, number: u64, problem: Problem) {
        self.settle(0).await;
        self.say(number, Err(problem));
    }

    /// The command of a line, and its claim when the client sent a key.
    fn command(
        &self,
        line: Line,
    ) -> Result<(Command, impl FnOnce(u64) -> Option<Claim> + use<>), Problem> {
        let Line::Bytes(bytes) = line else {
            let most = self.services.options.body_max;
            let detail = format!("a line has at most {most} bytes");
            return Err(Problem::new("body_too_large", detail));
        };
        let invalid = |faults| Problem::from_rejection(&Rejection::Invalid(faults));
        let value = parse(&bytes).map_err(|error| match error {
            BodyError::Malformed(detail) => Problem::malformed(detail),
            BodyError::Invalid(faults) => invalid(faults),
        })?;
        let read = ImportLine::read(value).map_err(invalid)?;
        let command = read.command(self.stock, self.dry_run).map_err(invalid)?;
        let whole = self.claim;
        let stock = self.stock;
        Ok((command, move |number| {
            whole.map(|claim| of_line(&claim, number, (stock, &bytes)))
        }))
    }

    /// Queues a command; a full lane is waited for, because its orders come first.
    async fn queue(&self, command: Command, claim: Option<Claim>) -> Result<Queued, Problem> {
        let mut waited = Duration::ZERO;
        loop {
            let handle = &self.services.handle;
            match handle.queue(self.tenant, command.clone(), claim) {
                Err(Failure::Overloaded)
                    if waited < FULL_MAX && !self.services.stop.is_cancelled() =>
                {
                    tokio::time::sleep(FULL_WAIT).await;
                    waited += FULL_WAIT;
                }
                other => return other.map_err(problem_of),
            }
        }
    }

    /// Waits for the oldest lines until at most `left` are in flight, and says what became of them.
    async fn settle(&mut self, left: usize) {
        let settling = self.waiting.len().saturating_sub(left);
        let settling: Vec<_> = self.waiting.drain(..settling).collect();
        let mut answers = Vec::with_capacity(settling.len());
        for (number, queued) in settling {
            answers.push((number, queued.answer().await.map_err(problem_of)));
        }
        if !self.dry_run && answers.iter().any(|(_, answer)| answer.is_ok()) {
            self.services.catalogue_changed(self.tenant).await;
        }
        for (number, answer) in answers {
            self.say(number, answer.map(|answer| (answer.status, answer.body)));
        }
    }

    /// Sends a line's result.
    fn say(&self, number: u64, result: Result<(u16, Bytes), Problem>) {
        let mut members = Map::new();
        members.insert("line".to_owned(), number.into());
        match result {
            Ok((status, body)) => {
                members.insert("status".to_owned(), status.into());
                let done: Value = serde_json::from_slice(&body).unwrap_or_default();
                members.extend(done.as_object().cloned().unwrap_or_default());
            }
            Err(problem) => {
                members.insert("status".to_owned(), problem.status.into());
                members.insert("code".to_owned(), json!(problem.code));
                members.insert("detail".to_owned(), problem.detail.into());
                members.extend(problem.members);
            }
        }
        let line = format!("{}\n", Value::Object(members));
        self.results.give(line.into());
    }
}

/// The claim of one line of a request with a key.
fn of_line(whole: &Claim, number: u64, (stock, line): (StockRule, &[u8])) -> Claim {
    let key = Sha256::new()
        .chain_update(whole.key)
        .chain_update(number.to_be_bytes());
    let print = Sha256::new()
        .chain_update(whole.fingerprint)
        .chain_update(stock.name())
        .chain_update(line);
    let mut claim = *whole;
    for (to, from) in claim.key.iter_mut().zip(key.finalize()) {
        *to = from;
    }
    claim.fingerprint = print.finalize().into();
    claim
}
