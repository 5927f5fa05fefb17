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
    /// The version of a network.
    pub fn of(network: &IpNet) -> Self {
        match network {
            IpNet::V4(_) => Self::Ipv4,
            IpNet::V6(_) => Self::Ipv6,
        }
    }

    /// The network of all addresses.
    pub fn everything(self) -> IpNet {
        match self {
            Self::Ipv4 => Ipv4Net::default().into(),
            Self::Ipv6 => Ipv6Net::default().into(),
        }
    }
}

/// A mark that packets have inside the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The value of the bits that count.
    pub value: u32,
    /// The bits that count.
    pub mask: u32,
}

/// A rule: packets that have all that it names are routed by its table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The version of IP.
    pub version: IpVersion,
    /// Where packets come from, without host bits; never everywhere.
    pub source: Option<IpNet>,
    /// Where they go to, without host bits; never everywhere.
    pub destination: Option<IpNet>,
    /// The link that they came in by.
    pub incoming: Option<LinkName>,
    /// The link that their program has bound itself to.
    pub outgoing: Option<LinkName>,
    /// Their mark.
    pub mark: Option<Mark>,
    /// Its place among the rules: the lowest number comes first.
    pub priority: u32,
    /// The table.
    pub table: u32,
}

impl Rule {
    /// The links that it names.
    pub fn links(&self) -> impl Iterator<Item = &LinkName> {
        self.incoming.iter().chain(&self.outgoing)
    }
}

impl fmt::Display for Rule {
    /// As `ip rule` shows it.
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
