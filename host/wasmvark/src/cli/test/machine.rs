//! The machine of a case, as its author imagines it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use kernel::{
    AddressState, FoundRoute, LinkInfo, LinkState, MAIN_TABLE, RouteScope, SurveyedLink,
    TableRoute, Tie,
};
use serde::{Deserialize, Serialize};
use sim::{Imagined, ImaginedLink, ImaginedNamespace};
use types::{LinkName, Mac, PciAddress, Route as Destination, RouteKind};

/// The MTU of a link that has none in the case, in bytes.
const MTU: u32 = 1500;
/// The metric of the routes that the kernel makes for IPv6 addresses (`IP6_RT_PRIO_ADDRCONF`
/// in `include/net/ip6_route.h`).
const CONNECTED6: u32 = 256;
/// RTPROT_KERNEL and RTPROT_STATIC (`linux/rtnetlink.h`)
pub(super) const BY_KERNEL: u8 = 2;
const BY_HAND: u8 = 4;

/// The machine.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::cli) struct Machine {
    pub(super) host: Namespace,
    pub(super) container: Namespace,
}

/// A namespace, besides its loopback link.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Namespace {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) links: Vec<Link>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) routes: Vec<Route>,
    /// Settings by their names for sysctl(8).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) settings: BTreeMap<String, String>,
}

/// A link.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub(super) name: String,
    /// The kind, if the link isn't hardware.
    pub(super) kind: Option<String>,
    pub(super) mac: Option<String>,
    pub(super) mtu: Option<u32>,
    #[serde(default = "yes")]
    pub(super) up: bool,
    /// Whether it can carry packets; by default if it is up.
    pub(super) carrier: Option<bool>,
    #[serde(default)]
    pub(super) addresses: Vec<IpNet>,
    pub(super) master: Option<String>,
    pub(super) parent: Option<String>,
    /// Whether a bridge filters by VLAN.
    pub(super) vlan_filtering: Option<bool>,
    /// The routing table of a VRF.
    pub(super) table: Option<u32>,
    /// The address of the PCI device.
    pub(super) pci: Option<String>,
}

/// A route.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    pub(super) destination: IpNet,
    pub(super) gateway: Option<IpAddr>,
    pub(super) dev: Option<String>,
    pub(super) metric: Option<u32>,
    pub(super) table: Option<u32>,
}

/// Why a machine isn't possible.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MachineError {
    /// A value isn't what it must be.
    #[error("{place}: {text:?} is no {what}")]
    Invalid {
        /// Where it stands.
        place: String,
        /// The value.
        text: String,
        /// What it must be.
        what: &'static str,
    },
    /// A link is named that isn't there.
    #[error("{place}: there is no link {name} in this namespace")]
    NoLink {
        /// Where it stands.
        place: String,
        /// The link's name.
        name: String,
    },
    /// Two links have the same name.
    #[error("[[machine.{namespace}.links]]: there are two links {name}")]
    Twice {
        /// The namespace.
        namespace: &'static str,
        /// The name.
        name: LinkName,
    },
}

impl Machine {
    /// Returns the machine for the simulated kernel.
    ///
    /// # Errors
    ///
    /// The case has a value that can't be, or a link that isn't there.
    pub(in crate::cli) fn imagined(&self) -> Result<Imagined, MachineError> {
        let mut imagined = Imagined::empty();
        self.host.add("host", &mut imagined.host)?;
        self.container.add("container", &mut imagined.container)?;
        Ok(imagined)
    }
}

impl Namespace {
    fn add(
        &self,
        which: &'static str,
        imagined: &mut ImaginedNamespace,
    ) -> Result<(), MachineError> {
        let place = format!("[[machine.{which}.links]]");
        let mut names: Vec<LinkName> = imagined.links.iter().map(name_of).collect();
        for link in &self.links {
            let name: LinkName = parse(&place, &link.name, "name of a link")?;
            if names.contains(&name) {
                return Err(MachineError::Twice {
                    namespace: which,
                    name,
                });
            }
            names.push(name);
        }
        let index = |place: &str, wanted: &str| index(&names, place, wanted);
        for link in &self.links {
            let (link, routes) = link.imagined(&place, &index)?;
            imagined.links.push(link);
            imagined.routes.extend(routes);
        }
        let place = format!("[[machine.{which}.routes]]");
        for route in &self.routes {
            imagined.routes.push(route.found(&place, &index)?);
        }
        let settings = self.settings.iter();
        let settings = settings.map(|(name, value)| (path(name), value.clone()));
        imagined.settings.extend(settings);
        Ok(())
    }
}

fn name_of(link: &ImaginedLink) -> LinkName {
    link.link.info.state.name.clone()
}

/// Returns the index of the link with this name: their order from 1, which the loopback
/// link has.
fn index(names: &[LinkName], place: &str, wanted: &str) -> Result<u32, MachineError> {
    let found = (1..).zip(names).find(|(_, name)| name.as_str() == wanted);
    let found = found.map(|(index, _)| index);
    found.ok_or_else(|| MachineError::NoLink {
        place: place.to_owned(),
        name: wanted.to_owned(),
    })
}

