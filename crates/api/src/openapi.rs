//! The `OpenAPI` 3.1 document, made from the same descriptions that route and check requests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use wire::problem::CODES;
use wire::schema;
use wire::views::{
    CartView, CheckoutView, ControlsView, EventView, ExplanationView, ImportedView, KeyView,
    LedgerAccountView, LedgerTransactionView, LevelView, LocationView, NewKeyView, OrderView,
    PaymentAccountView, PaymentView, ProductView, RefundView, ReservationView, SettingsView,
    StatsView, TenantView, TrialBalanceView, WebhookEventView,
};

use crate::endpoints;
use crate::operation::{Access, Answer, Body, Operation, Subject, Verb};

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for operation in endpoints::all() {
        let path = if operation.unversioned {
            operation.path.to_owned()
        } else {
            format!("/api/v1{}", operation.path)
        };
        let verb = operation.method.name().to_ascii_lowercase();
        paths
            .entry(path)
            .or_default()
            .insert(verb, describe(&operation));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Stockhold",
            "version": "1",
            "description": "A checkout core: catalogue, stock, carts, orders, holds, payments.",
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn problem() -> Value {
    schema::object(
        &[
            ("type", json!({"type": "string"})),
            ("title", json!({"type": "string"})),
            ("status", schema::any_integer()),
            ("detail", json!({"type": "string"})),
            (
                "code",
                schema::one_of(&CODES.iter().map(|(code, ..)| *code).collect::<Vec<_>>()),
            ),
            ("request_id", json!({"type": "string"})),
            (
                "errors",
                schema::any_list(schema::answer(&[
                    ("pointer", json!({"type": "string"})),
                    ("message", json!({"type": "string"})),
                ])),
            ),
            (
                "items",
                schema::any_list(schema::answer(&[
                    ("variant_id", schema::uuid()),
                    ("requested", schema::any_integer()),
                    ("available", schema::any_integer()),
                ])),
            ),
            ("from", json!({"type": "string"})),
            ("to", json!({"type": "string"})),
        ],
        &["type", "title", "status", "detail", "code", "request_id"],
    )
}

fn components() -> Value {
    let text = || json!({"type": "string"});
    let readiness = schema::answer(&[
        ("status", text()),
        ("database", text()),
        ("redis", text()),
        (
            "expiry",
            schema::answer(&[
                ("last_run", schema::nullable(schema::time())),
                ("lag_ms", schema::any_integer()),
                ("failures", schema::any_integer()),
            ]),
        ),
        ("queue_depth", schema::any_integer()),
    ]);
    json!({
        "Product": ProductView::schema(),
        "Location": LocationView::schema(),
        "StockLevel": LevelView::schema(),
        "LedgerAccount": LedgerAccountView::schema(),
        "LedgerTransaction": LedgerTransactionView::schema(),
        "TrialBalance": TrialBalanceView::schema(),
        "WebhookEvent": WebhookEventView::schema(),
        "Reservation": ReservationView::schema(),
        "Explanation": ExplanationView::schema(),
        "Cart": CartView::schema(),
        "Order": OrderView::schema(),
        "OrderStats": StatsView::schema(),
        "Checkout": CheckoutView::schema(),
        "Event": EventView::schema(),
        "Payment": PaymentView::schema(),
        "Refund": RefundView::schema(),
        "PaymentAccount": PaymentAccountView::schema(),
        "Settings": SettingsView::schema(),
        "Controls": ControlsView::schema(),
        "Tenant": TenantView::schema(),
        "Key": KeyView::schema(),
        "NewKey": NewKeyView::schema(),
        "ImportResult": import_result(),
        "Health": schema::answer(&[("status", text())]),
        "Readiness": readiness,
        "Problem": problem(),
    })
}

const JSON: &str = "application/json";

/// What a line of an import is answered with: what was done, or the problem.
fn import_result() -> Value {
    let mut members = vec![
        ("line", schema::integer(1, i64::MAX)),
        ("status", schema::any_integer()),
    ];
    members.extend(ImportedView::members());
    members.push(("code", schema::long_text()));
    members.push(("detail", schema::long_text()));
    members.push(("errors", schema::any_list(json!({"type": "object"}))));
    schema::object(&members, &["line", "status"])
}

fn describe(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": responses(operation),
        "security": if operation.access == Access::Open { json!([]) } else { json!([{"key": []}]) },
    });
    let body = match operation.body {
        Body::Optional(schema) => Some((false, JSON, documented(operation, schema()))),
        Body::Required(schema) => Some((true, JSON, documented(operation, schema()))),
        Body::Lines(schema) => Some((true, "application/x-ndjson", schema())),
        Body::None | Body::Raw => None,
    };
    if let Some((required, kind, schema)) = body {
        described["requestBody"] =
            json!({"required": required, "content": {kind: {"schema": schema}}});
    }
    if !operation.secret_fields.is_empty() {
        let fields = operation.secret_fields.join("`, `");
        described["description"] = format!("Only a secret key may send `{fields}`.").into();
    }
    described
}

