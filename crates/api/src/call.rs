//! A request that has passed every check of the pipeline, on its way into its endpoint.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use domain::command::{Command, Reply};
use domain::ids::{TenantId, TypedId, Uuid};
use domain::needs::Needs;
use domain::rejection::{Fault, Rejection};
use domain::state::State;
use engine::request::{Answer, Claim, Failure, platform};
use engine::store::StoreError;
use serde_json::Value;
use wire::problem::Problem;

use crate::auth::Caller;
use crate::mock_page;
use crate::operation::Subject;
use crate::query::Query;
use crate::reading;
use crate::respond;
use crate::sagas;
use crate::security;
use crate::services::Services;

/// What an endpoint works on.
pub struct Call {
    /// What it works with.
    pub services: Arc<Services>,
    /// Who calls; `None` where no key is looked at.
    pub caller: Option<Caller>,
    /// Whether the caller may act by an order's client token alone.
    pub by_client_token: bool,
    /// The ids in the path, in their order.
    pub ids: Vec<Uuid>,
    /// Other parts of the path, in their order.
    pub names: Vec<String>,
    /// The query.
    pub query: Query,
    /// The query as it came, where the endpoint takes any.
    pub raw_query: String,
    /// The JSON body, checked against its schema.
    pub body: Option<Value>,
    /// The body as it came, where the endpoint takes any.
    pub raw: Bytes,
    /// The body as it arrives, where the endpoint reads it line by line.
    pub stream: Mutex<Option<axum::body::Body>>,
    /// The key that the client sent.
    pub idempotency_key: Option<String>,
    /// The claim of that key.
    pub claim: Option<Claim>,
    /// The headers.
    pub headers: HeaderMap,
    /// Where the request comes from.
    pub peer: Option<SocketAddr>,
    /// What the first id in the path names.
    pub subject: Subject,
}

impl Call {
    /// The caller's tenant; the platform's lane where no key is looked at.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.caller.map_or_else(platform, |caller| caller.tenant)
    }

    /// Who calls, for the journal: who they say they are, and by which key.
    #[must_use]
    pub fn operator(&self, name: Option<&str>) -> String {
        let key = self.caller.and_then(|caller| caller.key);
        let key = key.map_or_else(|| "no key".to_owned(), |key| format!("key {key}"));
        match name {
            Some(name) => format!("{name} ({key})"),
            None => key,
        }
    }

    /// Where payers come back to that were given no other address, less the provider's name.
    #[must_use]
    pub fn usual_return(&self) -> String {
        let url = &self.services.codec.public_url;
        format!("{url}/payments/return/{}", self.tenant())
    }

    /// The id at a place in the path.
    pub fn id<I: TypedId>(&self, place: usize) -> Result<I, Problem> {
        self.ids
            .get(place)
            .copied()
            .map(I::from_uuid)
            .ok_or_else(Problem::not_found)
    }

    /// The body, which the pipeline has found there.
    pub fn take_body(&mut self) -> Value {
        self.body.take().unwrap_or_default()
    }

    /// The body as it arrives.
    pub fn take_stream(&self) -> axum::body::Body {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.take().unwrap_or_default()
    }

    /// Submits a command to the caller's lane and answers what it came to.
    pub async fn submit(&self, command: Result<Command, Vec<Fault>>) -> Result<Response, Problem> {
        let answer = self.submit_to(self.tenant(), command).await?;
        Ok(respond::answer(&answer))
    }

    /// Submits a command whose answer may need a provider, asks that, and answers. A repeated
    /// request goes on where the first one left off, on whatever server.
    pub async fn submit_and_ask(
        &self,
        command: Result<Command, Vec<Fault>>,
    ) -> Result<Response, Problem> {
        let lane = self.tenant();
        let again = command.clone();
        let answer = self.submit_to(lane, command).await?;
        let Some(reply) = answer.open else {
            if answer.status == 201 && !answer.replayed {
                mock_page::play(&self.services, lane, &answer.body);
            }
            return Ok(respond::answer(&answer));
        };
        let payer = self.peer.map(|peer| peer.ip());
        let asked = self.services.sagas.answer(lane, reply, payer).await;
        asked.map_err(|stuck| sagas::problem(&stuck, reply))?;
        let done = if self.claim.is_some() {
            // What stood under the key as a claim becomes the answer.
            self.submit_to(lane, again).await?
        } else {
            let state = self.load(reading::reply(reply)).await?;
            Answer {
                body: self.services.codec.render(&state, reply).into(),
                seq: state.lane.seq,
                ..answer.clone()
            }
        };
        Ok(respond::answer(&Answer {
            replayed: answer.replayed,
            ..done
        }))
    }

    /// Submits a command to a lane.
    pub async fn submit_to(
        &self,
        lane: TenantId,
        command: Result<Command, Vec<Fault>>,
    ) -> Result<Answer, Problem> {
        let command = match command {
            Ok(command) => command,
            Err(faults) => {
                reading::require(self, self.subject).await?;
                return Err(Problem::from_rejection(&Rejection::Invalid(faults)));
            }
        };
        let name = command.name();
        let submitted = self.services.handle.submit(lane, command, self.claim).await;
        submitted.map_err(|failure| {
            let problem = problem_of(failure);
            if problem.code == "order_locked" {
                security::edit_of_locked(self, lane, name);
            }
            problem
        })
    }

    /// What hangs on the keys of `needs` in the caller's tenant.
    pub async fn load(&self, needs: Needs) -> Result<State, Problem> {
        self.services
            .reader
            .load(self.tenant(), needs)
            .await
            .map_err(|error| unreadable(&error))
    }

    /// Answers an object of a working set, or 404.
    pub fn show(&self, state: &State, reply: Reply) -> Result<Response, Problem> {
        let body = self.services.codec.render(state, reply);
        if body.is_empty() {
            return Err(Problem::not_found());
        }
        Ok(respond::json(200, body))
    }
}

/// A read that failed.
pub(crate) fn unreadable(error: &StoreError) -> Problem {
    tracing::error!(%error, "a read failed");
    match error {
        StoreError::Corrupt(_) => Problem::new("internal", "an internal error; it is logged"),
        StoreError::Conflict
        | StoreError::Lost(_)
        | StoreError::Unavailable(_)
        | StoreError::Unknown(_) => {
            Problem::new("store_unavailable", "the database is away").retry_after(1)
        }
    }
}

/// The problem that a failed command is.
pub(crate) fn problem_of(failure: Failure) -> Problem {
    match failure {
        Failure::Refused { rejection, seq } => Problem {
            seq: Some(seq),
            ..Problem::from_rejection(&rejection)
        },
        Failure::Overloaded => {
            Problem::new("overloaded", "the queue is full; nothing was done").retry_after(1)
        }
        Failure::Unavailable => Problem::new(
            "store_unavailable",
            "the database is away; nothing was done",
        )
        .retry_after(1),
        Failure::ReadOnly => Problem::new(
            "read_only",
            "an operator has stopped writes; reads go on, nothing was done",
        )
        .retry_after(30),
        Failure::Contended => Problem::new(
            "version_conflict",
            "other writers were there first; nothing was done",
        ),
        Failure::Internal => Problem::new("internal", "an internal error; it is logged"),
    }
}
