//! A driver's rules in the host's firewall and in the container's, in the driver's own
//! terms.
//! `netlink::nft` turns them into nftables.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use types::Digest;
use types::{LinkName, Mac, Namespace, PortRange, Protocol};

use super::KernelError;

/// The prefix of the driver's name in the names of its tables.
const TABLE_PREFIX: &str = "wasmvark-";
/// The characters of an id in a tag, as many as Podman shows.
const SHORT_ID: usize = 12;
/// The characters of a digest in a tag: 128 bits.
const SHORT_DIGEST: usize = 32;
/// The characters of the digest that tells apart containers with the same short
/// id.
const SHORT_CONTAINER_DIGEST: usize = 16;

/// A rule of a driver, with its table and its tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirewallEntry {
    /// The name of the driver's tables.
    pub table: String,
    /// The comment on all nftables objects of the rule. The same rule of the
    /// same owner always has the same tag. So its objects are found again even
    /// if their handles have changed.
    pub tag: String,
    /// The rule.
    pub rule: FirewallRule,
}

/// A part of a driver's table that somebody has removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingFirewall {
    /// The fixed part of the table with this name, or some of it.
    Table(String),
    /// A rule or some of it, or its place in the order.
    Rule(FirewallRule),
}

impl fmt::Display for MissingFirewall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(name) => write!(f, "the chains of the table {name}"),
            Self::Rule(rule) => rule.fmt(f),
        }
    }
}

/// The owner of a rule.
#[derive(Debug, Clone, Copy)]
pub struct FirewallOwner<'a> {
    /// The driver's name.
    pub driver: &'a str,
    /// The network's id.
    pub network: &'a str,
    /// The container's id, or `None` for rules that all containers of the
    /// network share.
    pub container: Option<&'a str>,
}

/// A rule in a driver's own terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirewallRule {
    /// SNAT or masquerade: packets from a network get an address of the host as
    /// their source.
    Translate(Translation),
    /// DNAT: ports of the host lead to a container.
    Publish(Publication),
    /// Hairpin: published ports may lead to containers behind a link. That
    /// includes packets from behind the same link, and from the host's loopback
    /// addresses.
    PublishBehind {
        /// The link.
        link: LinkName,
    },
    /// Isolation: the network behind a link is kept apart from the driver's
    /// other networks.
    Isolate {
        /// The link.
        link: LinkName,
        /// The networks that it's kept apart from.
        isolation: Isolation,
    },
    /// An internal network: no packets are forwarded from a link to others, nor
    /// from others to it. Where `host` isn't set, not even the host itself reaches
    /// it.
    Internal {
        /// The link.
        link: LinkName,
        /// Whether the host itself is reached.
        host: bool,
    },
    /// An internal network of several links: the packets of an address pass to the
    /// network's other links.
    InternalMember {
        /// The container's address.
        address: IpAddr,
        /// The link of the host.
        link: LinkName,
    },
    /// The subnets of an internal network of several links, which keep its members
    /// apart from those of others.
    InternalSubnets {
        /// The subnets.
        subnets: Vec<IpNet>,
    },
    /// Packets that DNAT leads to an address leave only through a link. Without
    /// it they would follow another route where that to the address is missing.
    OnlyThrough {
        /// The container's address.
        address: IpAddr,
        /// The link of the host.
        link: LinkName,
    },
    /// A filter that accepts or drops connections of a container.
    Filter {
        /// The connections.
        traffic: Traffic,
        /// The policy for them.
        policy: Policy,
    },
    /// A filter in the container's namespace. It accepts or drops connections over a
    /// link of the container.
    FilterLink {
        /// The link.
        link: LinkName,
        /// The connections.
        traffic: LinkTraffic,
        /// The policy for them.
        policy: Policy,
    },
    /// A spoof check: frames that come in through a port of a bridge are
    /// dropped, unless they are from one of its senders.
    CheckSender {
        /// The port.
        link: LinkName,
        /// One of the senders.
        mac: Mac,
    },
}

/// The policy of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The connections pass. Later rules of the same container and direction
    /// don't count.
    Accept,
    /// Only replies pass.
    Drop,
}

/// Connections of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Whether others open the connections. Otherwise the container does.
    pub incoming: bool,
    /// The container's address.
    pub address: IpAddr,
    /// The network of the remote addresses, of the same family; `None` means
    /// any.
    pub peer: Option<IpNet>,
    /// The protocol and the destination ports; `None` means any.
    pub ports: Option<Ports>,
}

