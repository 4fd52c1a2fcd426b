//! What an endpoint is: one description for routing, checking, answering and documenting.

use std::pin::Pin;

use axum::http::Method;
use axum::response::Response;
use serde_json::Value;
use wire::problem::Problem;

pub use crate::call::Call;
pub use crate::query::{Kind, Param};

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody; no key is looked at.
    Open,
    /// Any key of a tenant, and keyless callers in a demo.
    Publishable,
    /// A secret key; or any other with the client token of the order in the path.
    ClientToken,
    /// A secret key.
    Secret,
    /// A platform key.
    Platform,
}

/// What the id in the path names, so that 404 can come before 422.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Nothing, or something that only the handler knows.
    None,
    /// A product.
    Product,
    /// A variant.
    Variant,
    /// A cart.
    Cart,
    /// An order.
    Order,
    /// A payment.
    Payment,
    /// A tenant.
    Tenant,
}

/// What body an endpoint takes.
#[derive(Clone, Copy)]
pub enum Body {
    /// None that is looked at.
    None,
    /// JSON of this schema, or nothing.
    Optional(fn() -> Value),
    /// JSON of this schema.
    Required(fn() -> Value),
    /// Any bytes, and any query, for the handler.
    Raw,
    /// Lines of JSON (NDJSON) of this schema, read by the handler while they arrive.
    Lines(fn() -> Value),
}

/// What a success answers.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// A component.
    One(&'static str),
    /// A page of a component.
    List(&'static str),
    /// A page that may also carry `total` and `page`.
    CountedList(&'static str),
    /// Lines of JSON, one component each.
    Lines(&'static str),
    /// Something else than our JSON.
    Other(&'static str),
}

/// What a handler returns.
pub type Outcome = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// An endpoint.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Its name in the document, and in logs.
    pub id: &'static str,
    /// The method.
    pub method: Verb,
    /// The path, below `/api/v1` and `/`; or, where `unversioned`, as it stands.
    pub path: &'static str,
    /// Whether it is mounted once, as it stands.
    pub unversioned: bool,
    /// One line about it.
    pub summary: &'static str,
    /// Who may call.
    pub access: Access,
    /// What the first id in the path names.
    pub subject: Subject,
    /// Query parameters.
    pub query: &'static [Param],
    /// The body.
    pub body: Body,
    /// Body fields that only a secret key may send; `items/*/x` for a field of each item.
    pub secret_fields: &'static [&'static str],
    /// The statuses of success.
    pub success: &'static [u16],
    /// What a success answers.
    pub answer: Answer,
    /// Codes of problems beside those that every endpoint may answer.
    pub problems: &'static [&'static str],
    /// Whether a success changes what pages of the catalogue show, other than by selling.
    pub changes_catalogue: bool,
    /// Does it.
    pub handler: fn(Call) -> Outcome,
}

/// Methods that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Reads.
    Get,
    /// Makes or does.
    Post,
    /// Sets.
    Put,
    /// Changes.
    Patch,
    /// Ends.
    Delete,
}

impl Verb {
    /// The method's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The method of a request.
    #[must_use]
    pub fn of(method: &Method) -> Option<Self> {
        match *method {
            Method::GET | Method::HEAD => Some(Self::Get),
            Method::POST => Some(Self::Post),
            Method::PUT => Some(Self::Put),
            Method::PATCH => Some(Self::Patch),
            Method::DELETE => Some(Self::Delete),
            _ => None,
        }
    }
}

impl Operation {
    /// An endpoint with nothing special about it.
    #[must_use]
    pub const fn new(
        id: &'static str,
        method: Verb,
        path: &'static str,
        summary: &'static str,
        handler: fn(Call) -> Outcome,
    ) -> Self {
        Self {
            id,
            method,
            path,
            unversioned: false,
            summary,
            access: Access::Secret,
            subject: Subject::None,
            query: &[],
            body: Body::None,
            secret_fields: &[],
            success: &[200],
            answer: Answer::Other("text/plain"),
            problems: &[],
            changes_catalogue: false,
            handler,
        }
    }
}
