//! Typed ids: one kind for each noun, so that an order id can never be used as a payment id.
//!
//! All ids are `UUIDv7` (RFC 9562 §5.7). Inside the core they are made by [`Ids`] from the time
//! and the entropy that a command carries, so that deciding stays a pure function.

use core::fmt;
use core::str::FromStr;

pub use uuid::Uuid;

use crate::time::Timestamp;

/// A type that wraps one UUID of one kind.
pub trait TypedId: Copy + Ord + fmt::Display {
    /// Wraps a UUID without looking at its version.
    fn from_uuid(uuid: Uuid) -> Self;
    /// Returns the wrapped UUID.
    fn uuid(self) -> Uuid;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl TypedId for $name {
            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A shop; everything else belongs to one.
    TenantId,
    /// A product of the catalogue.
    ProductId,
    /// What is sold: a product's variant.
    VariantId,
    /// A place that holds stock.
    LocationId,
    /// A message of a payment provider. Not made by time: it is derived from the message's name.
    WebhookEventId,
    /// A cart.
    CartId,
    /// A line of a cart.
    CartItemId,
    /// An order.
    OrderId,
    /// A line of an order.
    OrderItemId,
    /// A hold on stock.
    ReservationId,
    /// A payment attempt.
    PaymentId,
    /// A refund of a payment.
    RefundId,
    /// An API key's record (not its secret).
    KeyId,
    /// A batch that a lane committed.
    BatchId,
}

/// Makes the ids of one command: `UUIDv7` of the command's time, in rising order, with the
/// command's own entropy in the random bits. The same time and entropy give the same ids.
#[derive(Clone, Debug)]
pub struct Ids {
    now: Timestamp,
    entropy: u64,
    next: u16,
}

impl Ids {
    /// Ids for a command that is decided at `now` and carries `entropy`.
    #[must_use]
    pub fn new(now: Timestamp, entropy: u64) -> Self {
        Self {
            now,
            entropy,
            next: 0,
        }
    }

    /// Returns the next id. The counter stands in the 12 bits after the version, so ids of one
    /// command sort in the order in which they were made.
    pub fn make<I: TypedId>(&mut self) -> I {
        let millis = u64::try_from(self.now.millis()).unwrap_or(0);
        let random = mix(self.entropy ^ mix(u64::from(self.next)));
        let high = (millis << 16) | 0x7000 | u64::from(self.next & 0x0fff);
        let low = (random >> 2) | (1 << 63);
        self.next = self.next.wrapping_add(1);
        I::from_uuid(Uuid::from_u64_pair(high, low))
    }
}

/// `SplitMix64`'s finaliser: spreads one word of entropy over a family of ids.
const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_rise_and_repeat() {
        let now = Timestamp::from_millis(1_790_000_000_123);
        let make = || {
            let mut ids = Ids::new(now, 42);
            (0..200).map(|_| ids.make::<OrderId>()).collect::<Vec<_>>()
        };
        let first = make();
        assert_eq!(first, make());
        assert!(first.windows(2).all(|pair| matches!(pair, [a, b] if a < b)));
        assert!(first.iter().all(|id| id.uuid().get_version_num() == 7));
        assert!(
            first
                .iter()
                .all(|id| id.uuid().get_variant() == uuid::Variant::RFC4122)
        );
        let other: OrderId = Ids::new(now, 43).make();
        assert!(!first.contains(&other));
    }
}
