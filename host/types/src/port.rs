//! Published ports.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// Returns the protocol's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }

    /// Returns the protocol's number (IPPROTO_* in `linux/in.h`).
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The host address, or `None` for all addresses.
    pub host_address: Option<IpAddr>,
    /// The port on the host.
    pub host_port: u16,
    /// The port in the container.
    pub container_port: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// Consecutive published ports that lead to consecutive ports of the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRange {
    /// The host address, or `None` for all addresses.
    pub host_address: Option<IpAddr>,
    /// The protocol.
    pub protocol: Protocol,
    /// The first port on the host.
    pub first: u16,
    /// The last port on the host, which isn't below the first.
    pub last: u16,
    /// The port in the container that the first port leads to.
    pub container_first: u16,
}

impl PortRange {
    /// Folds ports into the fewest ranges, ordered by protocol, host address, distance
    /// to the port in the container, and port.
    pub fn fold(ports: &[Port]) -> Vec<Self> {
        let mut ports: Vec<&Port> = ports.iter().collect();
        ports.sort_by_key(|port| {
            let shift = i32::from(port.container_port) - i32::from(port.host_port);
            (port.protocol, port.host_address, shift, port.host_port)
        });
        let mut ranges: Vec<Self> = Vec::new();
        for port in ports {
            match ranges.last_mut() {
                Some(range) if range.precedes(port) => range.last = port.host_port,
                _ => ranges.push(Self::one(port)),
            }
        }
        ranges
    }

    fn one(port: &Port) -> Self {
        Self {
            host_address: port.host_address,
            protocol: port.protocol,
            first: port.host_port,
            last: port.host_port,
            container_first: port.container_port,
        }
    }

    /// Whether a port repeats the range's last port or continues the range.
    fn precedes(&self, port: &Port) -> bool {
        let is_next = [Some(self.last), self.last.checked_add(1)].contains(&Some(port.host_port));
        let shift = i32::from(port.container_port) - i32::from(port.host_port);
        let same_shift = shift == self.shift();
        let same = (self.protocol, self.host_address) == (port.protocol, port.host_address);
        same && same_shift && is_next
    }

    /// Returns the number of ports.
    pub fn count(&self) -> usize {
        usize::from(self.last.saturating_sub(self.first)) + 1
    }

    /// Whether both ranges have a port of the host in common. An unspecified address
    /// means all addresses of its family.
    pub fn overlaps(&self, other: &Self) -> bool {
        let meet = |one: IpAddr, other: IpAddr| {
            let same_family = one.is_ipv4() == other.is_ipv4();
            same_family && (one == other || one.is_unspecified() || other.is_unspecified())
        };
        let at_same_address = match (self.host_address, other.host_address) {
            (Some(one), Some(other)) => meet(one, other),
            _ => true,
        };
        self.protocol == other.protocol
            && at_same_address
            && self.first <= other.last
            && other.first <= self.last
    }

