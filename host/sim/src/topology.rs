//! The topology of the machine: links in their namespaces, and the ties between
//! links.

use std::collections::BTreeMap;

use kernel::{FoundRoute, LinkId, NextHop, TableRoute};
use serde::Serialize;
use types::{Mac, Namespace};

use super::link::{Link, Number, Origin, Other};
use super::machine::{BY_KERNEL, Machine};
use super::properties::set_on;

/// The topology of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Topology {
    /// The namespaces, the host's first.
    pub namespaces: Vec<NamespaceView>,
    /// The ties between links.
    pub edges: Vec<Edge>,
    /// The changes of the rules of the host's firewall.
    pub firewall: Changes,
    /// The changes of the rules of the firewall in the container's namespace.
    pub container_firewall: Changes,
}

/// Objects that were added and removed, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// The added objects.
    pub added: Vec<String>,
    /// The removed objects.
    pub removed: Vec<String>,
}

impl Changes {
    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamespaceView {
    /// The namespace.
    pub name: Namespace,
    /// Whether the namespace exists in this plan only.
    pub new: bool,
    /// The links, in the order of their indexes.
    pub links: Vec<LinkView>,
    /// The changes of its routes.
    pub routes: Changes,
    /// The changes of its policy routing rules.
    pub rules: Changes,
    /// The changed kernel settings with their values.
    pub settings: Vec<String>,
}

/// The change of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// The link has not changed.
    Same,
    /// A property of the link has changed.
    Changed,
    /// The link was moved here.
    Moved,
    /// The link was made.
    New,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkView {
    /// The name.
    pub name: String,
    /// The change of the link.
    pub mark: Mark,
    /// The kind.
    pub kind: Option<String>,
    /// The MAC address.
    pub mac: Option<Mac>,
    /// Whether that address stands for one that the kernel would choose.
    pub mac_assumed: bool,
    /// The MTU in bytes.
    pub mtu: u32,
    /// Whether the link is up.
    pub up: bool,
    /// The addresses with their prefix lengths.
    pub addresses: Vec<String>,
    /// The parent or peer, if it's in a namespace that isn't looked at.
    pub elsewhere: Option<String>,
    /// The other properties that were set.
    pub set: Vec<String>,
}

/// A tie between two links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The kind of tie.
    pub kind: EdgeKind,
    /// The port, the child, or one of two peers.
    pub from: End,
    /// The master, the parent, or the other peer.
    pub to: End,
}

/// The link at an end of a tie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct End {
    /// The link's namespace.
    pub namespace: Namespace,
    /// The link's name.
    pub link: String,
}

/// The kind of tie between two links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// The links are peers.
    VethPair,
    /// The second link is the master of the first.
    Master,
    /// The second link is the parent of the first.
    Parent,
    /// Packets that the first link receives are redirected through the second.
    Redirect,
}

impl EdgeKind {
    /// Returns the name of the tie.
    pub fn label(self) -> &'static str {
        match self {
            Self::VethPair => "veth pair",
            Self::Master => "master",
            Self::Parent => "parent",
            Self::Redirect => "redirect",
        }
    }
}

/// Returns what only the first of two lists has.
fn without(all: &[String], others: &[String]) -> Vec<String> {
    let own = all.iter().filter(|text| !others.contains(text));
    own.cloned().collect()
}

impl Machine {
    pub(super) fn topology(&self) -> Topology {
        Topology {
            namespaces: [Namespace::Host, Namespace::Container]
                .map(|name| self.view(name))
                .into(),
            edges: self.edges(),
            firewall: self.firewall_words(Namespace::Host),
            container_firewall: self.firewall_words(Namespace::Container),
        }
    }

    fn firewall_words(&self, namespace: Namespace) -> Changes {
        let [added, removed] = self
            .firewall_changes(namespace)
            .map(|rules| rules.iter().map(ToString::to_string).collect());
        Changes { added, removed }
    }

