//! Judges what a driver has changed by what the user's words and the grant's
//! lines allow. It looks at the machine alone, before and after; of `decide` and
//! of the journal it knows nothing.
//!
//! | changed on the host | allowed |
//! |---|---|
//! | a new link | its call's `place` says so; below it the user's parent or a link of the call's line |
//! | a link that was there | the line of a call for just that names the link |
//! | a link that is gone | it's in the container, and the user or the line names it |
//! | an address of a new link | a gateway of the user's in a subnet that the host has nothing of, or the line's |
//! | a route | through new links, within the user's subnets, over nothing that the host has, or the line's |
//! | a rule | for the user's subnets or new links, in a new table or the line's |
//! | a setting | of new links by the call for it, or the line's |
//! | a neighbour of a new link | any; it answers for the container's addresses |
//! | a firewall entry | for the container's addresses, its network's subnets, the user's ports, new links |
//! | what a call that failed changed | never |
//! | what is left after undoing | never |

mod links;
mod namespaces;
#[cfg(test)]
mod tests;
mod undone;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use sim::{Picture, PicturedLink};
use types::Namespace;

use super::grants::Lines;
use super::words::Words;
use super::world::SHARED_BRIDGE;

/// What must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    /// Which promise it breaks, and by what.
    pub(super) rule: String,
    /// How.
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

/// What leaves no trace in the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A secret was used.
    Secret(String),
    /// An address was announced.
    Announced(String),
}

/// Who judges one run.
pub(super) struct Oracle<'a> {
    words: &'a Words,
    lines: &'a Lines,
    before: &'a Picture,
    after: &'a Picture,
    found: Vec<Violation>,
}

impl<'a> Oracle<'a> {
    /// What is wrong about how things are after a run.
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
        }
    }

    fn deny(&mut self, rule: impl Into<String>, what: impl fmt::Display) {
        self.found.push(Violation::new(rule, what));
    }

    fn unless(&mut self, allowed: bool, rule: impl Into<String>, what: impl fmt::Display) {
        if !allowed {
            self.deny(rule, what);
        }
    }

    /// Whether a link wasn't there before, or came into the container from the
    /// host.
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

    /// The link that has an index by now.
    fn number_at(&self, namespace: Namespace, index: u32) -> Option<u32> {
        number_at(self.after, namespace, index)
    }

    /// Whether the user's words name a link of the host as the one to be used.
    fn is_parent(&self, name: &str) -> bool {
        if self.words.parent == Some(name) || self.words.parent_by_mac == Some(name) {
            return true;
        }
        let says_none = self.words.parent.is_none() && self.words.parent_by_mac.is_none();
        says_none && self.lines.has("links.get-default") && name == "eth0"
    }

    /// Whether a network is in a subnet of the user's.
    fn in_subnets(&self, network: IpNet) -> bool {
        let mut subnets = self.words.subnets.iter();
        subnets.any(|subnet| subnet.contains(&network.trunc()))
    }

    /// Whether an address is the container's.
    fn is_containers(&self, address: IpAddr) -> bool {
        let mut own = self.words.addresses.iter();
        own.any(|own| own.addr() == address)
    }

    /// Whether a link is the one that the network's containers share.
    fn is_shared_bridge(&self, link: &PicturedLink) -> bool {
        self.words.parent == Some(SHARED_BRIDGE.0)
            && link.at.namespace == Namespace::Host
            && link.at.index == SHARED_BRIDGE.1
    }

    /// The addresses that the host had, but for the network's own bridge.
    fn host_addresses(&self) -> impl Iterator<Item = IpNet> {
        let links = self.before.links.values();
        let links = links
            .filter(|link| link.at.namespace == Namespace::Host && !self.is_shared_bridge(link));
        links.flat_map(|link| link.addresses.iter().map(|address| address.address))
    }

    /// Whether a network has an address of the host's.
    fn has_hosts_address(&self, network: IpNet) -> bool {
        let mut addresses = self.host_addresses();
        addresses.any(|address| network.contains(&address.addr()))
    }

    /// Whether a network has anything in common with what the host had: networks
    /// that it's in, and those that it had a route for.
    fn overlaps_hosts(&self, network: IpNet) -> bool {
        let routes = self.before.host.routes.iter().filter(|found| {
            let through_bridge = found.route.link == Some(SHARED_BRIDGE.1);
            !(through_bridge && self.words.parent == Some(SHARED_BRIDGE.0))
        });
        let routes = routes.map(|found| found.route.route.destination);
        let mut all = routes
            .chain(self.host_addresses().map(|address| address.trunc()))
            .filter(|other| other.prefix_len() > 0);
        all.any(|other| overlap(other, network))
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

/// What one list has and the other hasn't, each as often as it's there.
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

/// The keys whose values differ, with those that they have now.
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

pub(super) use undone::left_over;
