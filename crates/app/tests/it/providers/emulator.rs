//! Payment providers of our own, over real HTTP, written from shared/protocols: they keep what they
//! are asked for, know a key that was used before, and fail as told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::{stripe, vnpay, yookassa};

/// How requests that change something fail until told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 503, and nothing is done.
    Down,
    /// 500 after the work was done.
    AfterDoing,
    /// No answer, and nothing is done.
    HangBefore,
    /// No answer after the work was done.
    HangAfter,
}

/// What the providers know.
#[derive(Default)]
pub(crate) struct World {
    /// Payments and refunds by their names.
    pub(crate) objects: BTreeMap<String, Value>,
    /// Names by the keys that they were asked for with.
    pub(crate) keys: BTreeMap<String, String>,
    /// Every request, as method and path.
    pub(crate) calls: Vec<String>,
    /// What was asked for with them.
    bodies: BTreeMap<String, Bytes>,
    /// How requests fail.
    pub(crate) fault: Option<Fault>,
    /// How the next one fails.
    pub(crate) next_fault: Option<Fault>,
    /// Whether refunds stay pending.
    pub(crate) slow_refunds: bool,
}

impl World {
    /// The objects of a kind, such as `payment`.
    pub(crate) fn all(&self, kind: &str) -> Vec<Value> {
        let of = |(name, _): &(&String, &Value)| name.starts_with(kind);
        let found = self.objects.iter().filter(of);
        found.map(|(_, object)| object.clone()).collect()
    }

    /// What was asked for under a key, or what `make` makes of a new name.
    pub(crate) fn once(
        &mut self,
        kind: &str,
        key: &str,
        make: impl FnOnce(&str) -> Value,
    ) -> Value {
        if let Some(name) = self.keys.get(key) {
            return self.objects[name].clone();
        }
        let name = format!("{kind}{:03}", self.objects.len() + 1);
        let object = make(&name);
        self.keys.insert(key.to_owned(), name.clone());
        self.objects.insert(name, object.clone());
        object
    }

    /// Whether a key that was used before comes with something else.
    pub(crate) fn is_another(&mut self, asked: &Asked) -> bool {
        if asked.key.is_empty() {
            return false;
        }
        let first = self.bodies.entry(asked.key.clone());
        *first.or_insert_with(|| asked.body.clone()) != asked.body
    }

    /// Changes an object.
    pub(crate) fn set(&mut self, name: &str, members: Value) {
        let object = self.objects.get_mut(name).unwrap();
        for (member, value) in members.as_object().unwrap() {
            object[member] = value.clone();
        }
    }

    /// How often something was asked.
    pub(crate) fn count(&self, call: &str) -> usize {
        let same = |asked: &&String| asked.starts_with(call);
        self.calls.iter().filter(same).count()
    }
}

/// The running providers.
#[derive(Clone)]
pub(crate) struct Emulator {
    /// Where they are.
    pub(crate) url: String,
    world: Arc<Mutex<World>>,
}

impl Emulator {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World::default()));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&world));
        #[expect(clippy::disallowed_methods, reason = "it ends with its test")]
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, world }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn fail(&self, fault: impl Into<Option<Fault>>) {
        self.world().fault = fault.into();
    }

    /// Waits until something was asked that often.
    pub(crate) async fn asked(&self, call: &str, times: usize) {
        while self.world().count(call) < times {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// What a provider is asked.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) body: Bytes,
}

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let key = header("idempotence-key").or_else(|| header("idempotency-key"));
    let asked = Asked {
        method,
        path: uri.path().to_owned(),
        key: key.unwrap_or_default(),
        body,
    };
    let changes = asked.method == Method::POST && !vnpay::is_question(&asked);
    let (fault, answered) = {
        let mut world = world.lock().unwrap();
        let call = format!("{} {}", asked.method, asked.path);
        world.calls.push(call);
        let next = if changes {
            world.next_fault.take()
        } else {
            None
        };
        let fault = next.or_else(|| world.fault.filter(|_| changes));
        let skipped = matches!(fault, Some(Fault::Down | Fault::HangBefore));
        let answered = (!skipped).then(|| dispatch(&mut world, &asked));
        (fault, answered)
    };
    match fault {
        Some(Fault::HangBefore | Fault::HangAfter) => std::future::pending().await,
        Some(Fault::Down) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Fault::AfterDoing) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        None => {
            let (status, body) = answered.unwrap();
            let status = StatusCode::from_u16(status).unwrap();
            (status, body.to_string()).into_response()
        }
    }
}

fn dispatch(world: &mut World, asked: &Asked) -> (u16, Value) {
    if asked.path.starts_with("/v3/") {
        yookassa::answer(world, asked)
    } else if asked.path.starts_with("/v1/") {
        stripe::answer(world, asked)
    } else {
        vnpay::answer(world, asked)
    }
}
