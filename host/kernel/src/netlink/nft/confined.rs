//! The part of a driver's table for packets that keeps them where they belong:
//! those of internal networks, and those that DNAT leads to a container.
//!
//! ```text
//! internal:  iifname . oifname @internal-pairs return
//!            iifname @internal oifname != @internal drop
//!            iifname != @internal oifname @internal drop
//!            iifname @internal ip saddr . iifname != @members4 drop
//!            oifname @internal ip daddr . oifname != @members4 drop
//!            (the same for ip6)
//!            iifname @internal jump internal-subnets
//! to-host:   iifname @closed drop
//! from-host: oifname @closed drop
//! leaving:   ct status dnat ip daddr @dnat4 ip daddr . oifname != @dnat4-links drop
//!            (the same for ip6)
//! arriving:  ct status dnat ip daddr @dnat4 meta pkttype set host
//!            (the same for ip6)
//! ```
//!
//! An internal network with a link for each container has its members' addresses,
//! each with its link, so that a source address tells the network. `internal-subnets` then
//! drops packets from one network's subnets to others.
//!
//! `arriving` has the kernel forward broadcasts and multicasts that DNAT leads to one
//! address (`ip_forward` in `net/ipv4/ip_forward.c`). `leaving` is a filter, since no other hook sees the link that a packet of the
//! host's own leaves through after DNAT.

use ipnet::IpNet;
use netlink_packet_netfilter::conntrack::Status;
use netlink_packet_netfilter::nftables::{MetaKey, Register};

use super::expression::{
    AFTER_4, AFTER_16, Expression, FIRST, Fate, Side, address, has_any, is_family, is_member,
    is_no_member, load, meta, set_meta, verdict,
};
use super::lacking::CtKey;
use super::set::{Kind, Set};
use super::table::{FROM_HOST, Rule, TO_HOST, families, links, pairs};

/// The chain for forwarded packets of internal networks.
pub(super) const INTERNAL_CHAIN: &str = "internal";
/// The chain that keeps internal networks of several links apart.
pub(super) const INTERNAL_SUBNETS: &str = "internal-subnets";
/// The base chain for packets that leave the host.
pub(super) const LEAVING: &str = "leaving";

/// The base chain for packets that come to the host, after DNAT.
pub(super) const ARRIVING: &str = "arriving";

/// PACKET_HOST (`linux/if_packet.h`)
const TO_THIS_HOST: [u8; 1] = [0];

/// The links of internal networks, and those of networks that not even the host
/// reaches.
pub(super) const INTERNAL: &str = "internal";
pub(super) const CLOSED: &str = "closed";
/// The links of internal networks, each twice: for packets that stay behind it.
pub(super) const INTERNAL_PAIRS: &str = "internal-pairs";

/// The sets of addresses of a family.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sets {
    /// Members of internal networks of several links, each with its link.
    pub(super) members: &'static str,
    /// Addresses that DNAT leads to.
    pub(super) dnat: &'static str,
    /// These addresses, each with the link to it.
    pub(super) dnat_links: &'static str,
}

pub(super) const V4: Sets = Sets {
    members: "members4",
    dnat: "dnat4",
    dnat_links: "dnat4-links",
};
pub(super) const V6: Sets = Sets {
    members: "members6",
    dnat: "dnat6",
    dnat_links: "dnat6-links",
};

pub(super) const SETS: [Set; 9] = [
    links(INTERNAL),
    links(CLOSED),
    pairs(INTERNAL_PAIRS),
    set(V4.members, &[Kind::Ipv4, Kind::Link]),
    set(V4.dnat, &[Kind::Ipv4]),
    set(V4.dnat_links, &[Kind::Ipv4, Kind::Link]),
    set(V6.members, &[Kind::Ipv6, Kind::Link]),
    set(V6.dnat, &[Kind::Ipv6]),
    set(V6.dnat_links, &[Kind::Ipv6, Kind::Link]),
];

