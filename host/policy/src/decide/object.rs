//! The objects of calls.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use types::{
    HostPlace, IpVersion, LinkName, LinkProperty, Namespace, NumberRange, PortRange, Route, Rule,
    SettingKey, VfChange,
};

use super::setting;

/// An object that a call wants to touch.
#[derive(Debug, Clone, Copy)]
pub enum Object<'a> {
    /// A link that exists.
    Link {
        /// The link's namespace.
        namespace: Namespace,
        /// The link's name.
        name: &'a LinkName,
        /// Whether the link is own: made or moved by the driver, according to the journal.
        own: bool,
    },
    /// The name of a new link, or a link's new name.
    NewLink {
        /// The link's namespace.
        namespace: Namespace,
        /// The name.
        name: &'a LinkName,
    },
    /// The place of a new link on the host. A link in the container has none.
    Place(HostPlace),
    /// A whole link, which changes with a change of another one.
    Whole {
        /// The link's namespace.
        namespace: Namespace,
        /// The link's name.
        name: &'a LinkName,
        /// Whether the link is own: made or moved by the driver, according to the journal.
        own: bool,
    },
    /// VLANs.
    Vlans {
        /// The VLAN ids.
        numbers: NumberRange,
        /// Whether they are only removed from an own link.
        own: bool,
    },
    /// A VF of a card.
    Vf {
        /// The card's namespace.
        namespace: Namespace,
        /// The card's name.
        card: &'a LinkName,
        /// The VF's number.
        number: u32,
        /// The change of the VF, if it's about one.
        change: Option<VfChange>,
        /// Whether the card is own: made or moved by the driver, according to the journal.
        own: bool,
    },
    /// The VNI of a VXLAN.
    Vni(u32),
    /// A link that becomes the master of another one.
    Master {
        /// The link's namespace.
        namespace: Namespace,
        /// The link's name.
        name: &'a LinkName,
        /// Whether the link is own: made or moved by the driver, according to the journal.
        own: bool,
    },
    /// The link of the host's default route.
    DefaultRouteLink,
    /// The MTU of a default route's link.
    DefaultMtu,
    /// A free subnet that the host chooses for a new network.
    NewSubnet(IpVersion),
    /// A link that is searched for by a property. Whether the search may see a link is
    /// decided for each link.
    LinkWith {
        /// The namespace that is searched.
        namespace: Namespace,
        /// The property.
        property: &'a LinkProperty,
        /// Whether the link is own: made or moved by the driver, according to the journal.
        own: bool,
    },
    /// The names of all links.
    AllLinks(Namespace),
    /// An address of a link.
    Address {
        /// The link's namespace.
        namespace: Namespace,
        /// The address with its prefix length.
        address: IpNet,
        /// Whether the link is own, or the driver added the address according to the
        /// journal.
        own: bool,
    },
    /// A network whose packets get another source address by SNAT.
    Source {
        /// The network.
        network: IpNet,
        /// Whether the driver has a shared link for the request's network.
        is_shared: bool,
    },
    /// The source address of SNAT.
    Outbound(IpAddr),
    /// Published ports of the host.
    Ports(&'a PortRange),
    /// A secret of the operator.
    Secret(&'a str),
    /// A kernel setting.
    Key {
        /// The setting's namespace.
        namespace: Namespace,
        /// The setting's name.
        key: &'a SettingKey,
        /// Whether the setting belongs to an own link in the container.
        of_own_link: bool,
    },
    /// A route, or one of its next hops.
    Route {
        /// The route's namespace.
        namespace: Namespace,
        /// The route.
        route: &'a Route,
        /// Whether the route names an own link that it leaves through.
        through_own_link: bool,
        /// Whether the driver added the route, according to the journal.
        own: bool,
    },
    /// The driver's state for the request's network.
    State {
        /// One key of the state, or `None` for all.
        key: Option<&'a str>,
    },
    /// A routing table.
    Table {
        /// The table's namespace.
        namespace: Namespace,
        /// The table's number.
        table: u32,
        /// Whether the table is that of an own VRF.
        own: bool,
    },
    /// All routes of a namespace.
    AllRoutes(Namespace),
    /// A policy routing rule.
    Rule {
        /// The rule's namespace.
        namespace: Namespace,
        /// The rule.
        rule: &'a Rule,
        /// Whether the rule names an own link.
        names_own_link: bool,
        /// Whether the driver has a shared link for the request's network.
        is_shared: bool,
        /// Whether the driver added the rule, according to the journal.
        own: bool,
    },
    /// All policy routing rules of a namespace.
    AllRules(Namespace),
    /// A neighbour or a proxied neighbour of a link.
    Neighbour {
        /// The neighbour's address.
        address: IpAddr,
        /// Whether the link is the driver's alone, or the driver set the neighbour
        /// according to the journal.
        own: bool,
    },
    /// A message for the operator.
    Message,
    /// A subnet of the network, or a gateway alone.
    Subnet(IpNet),
    /// A name server for containers.
    NameServer(IpAddr),
    /// A search domain for the container.
    SearchDomain(&'a str),
}

impl Object<'_> {
    /// Rule 2: whether the driver made or moved the object.
    pub(super) fn is_own(&self) -> bool {
        if let Self::Key {
            key, of_own_link, ..
        } = self
        {
            return *of_own_link && setting::is_plain(key);
        }
        matches!(
            self,
            Self::Link { own: true, .. }
                | Self::LinkWith { own: true, .. }
                | Self::Master { own: true, .. }
                | Self::Whole { own: true, .. }
                | Self::Vlans { own: true, .. }
                | Self::Vf { own: true, .. }
                | Self::Address { own: true, .. }
                | Self::Route { own: true, .. }
                | Self::Table { own: true, .. }
                | Self::Rule { own: true, .. }
                | Self::Neighbour { own: true, .. }
        )
    }
}

/// The length of a description after which no further object is named, in bytes.
const DESCRIBED_MAX: usize = 1024;

/// Describes objects for the audit trail and for messages. Only the first of many are
/// named.
pub fn describe(objects: &[Object<'_>]) -> String {
    let mut words = String::new();
    for object in objects {
        if !words.is_empty() {
            words.push_str(", ");
        }
        if words.len() > DESCRIBED_MAX {
            words.push('…');
            break;
        }
        words.push_str(&object.to_string());
    }
    words
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link {
                namespace, name, ..
            } => write!(f, "link {namespace}:{name}"),
            Self::NewLink { namespace, name } => write!(f, "new link {namespace}:{name}"),
            Self::Place(place) => write!(f, "place {place}"),
            Self::Whole {
                namespace, name, ..
            } => write!(f, "all of link {namespace}:{name}"),
            Self::Vlans { numbers, .. } => write!(f, "vlan {numbers}"),
            Self::Vf {
                namespace,
                card,
                number,
                change,
                ..
            } => {
                write!(f, "VF {number} of link {namespace}:{card}")?;
                change.map_or(Ok(()), |change| write!(f, ": {change}"))
            }
            Self::Vni(number) => write!(f, "vni {number}"),
            Self::DefaultRouteLink => f.write_str("link of the default route"),
            Self::DefaultMtu => f.write_str("MTU of the default route"),
            Self::NewSubnet(IpVersion::Ipv4) => f.write_str("new IPv4 subnet"),
            Self::NewSubnet(IpVersion::Ipv6) => f.write_str("new IPv6 subnet"),
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
            Self::Source { network, .. } => write!(f, "packets from {network}"),
            Self::Outbound(address) => write!(f, "source address {address}"),
            Self::Ports(ports) => write!(f, "port {ports}"),
            Self::Secret(name) => write!(f, "secret {name:?}"),
            Self::State { key: Some(key) } => write!(f, "state {key}"),
            Self::State { key: None } => f.write_str("state"),
            Self::Message => f.write_str("message"),
            Self::Subnet(one) if one.prefix_len() == one.max_prefix_len() => {
                write!(f, "gateway {}", one.addr())
            }
            Self::Subnet(subnet) => write!(f, "subnet {subnet}"),
            Self::NameServer(address) => write!(f, "name server {address}"),
            Self::SearchDomain(domain) => write!(f, "search domain {domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_objects_the_first_are_named() {
        let all = Object::AllLinks(Namespace::Host);
        assert_eq!(
            describe(&[all, all]),
            "all links of host, all links of host"
        );
        let words = describe(&vec![all; 100_000]);
        assert!(words.len() < DESCRIBED_MAX + 50 && words.ends_with(", …"));
    }
}
