//! Published ports, one for each port and protocol.

use std::net::IpAddr;

use types::{Port, Protocol};

use super::RequestError;
use crate::protocol::PortMapping;

/// Splits ranges and lists of protocols into single ports.
pub(super) fn unfold(mappings: &[PortMapping]) -> Result<Vec<Port>, RequestError> {
    let mut ports = Vec::new();
    for mapping in mappings {
        let host_address = host_address(&mapping.host_ip, mapping.host_port)?;
        for protocol in protocols(&mapping.protocol)? {
            for offset in 0..mapping.range.max(1) {
                ports.push(Port {
                    host_address,
                    host_port: at(mapping.host_port, offset)?,
                    container_port: at(mapping.container_port, offset)?,
                    protocol,
                });
            }
        }
    }
    Ok(ports)
}

/// The beginning of the error is netavark's.
fn host_address(text: &str, port: u16) -> Result<Option<IpAddr>, RequestError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        RequestError::Port(format!(
            "invalid host ip {text:?} provided for port {port}: give an IP address of the host"
        ))
    })
}

fn protocols(list: &str) -> Result<Vec<Protocol>, RequestError> {
    let list = if list.is_empty() { "tcp" } else { list };
    let parse = |name: &str| {
        let mut known = Protocol::ALL.into_iter();
        known.find(|known| known.name() == name).ok_or_else(|| {
            RequestError::Port(format!(
                "unknown port protocol {name:?}: use tcp, udp or sctp"
            ))
        })
    };
    list.split(',').map(parse).collect()
}

fn at(first: u16, offset: u16) -> Result<u16, RequestError> {
    first.checked_add(offset).ok_or_else(|| {
        RequestError::Port(format!(
            "the range of ports that begins at {first} ends beyond 65535"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(host_port: u16, range: u16, protocol: &str) -> PortMapping {
        PortMapping {
            container_port: 80,
            host_port,
            range,
            host_ip: String::new(),
            protocol: protocol.to_owned(),
        }
    }

    #[test]
    fn ranges_and_protocols_are_unfolded() {
        let ports = unfold(&[mapping(8080, 2, "tcp,udp")]).unwrap();
        let pairs: Vec<_> = ports
            .iter()
            .map(|p| (p.host_port, p.container_port, p.protocol))
            .collect();
        assert_eq!(
            pairs,
            [
                (8080, 80, Protocol::Tcp),
                (8081, 81, Protocol::Tcp),
                (8080, 80, Protocol::Udp),
                (8081, 81, Protocol::Udp)
            ]
        );
        assert_eq!(unfold(&[mapping(1, 0, "")]).unwrap().len(), 1);
    }

    #[test]
    fn a_range_beyond_the_last_port_is_refused() {
        assert!(unfold(&[mapping(65535, 1, "tcp")]).is_ok());
        assert!(unfold(&[mapping(65535, 2, "tcp")]).is_err());
        assert!(unfold(&[mapping(80, 1, "icmp")]).is_err());
    }
}
