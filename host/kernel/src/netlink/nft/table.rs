//! The fixed part of a driver's table for packets: its base chains, their sets,
//! and the chains for rules that come and go. `confined` has the rules and sets
//! that keep packets where they belong, `senders` the fixed part of the table for
//! bridges, and `in_container` that of the table in a container's namespace.
//!
//! Every change carries the whole fixed part along, empties it and fills it
//! again. So a change needs no knowledge of the existing part, two runs can't
//! disagree about it, and a damaged one is repaired.
//!
//! Data that grows with the number of containers is in sets. A look-up in a set
//! costs the same for any number of elements.
//!
//! ```text
//! guard:       iifname @published-links ip daddr 127.0.0.0/8 drop
//!              iifname @published-links ip saddr 127.0.0.0/8 drop
//! prerouting:  ip daddr 127.0.0.0/8 return
//!              fib daddr type local jump published
//!              (the same for broadcast and multicast)
//! output:      ip6 daddr ::1 return
//!              fib daddr type local jump published
//!              (the same for broadcast and multicast)
//! published:   dnat ip to iifname . ip daddr . meta l4proto . th dport map @published4-from-at
//!              dnat ip to iifname . meta l4proto . th dport map @published4-from
//!              dnat ip to ip daddr . meta l4proto . th dport map @published4-at
//!              dnat ip to meta l4proto . th dport map @published4
//!              (the same for ip6)
//! postrouting: iifname . oifname @hairpins ct status dnat masquerade
//!              iifname "" oifname @published-links ct status dnat fib saddr type != local masquerade
//!              oifname @published-links ip saddr 127.0.0.0/8 masquerade
//!              jump sources
//! forward:     jump internal
//!              jump isolation
//!              jump dropped
//!              jump traffic
//! to-host:     jump traffic
//! from-host:   jump traffic
//! traffic:     ct direction reply return
//!              ip6 hoplimit 255 icmpv6 type 133-137 return
//!              ct state related meta l4proto icmp return
//!              ct state related meta l4proto icmpv6 return
//!              jump outgoing
//!              jump incoming
//! isolation:   ct status dnat return
//!              iifname . oifname @inside return
//!              iifname @strict oifname @networks drop
//!              iifname @isolated oifname @isolated drop
//! ```
//!
//! Isolation is about direct ways: ports that are published on the host's addresses
//! stay usable between isolated networks, as in netavark.
//!
//! Only the host may open connections to 127.0.0.1. Packets for this address that
//! come from elsewhere reach `prerouting` before the kernel drops them, so its
//! first rule keeps them from DNAT. If a link's `route_localnet` is on, the kernel
//! doesn't drop them, but `guard` does.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netlink_packet_netfilter::conntrack::Status;
use netlink_packet_netfilter::nftables::{MetaKey, Register};

use super::confined::{self, ARRIVING, INTERNAL_CHAIN, INTERNAL_SUBNETS, LEAVING};
use super::expression::{
    AFTER_4, AFTER_8, AFTER_16, AFTER_20, AFTER_24, AFTER_32, AFTER_36, Expression, FIRST, Fate,
    LINK_NAME_LENGTH, Side, address, find, has_any, is, is_family, is_icmp_error, is_in, is_member,
    is_neighbour_discovery, is_not, meta, protocol_and_port, verdict,
};
use super::in_container;
use super::lacking::{
    BROADCAST, CtKey, LOCAL, MULTICAST, REPLY, address_type, ct, destination_nat, masquerade,
};
use super::senders;
use super::set::{Kind, Set};
use crate::FirewallFamily;

/// A chain of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    pub(super) name: &'static str,
    /// The hook of a base chain. Packets come to others only from other chains.
    pub(super) hook: Option<Hook>,
}

