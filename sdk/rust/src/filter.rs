//! Filters of a container's connections, by lists of those that may pass. This is like
//! CNI's plugin firewall.

use core::net::IpAddr;

use crate::firewall::{self, Direction, LinkTraffic, PortRange, Traffic};
use crate::links::Link;
use crate::types::{Error, Protocol, Request, RequestOption};
use crate::{find, is_v6, not, without_prefix};

/// The value that lets nothing pass.
const NOTHING: &str = "none";

/// The word for every protocol.
const ANY: &str = "any";

/// The parsed options of the filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    incoming: Option<Vec<Item>>,
    outgoing: Option<Vec<Item>>,
}

/// One item of a list: connections that may pass.
#[derive(Debug, Clone, PartialEq)]
struct Item {
    protocol: Option<Protocol>,
    /// The first and the last port.
    ports: Option<(u16, u16)>,
    /// The network of the other end, and whether it's an IPv6 network.
    peer: Option<(String, bool)>,
}

impl Filter {
    /// Parses the options `incoming` and `outgoing`.
    pub fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        Ok(Self {
            incoming: list(options, "incoming")?,
            outgoing: list(options, "outgoing")?,
        })
    }

    /// Accepts the connections in the lists, for each of the container's addresses, and
    /// drops all others. The filter is on the host. It's for links whose packets the host
    /// sends, receives or forwards.
    ///
    /// # Errors
    ///
    /// The container has no address from Podman, so that no rule would be for it.
    pub fn apply(&self, request: &Request) -> Result<(), Error> {
        let is_given = self.incoming.is_some() || self.outgoing.is_some();
        if is_given && request.addresses.is_empty() {
            return Err(Error::Invalid(
                "incoming and outgoing are for the container's addresses, and Podman gave it none"
                    .to_owned(),
            ));
        }
        let lists = [
            (Direction::Incoming, &self.incoming),
            (Direction::Outgoing, &self.outgoing),
        ];
        for (direction, list) in lists {
            let Some(items) = list else {
                continue;
            };
            for address in &request.addresses {
                let address = without_prefix(address);
                let fit = items.iter().filter(|item| item.fits(address));
                for item in fit {
                    firewall::accept(&item.traffic(direction, address))?;
                }
                firewall::drop(&all(direction, address))?;
            }
        }
        Ok(())
    }
}

impl Filter {
    /// Accepts the connections in the lists over a link of the container, and drops all
    /// others. The filter is in the container's namespace. It's for links whose packets
    /// don't pass the host's firewall, and must be called before the link is set up.
    pub fn apply_in_container(&self, link: &Link) -> Result<(), Error> {
        let lists = [
            (Direction::Incoming, &self.incoming),
            (Direction::Outgoing, &self.outgoing),
        ];
        for (direction, list) in lists {
            let Some(items) = list else {
                continue;
            };
            for item in items {
                firewall::accept_in_container(link, &item.link_traffic(direction))?;
            }
            firewall::drop_in_container(link, &all_over_link(direction))?;
        }
        Ok(())
    }
}

impl Item {
    fn parse(text: &str) -> Option<Self> {
        let (what, peer) = match text.split_once('@') {
            Some((what, peer)) => (what, Some(network(peer)?)),
            None => (text, None),
        };
        let (protocol, ports) = match what.split_once('/') {
            Some((protocol, ports)) => (protocol, Some(range(ports)?)),
            None => (what, None),
        };
        let protocol = match (protocol, ports.is_none()) {
            (ANY, true) => None,
            ("tcp", _) => Some(Protocol::Tcp),
            ("udp", _) => Some(Protocol::Udp),
            ("sctp", _) => Some(Protocol::Sctp),
            _ => return None,
        };
        Some(Self {
            protocol,
            ports,
            peer,
        })
    }

    /// Whether both ends have the same address family.
    fn fits(&self, address: &str) -> bool {
        let mut peer = self.peer.iter();
        peer.all(|(_, v6)| *v6 == is_v6(address))
    }

