//! A router that advertises itself (RFC 4861, section 4.2).

use std::net::{Ipv6Addr, SocketAddrV6};

use socket2::{Domain, Protocol, Socket, Type};

use crate::netns::Netns;

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// An advertisement of a default router for 1800 seconds. The kernel writes the checksum.
const ADVERTISEMENT: [u8; 16] = [134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0];

/// Advertises the namespace's link as a router, and a network of 64 bits from which hosts
/// make addresses.
pub fn advertise(netns: &Netns, link: &str, network: Option<Ipv6Addr>) {
    let mut advertisement = ADVERTISEMENT.to_vec();
    advertisement.extend(network.map(prefix).into_iter().flatten());
    netns.run(|| {
        let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))
            .expect("a socket can be made");
        socket.set_multicast_hops_v6(255).expect("it can be set");
        let bound = socket.bind_device(Some(link.as_bytes()));
        bound.expect("the link is there");
        let all = SocketAddrV6::new(ALL_NODES, 0, 0, 0);
        // The link's own address may still be in doubt.
        let _ = socket.send_to(&advertisement, &all.into());
    });
}

/// Returns the option of a network that is on the link and that addresses are made from,
/// for an hour (RFC 4861, section 4.6.2).
fn prefix(network: Ipv6Addr) -> Vec<u8> {
    const HOUR: [u8; 4] = 3600_u32.to_be_bytes();
    let mut option = vec![3, 4, 64, 0xc0];
    option.extend(HOUR);
    option.extend(HOUR);
    option.extend([0; 4]);
    option.extend(network.octets());
    option
}