    /// Describes the machine, without the objects that the kernel makes by
    /// itself. By these facts a state is compared with an earlier one.
    pub(super) fn facts(&self) -> Vec<String> {
        let mut facts = Vec::new();
        for name in [Namespace::Host, Namespace::Container] {
            for link in self.links_of(name) {
                let addresses = link.addresses.iter().filter(|address| !address.link_scope);
                let addresses = addresses.map(|address| address.new.address);
                let addresses: Vec<_> = addresses.collect();
                let state = self.state(link);
                let set = (
                    &link.settings,
                    link.redirect,
                    link.queues.unwrap_or_default(),
                );
                facts.push(format!("{name} {state:?} {addresses:?} {set:?}"));
            }
            let room = self.room_ref(name);
            let routes = room.routes.iter();
            let mut routes: Vec<String> = routes
                .filter(|found| !is_link_local(found.route.route.destination))
                .map(|found| self.route_text(name, &found.route))
                .collect();
            routes.sort();
            facts.extend(routes);
            let [added, removed] = self.rule_changes(name);
            let rest = (&added, &removed, &room.settings);
            facts.push(format!("{rest:?}"));
            facts.push(format!("{:?}", self.firewall_changes(name)));
        }
        facts
    }

    /// Returns the topology with what has changed since another reading of the same
    /// namespaces.
    pub(super) fn topology_since(&self, before: &Self) -> Topology {
        let mut topology = self.topology();
        for view in &mut topology.namespaces {
            let earlier = before.view(view.name);
            for link in &mut view.links {
                let same = earlier.links.iter().find(|other| other.name == link.name);
                link.mark = match same {
                    None => Mark::New,
                    Some(other) if other == link => Mark::Same,
                    Some(_) => Mark::Changed,
                };
            }
            let (now, then) = (self.routes_text(view.name), before.routes_text(view.name));
            view.routes = Changes {
                added: without(&now, &then),
                removed: without(&then, &now),
            };
        }
        topology
    }

    fn routes_text(&self, name: Namespace) -> Vec<String> {
        let routes = self.room_ref(name).routes.iter();
        let told = routes.filter(|found| !is_link_local(found.route.route.destination));
        told.map(|found| self.found_text(name, found)).collect()
    }

    fn found_text(&self, name: Namespace, found: &FoundRoute) -> String {
        let by_kernel = match found.protocol {
            BY_KERNEL => " proto kernel",
            _ => "",
        };
        self.route_text(name, &found.route) + by_kernel
    }

    fn view(&self, name: Namespace) -> NamespaceView {
        let room = self.room_ref(name);
        let [rules_added, rules_removed] = self.rule_changes(name);
        let links = self.links_of(name).into_iter();
        let route = |found: &FoundRoute| self.found_text(name, found);
        let added = room.routes.iter();
        let removed = room.routes_before.iter();
        NamespaceView {
            name,
            new: !self.is_real(name),
            links: links.map(|link| self.link_view(link)).collect(),
            routes: Changes {
                added: added
                    .filter(|found| !room.routes_before.contains(found))
                    .map(route)
                    .collect(),
                removed: removed
                    .filter(|found| !room.routes.contains(found))
                    .map(route)
                    .collect(),
            },
            rules: Changes {
                added: rules_added.iter().map(ToString::to_string).collect(),
                removed: rules_removed.iter().map(ToString::to_string).collect(),
            },
            settings: self.settings_text(name),
        }
    }

    fn link_view(&self, link: &Link) -> LinkView {
        let mark = match link.origin {
            // Nobody makes the loopback link of a namespace.
            Origin::Made if link.kind.is_none() && !link.is_changed => Mark::Same,
            Origin::Made => Mark::New,
            Origin::Real(real) if real.namespace != link.at.namespace => Mark::Moved,
            Origin::Real(_) if link.is_changed => Mark::Changed,
            Origin::Real(_) => Mark::Same,
        };
        let addresses = link.addresses.iter();
        let elsewhere = [(link.pair, "its other end"), (link.lower, "its parent")]
            .into_iter()
            .find_map(|(other, what)| match other {
                Some(Other::Elsewhere(index)) => {
                    Some(format!("{what} is link {index} of another namespace"))
                }
                _ => None,
            });
        LinkView {
            name: link.state.name.to_string(),
            mark,
            kind: link.kind.clone(),
            mac: link.state.mac.filter(|mac| *mac != Mac::NONE),
            mac_assumed: link.is_mac_assumed,
            mtu: link.state.mtu,
            up: link.state.up,
            addresses: addresses
                .map(|address| address.new.address.to_string())
                .collect(),
            elsewhere,
            set: set_on(link),
        }
    }

