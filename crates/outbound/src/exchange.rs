//! What providers' requests and answers have in common. A provider's file builds a [`Request`] and
//! reads a [`Reply`]; neither does any I/O.

use domain::money::{Amount, Currency};

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

/// Why there is no answer to go by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It may have been done or not: the same request is sent again, or the object asked for.
    #[error("the provider's answer leaves the outcome open: {0}")]
    Unknown(String),
    /// It was certainly not done, and would not be if it were asked again.
    #[error("the provider refused: {code}")]
    Refused {
        /// The provider's own code.
        code: String,
    },
}

impl Fault {
    pub(crate) fn refused(code: impl Into<String>) -> Self {
        Self::Refused { code: code.into() }
    }

    /// An answer that is none of the provider's.
    pub(crate) fn unreadable(reply: &Reply) -> Self {
        Self::Unknown(format!("status {} with an unreadable body", reply.status))
    }
}

/// A payment as a provider has begun it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// What the provider calls it.
    pub provider_payment_id: String,
    /// Where the payer is sent.
    pub payment_url: Option<String>,
    /// With what a browser goes on (Stripe).
    pub client_secret: Option<String>,
}

/// Where a payment stands with its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The payer may still pay.
    Open,
    /// The money is kept for us and waits for its capture.
    Authorised,
    /// The money was taken.
    Captured {
        /// What the provider calls the payment.
        provider_payment_id: String,
        /// How much.
        amount: Amount,
        /// In which currency.
        currency: Currency,
    },
    /// The money was taken, and the provider suspects fraud: somebody must look.
    Suspicious,
    /// It certainly failed, or was given up.
    Failed {
        /// Why, in the provider's words.
        code: String,
    },
}

/// Where a refund stands with its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundStanding {
    /// The provider works on it.
    Pending,
    /// The money is on its way back.
    Succeeded {
        /// What the provider calls the refund.
        provider_refund_id: String,
    },
    /// It certainly failed.
    Failed {
        /// Why.
        code: String,
    },
}