/// The hook of a base chain. The priorities are those of
/// `linux/netfilter_ipv4.h`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hook {
    pub(super) kind: &'static str,
    /// NF_INET_* in `linux/netfilter.h`.
    pub(super) number: u32,
    pub(super) priority: i32,
}

/// The chain that translates source addresses.
pub(super) const SOURCES: &str = "sources";
/// The chain that drops forwarded packets.
pub(super) const DROPPED: &str = "dropped";
/// The chain that filters connections that containers open.
pub(super) const OUTGOING: &str = "outgoing";
/// The chain that filters connections that others open to containers.
pub(super) const INCOMING: &str = "incoming";
const TRAFFIC: &str = "traffic";
pub(super) const TO_HOST: &str = "to-host";
pub(super) const FROM_HOST: &str = "from-host";
const PUBLISHED: &str = "published";
const ISOLATION: &str = "isolation";
const GUARD: &str = "guard";
const PREROUTING: &str = "prerouting";
const OUTPUT: &str = "output";
const POSTROUTING: &str = "postrouting";
const FORWARD: &str = "forward";

/// The links behind which published ports dnat.
pub(super) const PUBLISHED_LINKS: &str = "published-links";
/// The same links, each twice: for packets that leave through their incoming
/// link.
pub(super) const HAIRPINS: &str = "hairpins";

/// The links of all networks that have a rule for isolation, of isolated
/// networks, and of strict networks.
pub(super) const NETWORKS: &str = "networks";
pub(super) const ISOLATED: &str = "isolated";
pub(super) const STRICT: &str = "strict";
/// The links of all these networks, each twice: for packets that stay in their
/// network.
pub(super) const INSIDE: &str = "inside";

/// The maps of ports that are published on all addresses of a family, and on
/// single addresses; and the same for packets from one link.
pub(super) const PUBLISHED4: Maps = Maps {
    everywhere: "published4",
    at: "published4-at",
    from: "published4-from",
    from_at: "published4-from-at",
};
pub(super) const PUBLISHED6: Maps = Maps {
    everywhere: "published6",
    at: "published6-at",
    from: "published6-from",
    from_at: "published6-from-at",
};

/// The maps of published ports of a family.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maps {
    pub(super) everywhere: &'static str,
    pub(super) at: &'static str,
    pub(super) from: &'static str,
    pub(super) from_at: &'static str,
}

/// Returns the chains of a table. Targets of jumps come first.
pub(super) fn chains(family: FirewallFamily) -> &'static [Chain] {
    match family {
        FirewallFamily::Inet => INET,
        FirewallFamily::Bridge => senders::CHAINS,
        FirewallFamily::Container => in_container::CHAINS,
    }
}

const INET: &[Chain] = &[
    inner(SOURCES),
    inner(DROPPED),
    inner(PUBLISHED),
    inner(INTERNAL_SUBNETS),
    inner(INTERNAL_CHAIN),
    inner(ISOLATION),
    inner(OUTGOING),
    inner(INCOMING),
    inner(TRAFFIC),
    base(GUARD, "filter", 0, -300),
    base(PREROUTING, "nat", 0, -100),
    base(ARRIVING, "filter", 0, -90),
    base(TO_HOST, "filter", 1, 0),
    base(FORWARD, "filter", 2, 0),
    base(FROM_HOST, "filter", 3, 0),
    base(OUTPUT, "nat", 3, -100),
    base(LEAVING, "filter", 4, 0),
    base(POSTROUTING, "nat", 4, 100),
];

pub(super) const fn inner(name: &'static str) -> Chain {
    Chain { name, hook: None }
}

pub(super) const fn base(
    name: &'static str,
    kind: &'static str,
    number: u32,
    priority: i32,
) -> Chain {
    Chain {
        name,
        hook: Some(Hook {
            kind,
            number,
            priority,
        }),
    }
}

/// Whether rules of a chain come and go. The rules of all other chains are
/// fixed.
pub(super) fn is_open(chain: &Chain) -> bool {
    [SOURCES, DROPPED, INTERNAL_SUBNETS, OUTGOING, INCOMING].contains(&chain.name)
}

