//! Problem documents (RFC 9457): one shape for every refusal.

use domain::rejection::Rejection;
use serde_json::{Map, Value, json};

/// A refusal as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable code that clients act on.
    pub code: &'static str,
    /// What happened, for people.
    pub detail: String,
    /// Members of the code.
    pub members: Map<String, Value>,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
    /// The lane's `seq`, where a lane refused.
    pub seq: Option<i64>,
}

/// Every code with its status and title.
pub const CODES: &[(&str, u16, &str)] = &[
    ("malformed_request", 400, "Malformed request"),
    ("unauthorized", 401, "Unauthorized"),
    ("forbidden", 403, "Forbidden"),
    ("tenant_mismatch", 403, "Tenant mismatch"),
    ("not_found", 404, "Not found"),
    ("method_not_allowed", 405, "Method not allowed"),
    ("insufficient_stock", 409, "Insufficient stock"),
    ("order_locked", 409, "Order locked"),
    ("order_already_locked", 409, "Order already locked"),
    ("invalid_state", 409, "Invalid state"),
    ("already_paid", 409, "Already paid"),
    ("already_cancelled", 409, "Already cancelled"),
    ("order_on_hold", 409, "Order on hold"),
    ("cart_converted", 409, "Cart converted"),
    ("cart_empty", 409, "Cart empty"),
    ("version_conflict", 409, "Version conflict"),
    ("idempotency_in_flight", 409, "Request in flight"),
    ("body_too_large", 413, "Body too large"),
    ("unsupported_media_type", 415, "Unsupported media type"),
    ("validation_failed", 422, "Validation failed"),
    ("idempotency_key_reused", 422, "Idempotency key reused"),
    ("refund_exceeds_payment", 422, "Refund exceeds payment"),
    ("amount_mismatch", 422, "Amount mismatch"),
    ("currency_mismatch", 422, "Currency mismatch"),
    ("rate_limited", 429, "Too many requests"),
    ("internal", 500, "Internal error"),
    ("provider_failed", 502, "Payment provider failed"),
    ("overloaded", 503, "Overloaded"),
    ("read_only", 503, "Read-only"),
    ("store_unavailable", 503, "Store unavailable"),
    ("provider_timeout", 504, "Payment provider timed out"),
];

impl Problem {
    /// A problem of a known code.
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let status = CODES
            .iter()
            .find(|(known, ..)| *known == code)
            .map_or(500, |known| known.1);
        Self {
            status,
            code,
            detail: detail.into(),
            members: Map::new(),
            retry_after: None,
            seq: None,
        }
    }

    /// The request cannot be read.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new("malformed_request", detail)
    }

    /// What the path names is not there.
    #[must_use]
    pub fn not_found() -> Self {
        Self::from_rejection(&Rejection::NotFound)
    }

    /// Asks the client to try again in so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The problem that a refused command is.
    #[must_use]
    pub fn from_rejection(rejection: &Rejection) -> Self {
        let mut problem = Self::new(rejection.code(), rejection.to_string());
        match rejection {
            Rejection::Invalid(faults) => {
                let errors: Vec<Value> = faults
                    .iter()
                    .map(|fault| json!({"pointer": fault.pointer, "message": fault.message}))
                    .collect();
                problem.members.insert("errors".to_owned(), errors.into());
            }
            Rejection::InsufficientStock(shortages) => {
                let items: Vec<Value> = shortages
                    .iter()
                    .map(|short| {
                        json!({
                            "variant_id": short.variant_id.to_string(),
                            "requested": short.requested,
                            "available": short.available,
                        })
                    })
                    .collect();
                problem.members.insert("items".to_owned(), items.into());
            }
            Rejection::InvalidState { from, to } => {
                problem
                    .members
                    .insert("from".to_owned(), from.name().into());
                problem.members.insert("to".to_owned(), (*to).into());
            }
            _ => {}
        }
        problem
    }

    /// The document, for a request of this id.
    #[must_use]
    pub fn document(&self, request_id: &str) -> Vec<u8> {
        let title = CODES
            .iter()
            .find(|(code, ..)| *code == self.code)
            .map_or("Error", |c| c.2);
        let mut document = Map::new();
        let page = format!("/docs/problems#{}", self.code);
        document.insert("type".to_owned(), page.into());
        document.insert("title".to_owned(), title.into());
        document.insert("status".to_owned(), self.status.into());
        document.insert("detail".to_owned(), self.detail.clone().into());
        document.insert("code".to_owned(), self.code.into());
        document.insert("request_id".to_owned(), request_id.into());
        document.extend(self.members.clone());
        Value::Object(document).to_string().into_bytes()
    }
}
