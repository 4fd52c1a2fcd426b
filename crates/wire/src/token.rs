//! Client tokens: what lets the one who made an order read, pay and cancel that one order.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::ids::{OrderId, TypedId as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Derives tokens from the server's pepper: nothing is stored, and a token fits one order only.
#[derive(Clone)]
pub struct Tokens(Hmac<Sha256>);

impl Tokens {
    /// Tokens under this pepper.
    #[must_use]
    pub fn new(pepper: &[u8; 32]) -> Self {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(pepper).expect("HMAC takes a key of any length");
        mac.update(b"client-token:");
        Self(mac)
    }

    /// An order's token.
    #[must_use]
    pub fn of(&self, order: OrderId) -> String {
        let mut mac = self.0.clone();
        mac.update(order.uuid().as_bytes());
        let mut tag = [0; 18];
        for (to, from) in tag.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        format!("ct_{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    }
}
