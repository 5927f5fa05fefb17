//! How much a driver may pass in one call, and have at once. The WIT states each of
//! these limits; what is beyond is refused before it's parsed, compared, encoded
//! or kept.
//!
//! A list's limit is far above what networks need, and far below what netlink can
//! carry: the length of an attribute has 16 bits.

use std::fmt;

use policy::Call;
use types::PortRange;

use super::call::{CallError, invalid};
use crate::driver::GuestError;
use crate::driver::wit::firewall::PortRange as WitRange;
use crate::driver::wit::routes::NextHop;
use crate::driver::wit::types::Port as WitPort;

/// Handles to links that a driver holds at once.
pub(super) const HANDLES: usize = 1024;
/// Changes that the journal holds of one container: each must be undone.
pub(super) const ENTRIES: usize = 1000;
/// Those of them that all containers of the network share: whether others still
/// have them is looked for in each of their journals.
pub(super) const SHARED_ENTRIES: usize = 128;
/// Rules that a container's part of the firewall consists of.
pub(super) const FIREWALL_RULES: usize = 2048;
/// Ports that a call publishes, where the request has fewer.
const PORTS: usize = 4096;
/// Rows of them, where the request has fewer.
const PORT_ROWS: usize = 1024;

/// A limit of one kind of argument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// What it's about: a noun.
    what: &'static str,
    /// How much at most.
    max: usize,
    /// Of what.
    unit: &'static str,
}

/// A text of at most so many bytes.
const fn text(what: &'static str, max: usize) -> Bound {
    Bound {
        what,
        max,
        unit: "bytes",
    }
}

/// A list of at most so many things.
const fn list(what: &'static str, max: usize, unit: &'static str) -> Bound {
    Bound { what, max, unit }
}

/// The name of a link (IFNAMSIZ in `linux/if.h`, without the final NUL).
const LINK_NAME: Bound = text("the name of a link", 15);
/// An address of any kind; the longest is an IPv6 network with 49.
const ADDRESS: Bound = text("an address", 64);
/// The address of a PCI device.
pub(super) const PCI: Bound = text("the address of a device", 64);
/// The path of a device (PATH_MAX in `linux/limits.h`).
pub(super) const PATH: Bound = text("the path of a device", 4096);
/// A text for people on a link (IFALIASZ in `linux/if.h`, less the final NUL that is
/// sent and the one that the kernel adds).
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
    /// Refuses what is beyond.
    pub(super) fn check(self, call: Call, came: usize) -> Result<(), CallError> {
        match came <= self.max {
            true => Ok(()),
            false => Err(invalid(call, &Beyond { bound: self, came })),
        }
    }

    /// Refuses a text that is too long.
    pub(super) fn text(self, call: Call, text: &str) -> Result<(), CallError> {
        self.check(call, text.len())
    }
}

/// More than there may be.
struct Beyond {
    bound: Bound,
    came: usize,
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bound: Bound { what, max, unit },
            came,
        } = self;
        write!(
            f,
            "{what} has at most {max} {unit}, and this one has {came}"
        )
    }
}

/// The name of a link, or one for it.
pub(super) fn name(call: Call, name: &str) -> Result<(), CallError> {
    LINK_NAME.text(call, name)
}

/// Names of links that may be left out.
pub(super) fn names<'a>(
    call: Call,
    names: impl IntoIterator<Item = &'a Option<String>>,
) -> Result<(), CallError> {
    let mut names = names.into_iter().flatten();
    names.try_for_each(|text| name(call, text))
}

/// An IP address, a network or a MAC address.
pub(super) fn address(call: Call, address: &str) -> Result<(), CallError> {
    ADDRESS.text(call, address)
}

/// Addresses that may be left out.
pub(super) fn addresses<'a>(
    call: Call,
    addresses: impl IntoIterator<Item = &'a Option<String>>,
) -> Result<(), CallError> {
    let mut addresses = addresses.into_iter().flatten();
    addresses.try_for_each(|text| address(call, text))
}

/// Networks that see the real source of packets.
pub(super) fn except(call: Call, networks: &[String]) -> Result<(), CallError> {
    networks_within(call, EXCEPT, networks)
}

/// Networks behind a peer.
pub(super) fn allowed_ips(call: Call, networks: &[String]) -> Result<(), CallError> {
    networks_within(call, ALLOWED_IPS, networks)
}

fn networks_within(call: Call, bound: Bound, networks: &[String]) -> Result<(), CallError> {
    bound.check(call, networks.len())?;
    let mut networks = networks.iter();
    networks.try_for_each(|network| address(call, network))
}

/// Ranges of destination ports.
pub(super) fn port_ranges(call: Call, ranges: &[WitRange]) -> Result<(), CallError> {
    PORT_RANGES.check(call, ranges.len())
}

/// The next hops of a route.
pub(super) fn next_hops(call: Call, hops: &[NextHop]) -> Result<(), CallError> {
    NEXT_HOPS.check(call, hops.len())?;
    addresses(call, hops.iter().map(|hop| &hop.gateway))?;
    names(call, hops.iter().map(|hop| &hop.link))
}

/// Ports to publish: as many as the request has, and some more that a grant may
/// allow.
pub(super) fn ports(
    call: Call,
    ports: &[WitPort],
    requested: &[PortRange],
) -> Result<(), CallError> {
    let max = PORTS.max(count(requested));
    list("the list of ports", max, "ports").check(call, ports.len())?;
    addresses(call, ports.iter().map(|port| &port.host_address))
}

/// The same once they are folded.
pub(super) fn port_rows(
    call: Call,
    rows: &[PortRange],
    requested: &[PortRange],
) -> Result<(), CallError> {
    let max = PORT_ROWS.max(requested.len());
    list("the list of ports", max, "rows of ports").check(call, rows.len())
}

/// How many ports a container may have published in all: those of its request
/// for an address of each family, and as many again that others lead to.
pub(super) fn all_ports(requested: &[PortRange]) -> usize {
    PORTS.max(count(requested)).saturating_mul(4)
}

/// Single ports in ranges.
pub(super) fn count(ranges: &[PortRange]) -> usize {
    let lengths = ranges.iter().map(PortRange::count);
    lengths.fold(0, usize::saturating_add)
}

/// The error for more handles than a driver may hold.
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

    /// Checks something of this length.
    type Check = Box<dyn Fn(usize) -> Result<(), CallError>>;

    /// Each kind of list or text, made as long as is wanted.
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

    /// So many single ports, of which no two are a row.
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
