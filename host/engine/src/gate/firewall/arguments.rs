//! The checks of the arguments of `firewall` calls.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use kernel::{Isolation, LinkTraffic, Ports, Traffic, Translation};
use policy::Call;
use types::{Port, PortRange, Protocol};

use crate::driver::wit::firewall::{
    Direction, Isolation as WitIsolation, LinkTraffic as WitLinkTraffic, PortRange as WitRange,
    Traffic as WitTraffic,
};
use crate::driver::wit::types::{Port as WitPort, Protocol as WitProtocol};
use crate::gate::bounds;
use crate::gate::call::{CallError, invalid};

/// Converts a driver's description of traffic, and checks it.
pub(super) fn traffic(call: Call, traffic: WitTraffic) -> Result<Traffic, CallError> {
    let ports = destination_ports(call, traffic.protocol, &traffic.ports)?;
    let address = address(call, &traffic.address)?;
    let peer = traffic.peer.map(|peer| network(call, &peer)).transpose()?;
    if let Some(peer) = peer
        && peer.addr().is_ipv4() != address.is_ipv4()
    {
        let text = format!("{address} and {peer} are of two families");
        return Err(invalid(call, &text));
    }
    Ok(Traffic {
        incoming: traffic.direction == Direction::Incoming,
        address,
        peer,
        ports,
    })
}

/// Converts a driver's description of traffic over a link, and checks it.
pub(super) fn link_traffic(call: Call, traffic: WitLinkTraffic) -> Result<LinkTraffic, CallError> {
    let ports = destination_ports(call, traffic.protocol, &traffic.ports)?;
    let peer = traffic.peer.map(|peer| network(call, &peer)).transpose()?;
    Ok(LinkTraffic {
        incoming: traffic.direction == Direction::Incoming,
        peer,
        ports,
    })
}

fn destination_ports(
    call: Call,
    protocol: Option<WitProtocol>,
    ports: &[WitRange],
) -> Result<Option<Ports>, CallError> {
    bounds::port_ranges(call, ports)?;
    let mut ranges = ports.iter().map(|range| (range.first, range.last));
    if let Some((first, last)) = ranges.clone().find(|(first, last)| last < first) {
        let text = format!("{first}-{last} are no ports: the last is below the first");
        return Err(invalid(call, &text));
    }
    match protocol {
        Some(protocol) => Ok(Some(Ports {
            protocol: protocol.into(),
            ranges: ranges.collect(),
        })),
        None if ranges.next().is_some() => {
            Err(invalid(call, &"ports need a protocol: tcp, udp or sctp"))
        }
        None => Ok(None),
    }
}

impl From<WitIsolation> for Isolation {
    fn from(isolation: WitIsolation) -> Self {
        match isolation {
            WitIsolation::Never => Self::Never,
            WitIsolation::Normal => Self::Normal,
            WitIsolation::Strict => Self::Strict,
        }
    }
}

/// Converts the ports to publish to a container's address. Ports with a host address of
/// the other family are left out, as in netavark.
pub(super) fn ports_for(
    call: Call,
    ports: Vec<WitPort>,
    requested: &[PortRange],
    address: IpAddr,
) -> Result<Vec<PortRange>, CallError> {
    bounds::ports(call, &ports, requested)?;
    let ports = ports.into_iter().map(|port| {
        let host_address = port.host_address.map(|text| self::address(call, &text));
        Ok(Port {
            host_address: host_address.transpose()?,
            host_port: port.host_port,
            container_port: port.container_port,
            protocol: port.protocol.into(),
        })
    });
    let mut ports = ports.collect::<Result<Vec<Port>, CallError>>()?;
    ports.retain(|port| {
        let at = port.host_address;
        at.is_none_or(|at| at.is_ipv4() == address.is_ipv4())
    });
    let ports = each_once(call, ports)?;
    let rows = PortRange::fold(&ports);
    bounds::port_rows(call, &rows, requested)?;
    Ok(rows)
}

/// Leaves out ports that lead to the same place twice. The unspecified address of a
/// family (`0.0.0.0`, `::`) means all of its addresses, as no address does.
fn each_once(call: Call, ports: Vec<Port>) -> Result<Vec<Port>, CallError> {
    let mut led = BTreeMap::new();
    let mut once = Vec::new();
    for port in ports {
        let at = port.host_address.filter(|at| !at.is_unspecified());
        let key = (port.protocol, at, port.host_port);
        match led.insert(key, port.container_port) {
            None => once.push(port),
            Some(other) if other == port.container_port => {}
            Some(other) => return Err(invalid(call, &led_twice(&port, other))),
        }
    }
    Ok(once)
}

fn led_twice(port: &Port, other: u16) -> String {
    let at = match port.host_address {
        Some(at) if !at.is_unspecified() => at.to_string(),
        _ => "all addresses".to_owned(),
    };
    format!(
        "port {}/{} of {at} can't lead to the container's ports {other} and {}: publish one of \
         them on another port",
        port.host_port, port.protocol, port.container_port
    )
}

impl From<WitProtocol> for Protocol {
    fn from(protocol: WitProtocol) -> Self {
        match protocol {
            WitProtocol::Tcp => Self::Tcp,
            WitProtocol::Udp => Self::Udp,
            WitProtocol::Sctp => Self::Sctp,
        }
    }
}

pub(super) fn translation(
    call: Call,
    source: &str,
    except: &[String],
    address: Option<IpAddr>,
) -> Result<Translation, CallError> {
    bounds::except(call, except)?;
    let except = except.iter().map(|network| self::network(call, network));
    Ok(Translation {
        source: network(call, source)?,
        except: except.collect::<Result<_, _>>()?,
        address,
    })
}

pub(super) fn address(call: Call, text: &str) -> Result<IpAddr, CallError> {
    bounds::address(call, text)?;
    text.parse()
        .map_err(|_| invalid(call, &format!("{text:?} is no IP address")))
}

pub(super) fn network(call: Call, text: &str) -> Result<IpNet, CallError> {
    bounds::address(call, text)?;
    let network: IpNet = text
        .parse()
        .map_err(|_| invalid(call, &format!("{text:?} is no network: ADDRESS/LENGTH")))?;
    Ok(network.trunc())
}