/// Connections over a link of the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTraffic {
    /// Whether others open the connections. Otherwise the container does.
    pub incoming: bool,
    /// The network of the remote addresses; `None` means any, of both IP versions.
    pub peer: Option<IpNet>,
    /// The protocol and the destination ports; `None` means any.
    pub ports: Option<Ports>,
}

/// Destination ports of a protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// The protocol.
    pub protocol: Protocol,
    /// The first and the last port of each range. Without ranges, all ports are
    /// meant.
    pub ranges: Vec<(u16, u16)>,
}

/// The networks that a network is kept apart from: `isolate` of netavark's
/// bridges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Strict networks only.
    Never,
    /// Isolated and strict networks.
    Normal,
    /// All networks.
    Strict,
}

/// Ports of the host, and the address that they lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// The ports.
    pub ports: Vec<PortRange>,
    /// The container's address. The ports' host addresses are of the same
    /// family.
    pub address: IpAddr,
    /// The link of the host that packets must come in through; `None` means that those
    /// of all links and of the host itself are led to the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<LinkName>,
}

/// The packets that get another source address, and that address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    /// The network that the packets come from.
    pub source: IpNet,
    /// The destinations for which the packets keep their source address.
    pub except: Vec<IpNet>,
    /// The new address; `None` means that of the outgoing link (masquerade).
    pub address: Option<IpAddr>,
}

/// The family of a driver's table (NFPROTO_* in `linux/netfilter.h`), and its namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FirewallFamily {
    /// IPv4 and IPv6 on the host.
    Inet,
    /// Frames of the host's bridges.
    Bridge,
    /// IPv4 and IPv6 in the container's namespace.
    Container,
}

impl FirewallFamily {
    /// Returns the namespace that the table is in.
    pub fn namespace(self) -> Namespace {
        match self {
            Self::Inet | Self::Bridge => Namespace::Host,
            Self::Container => Namespace::Container,
        }
    }
}

impl FirewallEntry {
    /// Returns the entry for a rule.
    pub fn new(owner: FirewallOwner<'_>, rule: FirewallRule) -> Self {
        Self {
            table: format!("{TABLE_PREFIX}{}", owner.driver),
            tag: tag(owner, &rule),
            rule,
        }
    }

    /// Returns the namespace that the rule is in.
    pub fn namespace(&self) -> Namespace {
        self.rule.family().namespace()
    }

    /// Whether both entries are in the same table.
    pub fn is_beside(&self, other: &Self) -> bool {
        (&self.table, self.rule.family()) == (&other.table, other.rule.family())
    }

    /// Whether another tag names the same container, on any network.
    pub(crate) fn is_same_container(&self, other: &str) -> bool {
        let container = |tag: &str| tag.split(' ').nth(1).map(str::to_owned);
        let own = container(&self.tag);
        own.as_deref() != Some(SHARED) && own == container(other)
    }
}

/// The word that replaces the container's id in the tags of shared rules.
const SHARED: &str = "shared";

/// Returns the tag of a rule: short ids for people, and a digest of the whole,
/// which makes it unique. nft(8) reads back comments of 128 characters at most.
fn tag(owner: FirewallOwner<'_>, rule: &FirewallRule) -> String {
    let short = |text: &str, length| text.chars().take(length).collect::<String>();
    let container = owner.container.map_or(SHARED.to_owned(), |id| {
        let digest = Digest::of(id.as_bytes());
        let digest = short(digest.hex(), SHORT_CONTAINER_DIGEST);
        format!("{}:{digest}", short(id, SHORT_ID))
    });
    // A rule is plain data, so serializing it can't fail.
    let text = serde_json::to_string(rule).unwrap_or_default();
    let all = format!("{}\n{:?}\n{text}", owner.network, owner.container);
    let digest = Digest::of(all.as_bytes());
    [
        short(owner.network, SHORT_ID),
        container,
        rule.kind().to_owned(),
        short(digest.hex(), SHORT_DIGEST),
    ]
    .join(" ")
}

impl FirewallRule {
    /// Returns the family of the rule's table.
    pub fn family(&self) -> FirewallFamily {
        match self {
            Self::Translate(_)
            | Self::Publish(_)
            | Self::PublishBehind { .. }
            | Self::Isolate { .. }
            | Self::Internal { .. }
            | Self::InternalMember { .. }
            | Self::InternalSubnets { .. }
            | Self::OnlyThrough { .. }
            | Self::Filter { .. } => FirewallFamily::Inet,
            Self::CheckSender { .. } => FirewallFamily::Bridge,
            Self::FilterLink { .. } => FirewallFamily::Container,
        }
    }