/// A body's schema with the tenant's id, which every body may repeat.
fn documented(operation: &Operation, mut schema: Value) -> Value {
    if operation.id == "create_order" {
        schema["properties"]["business_id"] = schema::nullable(schema::uuid());
    }
    schema
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let in_path = operation.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        let schema = match name {
            "tenant" => schema::text(63),
            "provider" => schema::one_of(&["mock"]),
            "action" => schema::one_of(&["pay", "fail", "abandon", "late", "timeout", "duplicate"]),
            _ => schema::uuid(),
        };
        Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
    });
    let in_query = operation.query.iter().map(|param| {
        json!({
            "name": param.name, "in": "query", "required": false,
            "description": param.about, "schema": param.schema(),
        })
    });
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "The same key and request again answer the first one's answer.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    });
    let has_key = operation.method != Verb::Get && operation.access != Access::Open;
    in_path
        .chain(in_query)
        .chain(has_key.then_some(key))
        .collect()
}

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    for status in operation.success {
        responses.insert(status.to_string(), success(operation, *status));
    }
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for code in problems(operation) {
        if let Some((code, status, _)) = CODES.iter().find(|(known, ..)| *known == code) {
            by_status.entry(*status).or_default().insert(code);
        }
    }
    for (status, codes) in by_status {
        let codes: Vec<_> = codes.into_iter().collect();
        let title = CODES.iter().find(|(code, ..)| Some(code) == codes.first());
        let example = json!({
            "type": format!("/docs/problems#{}", codes[0]),
            "title": title.map_or("", |(_, _, title)| title),
            "status": status, "detail": "…", "code": codes[0],
            "request_id": "01980000-0000-7000-8000-000000000001",
        });
        let response = json!({
            "description": codes.join(", "),
            "content": {"application/problem+json": {
                "schema": schema::component("Problem"), "example": example,
            }},
        });
        responses.entry(status.to_string()).or_insert(response);
    }
    Value::Object(responses)
}

/// Codes that this operation may answer.
fn problems(operation: &Operation) -> Vec<&'static str> {
    let mut codes = operation.problems.to_vec();
    codes.extend(["malformed_request", "method_not_allowed", "body_too_large"]);
    codes.extend(["internal", "store_unavailable"]);
    let checked = !operation.query.is_empty()
        || matches!(operation.body, Body::Optional(_) | Body::Required(_));
    if checked {
        codes.push("validation_failed");
    }
    if matches!(operation.body, Body::Optional(_) | Body::Required(_)) {
        codes.push("unsupported_media_type");
    }
    if operation.access != Access::Open {
        codes.extend([
            "unauthorized",
            "forbidden",
            "tenant_mismatch",
            "rate_limited",
        ]);
    }
    if operation.method != Verb::Get && operation.access != Access::Open {
        codes.extend([
            "idempotency_key_reused",
            "idempotency_in_flight",
            "overloaded",
            "read_only",
        ]);
    }
    if operation.subject != Subject::None || operation.path.contains('{') {
        codes.push("not_found");
    }
    codes
}

fn success(operation: &Operation, status: u16) -> Value {
    if status == 304 {
        return json!({"description": "the client has it already"});
    }
    let page = |name: &str, more: &[(&str, Value)]| {
        let mut members = vec![
            ("data", schema::any_list(schema::component(name))),
            ("next_cursor", schema::nullable(json!({"type": "string"}))),
        ];
        members.extend(more.iter().cloned());
        schema::object(&members, &["data", "next_cursor"])
    };
    let (kind, schema) = match operation.answer {
        Answer::One(name) => ("application/json", schema::component(name)),
        Answer::List(name) => ("application/json", page(name, &[])),
        Answer::CountedList(name) => {
            let more = [
                ("total", schema::any_integer()),
                ("page", schema::any_integer()),
            ];
            ("application/json", page(name, &more))
        }
        Answer::Lines(name) => ("application/x-ndjson", schema::component(name)),
        Answer::Other(kind) => (kind, json!({})),
    };
    let description = match status {
        201 => "made",
        503 => "not ready",
        _ => "done",
    };
    json!({"description": description, "content": {kind: {"schema": schema}}})
}