    /// Whether one of the folded ranges contains another range. `folded` is in the
    /// order of [`PortRange::fold`], so that a binary search finds it.
    pub fn any_contains(folded: &[Self], other: &Self) -> bool {
        let of_family = other.host_address.map(|address| match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        });
        [None, of_family, other.host_address]
            .into_iter()
            .any(|address| {
                let key = (other.protocol, address, other.shift(), other.first);
                let behind = folded.partition_point(|range| range.sort_key() <= key);
                let last = behind.checked_sub(1).and_then(|at| folded.get(at));
                last.is_some_and(|range| range.contains(other))
            })
    }

    /// Returns the key by which ranges are ordered.
    fn sort_key(&self) -> (Protocol, Option<IpAddr>, i32, u16) {
        (self.protocol, self.host_address, self.shift(), self.first)
    }

    /// Returns the distance from the ports on the host to those in the container.
    fn shift(&self) -> i32 {
        i32::from(self.container_first) - i32::from(self.first)
    }

    /// Returns each port on the host with the port in the container that it leads to.
    pub fn pairs(&self) -> impl Iterator<Item = (u16, u16)> {
        (self.first..=self.last).zip(self.container_first..=u16::MAX)
    }

    /// Whether this range publishes all ports of another range. A range for all host
    /// addresses, or for all of a family (0.0.0.0, ::), contains ranges for single
    /// addresses.
    pub fn contains(&self, other: &Self) -> bool {
        let has_address = match self.host_address {
            None => true,
            Some(own) if own.is_unspecified() => other
                .host_address
                .is_some_and(|address| address.is_ipv4() == own.is_ipv4()),
            own => own == other.host_address,
        };
        has_address
            && self.protocol == other.protocol
            && self.shift() == other.shift()
            && self.first <= other.first
            && other.last <= self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host_address {
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:")?,
            Some(address) => write!(f, "{address}:")?,
            None => {}
        }
        write!(f, "{}", self.first)?;
        if self.last != self.first {
            write!(f, "-{}", self.last)?;
        }
        write!(f, "/{}", self.protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(host_port: u16, container_port: u16, protocol: Protocol) -> Port {
        Port {
            host_address: None,
            host_port,
            container_port,
            protocol,
        }
    }

    #[test]
    fn ports_in_a_row_are_one_range() {
        let ports = [
            port(8082, 82, Protocol::Tcp),
            port(8080, 80, Protocol::Tcp),
            port(8081, 81, Protocol::Tcp),
            port(8081, 81, Protocol::Udp),
            port(8084, 84, Protocol::Tcp),
            port(8083, 80, Protocol::Tcp),
            port(u16::MAX, u16::MAX, Protocol::Sctp),
        ];
        let ranges = PortRange::fold(&ports);
        let texts: Vec<_> = ranges.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "8083/tcp",
                "8080-8082/tcp",
                "8084/tcp",
                "8081/udp",
                "65535/sctp"
            ]
        );
        let pairs: Vec<_> = ranges[1].pairs().collect();
        assert_eq!(pairs, [(8080, 80), (8081, 81), (8082, 82)]);
    }

    /// No two of these ports are consecutive. Comparing each with each would take
    /// minutes.
    #[test]
    fn many_single_ports_are_found_among_many() {
        let addresses = [None, Some("192.0.2.1".parse().unwrap())];
        let mut ports = Vec::new();
        for host_address in addresses {
            for protocol in Protocol::ALL {
                ports.extend((1..=u16::MAX).step_by(2).map(|host_port| Port {
                    host_address,
                    host_port,
                    container_port: host_port,
                    protocol,
                }));
            }
        }
        let folded = PortRange::fold(&ports);
        assert_eq!(folded.len(), 6 * 32_768);
        let is_there = |range: &PortRange| PortRange::any_contains(&folded, range);
        assert!(folded.iter().all(is_there));
        let beside = |range: &PortRange| {
            let (first, last) = (range.first - 1, range.last - 1);
            let container_first = range.container_first - 1;
            PortRange {
                first,
                last,
                container_first,
                ..range.clone()
            }
        };
        assert!(!folded.iter().map(beside).any(|range| is_there(&range)));
    }

    #[test]
    fn one_look_finds_what_comparing_with_all_finds() {
        let address = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let addresses = [
            None,
            address("0.0.0.0"),
            address("::"),
            address("192.0.2.1"),
            address("::1"),
        ];
        let all: Vec<Port> = addresses
            .iter()
            .flat_map(|host_address| {
                [(1, 1), (2, 2), (3, 3), (5, 5), (6, 7), (7, 8)].map(
                    |(host_port, container_port)| Port {
                        host_address: *host_address,
                        host_port,
                        container_port,
                        protocol: Protocol::Udp,
                    },
                )
            })
            .collect();
        for chosen in addresses {
            let own = all.iter().filter(|port| port.host_address == chosen);
            let folded = PortRange::fold(&own.cloned().collect::<Vec<_>>());
            for other in PortRange::fold(&all) {
                let compared = folded.iter().any(|range| range.contains(&other));
                assert_eq!(
                    PortRange::any_contains(&folded, &other),
                    compared,
                    "{other}"
                );
            }
        }
    }

    #[test]
    fn a_range_contains_what_leads_where_it_does() {
        let fold = |ports: &[Port]| PortRange::fold(ports).remove(0);
        let range = fold(&[port(80, 8080, Protocol::Tcp), port(81, 8081, Protocol::Tcp)]);
        let mut one = fold(&[port(81, 8081, Protocol::Tcp)]);
        assert!(range.contains(&one));
        assert!(!one.contains(&range));
        one.host_address = Some("192.0.2.1".parse().unwrap());
        assert!(range.contains(&one));
        assert_eq!(one.to_string(), "192.0.2.1:81/tcp");
        let mut other = range.clone();
        other.host_address = Some("::1".parse().unwrap());
        assert!(!other.contains(&one));
        assert_eq!(other.to_string(), "[::1]:80-81/tcp");
        other.host_address = Some("0.0.0.0".parse().unwrap());
        assert!(other.contains(&one));
        one.host_address = None;
        assert!(!other.contains(&one));
        assert!(!range.contains(&fold(&[port(81, 8080, Protocol::Tcp)])));
        assert!(!range.contains(&fold(&[port(81, 8081, Protocol::Udp)])));
    }
}
