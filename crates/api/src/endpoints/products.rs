//! `/products`.

use axum::http::HeaderValue;
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::response::Response;
use bytes::Bytes;
use domain::command::Reply;
use domain::ids::TypedId as _;
use domain::limits::TEXT_MAX;
use engine::reader::{Page, ProductFilter};
use wire::cursor;
use wire::input::{ChangeProductBody, NewProductBody};
use wire::problem::Problem;

use crate::call::{Call, unreadable};
use crate::operation::{Access, Answer, Body, Operation, Subject, Verb};
use crate::query::{CURSOR, Kind, LIMIT, Param};
use crate::{reading, respond};

const SEARCH: Param = Param {
    name: "search",
    kind: Kind::Text(TEXT_MAX),
    about: "a part of title, description or SKU",
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation {
            access: Access::Publishable,
            query: &[SEARCH, LIMIT, CURSOR],
            answer: Answer::List("Product"),
            ..Operation::new(
                "list_products",
                Verb::Get,
                "/products",
                "Products on sale",
                |call| Box::pin(list(call)),
            )
        },
        Operation {
            access: Access::Publishable,
            subject: Subject::Product,
            success: &[200, 304],
            answer: Answer::One("Product"),
            ..Operation::new(
                "get_product",
                Verb::Get,
                "/products/{id}",
                "One product",
                |call| Box::pin(get(call)),
            )
        },
        Operation {
            body: Body::Required(NewProductBody::schema),
            success: &[201],
            answer: Answer::One("Product"),
            changes_catalogue: true,
            ..Operation::new(
                "create_product",
                Verb::Post,
                "/products",
                "Add a product",
                |call| Box::pin(create(call)),
            )
        },
        Operation {
            subject: Subject::Product,
            body: Body::Required(ChangeProductBody::schema),
            answer: Answer::One("Product"),
            problems: &["version_conflict"],
            changes_catalogue: true,
            ..Operation::new(
                "change_product",
                Verb::Patch,
                "/products/{id}",
                "Change a product, its variants, or add variants",
                |call| Box::pin(change(call)),
            )
        },
        Operation {
            subject: Subject::Product,
            answer: Answer::One("Product"),
            changes_catalogue: true,
            ..Operation::new(
                "archive_product",
                Verb::Delete,
                "/products/{id}",
                "Take a product off sale; orders keep it",
                |call| Box::pin(archive(call)),
            )
        },
    ]
}

async fn list(call: Call) -> Result<Response, Problem> {
    let filter = ProductFilter {
        search: call.query.text("search"),
    };
    let page = call.query.page();
    let question = format!("{filter:?} {page:?}");
    let make = listed(&call, filter, page);
    let body = match &call.services.shared {
        Some(shared) => shared.pages.page(call.tenant(), &question, make).await?,
        None => make.await?,
    };
    Ok(tagged(&call, body))
}

async fn listed(call: &Call, filter: ProductFilter, page: Page) -> Result<Bytes, Problem> {
    let reader = &call.services.reader;
    let listed = reader.products(call.tenant(), filter, page).await;
    let listed = listed.map_err(|error| unreadable(&error))?;
    let render = |id: &_| {
        call.services
            .codec
            .render(&listed.state, Reply::Product(*id))
    };
    let items: Vec<_> = listed.ids.iter().map(render).collect();
    let next = listed
        .next
        .zip(listed.ids.last())
        .map(|(at, id)| cursor::after(at, id.uuid()));
    Ok(wire::codec::list(items, next, &[]))
}

async fn get(call: Call) -> Result<Response, Problem> {
    let id = call.id(0)?;
    let state = call.load(reading::product(id)).await?;
    let body = call.services.codec.render(&state, Reply::Product(id));
    if body.is_empty() {
        return Err(Problem::not_found());
    }
    Ok(tagged(&call, body.into()))
}

/// The body under its entity tag; 304 when the client has it already.
fn tagged(call: &Call, body: Bytes) -> Response {
    let tag = format!("\"{:08x}{:x}\"", crc32fast::hash(&body), body.len());
    let same = |given: &str| {
        let given = given.trim().trim_start_matches("W/");
        given == "*" || given == tag
    };
    let known = call
        .headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .any(|value| value.to_str().unwrap_or_default().split(',').any(same));
    let mut response = if known {
        respond::json(304, Vec::new())
    } else {
        respond::json(200, body)
    };
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

async fn create(mut call: Call) -> Result<Response, Problem> {
    let command = NewProductBody::command(call.take_body());
    call.submit(command).await
}

async fn change(mut call: Call) -> Result<Response, Problem> {
    let command = ChangeProductBody::command(call.id(0)?, call.take_body());
    reading::require(&call, Subject::Product).await?;
    call.submit(command).await
}

async fn archive(call: Call) -> Result<Response, Problem> {
    call.submit(Ok(ChangeProductBody::archive(call.id(0)?)))
        .await
}
