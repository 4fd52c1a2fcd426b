//! The documentation that the binary serves itself: nothing from a CDN.

use std::sync::OnceLock;

use axum::response::Response;
use wire::problem::{CODES, Problem};

use crate::call::Call;
use crate::operation::{Access, Answer, Operation, Verb};
use crate::{openapi, respond};

pub(crate) fn operations() -> Vec<Operation> {
    let page = Operation {
        unversioned: true,
        access: Access::Open,
        answer: Answer::Other("text/html"),
        ..Operation::new("docs", Verb::Get, "/docs", "This API, readable", |call| {
            Box::pin(docs(call))
        })
    };
    vec![
        page,
        Operation {
            id: "docs_problems",
            path: "/docs/problems",
            summary: "Every problem's code",
            handler: |call| Box::pin(problems(call)),
            ..page
        },
        Operation {
            id: "openapi",
            path: "/openapi.json",
            summary: "This document",
            answer: Answer::Other("application/json"),
            handler: |call| Box::pin(document(call)),
            ..page
        },
    ]
}

async fn docs(_call: Call) -> Result<Response, Problem> {
    Ok(respond::html(include_str!("pages/docs.html")))
}

async fn document(_call: Call) -> Result<Response, Problem> {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| openapi::document().to_string());
    Ok(respond::json(200, document.clone()))
}

async fn problems(_call: Call) -> Result<Response, Problem> {
    let rows: String = CODES
        .iter()
        .map(|(code, status, title)| {
            format!("<tr id=\"{code}\"><td>{status}<td><code>{code}</code><td>{title}\n")
        })
        .collect();
    Ok(respond::html(
        include_str!("pages/problems.html").replace("<!-- rows -->", &rows),
    ))
}
