//! An answer that is not one yet: its key is claimed, and a provider is still to be asked. It stands
//! under the key in place of the answer, so that whoever repeats the request goes on with it.

use bytes::Bytes;
use domain::command::Reply;
use domain::ids::{TypedId, Uuid};

/// The status under which it is kept; no answer has it (RFC 2518, 10.1).
pub(crate) const OPEN: u16 = 102;

const ID: usize = 16;

/// The claim as it is kept: what will be answered, and with which status.
#[must_use]
pub(crate) fn encode(reply: Reply, status: u16) -> Option<Bytes> {
    let (tag, ids) = parts(reply)?;
    let mut bytes = vec![tag];
    bytes.extend(status.to_be_bytes());
    for id in ids {
        bytes.extend(id.as_bytes());
    }
    Some(bytes.into())
}

/// What can be open.
fn parts(reply: Reply) -> Option<(u8, Vec<Uuid>)> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "nothing else asks a provider"
    )]
    match reply {
        Reply::Payment(id) => Some((b'p', vec![id.uuid()])),
        Reply::Checkout {
            order,
            payment: Some(payment),
        } => Some((b'c', vec![order.uuid(), payment.uuid()])),
        Reply::Refund(order, refund) => Some((b'r', vec![order.uuid(), refund.uuid()])),
        _ => None,
    }
}

fn id<I: TypedId>(ids: &[u8], place: usize) -> Option<I> {
    let bytes = ids.get(place * ID..place * ID + ID)?;
    Some(I::from_uuid(Uuid::from_bytes(bytes.try_into().ok()?)))
}

/// What a claim that was kept will be answered with.
#[must_use]
pub(crate) fn decode(bytes: &[u8]) -> Option<(Reply, u16)> {
    let (tag, rest) = bytes.split_first()?;
    let (status, ids) = rest.split_first_chunk::<2>()?;
    let reply = match tag {
        b'p' => Reply::Payment(id(ids, 0)?),
        b'c' => Reply::Checkout {
            order: id(ids, 0)?,
            payment: id(ids, 1),
        },
        b'r' => Reply::Refund(id(ids, 0)?, id(ids, 1)?),
        _ => return None,
    };
    Some((reply, u16::from_be_bytes(*status)))
}

#[cfg(test)]
mod tests {
    use domain::ids::{OrderId, PaymentId, RefundId};

    use super::*;

    #[test]
    fn a_claim_is_read_as_it_was_kept() {
        let order = OrderId::from_uuid(Uuid::from_u128(1));
        let payment = PaymentId::from_uuid(Uuid::from_u128(2));
        let checkout = Reply::Checkout {
            order,
            payment: Some(payment),
        };
        let refund = Reply::Refund(order, RefundId::from_uuid(Uuid::from_u128(3)));
        for (reply, status) in [
            (Reply::Payment(payment), 201),
            (checkout, 200),
            (refund, 201),
        ] {
            let kept = encode(reply, status).unwrap();
            assert_eq!(decode(&kept), Some((reply, status)));
            for short in 0..kept.len() {
                let read = decode(&kept[..short]);
                assert!(read.is_none_or(|read| read != (reply, status)), "{short}");
            }
        }
        assert_eq!(encode(Reply::Settings, 200), None);
    }
}
