//! The limits of a driver's arguments and objects.
//!
//! The WIT states each of these limits. An argument beyond its limit is refused before
//! it's parsed, compared, encoded or stored. The limits of lists are far above the
//! needs of networks, and far below the capacity of netlink, whose attributes have
//! lengths of 16 bits.

use std::fmt;

use policy::Call;
use types::PortRange;

use super::call::{CallError, invalid};
use crate::driver::GuestError;
use crate::driver::wit::firewall::PortRange as WitRange;
use crate::driver::wit::routes::NextHop;
use crate::driver::wit::types::Port as WitPort;

/// The most handles to links that a driver holds at once.
pub(super) const HANDLES: usize = 1024;
/// The most undo records of one container.
pub(super) const ENTRIES: usize = 1000;
/// The most of these records that all containers of the network share. Each one is
/// looked up in the journals of all these containers.
pub(super) const SHARED_ENTRIES: usize = 128;
/// The most nftables rules of one container.
pub(super) const FIREWALL_RULES: usize = 2048;
/// The most ports that a call publishes, unless the request has more.
const PORTS: usize = 4096;
/// The most port ranges that a call publishes, unless the request has more.
const PORT_ROWS: usize = 1024;

/// The limit of one kind of argument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// The kind of argument, as a noun.
    what: &'static str,
    /// The greatest length.
    max: usize,
    /// The unit of the length.
    unit: &'static str,
}

/// Returns the limit of a text, in bytes.
const fn text(what: &'static str, max: usize) -> Bound {
    Bound {
        what,
        max,
        unit: "bytes",
    }
}

/// Returns the limit of a list.
const fn list(what: &'static str, max: usize, unit: &'static str) -> Bound {
    Bound { what, max, unit }
}

/// The name of a link (IFNAMSIZ in `linux/if.h`, without the final NUL).
const LINK_NAME: Bound = text("the name of a link", 15);
/// An address of any kind. The longest is an IPv6 network, with 49 bytes.
const ADDRESS: Bound = text("an address", 64);
/// The address of a PCI device.
pub(super) const PCI: Bound = text("the address of a device", 64);
/// The path of a device (PATH_MAX in `linux/limits.h`).
pub(super) const PATH: Bound = text("the path of a device", 4096);
/// The alias of a link (IFALIASZ in `linux/if.h`, without the NUL in the message and
/// the one that the kernel adds).
pub(super) const ALIAS: Bound = text("an alias", 254);
/// The name of a feature (ETH_GSTRING_LEN in `linux/ethtool.h`).
pub(super) const FEATURE: Bound = text("the name of a feature", 32);
/// The name of a kernel setting.
pub(super) const SETTING: Bound = text("the name of a setting", 256);
/// The value of a kernel setting.
pub(super) const SETTING_VALUE: Bound = text("the value of a setting", 1024);
/// The name of a secret.
pub(super) const SECRET: Bound = text("the name of a secret", 64);
/// A public key in base64.
pub(super) const PUBLIC_KEY: Bound = text("a public key", 64);
/// A value that is kept for a network.
pub(super) const STATE_VALUE: Bound = text("a value", 64 << 10);
/// A message for the operator.
pub(super) const MESSAGE: Bound = text("a message", 16 << 10);

const EXCEPT: Bound = list("the list `except`", 32, "networks");
const PORT_RANGES: Bound = list("the list of ports", 1024, "ranges");
const NEXT_HOPS: Bound = list("the list of next hops", 32, "hops");
const ALLOWED_IPS: Bound = list("the list of allowed addresses", 256, "networks");

impl Bound {
    /// Refuses a length beyond the limit.
    pub(super) fn check(self, call: Call, count: usize) -> Result<(), CallError> {
        match count <= self.max {
            true => Ok(()),
            false => Err(invalid(call, &LimitExceeded { bound: self, count })),
        }
    }

    /// Refuses a text that is too long.
    pub(super) fn text(self, call: Call, text: &str) -> Result<(), CallError> {
        self.check(call, text.len())
    }
}

