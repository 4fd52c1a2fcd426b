//! Takes a verified message in: claimed, applied and kept in one transaction.

use super::{ProviderResult, RefundResult};
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Row};
use crate::ids::{PaymentId, WebhookEventId};
use crate::needs::Needs;
use crate::payment::Provider;
use crate::rejection::Rejection;
use crate::state::State;
use crate::webhook::{WebhookEvent, WebhookStatus};

/// The code of a message that said what was known.
pub const UNCHANGED: &str = "unchanged";

/// What a message asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookSays {
    /// Nothing that we do.
    Nothing,
    /// Something of a payment or refund that is none of ours.
    Unknown,
    /// Another amount than this payment's.
    OtherMoney(PaymentId),
    /// How a payment went.
    Payment(ProviderResult),
    /// How a refund went.
    Refund(RefundResult),
}

impl WebhookSays {
    fn payment_id(&self) -> Option<PaymentId> {
        match self {
            Self::Nothing | Self::Unknown => None,
            Self::OtherMoney(id) => Some(*id),
            Self::Payment(result) => Some(result.payment_id),
            Self::Refund(result) => Some(result.payment_id),
        }
    }
}

/// A verified message of a provider. One that was taken before changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveWebhook {
    /// Its id.
    pub id: WebhookEventId,
    /// Who sent it.
    pub provider: Provider,
    /// What the provider calls it.
    pub event_id: String,
    /// What it is about.
    pub kind: String,
    /// The raw message.
    pub body: Vec<u8>,
    /// What it asks for.
    pub says: WebhookSays,
}

impl ReceiveWebhook {
    /// Takes a kept message in again, with what its body is read as now.
    #[must_use]
    pub fn again(event: WebhookEvent, kind: String, says: WebhookSays) -> Self {
        Self {
            id: event.id,
            provider: event.provider,
            event_id: event.event_id,
            kind,
            body: event.body,
            says,
        }
    }

    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.webhook_events.insert(self.id);
        match &self.says {
            WebhookSays::Nothing | WebhookSays::Unknown | WebhookSays::OtherMoney(_) => {}
            WebhookSays::Payment(result) => result.needs(needs),
            WebhookSays::Refund(result) => result.needs(needs),
        }
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "every command decides with this signature"
    )]
    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let reply = Reply::WebhookEvent(self.id);
        let known = state.webhook_events.get(&self.id);
        if known.is_some_and(|known| known.status == WebhookStatus::Applied) {
            return Ok(Decision::repeated(reply));
        }
        let attempts = known.map_or(0, |known| known.attempts).saturating_add(1);
        let now = context.now;
        let kept = |status, code| WebhookEvent {
            id: self.id,
            provider: self.provider,
            event_id: self.event_id.clone(),
            kind: self.kind.clone(),
            payment_id: self.says.payment_id(),
            status,
            code,
            attempts,
            body: self.body.clone(),
            received_at: known.map_or(now, |known| known.received_at),
            processed_at: now,
        };
        let decided = match &self.says {
            WebhookSays::Nothing => None,
            WebhookSays::Unknown => Some(Err(Rejection::NotFound)),
            WebhookSays::OtherMoney(_) => Some(Err(Rejection::AmountMismatch)),
            WebhookSays::Payment(result) => Some(result.decide(state, context)),
            WebhookSays::Refund(result) => Some(result.decide(state, context)),
        };
        let (mut changes, event) = match (decided, known) {
            // What says nothing more does not bury a dead letter.
            (None, Some(dead)) if dead.status == WebhookStatus::Dead => {
                let (processed_at, dead) = (now, dead.clone());
                let event = WebhookEvent {
                    attempts,
                    processed_at,
                    ..dead
                };
                (Vec::new(), event)
            }
            (None, _) => (Vec::new(), kept(WebhookStatus::Ignored, None)),
            (Some(Ok(decision)), _) => {
                let code = decision.repeated.then(|| UNCHANGED.to_owned());
                (decision.changes, kept(WebhookStatus::Applied, code))
            }
            (Some(Err(refusal)), _) => {
                let code = Some(refusal.code().to_owned());
                (Vec::new(), kept(WebhookStatus::Dead, code))
            }
        };
        changes.push(Change::Row(Row::WebhookEvent(Box::new(event))));
        Ok(Decision::changed(changes, reply))
    }
}
