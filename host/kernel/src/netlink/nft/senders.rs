//! The fixed part of a driver's table for bridges: the spoof checks of its ports.
//!
//! ```text
//! prerouting: iifname @checked jump senders
//! senders:    meta protocol != arp iifname . ether saddr @senders return
//!             meta protocol arp iifname . ether saddr @senders iifname . arp saddr ether @senders return
//!             drop
//! ```

use netlink_packet_netfilter::nftables::MetaKey;

use super::expression::{
    AFTER_16, Expression, FIRST, Fate, LINK_HEADER, NETWORK_HEADER, is, is_member, is_not, meta,
    payload, verdict,
};
use super::set::{Kind, Set};
use super::table::{Chain, Rule, base, inner, links};

/// The links whose senders are checked.
pub(super) const CHECKED: &str = "checked";
/// The links, each with a MAC address of a sender.
pub(super) const SENDERS: &str = "senders";
const PREROUTING: &str = "prerouting";

/// ETH_P_ARP (`linux/if_ether.h`)
const ARP: [u8; 2] = [0x08, 0x06];
/// The length of a MAC address in bytes.
const MAC_LENGTH: u32 = 6;
/// The offset of the sender's MAC address in a frame.
const SENDER: u32 = 6;
/// The offset of the sender's MAC address in an ARP packet, for hardware
/// addresses of this length (RFC 826).
const ARP_SENDER: u32 = 8;

pub(super) const CHAINS: &[Chain] = &[inner(SENDERS), base(PREROUTING, "filter", 0, -300)];

pub(super) const SETS: &[Set] = &[
    links(CHECKED),
    Set {
        name: SENDERS,
        key: &[Kind::Link, Kind::Mac],
        value: &[],
    },
];

pub(super) fn rules() -> Vec<Rule> {
    let checked = vec![
        meta(MetaKey::Iifname, FIRST),
        is_member(CHECKED),
        verdict(Fate::Jump(SENDERS)),
    ];
    let protocol = || meta(MetaKey::EtherTypeProtocol, FIRST);
    let of_frame = || may_send(LINK_HEADER, SENDER);
    let back = || vec![verdict(Fate::Return)];
    let frames = [vec![protocol(), is_not(&ARP)], of_frame(), back()].concat();
    let arp = [
        vec![protocol(), is(&ARP)],
        of_frame(),
        may_send(NETWORK_HEADER, ARP_SENDER),
        back(),
    ]
    .concat();
    vec![
        (PREROUTING, checked),
        (SENDERS, frames),
        (SENDERS, arp),
        (SENDERS, vec![verdict(Fate::Drop)]),
    ]
}

/// Returns a match for packets that have a sender of their link at an offset.
fn may_send(header: u32, offset: u32) -> Vec<Expression> {
    vec![
        meta(MetaKey::Iifname, FIRST),
        payload(header, offset, MAC_LENGTH, AFTER_16),
        is_member(SENDERS),
    ]
}
