//! What a driver can have in the host's firewall: rules in the driver's own
//! terms. How they become nftables is `netlink::nft`'s business.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use types::Digest;
use types::{LinkName, Mac, PortRange, Protocol};

use super::KernelError;

/// What stands before the driver's name in the name of its tables.
const TABLE_PREFIX: &str = "wasmvark-";
/// How much of an id stands in a tag, as in what Podman shows.
const SHORT_ID: usize = 12;
/// How much of a digest does: 128 bits.
const SHORT_DIGEST: usize = 32;
/// How much of it tells containers apart that have short ids in common.
const SHORT_CONTAINER_DIGEST: usize = 16;

/// A rule of a driver, and what it's known by in the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirewallEntry {
    /// The name of the driver's tables.
    pub table: String,
    /// The comment on all that the rule becomes. It's the same whenever the same
    /// rule is made for the same owner, so it's known again whatever happened to
    /// handles meanwhile.
    pub tag: String,
    /// The rule.
    pub rule: FirewallRule,
}

/// What somebody has removed from a driver's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingFirewall {
    /// Its fixed part, or some of it; the name is the table's.
    Table(String),
    /// A rule, or some of it, or its place among others.
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

/// Whose a rule is.
#[derive(Debug, Clone, Copy)]
pub struct FirewallOwner<'a> {
    /// The driver's name.
    pub driver: &'a str,
    /// The network's id.
    pub network: &'a str,
    /// The container's id; `None` for rules that all containers of the network
    /// share.
    pub container: Option<&'a str>,
}

/// A rule in a driver's own terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirewallRule {
    /// What is sent from a network gets an address of the host's.
    Translate(Translation),
    /// Ports of the host lead to a container.
    Publish(Publication),
    /// Published ports may lead to containers behind a link: also for those
    /// behind the same link, and for the host's loopback addresses.
    PublishBehind {
        /// The link.
        link: LinkName,
    },
    /// The network behind a link keeps apart from the driver's others.
    Isolate {
        /// The link.
        link: LinkName,
        /// From which.
        isolation: Isolation,
    },
    /// Connections of a container are let through or dropped.
    Filter {
        /// Which.
        traffic: Traffic,
        /// What becomes of them.
        policy: Policy,
    },
    /// Frames that come in through a port of a bridge are dropped unless they are
    /// from one of these senders.
    CheckSender {
        /// The port.
        link: LinkName,
        /// A sender.
        mac: Mac,
    },
}

/// What becomes of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// No later rule of the same container and direction is asked.
    Accept,
    /// Nothing passes but answers.
    Drop,
}

/// Connections of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Whether others open them; else the container does.
    pub incoming: bool,
    /// The container's address.
    pub address: IpAddr,
    /// The network that the other end is in, of the same family; `None` means
    /// any.
    pub peer: Option<IpNet>,
    /// The protocol, and where they go; `None` means any.
    pub ports: Option<Ports>,
}

/// Destination ports of a protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// The protocol.
    pub protocol: Protocol,
    /// The first and the last of each range; none means all.
    pub ranges: Vec<(u16, u16)>,
}

/// From which other networks one keeps apart: `isolate` of netavark's bridges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// From strict ones only.
    Never,
    /// From those that are isolated as well.
    Normal,
    /// From all.
    Strict,
}

/// Which ports lead to which address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// The ports.
    pub ports: Vec<PortRange>,
    /// The container's address. Host addresses are of the same family.
    pub address: IpAddr,
}

/// Which packets get another source address, and which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    /// The network that they come from.
    pub source: IpNet,
    /// Where they may go as they are.
    pub except: Vec<IpNet>,
    /// The address; `None` means that of the link that they leave through.
    pub address: Option<IpAddr>,
}

/// The family of a driver's table (NFPROTO_* in `linux/netfilter.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirewallFamily {
    /// For IPv4 and IPv6.
    Inet,
    /// For the frames of bridges.
    Bridge,
}

impl FirewallEntry {
    /// The entry for a rule.
    pub fn new(owner: FirewallOwner<'_>, rule: FirewallRule) -> Self {
        Self {
            table: format!("{TABLE_PREFIX}{}", owner.driver),
            tag: tag(owner, &rule),
            rule,
        }
    }

    /// Whether both are in the same table.
    pub fn is_beside(&self, other: &Self) -> bool {
        (&self.table, self.rule.family()) == (&other.table, other.rule.family())
    }