/// The error for an argument beyond its limit.
struct LimitExceeded {
    bound: Bound,
    count: usize,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bound: Bound { what, max, unit },
            count,
        } = self;
        write!(
            f,
            "{what} has at most {max} {unit}, and this one has {count}"
        )
    }
}

/// Checks the name of a link.
pub(super) fn name(call: Call, name: &str) -> Result<(), CallError> {
    LINK_NAME.text(call, name)
}

/// Checks optional names of links.
pub(super) fn names<'a>(
    call: Call,
    names: impl IntoIterator<Item = &'a Option<String>>,
) -> Result<(), CallError> {
    let mut names = names.into_iter().flatten();
    names.try_for_each(|text| name(call, text))
}

/// Checks an IP address, a network or a MAC address.
pub(super) fn address(call: Call, address: &str) -> Result<(), CallError> {
    ADDRESS.text(call, address)
}

/// Checks optional addresses.
pub(super) fn addresses<'a>(
    call: Call,
    addresses: impl IntoIterator<Item = &'a Option<String>>,
) -> Result<(), CallError> {
    let mut addresses = addresses.into_iter().flatten();
    addresses.try_for_each(|text| address(call, text))
}

/// Checks the networks that masquerading excepts.
pub(super) fn except(call: Call, networks: &[String]) -> Result<(), CallError> {
    networks_within(call, EXCEPT, networks)
}

/// Checks the allowed IPs of a WireGuard peer.
pub(super) fn allowed_ips(call: Call, networks: &[String]) -> Result<(), CallError> {
    networks_within(call, ALLOWED_IPS, networks)
}

fn networks_within(call: Call, bound: Bound, networks: &[String]) -> Result<(), CallError> {
    bound.check(call, networks.len())?;
    let mut networks = networks.iter();
    networks.try_for_each(|network| address(call, network))
}

/// Checks ranges of destination ports.
pub(super) fn port_ranges(call: Call, ranges: &[WitRange]) -> Result<(), CallError> {
    PORT_RANGES.check(call, ranges.len())
}

/// Checks the next hops of a route.
pub(super) fn next_hops(call: Call, hops: &[NextHop]) -> Result<(), CallError> {
    NEXT_HOPS.check(call, hops.len())?;
    addresses(call, hops.iter().map(|hop| &hop.gateway))?;
    names(call, hops.iter().map(|hop| &hop.link))
}

/// Checks the ports to publish. There may be as many as the request has, or `PORTS`,
/// because a grant may allow more than the request.
pub(super) fn ports(
    call: Call,
    ports: &[WitPort],
    requested: &[PortRange],
) -> Result<(), CallError> {
    let max = PORTS.max(count(requested));
    list("the list of ports", max, "ports").check(call, ports.len())?;
    addresses(call, ports.iter().map(|port| &port.host_address))
}

/// Checks the ranges that the ports to publish form.
pub(super) fn port_rows(
    call: Call,
    rows: &[PortRange],
    requested: &[PortRange],
) -> Result<(), CallError> {
    let max = PORT_ROWS.max(requested.len());
    list("the list of ports", max, "rows of ports").check(call, rows.len())
}

/// Returns the number of ports that a container may have published in total. It has
/// room for the request's ports on an address of each family, and for as many ports
/// again that other ports lead to.
pub(super) fn all_ports(requested: &[PortRange]) -> usize {
    PORTS.max(count(requested)).saturating_mul(4)
}

/// Counts the single ports of ranges.
pub(super) fn count(ranges: &[PortRange]) -> usize {
    let lengths = ranges.iter().map(PortRange::count);
    lengths.fold(0, usize::saturating_add)
}

