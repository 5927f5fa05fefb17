//! The oracle. It judges a driver's changes by the user's request and the lines of the
//! grant.
//!
//! It compares the machine before and after, and uses neither `decide` nor the journal.
//!
//! | change on the host | allowed if |
//! |---|---|
//! | a new link | its call's `place` allows it, and its parent is the user's or one
//! that the line names |
//! | a changed foreign link | the line of the call for this change names the link |
//! | a missing link | it's in the container, and the user or the line names it |
//! | an address of a new link | it's a gateway of the user's whose subnet overlaps
//! nothing of the host, or the line has it |
//! | a route | it leads through new links into the user's subnets and covers nothing of
//! the host, or the line has it |
//! | a rule | it's for the user's subnets or new links, and its table is new or the
//! line has it |
//! | a setting | it's of a new link and set by its own call, or the line has it |
//! | a neighbour of a new link | always; a proxy entry must be for an address of the
//! container |
//! | a firewall entry | it's for the container's addresses, its network's subnets, the
//! user's ports or new links, or it's in the container |
//! | a change by a failed call | never |
//! | a change that is left after the rollback | never |

mod links;
mod namespaces;
#[cfg(test)]
mod tests;
mod undone;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use sim::{Picture, PicturedLink, PicturedNamespace};
use types::{LinkName, Namespace};

use super::grants::Lines;
use super::words::Words;
use super::world::SHARED_BRIDGE;

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    /// The promise, with the kind of change.
    pub(super) rule: String,
    /// The change.
    pub(super) what: String,
}

