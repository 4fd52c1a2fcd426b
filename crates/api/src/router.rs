//! From the table of operations to axum's router.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::http::HeaderValue;
use axum::http::header::ALLOW;
use axum::response::Response;
use axum::routing::any;
use wire::problem::Problem;

use crate::endpoints;
use crate::operation::Verb;
use crate::pipeline::{Prepared, finish, request_id, run};
use crate::services::Services;

/// All routes over these services. Versioned paths are mounted at `/api/v1` and at `/`.
pub fn router(services: &Arc<Services>) -> Router {
    let mut paths: BTreeMap<String, BTreeMap<Verb, Arc<Prepared>>> = BTreeMap::new();
    for operation in endpoints::all() {
        let prepared = Arc::new(Prepared::new(operation));
        let mut mounts = vec![operation.path.to_owned()];
        if !operation.unversioned {
            mounts.push(format!("/api/v1{}", operation.path));
        }
        for path in mounts {
            paths
                .entry(path)
                .or_default()
                .insert(operation.method, Arc::clone(&prepared));
        }
    }
    let mut router = Router::new();
    for (path, verbs) in paths {
        let services = Arc::clone(services);
        let verbs = Arc::new(verbs);
        let handler = move |params: Result<RawPathParams, RawPathParamsRejection>,
                            request: Request| {
            dispatch(Arc::clone(&services), Arc::clone(&verbs), params, request)
        };
        router = router.route(&path, any(handler));
    }
    let services = Arc::clone(services);
    router.fallback(move |request: Request| {
        let id = request_id(request.headers(), &services);
        async move { finish(Err(Problem::new("not_found", "no such path")), &id) }
    })
}

async fn dispatch(
    services: Arc<Services>,
    verbs: Arc<BTreeMap<Verb, Arc<Prepared>>>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let prepared = Verb::of(request.method()).and_then(|verb| verbs.get(&verb));
    let Some(prepared) = prepared else {
        let id = request_id(request.headers(), &services);
        let detail = format!("{} is not allowed here", request.method());
        let problem = Problem::new("method_not_allowed", detail);
        let mut response = finish(Err(problem), &id);
        if let Ok(allow) = HeaderValue::from_str(&allowed(&verbs)) {
            response.headers_mut().insert(ALLOW, allow);
        }
        return response;
    };
    let Ok(params) = params else {
        let id = request_id(request.headers(), &services);
        return finish(Err(Problem::malformed("the path is not UTF-8")), &id);
    };
    let path = params
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    run(prepared, services, path, request).await
}

fn allowed(verbs: &BTreeMap<Verb, Arc<Prepared>>) -> String {
    let names = verbs.keys().flat_map(|verb| match verb {
        Verb::Get => vec!["GET", "HEAD"],
        other => vec![other.name()],
    });
    names.collect::<Vec<_>>().join(", ")
}
