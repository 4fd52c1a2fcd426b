//! What every request goes through, in the order of the contract:
//! 400/413/415 → 401/403 → 404 (of ids in the path) → 422 → 409.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body as HttpBody;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use domain::ids::{OrderId, TypedId as _, Uuid};
use domain::rejection::{Fault, Rejection};
use domain::tenant::KeyKind;
use engine::request::platform;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Body as _;
use serde_json::Value;
use wire::input::{BodyError, Shape, parse};
use wire::problem::Problem;

use crate::auth::Caller;
use crate::call::Call;
use crate::operation::{Access, Body, Operation, Verb};
use crate::query::Query;
use crate::services::Services;
use crate::{idempotency, reading, respond};

/// Bytes of a refused body that are read away.
const DISCARDED_MAX: usize = 8 * 1024 * 1024;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// An operation with its schema ready for checking.
pub(crate) struct Prepared {
    pub(crate) operation: Operation,
    shape: Option<Shape>,
}

impl Prepared {
    pub(crate) fn new(operation: Operation) -> Self {
        let shape = match operation.body {
            Body::Optional(schema) | Body::Required(schema) => Some(Shape::compile(&schema())),
            Body::None | Body::Raw | Body::Lines(_) => None,
        };
        Self { operation, shape }
    }
}

/// Answers one request.
pub(crate) async fn run(
    prepared: &Prepared,
    services: Arc<Services>,
    path: Vec<(String, String)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let request_id = request_id(&parts.headers, &services);
    let checked = check(prepared, services, path, parts, body).await;
    let result = match checked {
        Ok(call) => handle(&prepared.operation, call).await,
        Err(problem) => Err(problem),
    };
    finish(result, &request_id)
}

async fn handle(operation: &Operation, call: Call) -> Result<Response, Problem> {
    if !operation.changes_catalogue {
        return (operation.handler)(call).await;
    }
    let (services, tenant) = (Arc::clone(&call.services), call.tenant());
    let done = (operation.handler)(call).await;
    if done.is_ok() {
        services.catalogue_changed(tenant).await;
    }
    done
}

/// Turns a problem into its document, and names the request.
pub(crate) fn finish(result: Result<Response, Problem>, request_id: &str) -> Response {
    let mut response = result.unwrap_or_else(|problem| respond::problem(&problem, request_id));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(respond::REQUEST_ID, id);
    }
    response
}