    /// Whether what has another tag is the same container's, as its tag says,
    /// on whatever network.
    pub(crate) fn is_same_container(&self, other: &str) -> bool {
        let container = |tag: &str| tag.split(' ').nth(1).map(str::to_owned);
        let own = container(&self.tag);
        own.as_deref() != Some(SHARED) && own == container(other)
    }
}

/// What stands in the place of a container's id in the tag of what all
/// containers of a network share.
const SHARED: &str = "shared";

/// Short ids for people, and a digest of all of it, which is what tells two
/// apart. nft(8) takes comments of 128 characters back.
fn tag(owner: FirewallOwner<'_>, rule: &FirewallRule) -> String {
    let short = |text: &str, length| text.chars().take(length).collect::<String>();
    let container = owner.container.map_or(SHARED.to_owned(), |id| {
        let digest = Digest::of(id.as_bytes());
        let digest = short(digest.hex(), SHORT_CONTAINER_DIGEST);
        format!("{}:{digest}", short(id, SHORT_ID))
    });
    // A rule is plain data, which always has a text.
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
    /// The family of the table that it's in.
    pub fn family(&self) -> FirewallFamily {
        match self {
            Self::Translate(_)
            | Self::Publish(_)
            | Self::PublishBehind { .. }
            | Self::Isolate { .. }
            | Self::Filter { .. } => FirewallFamily::Inet,
            Self::CheckSender { .. } => FirewallFamily::Bridge,
        }
    }

    /// The link of the host that it's about, by its name.
    pub fn link(&self) -> Option<&LinkName> {
        match self {
            Self::PublishBehind { link }
            | Self::Isolate { link, .. }
            | Self::CheckSender { link, .. } => Some(link),
            Self::Translate(_) | Self::Publish(_) | Self::Filter { .. } => None,
        }
    }

    /// How many rules of nftables it becomes.
    pub fn rules(&self) -> usize {
        match self {
            // One translates, one drops what can't be translated.
            Self::Translate(_) => 2,
            Self::Filter { traffic, .. } => {
                let ports = traffic.ports.as_ref();
                ports.map_or(1, |ports| ports.ranges.len().max(1))
            }
            Self::Publish(_)
            | Self::PublishBehind { .. }
            | Self::Isolate { .. }
            | Self::CheckSender { .. } => 0,
        }
    }

    /// How many ports it publishes: each is an element of a map.
    pub fn ports(&self) -> usize {
        match self {
            Self::Publish(publication) => {
                let counts = publication.ports.iter().map(PortRange::count);
                counts.fold(0, usize::saturating_add)
            }
            _ => 0,
        }
    }

    /// What it is, in a word.
    fn kind(&self) -> &'static str {
        match self {
            Self::Translate(Translation { address: None, .. }) => "masquerade",
            Self::Translate(_) => "source-address",
            Self::Publish(_) => "publish",
            Self::PublishBehind { .. } => "publish-behind",
            Self::Isolate { .. } => "isolate",
            Self::Filter { policy, .. } => match policy {
                Policy::Accept => "accept",
                Policy::Drop => "drop",
            },
            Self::CheckSender { .. } => "spoof-check",
        }
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
            Self::Publish(Publication { ports, address }) => {
                let ports: Vec<_> = ports.iter().map(ToString::to_string).collect();
                write!(f, "{} published for {address}", ports.join(", "))
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
            Self::Filter { traffic, policy } => {
                let side = if traffic.incoming { "to" } else { "from" };
                let fate = match policy {
                    Policy::Accept => "accepted",
                    Policy::Drop => "dropped",
                };
                write!(f, "connections {side} {} {fate}", traffic.address)
            }
            Self::CheckSender { link, mac } => write!(f, "only {mac} let in through {link}"),
        }
    }
}

/// Reading the host's firewall.
pub trait FirewallRead {
    /// Fails if somebody else has what entries would take, and says who.
    fn free_for_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError>;
    /// Whether all that an entry consists of is there.
    fn has_firewall(&mut self, entry: &FirewallEntry) -> Result<bool, KernelError>;
    /// Lists what of entries is missing, or in another order.
    fn missing_firewall(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError>;
}

/// Changing the host's firewall.
pub trait Firewall {
    /// Adds entries of one driver, all or none.
    fn add_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError>;
    /// Restores what of entries is missing, or in another order.
    fn restore_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError>;
    /// Removes what is there of an entry.
    fn remove_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError>;
    /// Removes the table of an entry if nothing else is in it.
    fn remove_empty_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError>;
}
