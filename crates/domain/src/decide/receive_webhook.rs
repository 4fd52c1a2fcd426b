//! Takes a verified message in: claimed, applied and kept in one transaction.

use super::ProviderResult;
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Row};
use crate::ids::WebhookEventId;
use crate::needs::Needs;
use crate::payment::Provider;
use crate::rejection::Rejection;
use crate::state::State;
use crate::webhook::{WebhookEvent, WebhookStatus};

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
    /// What it says of a payment; `None` when it asks for nothing that we do.
    pub result: Option<ProviderResult>,
}

impl ReceiveWebhook {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.webhook_events.insert(self.id);
        if let Some(result) = &self.result {
            result.needs(needs);
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
        let (mut changes, status, code) = match &self.result {
            None => (Vec::new(), WebhookStatus::Ignored, None),
            Some(result) => match result.decide(state, context) {
                Ok(decision) => (decision.changes, WebhookStatus::Applied, None),
                Err(refusal) => {
                    let code = refusal.code().to_owned();
                    (Vec::new(), WebhookStatus::Dead, Some(code))
                }
            },
        };
        changes.push(Change::Row(Row::WebhookEvent(Box::new(WebhookEvent {
            id: self.id,
            provider: self.provider,
            event_id: self.event_id.clone(),
            kind: self.kind.clone(),
            payment_id: self.result.as_ref().map(|result| result.payment_id),
            status,
            code,
            attempts: known.map_or(0, |known| known.attempts).saturating_add(1),
            body: self.body.clone(),
            received_at: known.map_or(context.now, |known| known.received_at),
            processed_at: context.now,
        }))));
        Ok(Decision::changed(changes, reply))
    }
}