/// The caller's own request id if it is a sane one, or a new one.
pub(crate) fn request_id(headers: &HeaderMap, services: &Services) -> String {
    let given = headers
        .get(respond::REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let sane = |id: &&str| {
        (1..=128).contains(&id.len()) && id.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
    };
    given.filter(sane).map_or_else(
        || {
            let handle = &services.handle;
            let now = handle.clock().now();
            domain::ids::Ids::new(now, handle.entropy().word())
                .make::<OrderId>()
                .to_string()
        },
        str::to_owned,
    )
}

async fn check(
    prepared: &Prepared,
    services: Arc<Services>,
    path: Vec<(String, String)>,
    parts: Parts,
    body: HttpBody,
) -> Result<Call, Problem> {
    let operation = &prepared.operation;
    let (ids, names) = path_parts(path)?;
    let (raw, stream) = match operation.body {
        Body::Lines(_) => (Bytes::new(), Some(lines_body(&parts.headers, body)?)),
        _ => (read_body(&parts.headers, body, &services).await?, None),
    };
    let mut faults = Vec::new();
    let mut body = json_body(operation, &parts.headers, &raw, &mut faults)?;
    let raw_query = parts.uri.query().unwrap_or_default().to_owned();
    let query = match operation.body {
        Body::Raw => Query::default(),
        Body::None | Body::Optional(_) | Body::Required(_) | Body::Lines(_) => {
            Query::read(&raw_query, operation.query)?
        }
    };
    let idempotency_key = match operation.method {
        Verb::Get => None,
        Verb::Post | Verb::Put | Verb::Patch | Verb::Delete => idempotency::key(&parts.headers)?,
    };

    let caller = authorize(operation, &services, &parts.headers).await?;
    let by_client_token = client_token(operation, caller.as_ref(), &services, &ids, &query)?;
    if let Some(caller) = &caller {
        services.rate_limit.check(caller).await?;
        same_tenant(caller, &parts.headers, body.as_mut())?;
        allowed_fields(operation, caller, body.as_ref())?;
    }
    let claim = idempotency_key
        .as_deref()
        .zip(caller.as_ref())
        .map(|(key, caller)| {
            idempotency::claim(key, caller, (&parts.method, parts.uri.path()), &raw)
        });
    if let (Some(shape), Some(body)) = (&prepared.shape, &body) {
        faults.extend(shape.faults(body));
    }
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
    let mut call = Call {
        peer: peer.map(|peer| sender(peer, &parts.headers, &services.trusted_proxies)),
        services,
        caller,
        by_client_token,
        ids,
        names,
        query,
        raw_query,
        body,
        raw,
        stream: stream.into(),
        idempotency_key,
        claim,
        headers: parts.headers,
        subject: operation.subject,
    };
    faults.append(&mut call.query.faults);
    if !faults.is_empty() {
        reading::require(&call, operation.subject).await?;
        return Err(Problem::from_rejection(&Rejection::Invalid(faults)));
    }
    Ok(call)
}

/// Where a request comes from: what the last proxy that is trusted saw, or the connection's other
/// end. What stands before that in `X-Forwarded-For` anybody can write.
fn sender(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> SocketAddr {
    let is_trusted = |address: IpAddr| trusted.contains(&address.to_canonical());
    let values = headers.get_all("x-forwarded-for").iter();
    let hops: Vec<&str> = values
        // What cannot be read ends the walk.
        .map(|value| value.to_str().unwrap_or("?"))
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut sender = peer;
    for hop in hops.iter().rev() {
        match hop.parse() {
            Ok(address) if is_trusted(sender.ip()) => sender = SocketAddr::new(address, 0),
            _ => break,
        }
    }
    sender
}

/// Ids of the path must be UUIDs; its other parts are names.
fn path_parts(path: Vec<(String, String)>) -> Result<(Vec<Uuid>, Vec<String>), Problem> {
    let mut ids = Vec::new();
    let mut names = Vec::new();
    for (name, value) in path {
        if name == "tenant" || name == "provider" || name == "action" {
            names.push(value);
            continue;
        }
        let uuid = if value.len() == 36 {
            value.parse().ok()
        } else {
            None
        };
        ids.push(uuid.ok_or_else(|| Problem::malformed(format!("{name} is not a UUID")))?);
    }
    Ok((ids, names))
}

async fn read_body(
    headers: &HeaderMap,
    body: HttpBody,
    services: &Services,
) -> Result<Bytes, Problem> {
    let most = services.options.body_max;
    let too_large = || Problem::new("body_too_large", format!("a body has at most {most} bytes"));
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| usize::try_from(length).map_or(true, |l| l > most)) {
        discard(body).await;
        return Err(too_large());
    }
    let within = Duration::from_millis(services.options.read_timeout_millis);
    match tokio::time::timeout(within, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::malformed("the body broke off")),
        Err(_) => Err(Problem::malformed("the body did not arrive in time")),
    }
}

/// Reads a refused body for a moment, so that its sender reads the answer and not a reset.
async fn discard(mut body: HttpBody) {
    let read = async {
        let mut left = DISCARDED_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            if length > left {
                break;
            }
            left -= length;
        }
    };
    drop(tokio::time::timeout(Duration::from_secs(1), read).await);
}

/// The JSON that an operation takes. Keys that stand twice are faults for later.
fn json_body(
    operation: &Operation,
    headers: &HeaderMap,
    raw: &Bytes,
    faults: &mut Vec<Fault>,
) -> Result<Option<Value>, Problem> {
    let required = match operation.body {
        Body::None | Body::Raw | Body::Lines(_) => return Ok(None),
        Body::Optional(_) => false,
        Body::Required(_) => true,
    };
    if raw.is_empty() {
        let missing = || Problem::malformed("a JSON body is required");
        return if required { Err(missing()) } else { Ok(None) };
    }
    if !is_json(headers) {
        let detail = "a body must be application/json";
        return Err(Problem::new("unsupported_media_type", detail));
    }
    match parse(raw) {
        Ok(value) => Ok(Some(value)),
        Err(BodyError::Malformed(detail)) => Err(Problem::malformed(detail)),
        Err(BodyError::Invalid(found)) => {
            faults.extend(found);
            Ok(None)
        }
    }
}

/// A body that is read while it arrives: lines of JSON, whatever JSON type they go by.
fn lines_body(headers: &HeaderMap, body: HttpBody) -> Result<HttpBody, Problem> {
    if body.is_end_stream() {
        return Err(Problem::malformed("a body of JSON lines is required"));
    }
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let ndjson = |kind: &str| kind.starts_with("application/") && kind.contains("ndjson");
    if is_json(headers) || kind.is_some_and(ndjson) {
        return Ok(body);
    }
    let detail = "lines must be application/x-ndjson";
    Err(Problem::new("unsupported_media_type", detail))
}

/// Whether a body is to be read as JSON: no type, a JSON type, or what plain `curl -d` sends.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let kind = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind == "application/json"
        || kind.ends_with("+json")
        || kind == "application/x-www-form-urlencoded"
}