impl Violation {
    pub(super) fn new(rule: impl Into<String>, what: impl fmt::Display) -> Self {
        Self {
            rule: rule.into(),
            what: what.to_string(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// An effect that isn't in the machine's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A secret was used.
    Secret(String),
    /// An address was announced.
    Announced(String),
    /// The DNS server listens on addresses of a link.
    Served(LinkName, Vec<IpAddr>),
    /// An address was asked for over a link of the host.
    Leased(LinkName),
    /// firewalld lets the packets of a network pass.
    Trusted(IpNet),
}

/// The judge of one run.
pub(super) struct Oracle<'a> {
    words: &'a Words,
    lines: &'a Lines,
    before: &'a Picture,
    after: &'a Picture,
    found: Vec<Violation>,
}

impl<'a> Oracle<'a> {
    /// Returns the violations of a run.
    pub(super) fn judge(
        words: &'a Words,
        lines: &'a Lines,
        before: &'a Picture,
        after: &'a Picture,
        events: &[Event],
    ) -> Vec<Violation> {
        let mut oracle = Self {
            words,
            lines,
            before,
            after,
            found: Vec::new(),
        };
        oracle.judge_links();
        for namespace in [Namespace::Host, Namespace::Container] {
            oracle.judge_routes(namespace);
            oracle.judge_rules(namespace);
            oracle.judge_settings(namespace);
        }
        oracle.judge_firewall();
        events.iter().for_each(|event| oracle.judge_event(event));
        oracle.found
    }

    fn judge_event(&mut self, event: &Event) {
        match event {
            Event::Secret(name) => {
                let calls = ["wireguard.set-private-key", "wireguard.set-peer"];
                let is_said = self.words.secrets.contains(&name.as_str());
                let is_allowed = is_said || self.lines.secret(&calls, name);
                self.unless(is_allowed, "only secrets that were named", name);
            }
            Event::Announced(address) => {
                let calls = [
                    "announce.gratuitous-arp",
                    "announce.neighbour-advertisement",
                ];
                let is_allowed = address.parse().is_ok_and(|address: IpAddr| {
                    self.is_containers(address)
                        || self.lines.network(&calls, "address", address.into())
                });
                self.unless(
                    is_allowed,
                    "only the container's addresses are announced",
                    address,
                );
            }
            Event::Served(link, addresses) => self.judge_served(link, addresses),
            Event::Leased(parent) => {
                let is_named = self.is_parent(parent.as_str())
                    || self
                        .lines
                        .link(&["dhcp.lease"], Namespace::Host, parent.as_str());
                let is_own = !self.before.links.values().any(|there| {
                    there.at.namespace == Namespace::Host && there.state.name == *parent
                });
                self.unless(
                    is_named || is_own || self.is_used(parent),
                    "addresses are asked for over the parent only",
                    parent,
                );
            }
            Event::Trusted(source) => {
                let has_line = self.lines.network(&["firewall.trust"], "address", *source);
                self.unless(
                    has_line || self.is_network_or_container(*source),
                    "firewalld trusts the network's subnets only",
                    source,
                );
                self.unless(
                    has_line || !self.has_hosts_address(*source),
                    "firewalld never trusts the host's addresses",
                    source,
                );
            }
        }
    }

    fn judge_served(&mut self, link: &LinkName, addresses: &[IpAddr]) {
        let there = self
            .before
            .links
            .values()
            .find(|there| there.at.namespace == Namespace::Host && there.state.name == *link);
        let of_gateways = |address: &IpAddr| {
            let mut gateways = self.words.gateways.iter();
            gateways.any(|gateway| gateway.addr() == *address)
        };
        let is_ours =
            there.is_none() || self.is_used(link) || self.is_own_name(Namespace::Host, link);
        let is_bridge = there.is_some_and(|there| there.kind.as_deref() == Some("bridge"));
        let is_named = self.words.parent == Some(link.as_str())
            || self
                .lines
                .link(&["dns.register"], Namespace::Host, link.as_str());
        let is_allowed = match is_bridge && is_named {
            true => true,
            false => is_ours && addresses.iter().all(of_gateways),
        };
        self.unless(
            is_allowed && !addresses.is_empty(),
            "the DNS server listens on gateways and named bridges only",
            format!("{link} {addresses:?}"),
        );
    }

    fn deny(&mut self, rule: impl Into<String>, what: impl fmt::Display) {
        self.found.push(Violation::new(rule, what));
    }

    fn unless(&mut self, allowed: bool, rule: impl Into<String>, what: impl fmt::Display) {
        if !allowed {
            self.deny(rule, what);
        }
    }

    /// Whether a link is new, or was moved from the host to the container.
    fn is_own(&self, number: u32) -> bool {
        match (
            self.before.links.get(&number),
            self.after.links.get(&number),
        ) {
            (None, _) => true,
            (Some(before), Some(after)) => before.at.namespace != after.at.namespace,
            (Some(_), None) => false,
        }
    }

    /// Returns the number of the link that has an index now.
    fn number_at(&self, namespace: Namespace, index: u32) -> Option<u32> {
        number_at(self.after, namespace, index)
    }

    /// Whether a link of the host is the user's parent.
    fn is_parent(&self, name: &str) -> bool {
        if self.words.parent == Some(name) || self.words.parent_by_mac == Some(name) {
            return true;
        }
        let says_none = self.words.parent.is_none() && self.words.parent_by_mac.is_none();
        says_none && self.lines.has("links.get-default") && name == "eth0"
    }

    /// Whether a link of the host is an existing bridge that the user named, and that the
    /// driver may use.
    fn is_used(&self, name: &LinkName) -> bool {
        let mut links = self.before.links.values();
        let was_there = links.any(|link| {
            link.at.namespace == Namespace::Host
                && link.state.name == *name
                && link.kind.as_deref() == Some("bridge")
        });
        let is_named = self.words.parent == Some(name.as_str());
        was_there && is_named && self.lines.has("links.use-bridge")
    }

    /// Whether a network is in one of the user's subnets.
    fn in_subnets(&self, network: IpNet) -> bool {
        let mut subnets = self.words.subnets.iter();
        subnets.any(|subnet| subnet.contains(&network.trunc()))
    }

    /// Whether an address is the container's.
    fn is_containers(&self, address: IpAddr) -> bool {
        let mut own = self.words.addresses.iter();
        own.any(|own| own.addr() == address)
    }

    /// Whether a link is the network's shared bridge.
    fn is_shared_bridge(&self, link: &PicturedLink) -> bool {
        self.words.parent == Some(SHARED_BRIDGE.0)
            && link.at.namespace == Namespace::Host
            && link.at.index == SHARED_BRIDGE.1
    }

    /// Returns the addresses that the host had, without those of the network's shared
    /// bridge.
    fn host_addresses(&self) -> impl Iterator<Item = IpNet> {
        let links = self.before.links.values();
        let links = links
            .filter(|link| link.at.namespace == Namespace::Host && !self.is_shared_bridge(link));
        links.flat_map(|link| link.addresses.iter().map(|address| address.address))
    }

    /// Whether a network contains an address of the host.
    fn has_hosts_address(&self, network: IpNet) -> bool {
        let mut addresses = self.host_addresses();
        addresses.any(|address| network.contains(&address.addr()))
    }

    /// Whether a network overlaps one that the host was connected to or had a route
    /// for.
    fn overlaps_hosts(&self, network: IpNet) -> bool {
        let routes = self.before.host.routes.iter().filter(|found| {
            let through_bridge = found.route.link == Some(SHARED_BRIDGE.1);
            !(through_bridge && self.words.parent == Some(SHARED_BRIDGE.0))
        });
        let routes = routes.map(|found| (found.route.link, found.route.route.destination));
        let links = self.before.links.values();
        let links = links
            .filter(|link| link.at.namespace == Namespace::Host && !self.is_shared_bridge(link));
        let connected = links.flat_map(|link| {
            let networks = link.addresses.iter().map(|it| it.address.trunc());
            networks.map(|network| (Some(link.at.index), network))
        });
        let mut all = routes
            .chain(connected)
            .filter(|(_, other)| other.prefix_len() > 0);
        all.any(|(link, other)| overlap(other, network) && !self.is_part(link, other, network))
            || self.has_hosts_address(network)
    }

    /// Whether a network is a real part of one of the link that answers for the container.
    fn is_part(&self, link: Option<u32>, other: IpNet, network: IpNet) -> bool {
        let mut links = self.before.links.values();
        let is_proxy = links.any(|it| {
            Some(it.at.index) == link
                && it.at.namespace == Namespace::Host
                && self.words.ndp_proxy == Some(it.state.name.as_str())
        });
        let is_narrower = other.contains(&network) && other.prefix_len() < network.prefix_len();
        let is_proxied = is_proxy && network.addr().is_ipv6() && self.in_subnets(network);
        is_narrower && (is_proxied || self.is_beside(link, network))
    }

    /// Whether a network is one address, the container's or one of the host's beside it, at
    /// the parent.
    fn is_beside(&self, link: Option<u32>, network: IpNet) -> bool {
        let addresses = self.words.addresses.iter().map(IpNet::addr);
        let mut both = self.words.host_addresses.iter().copied().chain(addresses);
        let mut links = self.before.links.values();
        !self.words.host_addresses.is_empty()
            && both.any(|address| IpNet::from(address) == network)
            && links.any(|it| {
                let parent = self.words.parent == Some(it.state.name.as_str());
                parent && Some(it.at.index) == link && it.at.namespace == Namespace::Host
            })
    }
}

pub(super) fn number_at(picture: &Picture, namespace: Namespace, index: u32) -> Option<u32> {
    let mut links = picture.links.iter();
    let found = links.find(|(_, link)| link.at.namespace == namespace && link.at.index == index);
    found.map(|(number, _)| *number)
}

fn overlap(one: IpNet, other: IpNet) -> bool {
    one.contains(&other) || other.contains(&one)
}

/// Returns the elements of one list that the other doesn't have, with their
/// multiplicity.
fn lost<T: PartialEq + Clone>(before: &[T], after: &[T]) -> Vec<T> {
    let mut left = after.to_vec();
    let mut gone = Vec::new();
    for one in before {
        match left.iter().position(|other| other == one) {
            Some(place) => {
                left.swap_remove(place);
            }
            None => gone.push(one.clone()),
        }
    }
    gone
}

/// Returns the keys whose values differ, with their new values.
fn differing<'m>(
    before: &'m BTreeMap<String, String>,
    after: &'m BTreeMap<String, String>,
) -> Vec<(&'m str, Option<&'m str>)> {
    let keys = before
        .keys()
        .chain(after.keys().filter(|key| !before.contains_key(*key)));
    keys.filter(|key| before.get(*key) != after.get(*key))
        .map(|key| (key.as_str(), after.get(key).map(String::as_str)))
        .collect()
}

/// Whether a setting was turned on with one of its namespace, and has its value: the
/// kernel has forwarding of all links, and of new ones, follow (`inet_forward_change`,
/// `addrconf_fixup_forwarding`).
fn follows_forwarding(
    before: &PicturedNamespace,
    after: &PicturedNamespace,
    key: &str,
    value: Option<&str>,
) -> bool {
    let main = match key {
        "net.ipv4.conf.all.forwarding" | "net.ipv4.conf.default.forwarding" | "ipv4/forwarding" => {
            "/proc/sys/net/ipv4/ip_forward"
        }
        "net.ipv6.conf.default.forwarding" | "ipv6/forwarding" => {
            "/proc/sys/net/ipv6/conf/all/forwarding"
        }
        _ => return false,
    };
    let (before, after) = (before.settings.get(main), after.settings.get(main));
    let is_on = value.is_some_and(|value| value != "0");
    before != after && is_on && after.map(String::as_str) == value
}

pub(super) use undone::left_over;
