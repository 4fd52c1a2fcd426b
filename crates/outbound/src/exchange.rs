//! What providers' requests and answers have in common. A provider's file builds a [`Request`] and
//! reads a [`Reply`]; neither does any I/O.

use engine::provider::Fault;

use crate::client::Reply;

/// A request that is to be sent as it is; the same one again is the same request to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Headers, by lower-case name. They may hold secrets.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What was certainly not done.
pub(crate) fn refused(code: impl Into<String>) -> Fault {
    Fault::Refused { code: code.into() }
}

/// An answer that is none of the provider's.
pub(crate) fn unreadable(reply: &Reply) -> Fault {
    Fault::Unknown(format!("status {} with an unreadable body", reply.status))
}
