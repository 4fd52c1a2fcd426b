//! YooKassa as a provider.

use std::collections::BTreeSet;

use domain::decide::RefundOutcome;
use domain::payment::{Payment, Refund, refund_key};
use domain::time::Timestamp;
use engine::provider::{Begun, Fault, Message, NotTaken, Said, Says, Standing};
use serde_json::Value;

use super::{Account, Notification, object, of_payment, of_refund, refunded, senders};
use crate::adapter::{Adapter, Around, Beginning, Notice, theirs, with_our_id};
use crate::client::Reply;
use crate::exchange::{Request, unreadable};
use crate::texts;

/// YooKassa with a shop's account.
pub(crate) struct Yookassa {
    pub(crate) account: Account,
    /// Whether notifications are taken from its own networks only.
    pub(crate) check_sender: bool,
}

/// Bytes of the longest notification.
const LONGEST: usize = 65_536;

/// What an object carries of ours.
fn order(object: &Value) -> Option<&str> {
    object["metadata"]["order_id"].as_str()
}

impl Adapter for Yookassa {
    fn begin(&self, payment: &Payment, around: &Around<'_>) -> Option<Beginning> {
        let url = payment.return_url.as_deref().unwrap_or(around.return_url);
        let order = payment.order_id.to_string();
        let request = super::begin(
            &self.account,
            (payment.amount, payment.currency),
            (&payment.provider_reference, url),
            (&order, &format!("Order {order}")),
        );
        request.map(Beginning::Ask)
    }

    fn begun(&self, reply: &Reply) -> Result<Begun, Fault> {
        super::begun(reply)
    }

    fn ask(&self, payment: &Payment, _around: &Around<'_>) -> Option<Request> {
        let id = payment.provider_payment_id.as_deref()?;
        Some(super::retrieve(&self.account, id))
    }

    fn standing(&self, _payment: &Payment, reply: &Reply) -> Result<Standing, Fault> {
        super::standing(reply)
    }

    fn capture(&self, payment: &Payment) -> Option<Request> {
        let id = payment.provider_payment_id.as_deref()?;
        let key = format!("{}-capture", payment.provider_reference);
        super::capture(&self.account, id, None, &key)
    }

    fn close(&self, payment: &Payment, standing: &Standing) -> Option<Request> {
        let id = payment.provider_payment_id.as_deref()?;
        let key = format!("{}-cancel", payment.provider_reference);
        // A payment that the payer has not confirmed ends by itself.
        (*standing == Standing::Authorised).then(|| super::cancel(&self.account, id, &key))
    }

    fn refund(&self, payment: &Payment, refund: &Refund, _around: &Around<'_>) -> Option<Request> {
        let id = payment.provider_payment_id.as_deref()?;
        let back = (refund.amount, refund.currency);
        let about = refund.reason.as_deref().unwrap_or("refund");
        let ours = refund.id.to_string();
        super::refund(
            &self.account,
            id,
            back,
            (&refund_key(refund.id), about, Some(&ours)),
        )
    }

    fn refunded(&self, reply: &Reply) -> Result<RefundOutcome, Fault> {
        refunded(reply)
    }

    fn ask_refund(&self, refund: &Refund) -> Option<Request> {
        let id = refund.provider_refund_id.as_deref()?;
        Some(super::retrieve_refund(&self.account, id))
    }

    fn find_refund(&self, payment: &Payment, _around: &Around<'_>) -> Option<Request> {
        let id = payment.provider_payment_id.as_deref()?;
        Some(super::list_refunds(&self.account, id))
    }

    fn found_refund(
        &self,
        (refund, _): (&Refund, &BTreeSet<String>),
        reply: &Reply,
    ) -> Result<Option<RefundOutcome>, Fault> {
        let list = object(reply)?;
        let ours = with_our_id(&list["items"], refund).ok_or_else(|| unreadable(reply))?;
        Ok(ours.and_then(of_refund))
    }

    /// After a 500 the same request is sent about once a minute, which is not at once.
    fn is_repeated(&self, _reply: &Reply) -> bool {
        false
    }

    fn verify(&self, message: &Message, _now: Timestamp) -> Result<Vec<u8>, NotTaken> {
        let known = message.peer.is_some_and(senders::is_known);
        if self.check_sender && !known {
            return Err(NotTaken::Unverified);
        }
        // Anybody can send these, as long and as many as they like: what is none of the events that
        // a shop gets leaves no trace.
        let body = &message.body;
        let known = Notification::read(body).filter(Notification::is_known);
        if known.is_none() || body.len() > LONGEST {
            return Err(NotTaken::Unverified);
        }
        Ok(body.clone())
    }

    fn notice(&self, body: &[u8]) -> Option<Notice> {
        let notification = Notification::read(body).filter(Notification::is_known)?;
        let id = &notification.object_id;
        let request = if notification.event.starts_with("refund.") {
            super::retrieve_refund(&self.account, id)
        } else {
            super::retrieve(&self.account, id)
        };
        Some(Notice::Ask {
            event_id: texts::name(&format!("{}:{id}", notification.event)),
            kind: texts::kept(&notification.event),
            request,
        })
    }

    fn told(&self, kind: &str, reply: &Reply) -> Result<Said, Fault> {
        let object = object(reply)?;
        let id = |name: &str| object[name].as_str();
        let says = if kind.starts_with("refund.") {
            let payment = id("payment_id").ok_or_else(|| unreadable(reply))?;
            let ours = object["metadata"]["refund_id"].as_str();
            let ours = ours.and_then(|id| id.parse().ok());
            Says::Refund(theirs(payment, order(&object)), ours, refunded(reply)?)
        } else {
            let name = id("id").ok_or_else(|| unreadable(reply))?;
            let standing = of_payment(&object).ok_or_else(|| unreadable(reply))?;
            Says::Standing(theirs(name, order(&object)), standing, None)
        };
        let kind = kind.to_owned();
        Ok(Said { kind, says })
    }
}
