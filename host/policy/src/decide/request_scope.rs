//! Rule 3: what the request names.

use std::net::IpAddr;

use ipnet::IpNet;
use types::{
    LinkName, LinkProperty, Mac, Namespace, NumberRange, PortRange, Route, RouteKind, Rule,
    SettingKey, VLAN_MAX, VfChange, VfWish,
};

use super::Object;
use crate::Call;
use crate::calls::{Naming, Requested};

/// The mode of macvlan and macvtap links that takes all of the parent.
const PASSTHRU: &str = "passthru";

/// What the request names.
#[derive(Debug, Clone, Default)]
pub struct RequestReach {
    /// The link of the host that the user named as the parent.
    pub parent: Option<LinkName>,
    /// The link of the default route, where the user named no parent: it's read,
    /// and others are made on it, but it stays as it is and where it is.
    pub default_parent: Option<LinkName>,
    /// The option `mode`.
    pub mode: Option<String>,
    /// The option `flag`.
    pub flag: Option<String>,
    /// What the parent can be found by.
    pub parent_property: Option<LinkProperty>,
    /// The interface's name in the container.
    pub interface_name: Option<LinkName>,
    /// The name that the user wants for the host's end of a veth pair.
    pub host_interface_name: Option<LinkName>,
    /// The VRF of the host that the network's links go below.
    pub vrf: Option<LinkName>,
    /// The link of the host that answers for the container's IPv6 addresses.
    pub ndp_proxy: Option<LinkName>,
    /// The name that the user wants for a VRF in the container.
    pub container_vrf: Option<LinkName>,
    /// Whether the user made the network internal.
    pub internal: bool,
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
    /// Addresses that the host gets on a link beside the containers'.
    pub host_addresses: Vec<IpAddr>,
    /// The published ports, as [`PortRange::fold`] leaves them.
    pub ports: Vec<PortRange>,
    /// The link of the host that packets to published ports must come in through.
    pub publish_interface: Option<LinkName>,
    /// The name servers that the user gave for the network.
    pub name_servers: Vec<IpAddr>,
    /// The free name that the host chose for a bridge or a VRF of the network,
    /// where the user named none. It names a link to be made, never one that is
    /// there.
    pub chosen: Option<LinkName>,
    /// The existing bridge that the user named as the parent, once the run uses it.
    pub used_bridge: Option<LinkName>,
    /// The name of another network whose own bridge or VLAN has the parent's name.
    pub bridge_of: Option<String>,
    /// Whether the network and its user name different parents, so that none is
    /// named by both and none left open.
    pub parent_differs: bool,
    /// What the network names and its user didn't, and what to do about it.
    pub unsaid: Option<String>,
    /// The MAC addresses whose frames a macvlan link of the mode `source` gets.
    pub macvlan_sources: Vec<Mac>,
    /// VLANs that options name.
    pub vlans: Vec<NumberRange>,
    /// VXLANs that options name.
    pub vnis: Vec<u32>,
    /// Settings of the container that options name.
    pub settings: Vec<SettingKey>,
    /// The request's word about the container's VF.
    pub vf: VfWish,
    /// The VF that the run uses.
    pub used_vf: Option<UsedVf>,
}

/// A VF that a run uses for its container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedVf {
    /// The card of the host.
    pub card: LinkName,
    /// The VF's number.
    pub number: u32,
    /// The VF's link, as long as it's on the host.
    pub link: Option<LinkName>,
    /// The changes of the VF that were made.
    pub made: Vec<VfChange>,
}

impl RequestReach {
    /// Whether neither the network nor its user names a parent, so that it is the
    /// link of the default route.
    pub fn leaves_parent_open(&self) -> bool {
        let is_named = self.parent.is_some() || self.parent_property.is_some();
        !is_named && !self.parent_differs
    }

    /// Whether a network is one address of the container's.
    pub fn is_containers(&self, network: IpNet) -> bool {
        let mut addresses = self.addresses.iter();
        addresses.any(|own| IpNet::from(own.addr()) == network)
    }

    /// The name that is meant for a link that a call makes, moves or renames.
    pub fn name_for(&self, call: Call, namespace: Namespace, shared: bool) -> Option<LinkName> {
        let naming = call.naming()?;
        match namespace {
            Namespace::Container => self.name_in_container(call, naming),
            Namespace::Host => self.name_on_host(call, naming, shared),
        }
    }

    fn name_in_container(&self, call: Call, naming: Naming) -> Option<LinkName> {
        match naming {
            Naming::Vrf if self.container_vrf.is_some() => self.container_vrf.clone(),
            Naming::BesideInterface => self.chosen_by_host(call, false),
            Naming::Interface
            | Naming::HostInterface
            | Naming::VlanParent
            | Naming::Network
            | Naming::Vrf
            | Naming::Moved
            | Naming::Renamed => self.interface_name.clone(),
        }
    }