/// Returns the sets of a table.
pub(super) fn sets(family: FirewallFamily) -> impl Iterator<Item = &'static Set> {
    let (sets, confined): (&[Set], &[Set]) = match family {
        FirewallFamily::Inet => (INET_SETS, &confined::SETS),
        FirewallFamily::Bridge => (senders::SETS, &[]),
        FirewallFamily::Container => (&[], &[]),
    };
    sets.iter().chain(confined)
}

const INET_SETS: &[Set] = &[
    Set {
        name: PUBLISHED4.everywhere,
        key: &[Kind::Protocol, Kind::Port],
        value: &[Kind::Ipv4, Kind::Port],
    },
    Set {
        name: PUBLISHED4.at,
        key: &[Kind::Ipv4, Kind::Protocol, Kind::Port],
        value: &[Kind::Ipv4, Kind::Port],
    },
    Set {
        name: PUBLISHED6.everywhere,
        key: &[Kind::Protocol, Kind::Port],
        value: &[Kind::Ipv6, Kind::Port],
    },
    Set {
        name: PUBLISHED6.at,
        key: &[Kind::Ipv6, Kind::Protocol, Kind::Port],
        value: &[Kind::Ipv6, Kind::Port],
    },
    Set {
        name: PUBLISHED4.from,
        key: &[Kind::Link, Kind::Protocol, Kind::Port],
        value: &[Kind::Ipv4, Kind::Port],
    },
    Set {
        name: PUBLISHED4.from_at,
        key: &[Kind::Link, Kind::Ipv4, Kind::Protocol, Kind::Port],
        value: &[Kind::Ipv4, Kind::Port],
    },
    Set {
        name: PUBLISHED6.from,
        key: &[Kind::Link, Kind::Protocol, Kind::Port],
        value: &[Kind::Ipv6, Kind::Port],
    },
    Set {
        name: PUBLISHED6.from_at,
        key: &[Kind::Link, Kind::Ipv6, Kind::Protocol, Kind::Port],
        value: &[Kind::Ipv6, Kind::Port],
    },
    links(PUBLISHED_LINKS),
    pairs(HAIRPINS),
    links(NETWORKS),
    links(ISOLATED),
    links(STRICT),
    pairs(INSIDE),
];

pub(super) const fn links(name: &'static str) -> Set {
    Set {
        name,
        key: &[Kind::Link],
        value: &[],
    }
}

pub(super) const fn pairs(name: &'static str) -> Set {
    Set {
        name,
        key: &[Kind::Link, Kind::Link],
        value: &[],
    }
}

/// A fixed rule, with its chain.
pub(super) type Rule = (&'static str, Vec<Expression>);

/// Returns the fixed rules.
pub(super) fn rules(family: FirewallFamily) -> Vec<Rule> {
    match family {
        FirewallFamily::Inet => [
            guard(),
            published(),
            answers(),
            forwarded(),
            confined::rules(),
            filtered(),
        ]
        .concat(),
        FirewallFamily::Bridge => senders::rules(),
        FirewallFamily::Container => in_container::rules(),
    }
}

/// Returns 127.0.0.0/8 (RFC 1122).
fn loopback() -> IpNet {
    Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8).into()
}

/// Returns ::1 (RFC 4291), which is never routed.
fn loopback6() -> IpNet {
    Ipv6Net::from(Ipv6Addr::LOCALHOST).into()
}

/// Returns any network of each family.
pub(super) fn families() -> [IpNet; 2] {
    [Ipv4Net::default().into(), Ipv6Net::default().into()]
}

fn guard() -> Vec<Rule> {
    let from_containers = vec![meta(MetaKey::Iifname, FIRST), is_member(PUBLISHED_LINKS)];
    let guards = [Side::Destination, Side::Source].map(|side| {
        let mut rule = from_containers.clone();
        rule.extend(of_loopback(side));
        rule.push(verdict(Fate::Drop));
        (GUARD, rule)
    });
    guards.into()
}

