//! A picture of the machine: links in their namespaces, and what ties them.

use kernel::{FoundRoute, LinkId, Neighbour, NeighbourTable, NextHop, TableRoute};
use serde::Serialize;
use types::{Mac, Namespace};

use super::link::{Link, Number, Origin, Other};
use super::machine::{BY_KERNEL, Machine};

/// How everything is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Topology {
    /// The host's first.
    pub namespaces: Vec<NamespaceView>,
    /// What ties links to others.
    pub edges: Vec<Edge>,
    /// Rules that the firewall has got, and lost.
    pub firewall: Changes,
}

/// What there is more of, and less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// What there is more of.
    pub added: Vec<String>,
    /// What there is less of.
    pub removed: Vec<String>,
}

impl Changes {
    /// Whether all is as it was.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamespaceView {
    /// Which.
    pub name: Namespace,
    /// Whether only this plan has it.
    pub new: bool,
    /// Its links, in the order of their indexes.
    pub links: Vec<LinkView>,
    /// Its routes as they have changed.
    pub routes: Changes,
    /// Its policy routing rules as they have changed.
    pub rules: Changes,
    /// The kernel settings that have changed, with their values.
    pub settings: Vec<String>,
}

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// It's as it was.
    Same,
    /// Something of it is another.
    Changed,
    /// It was moved here.
    Moved,
    /// It was made.
    New,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkView {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub mark: Mark,
    /// Its kind.
    pub kind: Option<String>,
    /// Its MAC address.
    pub mac: Option<Mac>,
    /// Whether that stands for one that the kernel would choose.
    pub mac_assumed: bool,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// Whether it's up.
    pub up: bool,
    /// Its addresses with their prefix lengths.
    pub addresses: Vec<String>,
    /// The link in another namespace that it's tied to, which isn't looked at.
    pub elsewhere: Option<String>,
    /// What else was set on it.
    pub set: Vec<String>,
}

/// A tie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// What it is.
    pub kind: EdgeKind,
    /// The port, the upper link, or one of two ends.
    pub from: End,
    /// The master, the lower link, or the other end.
    pub to: End,
}

/// The link at an end of a tie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct End {
    /// Its namespace.
    pub namespace: Namespace,
    /// Its name there.
    pub link: String,
}

/// What ties two links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// Each is the other's end.
    VethPair,
    /// One is a port of the other.
    Master,
    /// One lies on the other.
    Parent,
    /// What one receives goes through the other first.
    Redirect,
}

impl EdgeKind {
    /// What it's called.
    pub fn label(self) -> &'static str {
        match self {
            Self::VethPair => "veth pair",
            Self::Master => "master",
            Self::Parent => "parent",
            Self::Redirect => "redirect",
        }
    }
}

impl Machine {
    pub(super) fn topology(&self) -> Topology {
        let [added, removed] = self.firewall_changes();
        let text =
            |rules: Vec<kernel::FirewallRule>| rules.iter().map(ToString::to_string).collect();
        Topology {
            namespaces: [Namespace::Host, Namespace::Container]
                .map(|name| self.view(name))
                .into(),
            edges: self.edges(),
            firewall: Changes {
                added: text(added),
                removed: text(removed),
            },
        }
    }

    /// All that can be told of the machine but what the kernel sees to by itself,
    /// for telling whether it's as before.
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
        }
        facts.push(format!("{:?}", self.firewall_changes()));
        facts
    }

    fn view(&self, name: Namespace) -> NamespaceView {
        let room = self.room_ref(name);
        let [rules_added, rules_removed] = self.rule_changes(name);
        let links = self.links_of(name).into_iter();
        let route = |found: &FoundRoute| {
            let by_kernel = match found.protocol {
                BY_KERNEL => " proto kernel",
                _ => "",
            };
            self.route_text(name, &found.route) + by_kernel
        };
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
            // A namespace's own loopback link isn't made by anybody.
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
        let written = self.room_ref(name).settings.iter();
        let mut settings: Vec<String> = written
            .map(|(path, value)| format!("{} = {value}", key_of(path)))
            .collect();
        for link in self.links_of(name) {
            for (key, value) in &link.settings {
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

    /// Whether an end of a pair is the one to begin with: the host's, or the one
    /// that was found first.
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

/// What the kernel sees to by itself while links are up.
fn is_link_local(network: ipnet::IpNet) -> bool {
    matches!(network, ipnet::IpNet::V6(v6) if v6.addr().is_unicast_link_local())
}

fn end(link: &Link) -> End {
    End {
        namespace: link.at.namespace,
        link: link.state.name.to_string(),
    }
}

fn key_of(path: &str) -> String {
    let key = path.strip_prefix("/proc/sys/").unwrap_or(path);
    key.replace('.', "\0").replace('/', ".").replace('\0', "/")
}

/// What was set on a link besides its plain properties.
fn set_on(link: &Link) -> Vec<String> {
    let mut set = Vec::new();
    if let Some(port) = link.port {
        let on = [
            ("hairpin", port.hairpin),
            ("isolated", port.isolated),
            ("learning", port.learning),
        ];
        let on = on.iter().filter(|(_, on)| *on).map(|(name, _)| *name);
        set.push(format!("port: {}", on.collect::<Vec<_>>().join(" ")));
    }
    if let Some(vlans) = &link.vlans {
        let vlans = vlans.iter().map(|vlans| {
            let (first, last) = (vlans.numbers.first(), vlans.numbers.last());
            let range = match first == last {
                true => first.to_string(),
                false => format!("{first}-{last}"),
            };
            let pvid = if vlans.pvid { " pvid" } else { "" };
            let untagged = if vlans.untagged { " untagged" } else { "" };
            format!("{range}{pvid}{untagged}")
        });
        set.push(format!("VLANs: {}", vlans.collect::<Vec<_>>().join(", ")));
    }
    if link.queues.is_some_and(|queues| queues.root.is_some()) {
        set.push("what it sends is shaped".to_owned());
    }
    if link.origin == Origin::Made || link.is_changed {
        let flags = [
            ("promiscuous", link.state.promiscuous),
            ("all multicast", link.state.all_multicast),
        ];
        let flags = flags.iter().filter(|(_, on)| *on);
        set.extend(flags.map(|(name, _)| (*name).to_owned()));
        set.extend(
            link.state
                .alias
                .iter()
                .map(|alias| format!("alias {alias}")),
        );
        let neighbours = link.neighbours.iter().flatten();
        set.extend(neighbours.filter(|it| it.permanent).map(|it| {
            match (it.table, it.mac.map(Neighbour::Permanent)) {
                (NeighbourTable::Entries, Some(Neighbour::Permanent(mac))) => {
                    format!("neighbour {} is {mac}", it.address)
                }
                _ => format!("answers for {}", it.address),
            }
        }));
    }
    if let Some(wireguard) = &link.wireguard {
        for peer in &wireguard.peers {
            set.push(format!("peer {}", peer.public_key.to_public_text()));
        }
    }
    for vf in link.vfs.iter().flatten() {
        set.push(format!("VF {}: MAC {}", vf.number, vf.mac));
    }
    set
}
