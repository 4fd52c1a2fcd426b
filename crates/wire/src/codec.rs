//! The engine's codec: answers, events and snapshots in JSON.

use bytes::Bytes;
use domain::command::{Decision, Reply, Seal};
use domain::event::Event;
use domain::ids::{OrderId, PaymentId, TenantId, TypedId as _, Uuid};
use domain::order::Order;
use domain::payment::{Payment, PaymentStatus, Provider};
use domain::state::State;
use engine::codec::{Codec, Encoded, SWEEP_AGAIN};
use serde::Serialize;

use crate::token::Tokens;
use crate::views::{
    CartView, CheckoutView, ControlsView, ImportedView, KeyView, LevelView, LocationView,
    OrderView, PaymentAccountView, PaymentView, ProductView, RefundView, SettingsView, TenantView,
    WebhookEventView,
};
use crate::{canonical, journal};

/// Makes the bytes of a transaction.
#[derive(Clone)]
pub struct JsonCodec {
    /// Derives client tokens.
    pub tokens: Tokens,
    /// Where clients reach this server, without a slash at the end.
    pub public_url: String,
}

impl Seal for JsonCodec {
    fn seal(&self, order: &Order) -> String {
        canonical::hash(order)
    }
}

impl Codec for JsonCodec {
    fn answer(&self, state: &State, decision: &Decision) -> Encoded {
        let status = match decision.reply {
            Reply::Swept { more: true } => SWEEP_AGAIN,
            _ if decision.created => 201,
            _ => 200,
        };
        Encoded {
            status,
            body: self.render(state, decision.reply).into(),
        }
    }

    fn event(&self, event: &Event) -> (&'static str, Vec<u8>) {
        journal::encode(event)
    }

    fn read_event(&self, kind: &str, payload: &[u8]) -> Result<Event, String> {
        journal::decode(kind, payload)
    }
}

fn bytes(view: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(view).unwrap_or_default()
}

impl JsonCodec {
    /// An object of a working set, as its bytes; empty when it is not there.
    #[must_use]
    pub fn render(&self, state: &State, reply: Reply) -> Vec<u8> {
        self.find(state, reply).unwrap_or_default()
    }

    fn find(&self, state: &State, reply: Reply) -> Option<Vec<u8>> {
        Some(match reply {
            Reply::Product(id) => bytes(&ProductView::new(state, state.products.get(&id)?)),
            Reply::Location(id) => bytes(&LocationView::new(state.locations.get(&id)?)),
            Reply::Level(key) => bytes(&LevelView::new(state.levels.get(&key)?)),
            Reply::Cart(id) => bytes(&CartView::new(state.carts.get(&id)?)),
            Reply::Order { id, to_maker } => self.order(state, id, to_maker)?,
            Reply::Checkout { order, payment } => self.checkout(state, order, payment)?,
            Reply::Payment(id) => self.payment(state, state.payment(id)?),
            Reply::Refund(order, id) => bytes(&RefundView::new(state.refunds.get(&(order, id))?)),
            Reply::PaymentAccount(provider) => bytes(&self.account(state, provider)?),
            Reply::Settings => bytes(&SettingsView::new(state.settings()?)),
            Reply::Tenant(id) => bytes(&TenantView::new(state.tenants.get(&id)?)),
            Reply::Key(id) => bytes(&KeyView::new(state.keys.get(&id)?)),
            Reply::WebhookEvent(id) => {
                bytes(&WebhookEventView::new(state.webhook_events.get(&id)?))
            }
            Reply::Controls => bytes(&ControlsView::new(state.lane.controls, state.settings()?)),
            Reply::Imported(imported) => bytes(&ImportedView::new(&imported)),
            Reply::Swept { .. } => b"{}".to_vec(),
        })
    }

    fn order(&self, state: &State, id: OrderId, to_maker: bool) -> Option<Vec<u8>> {
        let order = state.orders.get(&id)?;
        let tenant = state
            .tenant_id
            .unwrap_or_else(|| TenantId::from_uuid(Uuid::nil()));
        let token = to_maker.then(|| self.tokens.of(id));
        Some(bytes(&OrderView::new(
            tenant,
            order,
            state.contacts.get(&id),
            token,
        )))
    }

    fn checkout(&self, state: &State, id: OrderId, payment: Option<PaymentId>) -> Option<Vec<u8>> {
        let order = state.orders.get(&id)?;
        let payment = payment.and_then(|payment| state.payments.get(&(id, payment)));
        let url = payment.and_then(|payment| self.payment_url(state, payment));
        Some(bytes(&CheckoutView::new(
            order,
            payment,
            url,
            self.tokens.of(id),
        )))
    }

    fn payment(&self, state: &State, payment: &Payment) -> Vec<u8> {
        bytes(&PaymentView::new(payment, self.payment_url(state, payment)))
    }

    fn account<'a>(&self, state: &'a State, provider: Provider) -> Option<PaymentAccountView<'a>> {
        let tenant = state.tenant()?;
        let account = tenant.accounts.get(&provider)?;
        let (url, slug) = (&self.public_url, &tenant.slug);
        let webhook_url = format!("{url}/webhooks/{slug}/{}", provider.name());
        Some(PaymentAccountView::new(provider, account, webhook_url))
    }

    /// The page where a payment is made, while it can be.
    fn payment_url(&self, state: &State, payment: &Payment) -> Option<String> {
        let tenant = state.tenant_id?;
        if payment.provider.is_remote() {
            return payment.page.payment_url.clone();
        }
        let open = payment.provider == Provider::Mock && payment.status == PaymentStatus::Pending;
        open.then(|| format!("{}/mock-provider/{tenant}/{}", self.public_url, payment.id))
    }
}

/// A list as it is sent.
#[must_use]
pub fn list(items: Vec<Vec<u8>>, next_cursor: Option<String>, extra: &[(&str, i64)]) -> Bytes {
    let mut body = b"{\"data\":[".to_vec();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend(item);
    }
    body.extend(b"],\"next_cursor\":");
    body.extend(serde_json::to_vec(&next_cursor).unwrap_or_default());
    for (name, value) in extra {
        body.extend(format!(",\"{name}\":{value}").into_bytes());
    }
    body.push(b'}');
    body.into()
}
