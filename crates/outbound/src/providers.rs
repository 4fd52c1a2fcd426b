//! The engine's port to payment providers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::decide::RefundOutcome;
use domain::ids::{PaymentId, TenantId};
use domain::payment::{Payment, Provider, Refund};
use domain::tenant::Tenant;
use domain::time::Timestamp;
use engine::clock::Clock;
use engine::provider::{
    Asked, Begun, Fault, Message, MockAction, NoKey, NotTaken, Providers, Receipt, Said, Says,
    Standing, Verified,
};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts;
use crate::adapter::{Adapter, Around, Beginning, Notice};
use crate::client::{Client, Reply};
use crate::courier::Courier;
use crate::exchange::{Request, refused};
use crate::vault::Vault;
use crate::{mock, standard_webhooks, texts, vnpay};

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
/// After how long a refund that its provider has taken and does not know counts as failed, in
/// milliseconds.
const LOST: i64 = 86_400_000;
/// How often a late payer looks whether the hold has ended.
const LATE_LOOK: Duration = Duration::from_millis(100);

/// All providers of this build.
#[derive(Clone)]
pub struct AllProviders {
    /// Sends notifications of the mock.
    pub client: Client,
    /// Sends requests to providers.
    pub courier: Courier,
    /// Opens the secrets of accounts.
    pub vault: Vault,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The time of the world outside, from where messages come: a demo's own may be moved.
    pub world: Arc<dyn Clock>,
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

impl AllProviders {
    /// A provider with a shop's account.
    fn adapter(&self, tenant: &Tenant, provider: Provider) -> Result<Box<dyn Adapter>, Fault> {
        accounts::adapter(&self.vault, tenant, provider).ok_or_else(|| {
            let name = provider.name();
            Fault::Unknown(format!(
                "there is no account with {name} whose secrets open"
            ))
        })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn ask(&self, adapter: &dyn Adapter, request: Option<Request>) -> Result<Reply, Fault> {
        let unnamed = || Fault::Unknown("the provider's name for it is not known".to_owned());
        let request = request.ok_or_else(unnamed)?;
        let again = |reply: &Reply| adapter.is_repeated(reply);
        self.courier.send(&request, again).await
    }

    /// What a notification says: what it names is asked for, where it is not to be gone by itself.
    async fn hear(&self, adapter: &dyn Adapter, body: &[u8]) -> Result<(String, Said), Fault> {
        match adapter.notice(body) {
            None => {
                let said = Said {
                    kind: "unreadable".to_owned(),
                    says: Says::Nothing,
                };
                Ok((texts::name(&texts::hex(&Sha256::digest(body))), said))
            }
            Some(Notice::Said { event_id, said }) => Ok((event_id, said)),
            Some(Notice::Ask {
                event_id,
                kind,
                request,
            }) => {
                let reply = self.ask(adapter, Some(request)).await?;
                Ok((event_id, adapter.told(&kind, &reply)?))
            }
        }
    }

    async fn where_it_stands(
        &self,
        adapter: &dyn Adapter,
        payment: &Payment,
        around: &Around<'_>,
    ) -> Result<Standing, Fault> {
        let reply = self.ask(adapter, adapter.ask(payment, around)).await?;
        adapter.standing(payment, &reply)
    }

    /// Where payers come back to that were given no other address.
    fn return_url(&self, tenant: &Tenant, provider: Provider) -> String {
        let (url, slug) = (&self.public_url, &tenant.slug);
        format!("{url}/payments/return/{slug}/{}", provider.name())
    }
}

/// What is around requests that concern no payer.
const fn around(now: Timestamp) -> Around<'static> {
    Around {
        now,
        return_url: "",
        payer: None,
    }
}

impl Providers for AllProviders {
    fn read<'a>(
        &'a self,
        provider: Provider,
        tenant: &'a Tenant,
        message: &'a Message,
        now: Timestamp,
    ) -> Pin<Box<dyn Future<Output = Result<Verified, NotTaken>> + Send + 'a>> {
        Box::pin(async move {
            if provider == Provider::Mock {
                let key = self.mock_key(tenant.id);
                let at = |now| standard_webhooks::verify(&key, message, now);
                let event_id = at(now).or_else(|| at(self.world.now()));
                return Ok(Verified {
                    event_id: texts::name(&event_id.ok_or(NotTaken::Unverified)?),
                    body: message.body.clone(),
                    said: mock::parse(&message.body),
                });
            }
            if !tenant.accounts.contains_key(&provider) {
                return Err(NotTaken::Unverified);
            }
            let adapter = self.adapter(tenant, provider)?;
            let verified = adapter.verify(message, now);
            let body = verified.or_else(|_| adapter.verify(message, self.world.now()))?;
            let (event_id, said) = match self.hear(&*adapter, &body).await {
                Ok(heard) => heard,
                // What the provider itself does not know was not sent by it.
                Err(Fault::Refused { .. }) => return Err(NotTaken::Unverified),
                Err(fault) => return Err(fault.into()),
            };
            Ok(Verified {
                event_id,
                body,
                said,
            })
        })
    }

    fn read_again<'a>(
        &'a self,
        provider: Provider,
        tenant: &'a Tenant,
        body: &'a [u8],
    ) -> Asked<'a, Said> {
        Box::pin(async move {
            if provider == Provider::Mock {
                return Ok(mock::parse(body));
            }
            let adapter = self.adapter(tenant, provider)?;
            let (_, said) = self.hear(&*adapter, body).await?;
            Ok(said)
        })
    }

    fn begin<'a>(
        &'a self,
        tenant: &'a Tenant,
        payment: &'a Payment,
        payer: Option<IpAddr>,
    ) -> Asked<'a, Begun> {
        Box::pin(async move {
            let adapter = self.adapter(tenant, payment.provider)?;
            let around = Around {
                now: self.now(),
                return_url: &self.return_url(tenant, payment.provider),
                payer,
            };
            match adapter.begin(payment, &around) {
                None => Err(refused("amount_not_taken")),
                Some(Beginning::Known(begun)) => Ok(begun),
                Some(Beginning::Ask(request)) => {
                    let reply = self.ask(&*adapter, Some(request)).await?;
                    adapter.begun(&reply)
                }
            }
        })
    }

    fn standing<'a>(&'a self, tenant: &'a Tenant, payment: &'a Payment) -> Asked<'a, Standing> {
        Box::pin(async move {
            let adapter = self.adapter(tenant, payment.provider)?;
            let around = around(self.now());
            known(self.where_it_stands(&*adapter, payment, &around).await)
        })
    }

    fn capture<'a>(&'a self, tenant: &'a Tenant, payment: &'a Payment) -> Asked<'a, Standing> {
        Box::pin(async move {
            let adapter = self.adapter(tenant, payment.provider)?;
            let around = around(self.now());
            let standing = known(self.where_it_stands(&*adapter, payment, &around).await)?;
            let request = adapter.capture(payment);
            match request.filter(|_| standing == Standing::Authorised) {
                None => Ok(standing),
                request => {
                    self.ask(&*adapter, request).await?;
                    known(self.where_it_stands(&*adapter, payment, &around).await)
                }
            }
        })
    }

    fn close<'a>(
        &'a self,
        tenant: &'a Tenant,
        payment: &'a Payment,
        now: Timestamp,
    ) -> Asked<'a, Standing> {
        Box::pin(async move {
            let adapter = self.adapter(tenant, payment.provider)?;
            let around = around(now);
            let standing = known(self.where_it_stands(&*adapter, payment, &around).await)?;
            match adapter.close(payment, &standing) {
                None => Ok(adapter.given_up(payment, standing, around.now)),
                request => {
                    self.ask(&*adapter, request).await?;
                    known(self.where_it_stands(&*adapter, payment, &around).await)
                }
            }
        })
    }

    fn refund<'a>(
        &'a self,
        tenant: &'a Tenant,
        payment: &'a Payment,
        refund: &'a Refund,
        others: &'a BTreeSet<String>,
    ) -> Asked<'a, RefundOutcome> {
        Box::pin(async move {
            let adapter = self.adapter(tenant, payment.provider)?;
            let around = around(self.now());
            // Keys are forgotten, and faults are kept under them: what may have been asked for
            // before is looked for first.
            if adapter.may_be_there(refund, around.now) {
                let reply = self.ask(&*adapter, adapter.find_refund(payment, &around));
                let found = adapter.found_refund((refund, others), &reply.await?);
                if let Some(found) = known(found)? {
                    return Ok(found);
                }
            }
            let request = adapter.refund(payment, refund, &around);
            let request = request.ok_or_else(|| refused("amount_not_taken"))?;
            let reply = self.ask(&*adapter, Some(request)).await?;
            adapter.refunded(&reply)
        })
    }

    fn refunded<'a>(
        &'a self,
        tenant: &'a Tenant,
        payment: &'a Payment,
        refund: &'a Refund,
        others: &'a BTreeSet<String>,
    ) -> Asked<'a, RefundOutcome> {
        Box::pin(async move {
            let adapter = self.adapter(tenant, payment.provider)?;
            let around = around(self.now());
            if let Some(request) = adapter.ask_refund(refund) {
                let reply = self.ask(&*adapter, Some(request)).await?;
                return known(adapter.refunded(&reply));
            }
            let reply = self.ask(&*adapter, adapter.find_refund(payment, &around));
            let found = known(adapter.found_refund((refund, others), &reply.await?))?;
            let sent_at = refund.sent_at.unwrap_or(refund.created_at);
            let lost = sent_at.plus_millis(LOST) <= around.now;
            Ok(match found {
                Some(found) => found,
                None if lost => RefundOutcome::Failed {
                    provider_refund_id: None,
                    code: "unknown_to_provider".to_owned(),
                },
                None => RefundOutcome::Pending {
                    provider_refund_id: None,
                },
            })
        })
    }

    fn receipt(&self, provider: Provider, receipt: Receipt) -> Option<String> {
        (provider == Provider::Vnpay).then(|| vnpay::Answer::of(receipt).body())
    }

    fn usual_urls(&self, provider: Provider) -> &'static [(&'static str, &'static str)] {
        accounts::usual_urls(provider)
    }

    fn seal(
        &self,
        tenant: TenantId,
        provider: Provider,
        values: &BTreeMap<String, String>,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, NoKey> {
        self.vault.seal((tenant, provider, values), secrets)
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

/// A question that was refused says nothing of what was asked for: it is asked again.
fn known<T>(asked: Result<T, Fault>) -> Result<T, Fault> {
    asked.map_err(|fault| match fault {
        Fault::Refused { code } => Fault::Unknown(format!("the provider refused to say: {code}")),
        Fault::Timeout | Fault::Unknown(_) => fault,
    })
}
