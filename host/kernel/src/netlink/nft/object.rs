//! The objects that a rule of a driver becomes in its table.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netlink_packet_netfilter::nftables::MetaKey;
use types::LinkName;

use super::confined::{CLOSED, INTERNAL, INTERNAL_PAIRS, INTERNAL_SUBNETS, V4, V6};
use super::expression::{
    Expression, FIRST, Fate, Side, bytes, has_any, is, is_family, is_in, is_not_in,
    is_port_between, is_protocol, load, meta, verdict,
};
use super::lacking::{CtKey, INVALID, masquerade, source_nat};
use super::senders::{CHECKED, SENDERS};
use super::set::{Element, Part, join};
use super::table::{
    DROPPED, HAIRPINS, INCOMING, INSIDE, ISOLATED, NETWORKS, OUTGOING, PUBLISHED_LINKS, PUBLISHED4,
    PUBLISHED6, SOURCES, STRICT,
};
use crate::{
    FirewallRule, Isolation, LinkTraffic, Policy, Ports, Publication, Traffic, Translation,
};

/// An object of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object {
    /// A rule.
    Rule {
        chain: &'static str,
        expressions: Vec<Expression>,
    },
    /// An element of a set.
    Element(Element),
}

impl Object {
    /// Returns the chain of a rule.
    pub(super) fn chain(&self) -> Option<&'static str> {
        match self {
            Self::Rule { chain, .. } => Some(chain),
            Self::Element(_) => None,
        }
    }
}

/// Returns all objects of a rule.
pub(super) fn objects(rule: &FirewallRule) -> Vec<Object> {
    match rule {
        FirewallRule::Translate(translation) => translate(translation),
        FirewallRule::Publish(publication) => publish(publication),
        FirewallRule::PublishBehind { link } => vec![
            element(PUBLISHED_LINKS, &[Part::Link(link)], None, link),
            element(HAIRPINS, &[Part::Link(link), Part::Link(link)], None, link),
        ],
        FirewallRule::Isolate { link, isolation } => isolate(link, *isolation),
        FirewallRule::Internal { link, host } => internal(link, *host),
        FirewallRule::InternalMember { address, link } => vec![member(*address, link)],
        FirewallRule::InternalSubnets { subnets: all } => subnets(all),
        FirewallRule::OnlyThrough { address, link } => only_through(*address, link),
        FirewallRule::Filter { traffic, policy } => filter(traffic, *policy),
        FirewallRule::FilterLink {
            link,
            traffic,
            policy,
        } => filter_link(link, traffic, *policy),
        FirewallRule::CheckSender { link, mac } => vec![
            element(
                SENDERS,
                &[Part::Link(link), Part::Mac(*mac)],
                None,
                &format!("{mac} of {link}"),
            ),
            element(CHECKED, &[Part::Link(link)], None, link),
        ],
    }
}

/// Returns the rules of a filter. Each direction has a chain of its own, so
/// that one container can still drop packets that another one may send.
fn filter(traffic: &Traffic, policy: Policy) -> Vec<Object> {
    let (chain, own, other) = match traffic.incoming {
        true => (INCOMING, Side::Destination, Side::Source),
        false => (OUTGOING, Side::Source, Side::Destination),
    };
    let address = IpNet::from(traffic.address);
    let mut matches = is_family(&address).to_vec();
    matches.extend(is_in(&address, own));
    let peer = traffic.peer.iter();
    matches.extend(peer.flat_map(|peer| is_in(peer, other)));
    with_ports(chain, matches, traffic.ports.as_ref(), policy)
}

/// Returns the rules of a filter in the container's namespace. Only the packets of the
/// link pass them, so the networks of a container have filters of their own.
fn filter_link(link: &LinkName, traffic: &LinkTraffic, policy: Policy) -> Vec<Object> {
    let (chain, key, other) = match traffic.incoming {
        true => (INCOMING, MetaKey::Iifname, Side::Source),
        false => (OUTGOING, MetaKey::Oifname, Side::Destination),
    };
    let mut matches = vec![meta(key, FIRST), is(&join(&[Part::Link(link)]))];
    if let Some(peer) = &traffic.peer {
        matches.extend(is_family(peer));
        matches.extend(is_in(peer, other));
    }
    with_ports(chain, matches, traffic.ports.as_ref(), policy)
}

/// Returns a rule for each range of ports.
fn with_ports(
    chain: &'static str,
    mut matches: Vec<Expression>,
    ports: Option<&Ports>,
    policy: Policy,
) -> Vec<Object> {
    let mut ranges = vec![Vec::new()];
    if let Some(ports) = ports {
        matches.extend(is_protocol(ports.protocol.number()));
        if !ports.ranges.is_empty() {
            let each = ports.ranges.iter();
            ranges = each
                .map(|(first, last)| is_port_between(*first, *last))
                .collect();
        }
    }
    let fate = match policy {
        Policy::Accept => Fate::Return,
        Policy::Drop => Fate::Drop,
    };
    let rules = ranges.into_iter().map(|range| Object::Rule {
        chain,
        expressions: [matches.clone(), range, vec![verdict(fate)]].concat(),
    });
    rules.collect()
}

