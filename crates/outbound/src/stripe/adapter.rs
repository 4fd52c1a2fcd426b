//! Stripe as a provider.

use std::collections::BTreeSet;

use domain::decide::RefundOutcome;
use domain::payment::{Payment, Refund, refund_key};
use domain::time::Timestamp;
use engine::provider::{Begun, Fault, Message, NotTaken, Said, Standing};

use super::events::said;
use super::signature::{TOLERANCE_SECONDS, verify};
use super::{Account, is_repeated, object, of_refund};
use crate::adapter::{Adapter, Around, Beginning, Notice, with_our_id};
use crate::client::Reply;
use crate::exchange::{Request, unreadable};

/// Stripe with a shop's account.
pub(crate) struct Stripe(pub(crate) Account);

impl Adapter for Stripe {
    fn begin(&self, payment: &Payment, _around: &Around<'_>) -> Option<Beginning> {
        let order = payment.order_id.to_string();
        let request = super::begin(
            &self.0,
            (payment.amount, payment.currency),
            &payment.provider_reference,
            (&order, &format!("Order {order}")),
        );
        request.map(Beginning::Ask)
    }

    fn begun(&self, reply: &Reply) -> Result<Begun, Fault> {
        super::begun(reply)
    }

    fn ask(&self, payment: &Payment, _around: &Around<'_>) -> Option<Request> {
        let id = payment.provider_payment_id.as_deref()?;
        Some(super::retrieve(&self.0, id))
    }

    fn standing(&self, _payment: &Payment, reply: &Reply) -> Result<Standing, Fault> {
        super::standing(reply)
    }

    fn capture(&self, payment: &Payment) -> Option<Request> {
        let id = payment.provider_payment_id.as_deref()?;
        super::capture(&self.0, id, None, None)
    }

    fn close(&self, payment: &Payment, standing: &Standing) -> Option<Request> {
        let id = payment.provider_payment_id.as_deref()?;
        let can = matches!(standing, Standing::Open | Standing::Authorised);
        can.then(|| super::cancel(&self.0, id, None))
    }

    fn refund(&self, payment: &Payment, refund: &Refund, _around: &Around<'_>) -> Option<Request> {
        let intent = payment.provider_payment_id.as_deref()?;
        let back = (refund.amount, refund.currency);
        let (order, id) = (refund.order_id.to_string(), refund.id.to_string());
        super::refund(
            &self.0,
            intent,
            back,
            (&refund_key(refund.id), &order, Some(&id)),
        )
    }

    fn refunded(&self, reply: &Reply) -> Result<RefundOutcome, Fault> {
        super::refunded(reply)
    }

    fn ask_refund(&self, refund: &Refund) -> Option<Request> {
        let id = refund.provider_refund_id.as_deref()?;
        Some(super::retrieve_refund(&self.0, id))
    }

    fn find_refund(&self, payment: &Payment, _around: &Around<'_>) -> Option<Request> {
        let intent = payment.provider_payment_id.as_deref()?;
        Some(super::list_refunds(&self.0, intent))
    }

    fn found_refund(
        &self,
        (refund, _): (&Refund, &BTreeSet<String>),
        reply: &Reply,
    ) -> Result<Option<RefundOutcome>, Fault> {
        let list = object(reply)?;
        let ours = with_our_id(&list["data"], refund).ok_or_else(|| unreadable(reply))?;
        Ok(ours.and_then(of_refund))
    }

    fn is_repeated(&self, reply: &Reply) -> bool {
        is_repeated(reply)
    }

    fn verify(&self, message: &Message, now: Timestamp) -> Result<Vec<u8>, NotTaken> {
        let header = message.header("stripe-signature").unwrap_or_default();
        let secret = &self.0.webhook_secret;
        if verify(header, &message.body, secret, (now, TOLERANCE_SECONDS)) {
            Ok(message.body.clone())
        } else {
            Err(NotTaken::Unverified)
        }
    }

    fn notice(&self, body: &[u8]) -> Option<Notice> {
        let (event_id, said) = said(body)?;
        Some(Notice::Said { event_id, said })
    }

    fn told(&self, _kind: &str, reply: &Reply) -> Result<Said, Fault> {
        Err(unreadable(reply))
    }
}
