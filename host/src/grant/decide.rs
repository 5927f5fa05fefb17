//! The one decision that every call goes through.
//!
//! | rule | a call may touch an object |
//! |---|---|
//! | 1 | never, when the grant doesn't list the call |
//! | 2 | when the driver made or moved it for this container |
//! | 3 | when the request names it, call by call (`requested`) |
//! | 4 | when the grant spells it out (`widened`) |

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::file::line;
use super::reach::join;
use super::{
    Call, Grant, KeyPattern, LinkPattern, NetworkPattern, PortPattern, Reach, SecretPattern,
    TablePattern,
};
use crate::net::{LinkName, LinkProperty, Namespace, PortRange, Route, Rule, SettingKey};

/// An object that a call wants to touch.
#[derive(Debug, Clone, Copy)]
pub enum Object<'a> {
    /// A link that exists.
    Link {
        /// Where it is.
        namespace: Namespace,
        /// Its name.
        name: &'a LinkName,
        /// Whether the journal says that the driver made or moved it.
        own: bool,
    },
    /// A name that a link is to get.
    NewLink {
        /// Where.
        namespace: Namespace,
        /// The name.
        name: &'a LinkName,
    },
    /// A link that another one is to be a port of.
    Master {
        /// Where it is.
        namespace: Namespace,
        /// Its name.
        name: &'a LinkName,
        /// Whether the journal says that the driver made or moved it.
        own: bool,
    },
    /// The link of the host's default route, whichever that is.
    DefaultRouteLink,
    /// A link that is looked for by something other than its name. What the
    /// search may see of the others is decided link by link.
    LinkWith {
        /// Where.
        namespace: Namespace,
        /// What it's looked for by.
        property: &'a LinkProperty,
        /// Whether the journal says that the driver made or moved it.
        own: bool,
    },
    /// The names of all links.
    AllLinks(Namespace),
    /// An address of a link.
    Address {
        /// Where.
        namespace: Namespace,
        /// The address with its prefix length.
        address: IpNet,
        /// Whether it's an own link's, or the journal says that the driver
        /// added it.
        own: bool,
    },
    /// A network whose packets get another source address.
    Source(IpNet),
    /// The address that they get.
    Outbound(IpAddr),
    /// Ports of the host that lead to the container.
    Ports(&'a PortRange),
    /// A secret of the operator's.
    Secret(&'a str),
    /// A kernel setting that belongs to no link.
    Key {
        /// Where.
        namespace: Namespace,
        /// Its name.
        key: &'a SettingKey,
        /// Whether it's a setting of a link that the driver made or moved.
        own: bool,
    },
    /// A route, or one of its ways.
    Route {
        /// Where.
        namespace: Namespace,
        /// The route.
        route: &'a Route,
        /// Whether the journal says that the driver added it.
        own: bool,
    },
    /// What the driver itself keeps for the request's network.
    State {
        /// One part of it, or all.
        key: Option<&'a str>,
    },
    /// A routing table.
    Table {
        /// Where.
        namespace: Namespace,
        /// Its number.
        table: u32,
        /// Whether the journal says that the driver made its VRF.
        own: bool,
    },
    /// All routes of a namespace.
    AllRoutes(Namespace),
    /// A policy routing rule.
    Rule {
        /// Where.
        namespace: Namespace,
        /// The rule.
        rule: &'a Rule,
        /// Whether it names a link that the driver made or moved.
        names_own_link: bool,
        /// Whether the journal says that the driver added it.
        own: bool,
    },
    /// All policy routing rules of a namespace.
    AllRules(Namespace),
    /// What a link knows of an address, or that it answers for it.
    Neighbour {
        /// The address.
        address: IpAddr,
        /// Whether the driver made or moved the link.
        on_own_link: bool,
        /// Whether it's the driver's to set, or the journal says that the
        /// driver set it.
        own: bool,
    },
    /// A message for the operator.
    Message,
}

/// What the request names.
#[derive(Debug, Clone, Default)]
pub struct RequestReach {
    /// The parent link on the host.
    pub parent: Option<LinkName>,
    /// What the parent can be found by.
    pub parent_property: Option<LinkProperty>,
    /// The interface's name in the container.
    pub interface_name: Option<LinkName>,
    /// The name that the user wants for the host's end of a veth pair.
    pub host_interface_name: Option<LinkName>,
    /// The VRF of the host that the network's links go below.
    pub vrf: Option<LinkName>,
    /// The name that the user wants for a VRF in the container.
    pub container_vrf: Option<LinkName>,
    /// The network's id.
    pub network: String,
    /// The container's id.
    pub container: String,
    /// The container's addresses.
    pub addresses: Vec<IpNet>,
    /// The gateways of the subnets, with their prefix lengths.
    pub gateways: Vec<IpNet>,
    /// The subnets of the network.
    pub subnets: Vec<IpNet>,
    /// Default and static routes.
    pub routes: Vec<Route>,
    /// Secrets that options name.
    pub secrets: Vec<String>,
    /// Addresses of the host that options name for what leaves it.
    pub outbound: Vec<IpAddr>,
    /// The published ports.
    pub ports: Vec<PortRange>,
}

impl RequestReach {
    /// The name that is meant for a link that a call makes, moves or renames.
    pub fn name_for(&self, call: Call, namespace: Namespace, shared: bool) -> Option<LinkName> {
        if namespace == Namespace::Container {
            return self.name_in_container(call);
        }
        if call == Call::LinksRename {
            return self.host_interface_name.clone();
        }
        let kind = call.makes()?;
        let owner: &[&str] = match (call, shared) {
            (Call::LinksCreateBridge | Call::LinksCreateVrf, _) => return self.parent.clone(),
            (Call::LinksCreateVeth, _) if self.host_interface_name.is_some() => {
                return self.host_interface_name.clone();
            }
            (_, true) => &[&self.network, kind],
            (_, false) => &[&self.network, &self.container, kind],
        };
        // Before there is a container nothing is meant for it.
        (!self.container.is_empty()).then(|| LinkName::chosen(kind, owner))
    }

    fn name_in_container(&self, call: Call) -> Option<LinkName> {
        if call == Call::LinksCreateVrf && self.container_vrf.is_some() {
            return self.container_vrf.clone();
        }
        // It stands beside the interface, whose name the request has.
        if call == Call::LinksCreateIfb {
            let owner: &[&str] = &[&self.network, &self.container, "ifb"];
            return (!self.container.is_empty()).then(|| LinkName::chosen("ifb", owner));
        }
        let names = call.makes().is_some()
            || matches!(call, Call::LinksMoveToContainer | Call::LinksRename);
        self.interface_name.clone().filter(|_| names)
    }
}

/// All that a decision rests on.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The operator's grant.
    pub grant: Grant,
    /// The request's reach.
    pub request: RequestReach,
}