/// Returns the error for too many handles.
pub(super) fn too_many_handles(call: Call) -> CallError {
    let text = format!(
        "{call}: a driver holds at most {HANDLES} handles to links at once: drop some first"
    );
    GuestError::Other(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Port, Protocol};

    /// A check of an argument of a given length.
    type Check = Box<dyn Fn(usize) -> Result<(), CallError>>;

    /// Returns each limit with a check of an argument of a given length.
    fn kinds() -> Vec<(usize, Check)> {
        let call = Call::LinksGet;
        let of = |bound: Bound| -> (usize, Check) {
            let check = move |count| bound.text(call, &"x".repeat(count));
            (bound.max, Box::new(check))
        };
        let texts = [
            LINK_NAME,
            ADDRESS,
            PCI,
            PATH,
            ALIAS,
            FEATURE,
            SETTING,
            SETTING_VALUE,
            SECRET,
            PUBLIC_KEY,
            STATE_VALUE,
            MESSAGE,
        ];
        let mut kinds: Vec<_> = texts.map(of).into();
        let networks = |count| vec!["10.0.0.0/8".to_owned(); count];
        kinds.push((32, Box::new(move |count| except(call, &networks(count)))));
        kinds.push((
            256,
            Box::new(move |count| allowed_ips(call, &networks(count))),
        ));
        kinds.push((
            1024,
            Box::new(move |count| port_ranges(call, &vec![WitRange { first: 1, last: 2 }; count])),
        ));
        kinds.push((
            32,
            Box::new(move |count| {
                let hop = NextHop {
                    gateway: None,
                    link: None,
                    weight: 1,
                    on_link: false,
                };
                next_hops(call, &vec![hop; count])
            }),
        ));
        kinds.push((
            PORTS,
            Box::new(move |count| ports(call, &wit_ports(count), &[])),
        ));
        kinds.push((
            PORT_ROWS,
            Box::new(move |count| port_rows(call, &rows(count), &[])),
        ));
        kinds
    }

    fn wit_ports(count: usize) -> Vec<WitPort> {
        let port = WitPort {
            host_address: None,
            host_port: 1,
            container_port: 1,
            protocol: crate::driver::wit::types::Protocol::Tcp,
        };
        vec![port; count]
    }

    /// Returns single ports of which no two form a range.
    fn rows(count: usize) -> Vec<PortRange> {
        let ports = (0..count).map(|number| Port {
            host_address: None,
            host_port: u16::try_from(number * 2 % 65_536).unwrap(),
            container_port: 80,
            protocol: Protocol::Tcp,
        });
        PortRange::fold(&ports.collect::<Vec<_>>())
    }

    #[test]
    fn each_kind_passes_at_its_limit_and_not_beyond() {
        for (max, check) in kinds() {
            assert!(check(max).is_ok(), "{max}");
            let Err(CallError::Guest(GuestError::Invalid(text))) = check(max + 1) else {
                panic!("{max} and one more pass");
            };
            let says = |part: &str| text.contains(part);
            assert!(says("links.get: "), "{text}");
            assert!(says(&format!("at most {max} ")), "{text}");
            assert!(says(&format!("has {}", max + 1)), "{text}");
        }
    }

    #[test]
    fn what_stands_in_a_list_has_its_own_limit() {
        let call = Call::RoutesAdd;
        let long = "1".repeat(65);
        assert!(except(call, std::slice::from_ref(&long)).is_err());
        assert!(allowed_ips(call, std::slice::from_ref(&long)).is_err());
        let mut hop = NextHop {
            gateway: Some(long.clone()),
            link: None,
            weight: 1,
            on_link: false,
        };
        assert!(next_hops(call, std::slice::from_ref(&hop)).is_err());
        hop.gateway = None;
        hop.link = Some("sixteen-letters-".to_owned());
        assert!(next_hops(call, &[hop]).is_err());
        let mut published = wit_ports(1);
        published[0].host_address = Some(long);
        assert!(ports(call, &published, &[]).is_err());
    }

    #[test]
    fn a_request_with_all_ports_may_have_them_published() {
        let call = Call::FirewallPublish;
        let all: Vec<Port> = (1..=u16::MAX)
            .flat_map(|number| {
                Protocol::ALL.map(|protocol| Port {
                    host_address: None,
                    host_port: number,
                    container_port: number,
                    protocol,
                })
            })
            .collect();
        let requested = PortRange::fold(&all);
        assert_eq!(requested.len(), 3);
        assert!(ports(call, &wit_ports(all.len()), &requested).is_ok());
        assert!(ports(call, &wit_ports(all.len() + 1), &requested).is_err());
    }
}