fn isolate(link: &LinkName, isolation: Isolation) -> Vec<Object> {
    let sets: &[&'static str] = match isolation {
        Isolation::Never => &[NETWORKS],
        Isolation::Normal => &[NETWORKS, ISOLATED],
        Isolation::Strict => &[NETWORKS, ISOLATED, STRICT],
    };
    let inside = element(INSIDE, &[Part::Link(link), Part::Link(link)], None, link);
    let sets = sets.iter();
    sets.map(|set| element(set, &[Part::Link(link)], None, link))
        .chain([inside])
        .collect()
}

fn internal(link: &LinkName, host: bool) -> Vec<Object> {
    let its = Part::Link(link);
    let mut objects = vec![
        element(INTERNAL_PAIRS, &[its, its], None, link),
        element(INTERNAL, &[its], None, link),
    ];
    if !host {
        objects.push(element(CLOSED, &[its], None, link));
    }
    objects
}

fn member(address: IpAddr, link: &LinkName) -> Object {
    let set = match address {
        IpAddr::V4(_) => V4.members,
        IpAddr::V6(_) => V6.members,
    };
    element(
        set,
        &[Part::Address(address), Part::Link(link)],
        None,
        &address,
    )
}

/// Returns the rules that drop packets from each subnet to others than these.
fn subnets(subnets: &[IpNet]) -> Vec<Object> {
    let rule = |from: &IpNet| {
        let same_family = |other: &&IpNet| other.max_prefix_len() == from.max_prefix_len();
        let mut expressions = is_family(from).to_vec();
        expressions.extend(is_in(from, Side::Source));
        for other in subnets.iter().filter(same_family) {
            expressions.extend(is_not_in(other, Side::Destination));
        }
        expressions.push(verdict(Fate::Drop));
        Object::Rule {
            chain: INTERNAL_SUBNETS,
            expressions,
        }
    };
    subnets.iter().map(rule).collect()
}

fn only_through(address: IpAddr, link: &LinkName) -> Vec<Object> {
    let sets = match address {
        IpAddr::V4(_) => V4,
        IpAddr::V6(_) => V6,
    };
    let its = Part::Address(address);
    vec![
        element(sets.dnat_links, &[its, Part::Link(link)], None, &address),
        element(sets.dnat, &[its], None, &address),
    ]
}

/// Returns the rules of SNAT or masquerade. As netavark's, they leave out
/// multicast and packets between members of the network. A packet that belongs
/// to no connection can't be translated. It would leave with an address that
/// means nothing elsewhere, so it's dropped.
fn translate(translation: &Translation) -> Vec<Object> {
    let Translation {
        source,
        except,
        address,
    } = translation;
    let same_family = except
        .iter()
        .filter(|except| except.max_prefix_len() == source.max_prefix_len());
    let mut matches = is_family(source).to_vec();
    matches.extend(is_in(source, Side::Source));
    for staying in [*source, multicast(source)].iter().chain(same_family) {
        matches.extend(is_not_in(staying, Side::Destination));
    }
    let new_address = match address {
        None => vec![masquerade()],
        Some(address) => vec![
            load(&bytes(*address), FIRST),
            source_nat(&(*address).into(), FIRST),
        ],
    };
    let invalid = has_any(CtKey::State, INVALID);
    let dropped = [invalid, vec![verdict(Fate::Drop)]].concat();
    [(SOURCES, new_address), (DROPPED, dropped)]
        .map(|(chain, rest)| Object::Rule {
            chain,
            expressions: [matches.clone(), rest].concat(),
        })
        .into()
}

fn publish(publication: &Publication) -> Vec<Object> {
    let Publication {
        ports,
        address,
        from,
    } = publication;
    let maps = match address {
        IpAddr::V4(_) => PUBLISHED4,
        IpAddr::V6(_) => PUBLISHED6,
    };
    let mut objects = Vec::new();
    for range in ports {
        let at = range.host_address.filter(|at| !at.is_unspecified());
        let map = match (from, at) {
            (None, None) => maps.everywhere,
            (None, Some(_)) => maps.at,
            (Some(_), None) => maps.from,
            (Some(_), Some(_)) => maps.from_at,
        };
        for (host_port, port) in range.pairs() {
            let value = join(&[Part::Address(*address), Part::Port(port)]);
            let mut title = format!("port {host_port}/{}", range.protocol);
            let mut key = Vec::new();
            if let Some(link) = from {
                key.push(Part::Link(link));
                title.push_str(&format!(" through {link}"));
            }
            if let Some(at) = at {
                key.push(Part::Address(at));
                title.push_str(&format!(" of {at}"));
            }
            key.extend([Part::Protocol(range.protocol), Part::Port(host_port)]);
            objects.push(element(map, &key, Some(value), &title));
        }
    }
    objects
}

fn element(
    set: &'static str,
    key: &[Part<'_>],
    value: Option<Vec<u8>>,
    title: &impl ToString,
) -> Object {
    Object::Element(Element {
        set,
        key: join(key),
        value,
        title: title.to_string(),
    })
}

/// Returns 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291), in the family of a
/// network.
fn multicast(like: &IpNet) -> IpNet {
    match like {
        IpNet::V4(_) => Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4).into(),
        IpNet::V6(_) => {
            let all = Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0);
            Ipv6Net::new_assert(all, 8).into()
        }
    }
}