    fn settings_text(&self, name: Namespace) -> Vec<String> {
        let written = &self.room_ref(name).settings;
        let by_hand =
            |(path, value): &(&String, &String)| !follows_forwarding(written, path, value);
        let mut settings: Vec<String> = written
            .iter()
            .filter(by_hand)
            .map(|(path, value)| format!("{} = {value}", key_of(path)))
            .collect();
        for link in self.links_of(name) {
            let own = link.settings.iter().filter(by_hand);
            for (key, value) in own {
                let (family, key) = key.split_once('/').unwrap_or_default();
                let link = link.state.name.as_str().replace('.', "/");
                settings.push(format!("net.{family}.conf.{link}.{key} = {value}"));
            }
        }
        settings.sort();
        settings
    }

    fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (number, link) in &self.links {
            let other = |other: Option<Other>| match other {
                Some(Other::Link(other)) => Some(other),
                _ => None,
            };
            let pair = other(link.pair).filter(|end| self.is_first(*number, *end));
            let ties = [
                (EdgeKind::VethPair, pair),
                (EdgeKind::Master, link.master),
                (EdgeKind::Parent, other(link.lower)),
                (EdgeKind::Redirect, link.redirect),
            ];
            for (kind, other) in ties {
                let Some(other) = other.and_then(|other| self.links.get(&other)) else {
                    continue;
                };
                edges.push(Edge {
                    kind,
                    from: end(link),
                    to: end(other),
                });
            }
        }
        edges.sort_by(|a, b| {
            let key = |edge: &Edge| {
                let end = |end: &End| (end.namespace == Namespace::Container, end.link.clone());
                (edge.kind, end(&edge.from), end(&edge.to))
            };
            key(a).cmp(&key(b))
        });
        edges
    }

    /// Whether a peer is named first: the one on the host, or the one that was
    /// found first.
    fn is_first(&self, one: Number, other: Number) -> bool {
        let place = |number: Number| {
            let link = self.links.get(&number);
            let namespace = link.map(|link| link.at.namespace == Namespace::Container);
            (namespace, number)
        };
        place(one) < place(other)
    }

    fn route_text(&self, namespace: Namespace, route: &TableRoute) -> String {
        let before = &self.room_ref(namespace).names_before;
        let link = |index: u32| match self.find(LinkId { namespace, index }) {
            Ok((_, link)) => link.state.name.to_string(),
            Err(_) => match before.get(&index) {
                Some(name) => name.to_string(),
                None => format!("link {index}"),
            },
        };
        let mut text = route.route.to_string();
        let hop = |hop: &NextHop| {
            let gateway = hop.gateway.map(|gateway| format!(" via {gateway}"));
            let dev = hop.link.map(|index| format!(" dev {}", link(index)));
            format!(
                " nexthop{}{} weight {}",
                gateway.unwrap_or_default(),
                dev.unwrap_or_default(),
                u32::from(hop.hops) + 1
            )
        };
        let more = [
            route.link.map(|index| format!(" dev {}", link(index))),
            (route.table != kernel::MAIN_TABLE).then(|| format!(" table {}", route.table)),
            route.source.map(|source| format!(" src {source}")),
            route
                .route
                .metric
                .filter(|metric| *metric > 0)
                .map(|metric| format!(" metric {metric}")),
            Some(route.next_hops.iter().map(hop).collect()),
        ];
        text.extend(more.into_iter().flatten());
        text
    }
}

/// Whether a network is link-local. The kernel adds and removes its routes by
/// itself.
fn is_link_local(network: ipnet::IpNet) -> bool {
    matches!(network, ipnet::IpNet::V6(v6) if v6.addr().is_unicast_link_local())
}

fn end(link: &Link) -> End {
    End {
        namespace: link.at.namespace,
        link: link.state.name.to_string(),
    }
}

/// Whether a setting has its value because forwarding was turned on or off for its
/// namespace (`inet_forward_change`, `addrconf_fixup_forwarding`).
fn follows_forwarding(written: &BTreeMap<String, String>, key: &str, value: &str) -> bool {
    let main = match key.trim_start_matches("/proc/sys/net/") {
        "ipv4/conf/all/forwarding" | "ipv4/conf/default/forwarding" | "ipv4/forwarding" => {
            "/proc/sys/net/ipv4/ip_forward"
        }
        "ipv6/conf/default/forwarding" | "ipv6/forwarding" => {
            "/proc/sys/net/ipv6/conf/all/forwarding"
        }
        _ => return false,
    };
    written.get(main).is_some_and(|main| main == value)
}

fn key_of(path: &str) -> String {
    let key = path.strip_prefix("/proc/sys/").unwrap_or(path);
    key.replace('.', "\0").replace('/', ".").replace('\0', "/")
}
