//! The packets that announce an address.

use std::net::{Ipv4Addr, Ipv6Addr};

use types::Mac;

/// The length of an ARP packet for IPv4 on Ethernet, in bytes (RFC 826).
pub(super) const ARP_LENGTH: usize = 28;
/// The length of a neighbour advertisement with one option, in bytes (RFC 4861,
/// section 4.4).
pub(super) const ADVERTISEMENT_LENGTH: usize = 32;

/// The start of an ARP packet: hardware type Ethernet, protocol type IPv4, the
/// lengths of their addresses, operation request.
const ARP_START: [u8; 8] = [0, 1, 0x08, 0x00, 6, 4, 0, 1];
/// The start of a neighbour advertisement: the type, the code and the checksum,
/// which the kernel fills in.
const ADVERTISEMENT_START: [u8; 4] = [136, 0, 0, 0];
/// The flag of a sender that is a router.
const ROUTER: u8 = 0x80;
/// The flag that has receivers replace their entry.
const OVERRIDE: u8 = 0x20;
/// The type of the option for the target's link-layer address, and its length
/// in units of 8 bytes (RFC 4861, section 4.6.1).
const TARGET_ADDRESS: [u8; 2] = [2, 1];

/// Returns an ARP announcement (RFC 5227, section 3): a request whose sender
/// asks for its own address.
pub(super) fn arp(mac: Mac, address: Ipv4Addr) -> [u8; ARP_LENGTH] {
    let unknown = [0; 6];
    let fields: [&[u8]; 5] = [
        &ARP_START,
        &mac.bytes(),
        &address.octets(),
        &unknown,
        &address.octets(),
    ];
    join(fields)
}

/// Returns an unsolicited neighbour advertisement (RFC 4861, section 7.2.6).
pub(super) fn advertisement(
    mac: Mac,
    address: Ipv6Addr,
    is_router: bool,
) -> [u8; ADVERTISEMENT_LENGTH] {
    let router = if is_router { ROUTER } else { 0 };
    let flags = [router | OVERRIDE, 0, 0, 0];
    let fields: [&[u8]; 5] = [
        &ADVERTISEMENT_START,
        &flags,
        &address.octets(),
        &TARGET_ADDRESS,
        &mac.bytes(),
    ];
    join(fields)
}

/// Joins the fields of a packet.
fn join<const LENGTH: usize>(fields: [&[u8]; 5]) -> [u8; LENGTH] {
    let mut packet = [0; LENGTH];
    for (to, from) in packet.iter_mut().zip(fields.into_iter().flatten()) {
        *to = *from;
    }
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac() -> Mac {
        "02:00:00:00:00:07".parse().unwrap()
    }

    #[test]
    fn arp_announcements_are_laid_out_as_in_rfc_826() {
        let packet = arp(mac(), Ipv4Addr::new(10, 88, 0, 2));
        let expected = [
            0, 1, 8, 0, 6, 4, 0, 1, // Ethernet, IPv4, lengths, request
            2, 0, 0, 0, 0, 7, 10, 88, 0, 2, // sender
            0, 0, 0, 0, 0, 0, 10, 88, 0, 2, // target
        ];
        assert_eq!(packet, expected);
    }

    #[test]
    fn advertisements_are_laid_out_as_in_rfc_4861() {
        let packet = advertisement(mac(), "fd88::2".parse().unwrap(), false);
        let mut expected = [
            136, 0, 0, 0, // type, code, checksum
            0x20, 0, 0, 0, // not a router, unsolicited, override
            0xfd, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, // target
            2, 1, 2, 0, 0, 0, 0, 7, // target link-layer address
        ];
        assert_eq!(packet, expected);
        expected[4] = 0xa0;
        let packet = advertisement(mac(), "fd88::2".parse().unwrap(), true);
        assert_eq!(packet, expected);
    }
}