/// The proof that a call was allowed. Only [`decide`] makes one, and the gate
/// opens the kernel for nothing else.
#[derive(Debug)]
pub struct Permit(());

/// Why a call was denied, and what would allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The call.
    pub call: Call,
    /// The objects.
    pub object: String,
    /// Why.
    pub cause: Cause,
    /// The line for the grant file.
    pub line: String,
}

/// Why a call was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The grant doesn't list it.
    NotGranted,
    /// An object is neither own nor requested nor spelled out.
    OutOfReach,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotGranted => "the grant doesn't list this call",
            Self::OutOfReach => {
                "it is neither the driver's own, nor named by the request, nor in the grant"
            }
        })
    }
}

/// Decides whether a call may touch all of these objects.
pub fn decide(authority: &Authority, call: Call, objects: &[Object<'_>]) -> Result<Permit, Denial> {
    let Authority { grant, request } = authority;
    let granted = grant.calls().get(&call);
    let nothing = Reach::default();
    let reach = granted.unwrap_or(&nothing);
    let beyond: Vec<_> = objects
        .iter()
        .filter(|object| {
            !is_own(object) && !requested(call, object, request) && !widened(object, reach)
        })
        .collect();
    let cause = match granted {
        None => Cause::NotGranted,
        Some(_) if !beyond.is_empty() => Cause::OutOfReach,
        Some(_) => return Ok(Permit(())),
    };
    let mut wanted = reach.clone();
    for object in &beyond {
        widen(&mut wanted, object);
    }
    Err(Denial {
        call,
        object: describe(objects),
        cause,
        line: line(call, &wanted),
    })
}

/// The objects in words, for the audit trail and for messages.
pub fn describe(objects: &[Object<'_>]) -> String {
    let words: Vec<_> = objects.iter().map(ToString::to_string).collect();
    words.join(", ")
}

/// Rule 2.
fn is_own(object: &Object<'_>) -> bool {
    matches!(
        object,
        Object::Link { own: true, .. }
            | Object::LinkWith { own: true, .. }
            | Object::Master { own: true, .. }
            | Object::Key { own: true, .. }
            | Object::Address { own: true, .. }
            | Object::Route { own: true, .. }
            | Object::Table { own: true, .. }
            | Object::Rule { own: true, .. }
            | Object::Neighbour { own: true, .. }
    )
}

/// Rule 3: what of the request each call reaches, as the WIT documents it.
fn requested(call: Call, object: &Object<'_>, request: &RequestReach) -> bool {
    let is_parent = |namespace: Namespace, name: &LinkName| {
        namespace == Namespace::Host && request.parent.as_ref() == Some(name)
    };
    let is_vrf = |namespace: Namespace, name: &LinkName| {
        namespace == Namespace::Host && request.vrf.as_ref() == Some(name)
    };
    match (call, object) {
        (
            Call::LinksGet | Call::LinksInfo,
            Object::Link {
                namespace, name, ..
            },
        )
        | (
            Call::LinksSetMaster,
            Object::Master {
                namespace, name, ..
            },
        ) => is_parent(*namespace, name) || is_vrf(*namespace, name),
        (
            Call::LinksPorts
            | Call::LinksWaitCarrier
            | Call::LinksVfs
            | Call::LinksCreateMacvlan
            | Call::LinksCreateIpvlan
            | Call::LinksCreateMacvtap
            | Call::LinksCreateVlan
            | Call::LinksCreateVxlan
            | Call::LinksMoveToContainer
            | Call::OffloadsList
            | Call::AddressesList
            | Call::AddressesWaitDad
            | Call::NeighboursList,
            Object::Link {
                namespace, name, ..
            },
        ) => is_parent(*namespace, name),
        (Call::LinksNames, Object::AllLinks(namespace)) => *namespace == Namespace::Container,
        (_, Object::NewLink { namespace, name }) => {
            let is_meant =
                |shared| request.name_for(call, *namespace, shared).as_ref() == Some(name);
            is_meant(false) || is_meant(true)
        }
        (Call::LinksGetDefault, Object::DefaultRouteLink) => {
            request.parent.is_none() && request.parent_property.is_none()
        }
        (
            Call::LinksGetByMac | Call::LinksGetByPci | Call::LinksGetByPath,
            Object::LinkWith {
                namespace,
                property,
                ..
            },
        ) => *namespace == Namespace::Host && request.parent_property.as_ref() == Some(property),
        (
            Call::AddressesAdd,
            Object::Address {
                namespace, address, ..
            },
        ) => match namespace {
            Namespace::Container => request.addresses.contains(address),
            Namespace::Host => is_gateway(*address, request),
        },
        (
            Call::AnnounceGratuitousArp
            | Call::AnnounceNeighbourAdvertisement
            | Call::FirewallPublish
            | Call::FirewallAccept
            | Call::FirewallDrop,
            Object::Address { address, .. },
        ) => {
            let mut own = request.addresses.iter();
            own.any(|own| own.addr() == address.addr())
        }
        (
            Call::RoutesAdd | Call::RoutesReplace,
            Object::Route {
                namespace, route, ..
            },
        ) => requested_route(*namespace, route, request),
        (
            Call::RulesAdd,
            Object::Rule {
                namespace,
                rule,
                names_own_link,
                ..
            },
        ) => {
            let is_for_it = *names_own_link || has_requested_packets(rule, request);
            *namespace == Namespace::Container || is_for_it
        }
        (
            _,
            Object::Table { namespace, .. }
            | Object::AllRoutes(namespace)
            | Object::AllRules(namespace),
        ) => *namespace == Namespace::Container,
        (
            Call::NeighboursAdd | Call::NeighboursAddProxy,
            Object::Neighbour {
                address,
                on_own_link,
                ..
            },
        ) => {
            let gateways = request.gateways.iter().filter(|_| *on_own_link);
            let mut named = request.addresses.iter().chain(gateways);
            named.any(|named| named.addr() == *address)
        }
        (Call::SysctlEnableIpForward, Object::Key { namespace, .. }) => {
            *namespace == Namespace::Container
        }
        (_, Object::Source(source)) => is_in_subnets(*source, request),
        (_, Object::Ports(ports)) => request.ports.iter().any(|asked| asked.contains(ports)),
        (_, Object::Outbound(address)) => request.outbound.contains(address),
        (_, Object::Secret(name)) => request.secrets.iter().any(|named| named == name),
        (
            Call::StateGet | Call::StateSet | Call::StateRemove | Call::StateKeys,
            Object::State { .. },
        )
        | (Call::LogWrite, Object::Message) => true,
        _ => false,
    }
}

/// A gateway with its subnet's prefix length, or by itself.
fn is_gateway(address: IpNet, request: &RequestReach) -> bool {
    let alone = address.prefix_len() == address.max_prefix_len();
    let mut gateways = request.gateways.iter();
    gateways.any(|gateway| *gateway == address || (alone && gateway.addr() == address.addr()))
}

fn is_in_subnets(network: IpNet, request: &RequestReach) -> bool {
    let mut subnets = request.subnets.iter();
    subnets.any(|subnet| subnet.contains(&network))
}

fn requested_route(namespace: Namespace, route: &Route, request: &RequestReach) -> bool {
    let is_inside = is_in_subnets(route.destination, request);
    let direct = route.gateway.is_none();
    let mut gateways = request.gateways.iter();
    let through_gateway = gateways.any(|gateway| Some(gateway.addr()) == route.gateway);
    let is_named = |named: &Route| {
        named.destination == route.destination
            && (direct || named.gateway == route.gateway)
            && named.kind == route.kind
    };
    match namespace {
        Namespace::Container => {
            (is_inside && (direct || through_gateway)) || request.routes.iter().any(is_named)
        }
        Namespace::Host => is_inside,
    }
}

/// Whether a rule is about packets of the request's subnets only.
fn has_requested_packets(rule: &Rule, request: &RequestReach) -> bool {
    let mut networks = rule.source.iter().chain(&rule.destination);
    networks.any(|network| {
        let mut subnets = request.subnets.iter();
        subnets.any(|subnet| subnet.contains(network))
    })
}

/// Rule 4.
fn widened(object: &Object<'_>, reach: &Reach) -> bool {
    match object {
        Object::Link {
            namespace, name, ..
        }
        | Object::Master {
            namespace, name, ..
        }
        | Object::NewLink { namespace, name } => reach.has_link(*namespace, name),
        Object::DefaultRouteLink => reach.has_all_links(),
        Object::LinkWith { namespace, .. } => reach.has_links_of(*namespace),
        Object::AllLinks(namespace) => *namespace == Namespace::Host && reach.has_all_links(),
        Object::Address { address, .. } => reach.has_address(*address),
        Object::Source(source) => reach.has_address(*source),
        Object::Outbound(address) => reach.has_address(IpNet::from(*address)),
        Object::Ports(ports) => reach.has_ports(ports),
        Object::Route { route, .. } => reach.has_destination(route.destination),
        Object::Key { namespace, key, .. } => reach.has_key(*namespace, key),
        Object::Secret(name) => reach.has_secret(name),
        Object::Table {
            namespace, table, ..
        } => *namespace == Namespace::Host && reach.has_table(*table),
        Object::AllRoutes(namespace) => {
            *namespace == Namespace::Host && reach.has_all_destinations()
        }
        Object::Rule {
            namespace, rule, ..
        } => {
            let has_source = |source: &IpNet| reach.has_address(*source);
            let has_destination = |to: &IpNet| reach.has_destination(*to);
            rule.source.iter().any(has_source)
                || rule.destination.iter().any(has_destination)
                || rule.links().any(|name| reach.has_link(*namespace, name))
                || reach.has_address(rule.version.everything())
        }
        Object::AllRules(namespace) => *namespace == Namespace::Host && reach.has_all_addresses(),
        Object::Neighbour { address, .. } => reach.has_address(IpNet::from(*address)),
        Object::State { .. } | Object::Message => false,
    }
}

/// Adds what an object needs to the reach that a denial proposes.
fn widen(reach: &mut Reach, object: &Object<'_>) {
    match object {
        Object::Link {
            namespace, name, ..
        }
        | Object::Master {
            namespace, name, ..
        }
        | Object::NewLink { namespace, name } => {
            join(&mut reach.link, &proposed(*namespace, name));
        }
        Object::DefaultRouteLink | Object::AllLinks(_) => {
            join(&mut reach.link, &LinkPattern::all_of(Namespace::Host));
        }
        Object::LinkWith { namespace, .. } => {
            join(&mut reach.link, &LinkPattern::all_of(*namespace));
        }
        Object::Address { address, .. } => join(&mut reach.address, &NetworkPattern::one(*address)),
        Object::Source(source) => join(&mut reach.address, &NetworkPattern::one(*source)),
        Object::Outbound(address) => {
            join(
                &mut reach.address,
                &NetworkPattern::one(IpNet::from(*address)),
            );
        }
        Object::Route { route, .. } => {
            join(
                &mut reach.destination,
                &NetworkPattern::one(route.destination),
            );
        }
        Object::Key { namespace, key, .. } => {
            join(&mut reach.key, &KeyPattern::one(*namespace, key));
        }
        Object::Ports(ports) => join(&mut reach.port, &PortPattern::one(ports)),
        Object::Secret(name) => join(&mut reach.secret, &SecretPattern::one(name)),
        Object::Table { table, .. } => join(&mut reach.table, &TablePattern::one(*table)),
        Object::AllRoutes(_) => join(&mut reach.destination, &NetworkPattern::all()),
        Object::Rule {
            namespace, rule, ..
        } => widen_to_rule(reach, *namespace, rule),
        Object::AllRules(_) => join(&mut reach.address, &NetworkPattern::all()),
        Object::Neighbour { address, .. } => {
            join(
                &mut reach.address,
                &NetworkPattern::one(IpNet::from(*address)),
            );
        }
        Object::State { .. } | Object::Message => {}
    }
}

/// The pattern for a link. The kernel takes names with a `*`, which only the
/// pattern for all can have.
fn proposed(namespace: Namespace, name: &LinkName) -> LinkPattern {
    match name.as_str().contains('*') {
        true => LinkPattern::all_of(namespace),
        false => LinkPattern::one(namespace, name.clone()),
    }
}

/// Adds the first thing that a rule names: what else it names only narrows it.
fn widen_to_rule(reach: &mut Reach, namespace: Namespace, rule: &Rule) {
    match (rule.source, rule.destination, rule.links().next()) {
        (Some(source), _, _) => join(&mut reach.address, &NetworkPattern::one(source)),
        (None, Some(to), _) => join(&mut reach.destination, &NetworkPattern::one(to)),
        (None, None, Some(name)) => {
            join(&mut reach.link, &proposed(namespace, name));
        }
        (None, None, None) => {
            let everything = rule.version.everything();
            join(&mut reach.address, &NetworkPattern::one(everything));
        }
    }
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link {
                namespace, name, ..
            } => write!(f, "link {namespace}:{name}"),
            Self::NewLink { namespace, name } => write!(f, "new link {namespace}:{name}"),
            Self::DefaultRouteLink => f.write_str("link of the default route"),
            Self::LinkWith {
                namespace,
                property,
                ..
            } => write!(f, "link of {namespace} with {property}"),
            Self::AllLinks(namespace) => write!(f, "all links of {namespace}"),
            Self::Master {
                namespace, name, ..
            } => write!(f, "master {namespace}:{name}"),
            Self::Address { address, .. } => write!(f, "address {address}"),
            Self::Route {
                namespace, route, ..
            } => write!(f, "route {namespace}:{route}"),
            Self::Table {
                namespace, table, ..
            } => write!(f, "table {namespace}:{table}"),
            Self::AllRoutes(namespace) => write!(f, "all routes of {namespace}"),
            Self::Rule {
                namespace, rule, ..
            } => write!(f, "rule {namespace}:{rule}"),
            Self::AllRules(namespace) => write!(f, "all rules of {namespace}"),
            Self::Neighbour { address, .. } => write!(f, "neighbour {address}"),
            Self::Key { namespace, key, .. } => write!(f, "setting {namespace}:{key}"),
            Self::Source(source) => write!(f, "packets from {source}"),
            Self::Outbound(address) => write!(f, "source address {address}"),
            Self::Ports(ports) => write!(f, "port {ports}"),
            Self::Secret(name) => write!(f, "secret {name:?}"),
            Self::State { key: Some(key) } => write!(f, "state {key}"),
            Self::State { key: None } => f.write_str("state"),
            Self::Message => f.write_str("message"),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} on {} is denied: {}",
            self.call, self.object, self.cause
        )
    }
}

#[cfg(test)]
mod tests;