    fn name_on_host(&self, call: Call, naming: Naming, shared: bool) -> Option<LinkName> {
        match naming {
            Naming::Moved => None,
            Naming::Renamed => self.host_interface_name.clone(),
            Naming::Network | Naming::Vrf => self.parent.clone().or_else(|| self.chosen.clone()),
            Naming::HostInterface if self.host_interface_name.is_some() => {
                self.host_interface_name.clone()
            }
            Naming::VlanParent if shared && self.vlan_parent().is_some() => self.parent.clone(),
            Naming::Interface
            | Naming::HostInterface
            | Naming::VlanParent
            | Naming::BesideInterface => self.chosen_by_host(call, shared),
        }
    }

    /// Always the same for a call and a container, or a call and a network.
    fn chosen_by_host(&self, call: Call, shared: bool) -> Option<LinkName> {
        let kind = call.makes()?;
        let owner: &[&str] = match shared {
            true => &[&self.network, kind],
            false => &[&self.network, &self.container, kind],
        };
        // Before there is a container nothing is meant for it.
        (!self.container.is_empty()).then(|| LinkName::chosen(kind, owner))
    }

    /// Whether a link of the host is the parent that the user named.
    fn names_parent(&self, namespace: Namespace, name: &LinkName) -> bool {
        namespace == Namespace::Host && self.parent.as_ref() == Some(name)
    }

    /// Whether it is that, or where the user named none, the default route's.
    fn has_parent(&self, namespace: Namespace, name: &LinkName) -> bool {
        let is_default = self.default_parent.as_ref() == Some(name);
        self.names_parent(namespace, name) || (namespace == Namespace::Host && is_default)
    }

    /// Returns the link and the number of the VLAN that the parent's name means by custom:
    /// `eth0.10` is VLAN 10 of `eth0`.
    pub fn vlan_parent(&self) -> Option<(LinkName, u16)> {
        let (base, id) = self.parent.as_ref()?.as_str().rsplit_once('.')?;
        let number: u16 = id.parse().ok()?;
        let is_number = number.to_string() == id && (1..=VLAN_MAX).contains(&number);
        let base = LinkName::try_from(base.to_owned()).ok()?;
        is_number.then_some((base, number))
    }

    /// Whether a link of the host is the one whose VLAN the user named as the parent.
    fn has_vlan_base(&self, namespace: Namespace, name: &LinkName) -> bool {
        let base = self.vlan_parent().map(|(base, _)| base);
        namespace == Namespace::Host && base.as_ref() == Some(name)
    }

    /// Whether a link of the host is the bridge that the user named and the run uses.
    fn uses_bridge(&self, namespace: Namespace, name: &LinkName) -> bool {
        self.names_parent(namespace, name) && self.used_bridge.as_ref() == Some(name)
    }

    /// Whether a link of the host is the VRF that the network's links go below.
    fn has_vrf(&self, namespace: Namespace, name: &LinkName) -> bool {
        namespace == Namespace::Host && self.vrf.as_ref() == Some(name)
    }

    /// Whether a link of the host is to answer for the container's IPv6 addresses.
    pub fn has_ndp_proxy(&self, namespace: Namespace, name: &LinkName) -> bool {
        namespace == Namespace::Host && self.ndp_proxy.as_ref() == Some(name)
    }

    /// Whether a VF is one of the parent that the user left to the driver.
    fn names_vf(&self, namespace: Namespace, card: &LinkName, number: u32) -> bool {
        self.names_parent(namespace, card) && self.vf.allows(number)
    }

    /// Whether the run uses a VF, and a change of it is what the request says.
    fn says_of_vf(&self, card: &LinkName, number: u32, change: VfChange) -> bool {
        let used = self.used_vf.as_ref();
        let is_used = used.is_some_and(|used| (&used.card, used.number) == (card, number));
        is_used && self.vf.changes.contains(&change)
    }

    /// Returns a change that the request has for the used VF with this link, and that
    /// isn't made yet.
    pub fn lacking_of_vf(&self, link: &LinkName) -> Option<VfChange> {
        let used = self.used_vf.as_ref();
        let used = used.filter(|used| used.link.as_ref() == Some(link))?;
        let mut changes = self.vf.changes.iter();
        changes.find(|change| !used.made.contains(change)).copied()
    }

    /// Whether a link of the host is that of the VF that the run uses.
    fn uses_vf_link(&self, namespace: Namespace, name: &LinkName) -> bool {
        let link = self.used_vf.as_ref().and_then(|used| used.link.as_ref());
        namespace == Namespace::Host && link == Some(name)
    }

