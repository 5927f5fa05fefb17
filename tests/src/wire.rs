//! The wire from a host to a neighbour: a pair of veth links.

use crate::netns::Netns;
use crate::poll;

/// The host's link on the wire.
pub const PARENT: &str = "p0";

/// The neighbour's link on the wire.
pub const NEIGHBOUR: &str = "n0";

/// The neighbour's addresses. The first ones are the gateways of the test networks. The
/// last two can be reached only through them.
const NEIGHBOUR_ADDRESSES: [(&str, &str); 6] = [
    ("10.88.0.1/16", NEIGHBOUR),
    ("10.89.0.1/16", NEIGHBOUR),
    ("fd88::1/64", NEIGHBOUR),
    ("fd89::1/64", NEIGHBOUR),
    ("192.0.2.1/32", "lo"),
    ("2001:db8::1/128", "lo"),
];

/// Makes the wire, and waits until both ends have a carrier.
pub fn lay(host: &Netns, neighbour: &Netns) {
    let to_host = [
        format!(
            "link add {PARENT} type veth peer {NEIGHBOUR} netns {}",
            neighbour.path().display()
        ),
        format!("link set {PARENT} up"),
    ];
    host.ip_batch(&[], &to_host.join("\n"));
    dress(neighbour);
    wait_for_carrier(host, PARENT);
    wait_for_carrier(neighbour, NEIGHBOUR);
}

/// Gives the neighbour its addresses, and sets its link up.
pub fn dress(neighbour: &Netns) {
    let addresses = NEIGHBOUR_ADDRESSES
        .map(|(address, link)| format!("addr add {address} dev {link}\n"))
        .concat();
    let up = format!("link set {NEIGHBOUR} up\n");
    neighbour.ip_batch(&[], &(addresses + &up));
}

/// Waits until a link has a carrier.
pub fn wait_for_carrier(netns: &Netns, link: &str) {
    let up = poll::until(
        || netns.ip_batch(&["-o"], &format!("link show {link}")),
        |line| line.contains("state UP"),
    );
    assert!(up.contains("state UP"), "{link} has no carrier: {up}");
}
