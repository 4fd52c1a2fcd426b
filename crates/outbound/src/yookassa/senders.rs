//! The networks that YooKassa's notifications come from
//! (yookassa.ru/developers/using-api/webhooks#ip).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const V4: [(Ipv4Addr, u32); 6] = [
    (Ipv4Addr::new(185, 71, 76, 0), 27),
    (Ipv4Addr::new(185, 71, 77, 0), 27),
    (Ipv4Addr::new(77, 75, 153, 0), 25),
    (Ipv4Addr::new(77, 75, 156, 11), 32),
    (Ipv4Addr::new(77, 75, 156, 35), 32),
    (Ipv4Addr::new(77, 75, 154, 128), 25),
];
const V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2a02, 0x5180, 0, 0, 0, 0, 0, 0), 32);

/// Whether an address is one of YooKassa's. An IPv4 address in IPv6 clothes is taken for what it is.
#[must_use]
pub fn is_known(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => V4.iter().any(|(network, bits)| {
            let shift = 32 - bits;
            address.to_bits() >> shift == network.to_bits() >> shift
        }),
        IpAddr::V6(address) => {
            let shift = 128 - V6.1;
            address.to_bits() >> shift == V6.0.to_bits() >> shift
        }
    }
}