    /// Returns the name of the link that the rule is for. It's in the rule's namespace.
    pub fn link(&self) -> Option<&LinkName> {
        match self {
            Self::PublishBehind { link }
            | Self::Isolate { link, .. }
            | Self::Internal { link, .. }
            | Self::InternalMember { link, .. }
            | Self::OnlyThrough { link, .. }
            | Self::FilterLink { link, .. }
            | Self::CheckSender { link, .. } => Some(link),
            Self::Translate(_)
            | Self::Publish(_)
            | Self::InternalSubnets { .. }
            | Self::Filter { .. } => None,
        }
    }

    /// Returns the number of nftables rules that the rule becomes.
    pub fn rules(&self) -> usize {
        match self {
            // One rule translates, one drops packets that can't be translated.
            Self::Translate(_) => 2,
            Self::Filter { traffic, .. } => rules_for(traffic.ports.as_ref()),
            Self::FilterLink { traffic, .. } => rules_for(traffic.ports.as_ref()),
            Self::Publish(_)
            | Self::PublishBehind { .. }
            | Self::Isolate { .. }
            | Self::Internal { .. }
            | Self::InternalMember { .. }
            | Self::OnlyThrough { .. }
            | Self::CheckSender { .. } => 0,
            Self::InternalSubnets { subnets } => subnets.len(),
        }
    }

    /// Whether the rule only keeps packets back. Such a rule must outlast the
    /// links and addresses that it is for.
    pub fn only_drops(&self) -> bool {
        match self {
            Self::Isolate { .. }
            | Self::Internal { .. }
            | Self::InternalSubnets { .. }
            | Self::OnlyThrough { .. }
            | Self::CheckSender { .. } => true,
            Self::Filter { policy, .. } | Self::FilterLink { policy, .. } => {
                *policy == Policy::Drop
            }
            Self::Translate(_)
            | Self::Publish(_)
            | Self::PublishBehind { .. }
            | Self::InternalMember { .. } => false,
        }
    }

    /// Returns the number of ports that the rule publishes. Each is an element
    /// of a map.
    pub fn ports(&self) -> usize {
        match self {
            Self::Publish(publication) => {
                let counts = publication.ports.iter().map(PortRange::count);
                counts.fold(0, usize::saturating_add)
            }
            _ => 0,
        }
    }

    /// Returns the word for the rule's kind in tags.
    fn kind(&self) -> &'static str {
        match self {
            Self::Translate(Translation { address: None, .. }) => "masquerade",
            Self::Translate(_) => "source-address",
            Self::Publish(_) => "publish",
            Self::PublishBehind { .. } => "publish-behind",
            Self::Isolate { .. } => "isolate",
            Self::Internal { .. } => "internal",
            Self::InternalMember { .. } => "internal-member",
            Self::InternalSubnets { .. } => "internal-subnets",
            Self::OnlyThrough { .. } => "only-through",
            Self::Filter { policy, .. } => match policy {
                Policy::Accept => "accept",
                Policy::Drop => "drop",
            },
            Self::FilterLink { policy, .. } => match policy {
                Policy::Accept => "accept-in-container",
                Policy::Drop => "drop-in-container",
            },
            Self::CheckSender { .. } => "spoof-check",
        }
    }
}

/// Returns the number of nftables rules of a filter.
fn rules_for(ports: Option<&Ports>) -> usize {
    ports.map_or(1, |ports| ports.ranges.len().max(1))
}

/// The ranges of ports that a text has at most: a driver chooses their number, and texts of
/// what is undone are in the trail.
const SHOWN_RANGES: usize = 8;

/// Describes which of all connections a filter is for.
fn only(ports: Option<&Ports>, peer: Option<IpNet>) -> String {
    let parts = [
        ports.map(Ports::to_string),
        peer.map(|peer| format!("peer {peer}")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!(" ({})", parts.join(", ")),
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.protocol)?;
        for (first, last) in self.ranges.iter().take(SHOWN_RANGES) {
            match first == last {
                true => write!(f, " {first}")?,
                false => write!(f, " {first}-{last}")?,
            }
        }
        match self.ranges.len().saturating_sub(SHOWN_RANGES) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accept => "accepted",
            Self::Drop => "dropped",
        })
    }
}