fn of_loopback(side: Side) -> Vec<Expression> {
    let family = is_family(&loopback()).to_vec();
    [family, is_in(&loopback(), side)].concat()
}

fn published() -> Vec<Rule> {
    let mut from_elsewhere = of_loopback(Side::Destination);
    from_elsewhere.push(verdict(Fate::Return));
    let mut to_itself = is_family(&loopback6()).to_vec();
    to_itself.extend(is_in(&loopback6(), Side::Destination));
    to_itself.push(verdict(Fate::Return));
    let mut rules = vec![(PREROUTING, from_elsewhere)];
    rules.extend(to_host(PREROUTING));
    rules.push((OUTPUT, to_itself));
    rules.extend(to_host(OUTPUT));
    for family in families() {
        let maps = match family {
            IpNet::V4(_) => PUBLISHED4,
            IpNet::V6(_) => PUBLISHED6,
        };
        rules.push((PUBLISHED, from_link_at_one_address(&family, maps)));
        rules.push((PUBLISHED, from_link(&family, maps)));
        rules.push((PUBLISHED, at_one_address(&family, maps)));
        rules.push((PUBLISHED, everywhere(&family, maps)));
    }
    rules
}

/// Returns the rules for packets that the host takes: those to its own addresses,
/// and those to many, which UDP can have.
fn to_host(chain: &'static str) -> [Rule; 3] {
    [LOCAL, BROADCAST, MULTICAST].map(|kind| {
        let rule = vec![
            address_type(Side::Destination, FIRST),
            is(&kind.to_ne_bytes()),
            verdict(Fate::Jump(PUBLISHED)),
        ];
        (chain, rule)
    })
}

/// Returns the DNAT of packets that come in through one link. Those of the host's own
/// have no incoming link.
fn from_link_at_one_address(family: &IpNet, maps: Maps) -> Vec<Expression> {
    let (protocol, port) = match family {
        IpNet::V4(_) => (AFTER_20, AFTER_24),
        IpNet::V6(_) => (AFTER_32, AFTER_36),
    };
    let mut rule = is_family(family).to_vec();
    rule.push(meta(MetaKey::Iifname, FIRST));
    rule.push(address(family, Side::Destination, AFTER_16));
    rule.extend(protocol_and_port(protocol, port));
    rule.extend([find(maps.from_at), dnat(family)]);
    rule
}

fn from_link(family: &IpNet, maps: Maps) -> Vec<Expression> {
    let mut rule = is_family(family).to_vec();
    rule.push(meta(MetaKey::Iifname, FIRST));
    rule.extend(protocol_and_port(AFTER_16, AFTER_20));
    rule.extend([find(maps.from), dnat(family)]);
    rule
}

fn at_one_address(family: &IpNet, maps: Maps) -> Vec<Expression> {
    let (protocol, port) = match family {
        IpNet::V4(_) => (AFTER_4, AFTER_8),
        IpNet::V6(_) => (AFTER_16, AFTER_20),
    };
    let mut rule = is_family(family).to_vec();
    rule.push(address(family, Side::Destination, FIRST));
    rule.extend(protocol_and_port(protocol, port));
    rule.extend([find(maps.at), dnat(family)]);
    rule
}

fn everywhere(family: &IpNet, maps: Maps) -> Vec<Expression> {
    let mut rule = is_family(family).to_vec();
    rule.extend(protocol_and_port(FIRST, AFTER_4));
    rule.extend([find(maps.everywhere), dnat(family)]);
    rule
}

/// Returns the DNAT to the address and the port that a map gave.
fn dnat(family: &IpNet) -> Expression {
    let port: Register = match family {
        IpNet::V4(_) => AFTER_4,
        IpNet::V6(_) => AFTER_16,
    };
    destination_nat(family, FIRST, port)
}