const fn set(name: &'static str, key: &'static [Kind]) -> Set {
    Set {
        name,
        key,
        value: &[],
    }
}

pub(super) fn rules() -> Vec<Rule> {
    let (incoming, outgoing) = (MetaKey::Iifname, MetaKey::Oifname);
    let inside = vec![
        meta(incoming, FIRST),
        meta(outgoing, AFTER_16),
        is_member(INTERNAL_PAIRS),
        verdict(Fate::Return),
    ];
    let out = vec![
        meta(incoming, FIRST),
        is_member(INTERNAL),
        meta(outgoing, FIRST),
        is_no_member(INTERNAL),
        verdict(Fate::Drop),
    ];
    let into = vec![
        meta(incoming, FIRST),
        is_no_member(INTERNAL),
        meta(outgoing, FIRST),
        is_member(INTERNAL),
        verdict(Fate::Drop),
    ];
    let mut rules = vec![
        (INTERNAL_CHAIN, inside),
        (INTERNAL_CHAIN, out),
        (INTERNAL_CHAIN, into),
    ];
    for family in families() {
        let ends = [(incoming, Side::Source), (outgoing, Side::Destination)];
        rules.extend(ends.map(|(link, side)| (INTERNAL_CHAIN, not_a_member(&family, link, side))));
    }
    rules.extend([
        (
            INTERNAL_CHAIN,
            of(incoming, INTERNAL, verdict(Fate::Jump(INTERNAL_SUBNETS))),
        ),
        (TO_HOST, of(incoming, CLOSED, verdict(Fate::Drop))),
        (FROM_HOST, of(outgoing, CLOSED, verdict(Fate::Drop))),
    ]);
    for family in families() {
        rules.push((LEAVING, leaving(&family)));
        rules.push((ARRIVING, arriving(&family)));
    }
    rules
}

/// Returns a rule for the packets of some links.
fn of(link: MetaKey, set: &str, verdict: Expression) -> Vec<Expression> {
    vec![meta(link, FIRST), is_member(set), verdict]
}

/// Returns the sets of a family, and the register behind an address.
fn sets_of(family: &IpNet) -> (Sets, Register) {
    match family {
        IpNet::V4(_) => (V4, AFTER_4),
        IpNet::V6(_) => (V6, AFTER_16),
    }
}

fn not_a_member(family: &IpNet, link: MetaKey, side: Side) -> Vec<Expression> {
    let (sets, behind) = sets_of(family);
    let mut rule = vec![meta(link, FIRST), is_member(INTERNAL)];
    rule.extend(is_family(family));
    rule.extend([address(family, side, FIRST), meta(link, behind)]);
    rule.extend([is_no_member(sets.members), verdict(Fate::Drop)]);
    rule
}

/// Returns a match for packets that DNAT leads to one of the addresses of a family.
fn is_dnat(family: &IpNet) -> Vec<Expression> {
    let (sets, _) = sets_of(family);
    let mut rule = is_family(family).to_vec();
    rule.extend(has_any(CtKey::Status, Status::DstNat.bits()));
    let destination = address(family, Side::Destination, FIRST);
    rule.extend([destination, is_member(sets.dnat)]);
    rule
}

fn arriving(family: &IpNet) -> Vec<Expression> {
    let mut rule = is_dnat(family);
    rule.extend([
        load(&TO_THIS_HOST, FIRST),
        set_meta(MetaKey::PacketType, FIRST),
    ]);
    rule
}

fn leaving(family: &IpNet) -> Vec<Expression> {
    let (sets, behind) = sets_of(family);
    let mut rule = is_dnat(family);
    let destination = address(family, Side::Destination, FIRST);
    rule.extend([destination, meta(MetaKey::Oifname, behind)]);
    rule.extend([is_no_member(sets.dnat_links), verdict(Fate::Drop)]);
    rule
}