    /// Whether an address is one of the container's.
    fn has_address(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|own| own.addr() == address)
    }
}

/// Rule 3: what of the request each call reaches, as the vocabulary has it.
pub(super) fn requested(call: Call, object: &Object<'_>, request: &RequestReach) -> bool {
    if let Object::NewLink { namespace, name } = object {
        let is_meant = |shared| request.name_for(call, *namespace, shared).as_ref() == Some(name);
        return is_meant(false) || is_meant(true);
    }
    let mut parts = call.request().iter();
    parts.any(|part| has(*part, object, request))
}

/// Whether an object is what a part of the request names.
fn has(part: Requested, object: &Object<'_>, request: &RequestReach) -> bool {
    use Object as O;
    use Requested as R;
    match (part, *object) {
        (
            R::Parent,
            O::Link {
                namespace, name, ..
            },
        ) => request.has_parent(namespace, name),
        (
            R::NamedParent,
            O::Link {
                namespace, name, ..
            },
        ) => request.names_parent(namespace, name),
        (
            R::WholeParent,
            O::Whole {
                namespace, name, ..
            },
        ) => request.names_parent(namespace, name) && request.mode.as_deref() == Some(PASSTHRU),
        (
            R::ParentProperty,
            O::LinkWith {
                namespace,
                property,
                ..
            },
        ) => namespace == Namespace::Host && request.parent_property.as_ref() == Some(property),
        (R::DefaultRoute, O::DefaultRouteLink) => request.leaves_parent_open(),
        (
            R::Vrf,
            O::Link {
                namespace, name, ..
            },
        ) => request.has_vrf(namespace, name),
        (
            R::VlanBase,
            O::Link {
                namespace, name, ..
            },
        ) => request.has_vlan_base(namespace, name),
        (
            R::NdpProxy,
            O::Link {
                namespace, name, ..
            },
        ) => request.has_ndp_proxy(namespace, name),
        (
            R::UsedBridge,
            O::Link {
                namespace, name, ..
            },
        ) => request.uses_bridge(namespace, name),
        (
            R::UsedInternalBridge,
            O::Link {
                namespace, name, ..
            },
        ) => request.internal && request.uses_bridge(namespace, name),
        (
            R::Vf,
            O::Vf {
                namespace,
                card,
                number,
                change: None,
                ..
            },
        ) => request.names_vf(namespace, card, number),
        (
            R::UsedVf,
            O::Vf {
                namespace: Namespace::Host,
                card,
                number,
                change: Some(change),
                ..
            },
        ) => request.says_of_vf(card, number, change),
        (
            R::UsedVf,
            O::Link {
                namespace, name, ..
            },
        ) => request.uses_vf_link(namespace, name),
        (
            R::Master,
            O::Master {
                namespace, name, ..
            },
        ) => request.names_parent(namespace, name) || request.has_vrf(namespace, name),
        (R::ContainerLinks, O::AllLinks(namespace))
        | (
            R::ContainerRouting,
            O::AllRoutes(namespace) | O::AllRules(namespace) | O::Table { namespace, .. },
        ) => namespace == Namespace::Container,
        (R::Vlans, O::Vlans { numbers, .. }) => {
            let of_parent = request.vlan_parent().map(|(_, id)| NumberRange::one(id));
            let mut named = request.vlans.iter().copied().chain(of_parent);
            named.any(|named| named.contains(numbers))
        }
        (R::Vnis, O::Vni(number)) => request.vnis.contains(&number),
        (
            R::LinkAddresses,
            O::Address {
                namespace, address, ..
            },
        ) => match namespace {
            Namespace::Container => request.addresses.contains(&address),
            Namespace::Host => is_gateway(address, request) || is_host_address(address, request),
        },
        (R::Addresses, O::Address { address, .. }) => request.has_address(address.addr()),
        (
            R::Routes,
            O::Route {
                namespace,
                route,
                through_own_link,
                ..
            },
        ) => match namespace {
            Namespace::Container => requested_route(route, request),
            Namespace::Host => requested_on_host(route, through_own_link, request),
        },
        (
            R::Rules,
            O::Rule {
                namespace,
                rule,
                names_own_link,
                is_shared,
                ..
            },
        ) => {
            let has_its_packets = has_requested_packets(rule, is_shared, request);
            namespace == Namespace::Container || names_own_link || has_its_packets
        }
        (R::Neighbours, O::Neighbour { address, .. }) => request.has_address(address),
        (R::Forwarding, O::Key { namespace, .. }) => namespace == Namespace::Container,
        (
            R::Settings,
            O::Key {
                namespace,
                key,
                of_own_link,
            },
        ) => namespace == Namespace::Container && of_own_link && request.settings.contains(key),
        (R::Sources, O::Source { network, is_shared }) => has_packets(network, is_shared, request),
        (R::OutboundAddresses, O::Outbound(address)) => request.outbound.contains(&address),
        (R::Ports, O::Ports(ports)) => PortRange::any_contains(&request.ports, ports),
        (R::Secrets, O::Secret(name)) => request.secrets.iter().any(|named| named == name),
        (R::NameServers, O::NameServer(address)) => {
            let gateways = request.gateways.iter().map(IpNet::addr);
            let mut named = gateways.chain(request.name_servers.iter().copied());
            named.any(|named| named == address)
        }
        (R::DefaultMtu, O::DefaultMtu)
        | (R::NewSubnet, O::NewSubnet(_))
        | (R::State, O::State { .. })
        | (R::Messages, O::Message)
        | (R::SearchDomains, O::SearchDomain(_)) => true,
        // Each by its name, so that the compiler asks what a new one reaches.
        (
            R::Parent
            | R::NamedParent
            | R::WholeParent
            | R::ParentProperty
            | R::DefaultRoute
            | R::DefaultMtu
            | R::NewSubnet
            | R::Vrf
            | R::NdpProxy
            | R::VlanBase
            | R::UsedBridge
            | R::UsedInternalBridge
            | R::Vf
            | R::UsedVf
            | R::Master
            | R::ContainerLinks
            | R::ContainerRouting
            | R::Vlans
            | R::Vnis
            | R::LinkAddresses
            | R::Addresses
            | R::Routes
            | R::Rules
            | R::Neighbours
            | R::Forwarding
            | R::Settings
            | R::Sources
            | R::OutboundAddresses
            | R::Ports
            | R::Secrets
            | R::NameServers
            | R::State
            | R::Messages
            | R::SearchDomains,
            _,
        ) => false,
    }
}

