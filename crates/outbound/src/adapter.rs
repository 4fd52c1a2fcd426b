//! What every provider at somebody else's server says of itself: which request asks for what, and
//! what an answer means. It does no I/O. To add one is to write one of these, and its vectors.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::decide::RefundOutcome;
use domain::payment::{Payment, Refund};
use domain::time::Timestamp;
use engine::provider::{Begun, Fault, Message, Named, NotTaken, Said, Standing};
use serde_json::Value;

use crate::client::Reply;
use crate::exchange::Request;

/// For how long a refund can only have been asked for by whoever made it, in milliseconds.
const A_WHILE: i64 = 60_000;

/// How a payment is begun.
pub(crate) enum Beginning {
    /// There is nobody to ask.
    Known(Begun),
    /// By this request.
    Ask(Request),
}

/// What is around a request.
pub(crate) struct Around<'a> {
    /// Now.
    pub(crate) now: Timestamp,
    /// Where the payer comes back to, where the caller named no address.
    pub(crate) return_url: &'a str,
    /// The payer's address, where it is known.
    pub(crate) payer: Option<IpAddr>,
}

/// A notification that is genuine, as far as it says so itself.
pub(crate) enum Notice {
    /// It can be gone by.
    Said {
        /// What the provider calls it.
        event_id: String,
        /// What it says.
        said: Said,
    },
    /// It only names an object to ask for.
    Ask {
        /// What the provider calls it.
        event_id: String,
        /// What it is about.
        kind: String,
        /// The question.
        request: Request,
    },
}

/// A provider with a shop's account.
pub(crate) trait Adapter: Send + Sync {
    /// How a payment is begun; `None` where the provider does not take that money.
    fn begin(&self, payment: &Payment, around: &Around<'_>) -> Option<Beginning>;

    /// A payment that was begun.
    fn begun(&self, reply: &Reply) -> Result<Begun, Fault>;

    /// Asks where a payment stands; `None` where its name is not known.
    fn ask(&self, payment: &Payment, around: &Around<'_>) -> Option<Request>;

    /// Where a payment stands.
    fn standing(&self, payment: &Payment, reply: &Reply) -> Result<Standing, Fault>;

    /// Takes money that is kept for us; `None` where there is no such thing.
    fn capture(&self, payment: &Payment) -> Option<Request>;

    /// Ends a payment that nobody waits for, which stands so; `None` where that cannot be asked.
    fn close(&self, payment: &Payment, standing: &Standing) -> Option<Request>;

    /// Where a payment stands that cannot be ended, and that nobody waits for.
    fn given_up(&self, _payment: &Payment, standing: Standing, _now: Timestamp) -> Standing {
        standing
    }

    /// Asks for a refund; `None` where the provider does not take it.
    fn refund(&self, payment: &Payment, refund: &Refund, around: &Around<'_>) -> Option<Request>;

    /// Where a refund stands, by the answer to its request or to a question about it.
    fn refunded(&self, reply: &Reply) -> Result<RefundOutcome, Fault>;

    /// Asks where a refund stands; `None` where it has no name.
    fn ask_refund(&self, refund: &Refund) -> Option<Request>;

    /// Whether a refund may have been made by a request whose answer is lost.
    fn may_be_there(&self, refund: &Refund, now: Timestamp) -> bool {
        refund.created_at.plus_millis(A_WHILE) <= now
    }

    /// Asks for all refunds of a payment.
    fn find_refund(&self, payment: &Payment, around: &Around<'_>) -> Option<Request>;

    /// A refund among all of its payment, if it is there. `others` are names of other refunds.
    fn found_refund(
        &self,
        sought: (&Refund, &BTreeSet<String>),
        reply: &Reply,
    ) -> Result<Option<RefundOutcome>, Fault>;

    /// Whether the same request is to be sent again at once.
    fn is_repeated(&self, reply: &Reply) -> bool;

    /// Verifies a notification; what is kept of it.
    fn verify(&self, message: &Message, now: Timestamp) -> Result<Vec<u8>, NotTaken>;

    /// What the kept part of a notification says; `None` where it cannot be read.
    fn notice(&self, body: &[u8]) -> Option<Notice>;

    /// What the object says that a notification named.
    fn told(&self, kind: &str, reply: &Reply) -> Result<Said, Fault>;
}

/// The refund in a list that carries ours as metadata, if it is there; `None` where that is no list.
pub(crate) fn with_our_id<'a>(list: &'a Value, refund: &Refund) -> Option<Option<&'a Value>> {
    let id = refund.id.to_string();
    let mut all = list.as_array()?.iter();
    Some(all.find(|found| found["metadata"]["refund_id"] == id))
}

/// The order that an object of a provider carries as metadata, and its own name.
pub(crate) fn theirs(id: &str, order: Option<&str>) -> Named {
    Named::Theirs(id.to_owned(), order.and_then(|order| order.parse().ok()))
}
