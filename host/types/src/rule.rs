//! Policy routing rules.

use std::fmt;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::LinkName;

/// A version of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpVersion {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl IpVersion {
    /// Both versions.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// Returns the version of a network.
    pub fn of(network: &IpNet) -> Self {
        match network {
            IpNet::V4(_) => Self::Ipv4,
            IpNet::V6(_) => Self::Ipv6,
        }
    }

    /// Returns the network of all addresses.
    pub fn everything(self) -> IpNet {
        match self {
            Self::Ipv4 => Ipv4Net::default().into(),
            Self::Ipv6 => Ipv6Net::default().into(),
        }
    }
}

/// The mark that packets carry inside the kernel (`fwmark`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The value of the bits below the mask.
    pub value: u32,
    /// The bits that are compared.
    pub mask: u32,
}

/// A policy routing rule. Packets that match all of its selectors are routed by its
/// table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The version of IP.
    pub version: IpVersion,
    /// The source of packets, without host bits. It is never all addresses.
    pub source: Option<IpNet>,
    /// The destination of packets, without host bits. It is never all addresses.
    pub destination: Option<IpNet>,
    /// The link that packets came in by (`iif`).
    pub incoming: Option<LinkName>,
    /// The link that the sending socket is bound to (`oif`).
    pub outgoing: Option<LinkName>,
    /// The mark of packets.
    pub mark: Option<Mark>,
    /// The rule's priority. The lowest number comes first.
    pub priority: u32,
    /// The routing table.
    pub table: u32,
}

impl Rule {
    /// Returns the links that the rule names.
    pub fn links(&self) -> impl Iterator<Item = &LinkName> {
        self.incoming.iter().chain(&self.outgoing)
    }
}

impl fmt::Display for Rule {
    /// Writes the rule as `ip rule` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.priority)?;
        match (self.source, self.destination, self.version) {
            (Some(source), _, _) => write!(f, " from {source}")?,
            (None, Some(_), _) => {}
            (None, None, IpVersion::Ipv4) => f.write_str(" from all IPv4")?,
            (None, None, IpVersion::Ipv6) => f.write_str(" from all IPv6")?,
        }
        if let Some(destination) = self.destination {
            write!(f, " to {destination}")?;
        }
        if let Some(incoming) = &self.incoming {
            write!(f, " iif {incoming}")?;
        }
        if let Some(outgoing) = &self.outgoing {
            write!(f, " oif {outgoing}")?;
        }
        if let Some(Mark { value, mask }) = self.mark {
            write!(f, " fwmark {value:#x}/{mask:#x}")?;
        }
        write!(f, " lookup {}", self.table)
    }
}
