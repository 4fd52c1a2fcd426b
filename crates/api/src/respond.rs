//! Answers.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{Response as HttpResponse, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use engine::request::Answer;
use wire::problem::Problem;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SEQ: HeaderName = HeaderName::from_static("x-stockhold-seq");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

fn respond(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = HttpResponse::new(Body::from(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// JSON.
pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Response {
    respond(status, "application/json", body)
}

/// Lines of JSON, sent as they come.
pub(crate) fn lines(body: Body) -> Response {
    let mut response = HttpResponse::new(body);
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// A page.
pub(crate) fn html(body: impl Into<Bytes>) -> Response {
    respond(200, "text/html; charset=utf-8", body)
}

/// Plain text in Prometheus' format.
pub(crate) fn metrics(body: String) -> Response {
    respond(200, "text/plain; version=0.0.4; charset=utf-8", body)
}

/// What a lane answered.
pub(crate) fn answer(answer: &Answer) -> Response {
    let mut response = json(answer.status, answer.body.clone());
    response
        .headers_mut()
        .insert(SEQ, HeaderValue::from(answer.seq));
    if answer.replayed {
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// A problem.
pub(crate) fn problem(problem: &Problem, request_id: &str) -> Response {
    let document = problem.document(request_id);
    let mut response = respond(problem.status, "application/problem+json", document);
    if let Some(seconds) = problem.retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(seq) = problem.seq {
        response.headers_mut().insert(SEQ, HeaderValue::from(seq));
    }
    if problem.status == 401 {
        let challenge = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(axum::http::header::WWW_AUTHENTICATE, challenge);
    }
    response
}
