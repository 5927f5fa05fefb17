//! What calls touch.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use types::{
    HostPlace, LinkName, LinkProperty, Namespace, NumberRange, PortRange, Route, Rule, SettingKey,
};

use super::setting;

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
    /// Where on the host a new link is to be. In the container it needs no word.
    Place(HostPlace),
    /// All of a link: a change of another one changes it too.
    Whole {
        /// Where it is.
        namespace: Namespace,
        /// Its name.
        name: &'a LinkName,
        /// Whether the journal says that the driver made or moved it.
        own: bool,
    },
    /// VLANs by their numbers.
    Vlans {
        /// The numbers.
        numbers: NumberRange,
        /// Whether they are only taken off an own link.
        own: bool,
    },
    /// The number of a VXLAN.
    Vni(u32),
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
    Source {
        /// The network.
        network: IpNet,
        /// Whether the driver has a link for all containers of the request's
        /// network.
        is_shared: bool,
    },
    /// The address that they get.
    Outbound(IpAddr),
    /// Ports of the host that lead to the container.
    Ports(&'a PortRange),
    /// A secret of the operator's.
    Secret(&'a str),
    /// A kernel setting.
    Key {
        /// Where.
        namespace: Namespace,
        /// Its name.
        key: &'a SettingKey,
        /// Whether it's a setting of a link in the container that the driver made
        /// or moved.
        of_own_link: bool,
    },
    /// A route, or one of its hops.
    Route {
        /// Where.
        namespace: Namespace,
        /// The route.
        route: &'a Route,
        /// Whether it names a link that it leaves through, which the driver made
        /// or moved.
        through_own_link: bool,
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
        /// Whether the driver has a link for all containers of the request's
        /// network.
        is_shared: bool,
        /// Whether the journal says that the driver added it.
        own: bool,
    },
    /// All policy routing rules of a namespace.
    AllRules(Namespace),
    /// What a link knows of an address, or that it answers for it.
    Neighbour {
        /// The address.
        address: IpAddr,
        /// Whether it's the driver's to set, or the journal says that the
        /// driver set it.
        own: bool,
    },
    /// A message for the operator.
    Message,
    /// A subnet of the network, or a gateway by itself.
    Subnet(IpNet),
    /// A name server for containers.
    NameServer(IpAddr),
    /// A search domain for the container.
    SearchDomain(&'a str),
}

impl Object<'_> {
    /// Rule 2: whether the driver made it.
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
                | Self::Address { own: true, .. }
                | Self::Route { own: true, .. }
                | Self::Table { own: true, .. }
                | Self::Rule { own: true, .. }
                | Self::Neighbour { own: true, .. }
        )
    }
}

/// Bytes after which a description names no more objects.
const DESCRIBED_MAX: usize = 1024;

/// The objects in words, for the audit trail and for messages; of many, the first ones.
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
            Self::Vni(number) => write!(f, "vni {number}"),
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
