//! Where products go: a running server, over HTTP, or a database that no server uses.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use domain::command::Command;
use domain::decide::{AddLocation, StockRule};
use domain::ids::TenantId;
use domain::money::Currency;
use domain::rejection::{Fault, Rejection};
use engine::clock::Entropy as _;
use engine::request::Failure;
use serde_json::{Value, json};
use wire::input::ImportLine;

use crate::clock::SystemEntropy;
use crate::commands::session::{Session, refused};
use crate::remote::Remote;

/// What a product came to.
pub(crate) enum Outcome {
    /// What was done, or would be: the members of an `ImportResult`.
    Done(Value),
    /// The shop refused it; nothing of it was written.
    Bad(Vec<Fault>),
}

/// How products are taken.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) stock: StockRule,
    pub(crate) dry_run: bool,
}

/// A shop to import into.
pub(crate) enum Target {
    /// Over HTTP, with a secret key.
    Server(Remote),
    /// The database itself.
    Database(Box<Session>, TenantId),
}

/// Tries of a request that a server did not answer; waits double from the first.
const TRIES: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(250);

impl Target {
    /// The currency of products that name none.
    pub(crate) fn currency(&mut self) -> Result<Currency> {
        match self {
            Self::Server(remote) => {
                let settings = remote.get("/settings")?;
                let code = settings["default_currency"].as_str().unwrap_or_default();
                Currency::parse(code).context("the server's default currency is not known here")
            }
            Self::Database(session, tenant) => {
                Ok(session.tenant(*tenant)?.settings.default_currency)
            }
        }
    }

    /// The codes of the shop's locations.
    pub(crate) fn locations(&mut self) -> Result<Vec<String>> {
        match self {
            Self::Server(remote) => {
                let list = remote.get("/locations?limit=100")?;
                let code = |place: &Value| place["code"].as_str().map(str::to_owned);
                let data = list["data"].as_array().cloned().unwrap_or_default();
                Ok(data.iter().filter_map(code).collect())
            }
            Self::Database(session, tenant) => {
                let state = session.load(*tenant)?;
                Ok(state
                    .locations
                    .values()
                    .map(|place| place.code.clone())
                    .collect())
            }
        }
    }

    /// Adds a location, behind those that are there.
    pub(crate) fn add_location(&mut self, code: &str, name: &str, priority: i64) -> Result<()> {
        match self {
            Self::Server(remote) => {
                let body = json!({"code": code, "name": name, "priority": priority});
                remote.send("POST", "/locations", Some(&body)).map(|_| ())
            }
            Self::Database(session, tenant) => {
                let (code, name) = (code.to_owned(), name.to_owned());
                let command = AddLocation {
                    code,
                    name,
                    priority,
                };
                session.run_one(*tenant, command.into()).map(|_| ())
            }
        }
    }

    /// Hands over some products; what each came to, in order.
    pub(crate) fn take(&mut self, lines: &[ImportLine], rules: Rules) -> Result<Vec<Outcome>> {
        match self {
            Self::Server(remote) => send(remote, lines, rules),
            Self::Database(session, tenant) => run(session, *tenant, lines, rules),
        }
    }
}

/// One request for all; again, as long as the server is only away for a moment: what it has taken
/// already, it finds unchanged.
fn send(remote: &Remote, lines: &[ImportLine], rules: Rules) -> Result<Vec<Outcome>> {
    let mut body = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut body, line)?;
        body.push(b'\n');
    }
    let path = format!(
        "/products/import?dry_run={}&stock={}",
        rules.dry_run,
        rules.stock.name()
    );
    // A retry is answered what the first try did, line by line: nothing is set twice.
    let key = format!(
        "import-{:016x}{:016x}",
        SystemEntropy.word(),
        SystemEntropy.word()
    );
    let mut wait = FIRST_WAIT;
    for attempt in 1..=TRIES {
        match attempt_send(remote, (&path, &key), body.clone(), lines.len())? {
            Ok(outcomes) => return Ok(outcomes),
            Err(why) if attempt == TRIES => return Err(why),
            Err(why) => {
                tracing::warn!(%why, attempt, "the server is away; trying again");
                std::thread::sleep(wait);
                wait *= 2;
            }
        }
    }
    bail!("the server did not answer")
}

/// The outer error is final; the inner one may go away.
fn attempt_send(
    remote: &Remote,
    (path, key): (&str, &str),
    body: Vec<u8>,
    count: usize,
) -> Result<Result<Vec<Outcome>>> {
    let headers = [
        ("content-type", "application/x-ndjson".to_owned()),
        ("idempotency-key", key.to_owned()),
    ];
    let reply = match remote.with_headers(("POST", path), &headers, body) {
        Ok(reply) => reply,
        Err(error) => return Ok(Err(error)),
    };
    if reply.status != 200 {
        let why = remote.problem(&reply);
        return if reply.status >= 500 || reply.status == 429 {
            Ok(Err(why))
        } else {
            Err(why)
        };
    }
    let mut outcomes = Vec::with_capacity(count);
    for line in reply
        .body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let Ok(result) = serde_json::from_slice::<Value>(line) else {
            return Ok(Err(anyhow!("the answer broke off")));
        };
        match (result["status"].as_u64(), result["code"].as_str()) {
            (Some(200 | 201), _) => outcomes.push(Outcome::Done(result)),
            (Some(503), Some("read_only")) => bail!("the shop is read-only; nothing more is taken"),
            (Some(413 | 422), _) => outcomes.push(Outcome::Bad(faults(&result))),
            _ => {
                return Ok(Err(anyhow!(
                    "{}",
                    result["detail"].as_str().unwrap_or("no answer")
                )));
            }
        }
    }
    if outcomes.len() == count {
        Ok(Ok(outcomes))
    } else {
        Ok(Err(anyhow!("the answer broke off")))
    }
}

fn faults(result: &Value) -> Vec<Fault> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fault = |error: &Value| Fault {
        pointer: text(&error["pointer"]),
        message: text(&error["message"]),
    };
    let errors = result["errors"].as_array().map_or(&[][..], Vec::as_slice);
    if errors.is_empty() {
        let (pointer, message) = (String::new(), text(&result["detail"]));
        return vec![Fault { pointer, message }];
    }
    errors.iter().map(fault).collect()
}

/// One transaction for all that fit their shape.
fn run(
    session: &mut Session,
    tenant: TenantId,
    lines: &[ImportLine],
    rules: Rules,
) -> Result<Vec<Outcome>> {
    let command = |line: &ImportLine| -> Result<Command, Vec<Fault>> {
        let line = ImportLine::read(serde_json::to_value(line).unwrap_or_default())?;
        line.command(rules.stock, rules.dry_run)
    };
    let read: Vec<_> = lines.iter().map(command).collect();
    let commands = read
        .iter()
        .filter_map(|read| read.as_ref().ok())
        .cloned()
        .collect();
    let mut answers = session.run_in(tenant, commands)?.into_iter();
    let mut outcomes = Vec::with_capacity(lines.len());
    for read in read {
        outcomes.push(match read {
            Err(faults) => Outcome::Bad(faults),
            Ok(_) => match answers.next().context("an answer is missing")? {
                Ok(answer) => Outcome::Done(serde_json::from_slice(&answer.body)?),
                Err(Failure::Refused {
                    rejection: Rejection::Invalid(faults),
                    ..
                }) => Outcome::Bad(faults),
                Err(failure) => return Err(refused(failure)),
            },
        });
    }
    Ok(outcomes)
}
