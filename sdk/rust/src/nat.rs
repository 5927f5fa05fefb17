//! The connections between a network behind the host and other networks: forwarding,
//! source addresses and published ports.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::links::{self, Link};
use crate::sysctl::{self, IpVersion};
use crate::types::{CreateRequest, Error, Namespace, Network, Port, Request, RequestOption};
use crate::{alone, find, firewall, is_v6, neighbours, parse, parse_bool, without_prefix};

/// The option that names the link of [`proxy_ndp`].
const NDP_PROXY: &str = "ndp_proxy";

/// The option that names the link of the host that packets to published ports must come
/// in through. The host itself obeys it.
const PUBLISH_INTERFACE: &str = "publish_interface";

/// The parsed options for source addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nat {
    masquerade: bool,
    outbound4: Option<String>,
    outbound6: Option<String>,
}

impl Nat {
    /// Parses the options `masquerade`, `outbound_addr4` and `outbound_addr6`. The
    /// argument `masquerade` is the default of the first one.
    pub fn parse(options: &[RequestOption], masquerade: bool) -> Result<Self, Error> {
        let outbound4 = parse::<Ipv4Addr>(options, "outbound_addr4")?;
        let outbound6 = parse::<Ipv6Addr>(options, "outbound_addr6")?;
        let given = outbound4.is_some() || outbound6.is_some();
        let parsed = Self {
            masquerade: parse_bool(options, "masquerade", masquerade || given)?,
            outbound4: outbound4.map(|address| address.to_string()),
            outbound6: outbound6.map(|address| address.to_string()),
        };
        match given && !parsed.masquerade {
            true => Err(Error::Invalid(
                "outbound_addr4 and outbound_addr6 can't be given with masquerade=false, which \
                 leaves source addresses as they are"
                    .to_owned(),
            )),
            false => Ok(parsed),
        }
    }

    /// Masquerades the packets that leave the network's subnets, or gives them the
    /// outbound addresses. This is for networks whose subnets belong to the driver
    /// alone.
    pub fn translate(&self, network: &Network) -> Result<(), Error> {
        self.translate_from(&subnets(network), network)
    }

    /// Masquerades the packets of one container that leave the network's subnets, or
    /// gives them the outbound addresses.
    pub fn translate_container(&self, request: &Request) -> Result<(), Error> {
        self.translate_from(&addresses(request), &request.network)
    }

    fn translate_from(&self, sources: &[String], network: &Network) -> Result<(), Error> {
        if !self.masquerade || network.internal {
            return Ok(());
        }
        let subnets = subnets(network);
        for source in sources {
            let outbound = match is_v6(source) {
                true => &self.outbound6,
                false => &self.outbound4,
            };
            match outbound {
                Some(address) => firewall::source_address(source, &subnets, address)?,
                None => firewall::masquerade(source, &subnets)?,
            }
        }
        Ok(())
    }
}

/// Returns the container's addresses, each as a network of its own.
fn addresses(request: &Request) -> Vec<String> {
    let addresses = request.addresses.iter();
    addresses.map(|it| alone(without_prefix(it))).collect()
}

fn subnets(network: &Network) -> Vec<String> {
    network.subnets.iter().map(|it| it.subnet.clone()).collect()
}

/// Has firewalld let the packets of the network's subnets pass, or with `alone` only
/// those of the container. An internal network without name resolution reaches nothing
/// that firewalld could keep from it.
pub fn trust(request: &Request, alone_only: bool) -> Result<(), Error> {
    let network = &request.network;
    if network.internal && !network.dns {
        return Ok(());
    }
    let sources = match alone_only {
        true => addresses(request),
        false => subnets(network),
    };
    sources
        .iter()
        .try_for_each(|source| firewall::trust(source))
}

/// Refuses the options `ndp_proxy` and `publish_interface` for an internal network, which
/// nobody reaches.
pub fn check_outside_links(request: &CreateRequest) -> Result<(), Error> {
    for key in [NDP_PROXY, PUBLISH_INTERFACE] {
        let text = match find(&request.options, key) {
            Some(_) if request.network.internal => {
                "is not possible with --internal: no other machine reaches the containers of an \
                 internal network"
            }
            Some("") => "needs the name of an interface of the host",
            _ => continue,
        };
        return Err(Error::Invalid(format!("{key} {text}")));
    }
    Ok(())
}