impl fmt::Display for FirewallRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Translate(Translation {
                source, address, ..
            }) => match address {
                None => write!(f, "{source} masqueraded"),
                Some(address) => write!(f, "{source} translated to {address}"),
            },
            Self::Publish(Publication {
                ports,
                address,
                from,
            }) => {
                let ports: Vec<_> = ports.iter().map(ToString::to_string).collect();
                write!(f, "{} published for {address}", ports.join(", "))?;
                match from {
                    Some(link) => write!(f, " through {link}"),
                    None => Ok(()),
                }
            }
            Self::PublishBehind { link } => write!(f, "ports published behind {link}"),
            Self::Isolate { link, isolation } => {
                let from = match isolation {
                    Isolation::Never => "strict networks",
                    Isolation::Normal => "isolated networks",
                    Isolation::Strict => "all networks",
                };
                write!(f, "{link} kept apart from {from}")
            }
            Self::Internal { link, host } => {
                let and_host = if *host { " and the host" } else { "" };
                write!(f, "{link} open to its own network{and_host} only")
            }
            Self::InternalMember { address, link } => {
                write!(f, "{address} behind {link} in an internal network")
            }
            Self::InternalSubnets { subnets } => {
                let subnets: Vec<_> = subnets.iter().map(ToString::to_string).collect();
                write!(f, "{} an internal network", subnets.join(", "))
            }
            Self::OnlyThrough { address, link } => {
                write!(f, "what is led to {address} kept to {link}")
            }
            Self::Filter { traffic, policy } => {
                let side = if traffic.incoming { "to" } else { "from" };
                let only = only(traffic.ports.as_ref(), traffic.peer);
                write!(f, "connections {side} {}{only} {policy}", traffic.address)
            }
            Self::FilterLink {
                link,
                traffic,
                policy,
            } => {
                let side = if traffic.incoming { "to" } else { "from" };
                let only = only(traffic.ports.as_ref(), traffic.peer);
                write!(f, "connections {side} container:{link}{only} {policy}")
            }
            Self::CheckSender { link, mac } => write!(f, "only {mac} let in through {link}"),
        }
    }
}

/// Reading the firewall of the host and of the container's namespace.
pub trait FirewallRead {
    /// Checks that nobody else has an element that entries would take. The
    /// error names the owner.
    fn free_for_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError>;
    /// Whether all objects of an entry exist.
    fn has_firewall(&mut self, entry: &FirewallEntry) -> Result<bool, KernelError>;
    /// Lists the parts of entries that are missing or out of order. Entries in the
    /// container's namespace are passed over, because they go with it.
    fn missing_firewall(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError>;
}

/// Changing the firewall of the host and of the container's namespace.
pub trait Firewall {
    /// Adds entries of one driver, all or none.
    fn add_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError>;
    /// Restores the parts of entries that are missing or out of order. Entries in the
    /// container's namespace are passed over.
    fn restore_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError>;
    /// Removes the objects of an entry that exist.
    fn remove_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError>;
    /// Removes the table of an entry, unless objects are left in it.
    fn remove_empty_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ranges: Vec<(u16, u16)>, peer: Option<&str>) -> String {
        let rule = FirewallRule::Filter {
            traffic: Traffic {
                incoming: true,
                address: "192.0.2.9".parse().unwrap(),
                peer: peer.map(|peer| peer.parse().unwrap()),
                ports: Some(Ports {
                    protocol: Protocol::Tcp,
                    ranges,
                }),
            },
            policy: Policy::Accept,
        };
        rule.to_string()
    }

    #[test]
    fn a_filter_says_what_it_is_for() {
        assert_eq!(
            text(vec![(80, 80), (8000, 8100)], Some("10.0.0.0/8")),
            "connections to 192.0.2.9 (tcp 80 8000-8100, peer 10.0.0.0/8) accepted"
        );
        assert_eq!(
            text(Vec::new(), None),
            "connections to 192.0.2.9 (tcp) accepted"
        );
    }

    #[test]
    fn a_drivers_list_of_ports_is_cut() {
        let many = text((1..=1024).map(|port| (port, port)).collect(), None);
        assert!(
            many.contains("(tcp 1 2 3 4 5 6 7 8 and 1016 more)"),
            "{many}"
        );
    }
}