    fn traffic(&self, direction: Direction, address: &str) -> Traffic {
        Traffic {
            peer: self.peer_network(),
            protocol: self.protocol,
            ports: self.port_ranges(),
            ..all(direction, address)
        }
    }

    fn link_traffic(&self, direction: Direction) -> LinkTraffic {
        LinkTraffic {
            direction,
            peer: self.peer_network(),
            protocol: self.protocol,
            ports: self.port_ranges(),
        }
    }

    fn peer_network(&self) -> Option<String> {
        self.peer.as_ref().map(|(network, _)| network.clone())
    }

    fn port_ranges(&self) -> Vec<PortRange> {
        let ports = self.ports.iter();
        ports
            .map(|(first, last)| PortRange {
                first: *first,
                last: *last,
            })
            .collect()
    }
}

fn all_over_link(direction: Direction) -> LinkTraffic {
    LinkTraffic {
        direction,
        peer: None,
        protocol: None,
        ports: Vec::new(),
    }
}

fn all(direction: Direction, address: &str) -> Traffic {
    Traffic {
        direction,
        address: address.to_owned(),
        peer: None,
        protocol: None,
        ports: Vec::new(),
    }
}

fn list(options: &[RequestOption], key: &str) -> Result<Option<Vec<Item>>, Error> {
    let Some(text) = find(options, key) else {
        return Ok(None);
    };
    if text == NOTHING {
        return Ok(Some(Vec::new()));
    }
    let items = text.split_whitespace().map(|item| {
        Item::parse(item).ok_or_else(|| {
            let expected = "like tcp/443, udp/8000-8100, tcp, tcp/443@10.0.0.0/8 or any@fd00::/8";
            not(key, item, expected)
        })
    });
    let items: Vec<Item> = items.collect::<Result<_, _>>()?;
    match items.is_empty() {
        true => Err(Error::Invalid(format!(
            "unable to parse \"{key}\": it names nothing; to let nothing through, give {NOTHING}"
        ))),
        false => Ok(Some(items)),
    }
}

/// Parses a port or a range of ports, as `443` or `8000-8100`.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

/// Parses an address or a network. Returns it with whether it's IPv6.
fn network(text: &str) -> Option<(String, bool)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let v6 = matches!(address.parse().ok()?, IpAddr::V6(_));
    let longest = if v6 { 128 } else { 32 };
    let length = length.unwrap_or(longest);
    (length <= longest).then(|| (format!("{address}/{length}"), v6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_a_protocol_with_a_port_and_a_network() {
        let parsed = |text| Item::parse(text).unwrap();
        let item = parsed("tcp/8000-8100@10.0.0.0/8");
        assert_eq!(item.protocol, Some(Protocol::Tcp));
        assert_eq!(item.ports, Some((8000, 8100)));
        assert_eq!(item.peer, Some(("10.0.0.0/8".to_owned(), false)));
        assert!(item.fits("10.88.0.2") && !item.fits("fd88::2"));
        let item = parsed("any@fd00::1");
        assert_eq!(item.protocol, None);
        assert_eq!(item.peer, Some(("fd00::1/128".to_owned(), true)));
        assert!(parsed("udp").ports.is_none());
        assert_eq!(parsed("sctp/7").protocol, Some(Protocol::Sctp));
    }

    #[test]
    fn mistakes_are_named() {
        for item in [
            "x",
            "tcp/",
            "tcp/x",
            "tcp/2-1",
            "tcp/65536",
            "any/80",
            "tcp@",
            "tcp@x",
            "tcp@10.0.0.0/33",
            "tcp/80@fd00::/129",
            "/80",
            "icmp",
        ] {
            assert!(Item::parse(item).is_none(), "{item}");
        }
        let list = |value: &str| {
            let option = RequestOption {
                key: "incoming".to_owned(),
                value: value.to_owned(),
                origin: crate::types::OptionOrigin::Network,
            };
            list(&[option], "incoming")
        };
        assert_eq!(list("none").unwrap(), Some(Vec::new()));
        assert_eq!(list("tcp/80  udp/53").unwrap().unwrap().len(), 2);
        assert!(list("").is_err() && list("tcp/80 x").is_err());
    }
}