/// Has the link of the host that the option `ndp_proxy` names answer neighbour
/// solicitations for the container's IPv6 addresses (RFC 4389). Machines on that link
/// then reach the container without a route. The host must forward packets.
pub fn proxy_ndp(request: &Request) -> Result<(), Error> {
    let Some(name) = find(&request.options, NDP_PROXY) else {
        return Ok(());
    };
    let mut addresses = request.addresses.iter().filter(|it| is_v6(it)).peekable();
    if addresses.peek().is_none() {
        return Ok(());
    }
    let link = links::get(Namespace::Host, name)?;
    sysctl::set_proxy_ndp(&link, true)?;
    addresses.try_for_each(|address| neighbours::add_proxy(&link, without_prefix(address)))
}

/// Publishes the request's ports to the container's first address of each family. The
/// container is behind a link of the host.
///
/// Internal networks publish nothing, as in netavark. Another network of the container
/// may publish the ports.
pub fn publish(link: &Link, request: &Request) -> Result<(), Error> {
    if request.ports.is_empty() || request.network.internal {
        return Ok(());
    }
    for v6 in [false, true] {
        let mut addresses = request.addresses.iter();
        let Some(address) = addresses.find(|address| is_v6(address) == v6) else {
            continue;
        };
        firewall::publish(link, &request.ports, without_prefix(address))?;
        let is_at = |port: &Port| port.host_address.as_deref().is_none_or(|at| !is_v6(at));
        let everywhere = find(&request.options, PUBLISH_INTERFACE).is_none();
        if !v6 && everywhere && request.ports.iter().any(is_at) {
            // This is for connections to 127.0.0.1. The firewall drops packets to it
            // from elsewhere already.
            sysctl::set_route_localnet(link, true)?;
        }
    }
    Ok(())
}

/// Closes an internal network behind a link of the host. The host itself stays within
/// reach where the network has a gateway, which is the host's address there.
pub fn close_internal(link: &Link, network: &Network) -> Result<(), Error> {
    if !network.internal {
        return Ok(());
    }
    let mut subnets = network.subnets.iter();
    firewall::internal(link, subnets.any(|subnet| subnet.gateway.is_some()))
}

/// Turns the host's forwarding on for the families of the container's addresses, unless
/// the network is internal.
pub fn forward(request: &Request) -> Result<(), Error> {
    if request.network.internal {
        return Ok(());
    }
    for (version, v6) in [(IpVersion::Ipv4, false), (IpVersion::Ipv6, true)] {
        if request.addresses.iter().any(|address| is_v6(address) == v6) {
            sysctl::enable_ip_forward(Namespace::Host, version)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Nat, String> {
        let option = |(key, value): &(&str, &str)| RequestOption {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: crate::types::OptionOrigin::Network,
        };
        let options: Vec<_> = pairs.iter().map(option).collect();
        Nat::parse(&options, false).map_err(|error| error.to_string())
    }

    #[test]
    fn an_outbound_address_stands_for_masquerade() {
        assert!(!parse(&[]).unwrap().masquerade);
        assert!(parse(&[("masquerade", "true")]).unwrap().masquerade);
        let given = parse(&[("outbound_addr4", "192.0.2.1")]).unwrap();
        assert!(given.masquerade);
        assert_eq!(given.outbound4.as_deref(), Some("192.0.2.1"));
        let both = [("outbound_addr6", "2001:db8::1"), ("masquerade", "false")];
        assert!(parse(&both).unwrap_err().contains("masquerade=false"));
    }

    #[test]
    fn each_outbound_address_has_its_family() {
        for (key, value) in [
            ("outbound_addr4", "2001:db8::1"),
            ("outbound_addr6", "192.0.2.1"),
            ("outbound_addr4", ""),
            ("outbound_addr4", "192.0.2.1/24"),
        ] {
            let error = parse(&[(key, value)]).unwrap_err();
            assert!(error.contains(key), "{error}");
        }
    }
}