/// A gateway with its subnet's prefix length, or by itself.
fn is_gateway(address: IpNet, request: &RequestReach) -> bool {
    let alone = address.prefix_len() == address.max_prefix_len();
    let mut gateways = request.gateways.iter();
    gateways.any(|gateway| *gateway == address || (alone && gateway.addr() == address.addr()))
}

/// An address of the host beside the containers, by itself.
fn is_host_address(address: IpNet, request: &RequestReach) -> bool {
    let alone = address.prefix_len() == address.max_prefix_len();
    alone && request.host_addresses.contains(&address.addr())
}

fn is_in_subnets(network: IpNet, request: &RequestReach) -> bool {
    let mut subnets = request.subnets.iter();
    subnets.any(|subnet| subnet.contains(&network))
}

/// In the container: into the subnets, or as the request has it.
fn requested_route(route: &Route, request: &RequestReach) -> bool {
    let is_inside = is_in_subnets(route.destination, request);
    let direct = route.gateway.is_none();
    let mut gateways = request.gateways.iter();
    let through_gateway = gateways.any(|gateway| Some(gateway.addr()) == route.gateway);
    let is_named = |named: &Route| {
        named.destination == route.destination
            && (direct || named.gateway == route.gateway)
            && named.kind == route.kind
    };
    (is_inside && (direct || through_gateway)) || request.routes.iter().any(is_named)
}

/// On the host: through a link of the driver's into the subnets, or just as the
/// request has it; a route that leads nowhere has no link.
fn requested_on_host(route: &Route, through_own_link: bool, request: &RequestReach) -> bool {
    let is_inside = is_in_subnets(route.destination, request);
    let is_same = |named: &Route| {
        let metric = named.metric.is_none() || named.metric == route.metric;
        let plain = (named.destination, named.gateway, named.kind);
        metric && plain == (route.destination, route.gateway, route.kind)
    };
    let leads_there = is_inside && through_own_link && route.kind == RouteKind::Unicast;
    // The default routes of a request are the container's, and so are its gateways:
    // on the host another link could lead there.
    let is_default = route.destination.prefix_len() == 0;
    let leaves_alone = through_own_link || route.kind != RouteKind::Unicast;
    leads_there || (!is_default && leaves_alone && request.routes.iter().any(is_same))
}

/// Whether a rule is about packets of the container only, or of its network
/// where all of that is the driver's.
fn has_requested_packets(rule: &Rule, is_shared: bool, request: &RequestReach) -> bool {
    let mut networks = rule.source.iter().chain(&rule.destination);
    networks.any(|network| has_packets(*network, is_shared, request))
}

/// Whether a network has the container's addresses only, or those of its network
/// where all of that is the driver's.
fn has_packets(network: IpNet, is_shared: bool, request: &RequestReach) -> bool {
    request.is_containers(network) || (is_shared && is_in_subnets(network, request))
}