async fn authorize(
    operation: &Operation,
    services: &Services,
    headers: &HeaderMap,
) -> Result<Option<Caller>, Problem> {
    if operation.access == Access::Open {
        return Ok(None);
    }
    let keyless = services.keyless_tenant.map(|tenant| Caller {
        tenant,
        kind: KeyKind::Publishable,
        key: None,
    });
    let caller = services
        .keys
        .caller(headers)
        .await?
        .or(keyless)
        .ok_or_else(|| Problem::new("unauthorized", "send `Authorization: Bearer <key>`"))?;
    let may = match operation.access {
        Access::Platform => caller.kind == KeyKind::Platform,
        Access::Secret => caller.kind == KeyKind::Secret,
        Access::Publishable | Access::ClientToken => caller.kind != KeyKind::Platform,
        Access::Open => true,
    };
    if !may && caller.key.is_none() {
        return Err(Problem::new(
            "unauthorized",
            "send `Authorization: Bearer <key>`",
        ));
    }
    if !may {
        return Err(Problem::new("forbidden", "this key may not do this"));
    }
    Ok(Some(caller))
}

/// A caller without a secret key acts on an order by its client token alone.
fn client_token(
    operation: &Operation,
    caller: Option<&Caller>,
    services: &Services,
    ids: &[Uuid],
    query: &Query,
) -> Result<bool, Problem> {
    let secret = caller.is_some_and(|caller| caller.kind == KeyKind::Secret);
    if operation.access != Access::ClientToken || secret {
        return Ok(false);
    }
    let expected = ids
        .first()
        .map(|id| services.codec.tokens.of(OrderId::from_uuid(*id)));
    let given = query.text("client_token");
    let same = expected.zip(given).is_some_and(|(expected, given)| {
        subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), given.as_bytes()).into()
    });
    if same {
        Ok(true)
    } else {
        Err(Problem::new(
            "forbidden",
            "the order's client_token is needed",
        ))
    }
}

/// Whoever repeats the tenant's id must repeat the right one. The body's members are taken out:
/// they say nothing else.
fn same_tenant(
    caller: &Caller,
    headers: &HeaderMap,
    body: Option<&mut Value>,
) -> Result<(), Problem> {
    if caller.kind == KeyKind::Platform || caller.tenant == platform() {
        return Ok(());
    }
    let own = caller.tenant.to_string();
    let mismatch = || Problem::new("tenant_mismatch", "the key belongs to another tenant");
    for value in headers.get_all("x-tenant-id") {
        if value.to_str().ok() != Some(&own) {
            return Err(mismatch());
        }
    }
    let Some(Value::Object(members)) = body else {
        return Ok(());
    };
    for name in ["business_id", "tenant_id"] {
        match members.remove(name) {
            None | Some(Value::Null) => {}
            Some(value) if value.as_str() == Some(&own) => {}
            Some(_) => return Err(mismatch()),
        }
    }
    Ok(())
}

/// Fields that only a secret key may send.
fn allowed_fields(
    operation: &Operation,
    caller: &Caller,
    body: Option<&Value>,
) -> Result<(), Problem> {
    let Some(body) = body.filter(|_| caller.kind != KeyKind::Secret) else {
        return Ok(());
    };
    for field in operation.secret_fields {
        let sent = match field.strip_prefix("items/*/") {
            Some(inner) => body
                .get("items")
                .and_then(Value::as_array)
                .is_some_and(|items| items.iter().any(|item| item.get(inner).is_some())),
            None => body.get(field).is_some(),
        };
        if sent {
            let detail = format!("only a secret key may send {field}");
            return Err(Problem::new("forbidden", detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_say_who_asks() {
        let from = |peer: &str, forwarded: &[&str], trusted: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            let trusted: Vec<IpAddr> = trusted.iter().map(|text| text.parse().unwrap()).collect();
            let peer = SocketAddr::new(peer.parse().unwrap(), 1);
            sender(peer, &headers, &trusted).ip().to_string()
        };
        let proxies = ["10.0.0.1", "10.0.0.2"];
        assert_eq!(from("9.9.9.9", &["1.1.1.1"], &[]), "9.9.9.9");
        assert_eq!(from("9.9.9.9", &["1.1.1.1"], &proxies), "9.9.9.9");
        assert_eq!(from("10.0.0.1", &["6.6.6.6, 1.1.1.1"], &proxies), "1.1.1.1");
        assert_eq!(from("::ffff:10.0.0.1", &["1.1.1.1"], &proxies), "1.1.1.1");
        let chain = ["6.6.6.6", "1.1.1.1, 10.0.0.2"];
        assert_eq!(from("10.0.0.1", &chain, &proxies), "1.1.1.1");
        assert_eq!(from("10.0.0.1", &["nobody"], &proxies), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[], &proxies), "10.0.0.1");
    }
}