/// Returns the path of a setting below `/proc/sys/net`. As for sysctl(8), a name whose first
/// separator is `/` may have dots in its parts.
fn path(name: &str) -> String {
    let path = match name.find(['.', '/']).map(|at| name.get(at..=at)) {
        Some(Some(".")) => name.replace('.', "/"),
        _ => name.to_owned(),
    };
    path.strip_prefix("net/").unwrap_or(&path).to_owned()
}

fn parse<T: std::str::FromStr>(
    place: &str,
    text: &str,
    what: &'static str,
) -> Result<T, MachineError> {
    text.parse().map_err(|_| MachineError::Invalid {
        place: place.to_owned(),
        text: text.to_owned(),
        what,
    })
}

fn yes() -> bool {
    true
}

impl Link {
    /// Returns the link, and the routes that the kernel has for its addresses.
    fn imagined(
        &self,
        place: &str,
        index_of: &dyn Fn(&str, &str) -> Result<u32, MachineError>,
    ) -> Result<(ImaginedLink, Vec<FoundRoute>), MachineError> {
        let index = index_of(place, &self.name)?;
        let link = |name: &Option<String>| {
            let index = name.as_deref().map(|name| index_of(place, name));
            index.transpose()
        };
        let mac = match &self.mac {
            Some(mac) => parse(place, mac, "MAC address")?,
            None => mac(index),
        };
        let state = LinkState {
            name: parse(place, &self.name, "name of a link")?,
            index,
            mac: Some(mac),
            mtu: self.mtu.unwrap_or(MTU),
            master: link(&self.master)?,
            up: self.up,
            tx_queue_length: 1000,
            promiscuous: false,
            all_multicast: false,
            alias: None,
            permanent_mac: self.kind.is_none().then_some(mac),
        };
        let tie = link(&self.parent)?.map(|index| Tie {
            is_pair: false,
            index,
            elsewhere: false,
        });
        let pci: Option<PciAddress> = match &self.pci {
            Some(pci) => Some(parse(place, pci, "address of a PCI device")?),
            None => None,
        };
        let surveyed = SurveyedLink {
            info: LinkInfo {
                state,
                kind: self.kind.clone(),
                carrier: self.carrier.unwrap_or(self.up),
                vlan_filtering: self.vlan_filtering,
                parent_use: None,
            },
            tie,
            table: self.table,
            pci,
            device: None,
        };
        let mut imagined = ImaginedLink::new(surveyed);
        let addresses = self.addresses.iter();
        imagined.addresses = addresses.map(|address| state_of(*address)).collect();
        let routes = match self.up {
            true => self
                .addresses
                .iter()
                .map(|it| connected(*it, index))
                .collect(),
            false => Vec::new(),
        };
        Ok((imagined, routes))
    }
}

/// Returns the MAC address of a link that has none in the case.
fn mac(index: u32) -> Mac {
    Mac::stand_in(u8::try_from(index).unwrap_or(u8::MAX) ^ u8::MAX)
}

fn state_of(address: IpNet) -> AddressState {
    AddressState {
        address,
        link_scope: false,
        tentative: false,
        dad_failed: false,
    }
}

/// Returns the route that the kernel makes for an address.
fn connected(address: IpNet, link: u32) -> FoundRoute {
    let is_ipv4 = matches!(address, IpNet::V4(_));
    FoundRoute {
        route: TableRoute {
            route: Destination {
                destination: address.trunc(),
                gateway: None,
                metric: Some(if is_ipv4 { 0 } else { CONNECTED6 }),
                kind: RouteKind::Unicast,
            },
            table: MAIN_TABLE,
            scope: is_ipv4.then_some(RouteScope::Link),
            source: is_ipv4.then_some(address.addr()),
            link: Some(link),
            on_link: false,
            next_hops: Vec::new(),
        },
        protocol: BY_KERNEL,
    }
}

impl Route {
    fn found(
        &self,
        place: &str,
        index_of: &dyn Fn(&str, &str) -> Result<u32, MachineError>,
    ) -> Result<FoundRoute, MachineError> {
        let link = self.dev.as_deref().map(|name| index_of(place, name));
        let is_ipv4 = matches!(self.destination, IpNet::V4(_));
        let scope = match self.gateway {
            Some(_) => RouteScope::Global,
            None => RouteScope::Link,
        };
        Ok(FoundRoute {
            route: TableRoute {
                route: Destination {
                    destination: self.destination.trunc(),
                    gateway: self.gateway,
                    metric: Some(self.metric.unwrap_or(0)),
                    kind: RouteKind::Unicast,
                },
                table: self.table.unwrap_or(MAIN_TABLE),
                scope: is_ipv4.then_some(scope),
                source: None,
                link: link.transpose()?,
                on_link: false,
                next_hops: Vec::new(),
            },
            protocol: BY_HAND,
        })
    }
}