/// Returns the masquerading of packets whose replies wouldn't come back through
/// the host. If bridged packets pass the firewall (`br_netfilter`), the kernel
/// forwards them inside the bridge, and they have no incoming link.
fn answers() -> Vec<Rule> {
    let mut hairpin = vec![
        meta(MetaKey::Iifname, FIRST),
        meta(MetaKey::Oifname, AFTER_16),
        is_member(HAIRPINS),
    ];
    hairpin.extend(has_any(CtKey::Status, Status::DstNat.bits()));
    hairpin.push(masquerade());
    let mut bridged = vec![
        meta(MetaKey::Iifname, FIRST),
        is(&[0; LINK_NAME_LENGTH]),
        meta(MetaKey::Oifname, FIRST),
        is_member(PUBLISHED_LINKS),
    ];
    bridged.extend(has_any(CtKey::Status, Status::DstNat.bits()));
    let kind = address_type(Side::Source, FIRST);
    bridged.extend([kind, is_not(&LOCAL.to_ne_bytes()), masquerade()]);
    let mut from_host = vec![meta(MetaKey::Oifname, FIRST), is_member(PUBLISHED_LINKS)];
    from_host.extend(of_loopback(Side::Source));
    from_host.push(masquerade());
    vec![
        (POSTROUTING, hairpin),
        (POSTROUTING, bridged),
        (POSTROUTING, from_host),
        (POSTROUTING, vec![verdict(Fate::Jump(SOURCES))]),
    ]
}

fn forwarded() -> Vec<Rule> {
    let mut published = has_any(CtKey::Status, Status::DstNat.bits());
    published.push(verdict(Fate::Return));
    let mut rules = vec![
        (FORWARD, vec![verdict(Fate::Jump(INTERNAL_CHAIN))]),
        (FORWARD, vec![verdict(Fate::Jump(ISOLATION))]),
        (FORWARD, vec![verdict(Fate::Jump(DROPPED))]),
        (ISOLATION, published),
    ];
    let inside = vec![
        meta(MetaKey::Iifname, FIRST),
        meta(MetaKey::Oifname, AFTER_16),
        is_member(INSIDE),
        verdict(Fate::Return),
    ];
    rules.push((ISOLATION, inside));
    rules.extend(
        [(STRICT, NETWORKS), (ISOLATED, ISOLATED)].map(|(from, to)| {
            let rule = vec![
                meta(MetaKey::Iifname, FIRST),
                is_member(from),
                meta(MetaKey::Oifname, FIRST),
                is_member(to),
                verdict(Fate::Drop),
            ];
            (ISOLATION, rule)
        }),
    );
    rules
}

/// Returns the rules before those of filters. Replies pass, and so do neighbour
/// discovery, which belongs to no connection, and ICMP errors about connections that
/// passed. Without these, no sender would learn that a packet is too big (RFC 1191).
fn filtered() -> Vec<Rule> {
    let direction = ct(CtKey::Direction, FIRST);
    let answers = vec![direction, is(&[REPLY]), verdict(Fate::Return)];
    let mut discovery = is_neighbour_discovery();
    discovery.push(verdict(Fate::Return));
    let jump = |from, to| (from, vec![verdict(Fate::Jump(to))]);
    let [error4, error6] = is_icmp_error().map(|mut error| {
        error.push(verdict(Fate::Return));
        (TRAFFIC, error)
    });
    vec![
        (TRAFFIC, answers),
        (TRAFFIC, discovery),
        error4,
        error6,
        jump(TRAFFIC, OUTGOING),
        jump(TRAFFIC, INCOMING),
        jump(FORWARD, TRAFFIC),
        jump(TO_HOST, TRAFFIC),
        jump(FROM_HOST, TRAFFIC),
    ]
}
