//! The engine's port to payment providers.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ids::{PaymentId, TenantId};
use domain::payment::{Payment, Provider};
use domain::time::Timestamp;
use engine::clock::Clock;
use engine::provider::{Message, MockAction, NotTaken, Providers, Said, Verified};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::Client;
use crate::{mock, standard_webhooks, texts};

/// How often a notification that was not taken is sent at once.
const TRIES: u32 = 5;
/// Waits between the notifications that follow.
const LATER: [Duration; 6] = [
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
];
/// How often a late payer looks whether the hold has ended.
const LATE_LOOK: Duration = Duration::from_millis(100);

/// All providers of this build.
#[derive(Clone)]
pub struct AllProviders {
    /// Sends notifications of the mock.
    pub client: Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The server's pepper, from which the mock's keys are derived, unless one is given.
    pub pepper: [u8; 32],
    /// The key of the mock's webhooks, where the configuration gives one.
    pub mock_webhook_key: Option<Vec<u8>>,
    /// Where this server is reached.
    pub public_url: String,
    /// Runs what goes on after an answer.
    pub tasks: TaskTracker,
    /// Ends it.
    pub stop: CancellationToken,
    /// Payments that will be told of late, each once.
    pub late: Arc<Mutex<BTreeSet<PaymentId>>>,
}

/// What the body of a verified notification says.
#[must_use]
pub fn said(provider: Provider, body: &[u8]) -> Said {
    match provider {
        Provider::Mock => mock::parse(body),
        Provider::Manual => Said {
            kind: "unknown".to_owned(),
            result: None,
        },
    }
}

impl AllProviders {
    /// The key with which the mock signs what it tells a tenant.
    fn mock_key(&self, tenant: TenantId) -> Vec<u8> {
        let given = self.mock_webhook_key.clone();
        given.unwrap_or_else(|| mock::signing_key(&self.pepper, tenant))
    }

    /// Tells this server, over HTTP, how a mock payment went: some times at once, and behind the
    /// answer's back as long as a provider would, because a shop may be read-only for a while.
    async fn notify(&self, tenant: TenantId, payment: &Payment, succeeded: bool) {
        for attempt in 1..=TRIES {
            if self.tell(tenant, payment, succeeded).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200) * attempt).await;
        }
        let later = self.clone().tell_later(tenant, payment.clone(), succeeded);
        self.tasks.spawn(later);
    }

    async fn tell_later(self, tenant: TenantId, payment: Payment, succeeded: bool) {
        for wait in LATER {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            if self.tell(tenant, &payment, succeeded).await {
                return;
            }
        }
    }

    /// One notification; whether it was taken.
    async fn tell(&self, tenant: TenantId, payment: &Payment, succeeded: bool) -> bool {
        let url = format!("{}/webhooks/{tenant}/mock", self.public_url);
        let body = mock::notification(payment, succeeded);
        let key = self.mock_key(tenant);
        let id = format!("msg_{}_{succeeded}", payment.id);
        let headers = standard_webhooks::sign(&key, &id, self.clock.now(), &body);
        match self.client.post(&url, &headers, body).await {
            Ok(status) if (200..300).contains(&status) => return true,
            Ok(status) => tracing::warn!(status, "a mock notification was refused"),
            Err(error) => tracing::warn!(%error, "a mock notification failed"),
        }
        false
    }

    /// Waits until the hold has ended, and then tells of the payment.
    async fn notify_late(self, tenant: TenantId, payment: Payment, held_until: Option<Timestamp>) {
        while held_until.is_some_and(|until| self.clock.now() <= until) {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(LATE_LOOK) => {}
            }
        }
        self.notify(tenant, &payment, true).await;
        self.late
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&payment.id);
    }
}

impl Providers for AllProviders {
    fn read(
        &self,
        provider: Provider,
        tenant: TenantId,
        message: &Message,
        now: Timestamp,
    ) -> Result<Verified, NotTaken> {
        match provider {
            Provider::Mock => {
                let key = self.mock_key(tenant);
                let event_id = standard_webhooks::verify(&key, message, now);
                Ok(Verified {
                    event_id: texts::name(&event_id.ok_or(NotTaken::Unverified)?),
                    said: said(provider, &message.body),
                })
            }
            Provider::Manual => Err(NotTaken::Unverified),
        }
    }

    fn read_again(&self, provider: Provider, body: &[u8]) -> Said {
        said(provider, body)
    }

    fn act(
        &self,
        tenant: TenantId,
        payment: Payment,
        held_until: Option<Timestamp>,
        action: MockAction,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            match action {
                MockAction::Pay => self.notify(tenant, &payment, true).await,
                MockAction::Fail => self.notify(tenant, &payment, false).await,
                MockAction::Abandon | MockAction::Timeout => {}
                MockAction::Late => {
                    let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
                    if late.insert(payment.id) {
                        self.tasks
                            .spawn(self.clone().notify_late(tenant, payment, held_until));
                    }
                }
                MockAction::Duplicate => {
                    let once = || self.notify(tenant, &payment, true);
                    tokio::join!(once(), once(), once());
                }
            }
        })
    }
}
