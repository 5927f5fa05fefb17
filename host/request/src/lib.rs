//! netavark's documents, the resolved request, the user's word, and the answer. The
//! crate knows nothing of WebAssembly or netlink.
//!
//! A resolved request has addresses with their subnets, routes with their gateways,
//! single ports and parsed options. Errors for the user's mistakes have netavark's
//! words, which a user of its own drivers knows.

#![deny(unsafe_code)]

mod addresses;
mod answer;
mod declared;
mod error;
mod link_name;
mod named;
mod network;
mod options;
mod parent;
mod ports;
pub mod protocol;
mod routes;
mod said;
mod vf;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

pub use answer::{LeasedAddress, LinkReport, answer};
pub use declared::{
    DeclarationError, Declared, DeclaredOption, Given, OptionFault, OptionName, Scope,
};
pub use error::RequestError;
pub use network::Network;
pub use options::{names_outbound, names_secret, normal_forms};
pub use parent::Parent;
pub use routes::all_routes;
pub use said::{KeptNetwork, Said, first_address};

use types::{ContainerId, Key, LinkName, LinkProperty, Mac, Port, Route};

/// A resolved request of `setup` or `teardown`.
#[derive(Debug, Clone)]
pub struct Request {
    /// The network.
    pub network: Network,
    /// The container's id.
    pub container_id: ContainerId,
    /// The container's name.
    pub container_name: String,
    /// The container's further names on the network.
    pub aliases: Vec<String>,
    /// The interface's name in the container.
    pub interface_name: LinkName,
    /// The name of the host's end of a link between host and container: the option
    /// `host_interface_name`, as for netavark's bridge.
    pub host_interface_name: Option<LinkName>,
    /// The property by which the parent can be found. The container's own options go
    /// before the network's.
    pub parent_property: Option<LinkProperty>,
    /// The MAC address that the user asked for.
    pub mac: Option<Mac>,
    /// The container's addresses with their subnets' prefix lengths.
    pub addresses: Vec<IpNet>,
    /// The default routes, at most one for each family in which the container has an
    /// address.
    pub default_routes: Vec<Route>,
    /// The network's static routes of these families.
    pub routes: Vec<Route>,
    /// The published ports, one by one.
    pub ports: Vec<Port>,
    /// The link of the host that packets to published ports must come in through: the
    /// option `publish_interface`. The container's own option goes before the network's.
    pub publish_interface: Option<LinkName>,
    /// Options for this container only.
    pub options: BTreeMap<String, String>,
}

impl Request {
    /// Returns the container and the network of the request.
    pub fn key(&self) -> Key {
        Key {
            network: self.network.id.clone(),
            container: self.container_id.clone(),
        }
    }

    /// Returns the secrets that the request names: the values of those options of the
    /// network and the container whose keys end with `_secret`.
    pub fn secrets(&self) -> Vec<String> {
        let options = self.network.options.iter().chain(&self.options);
        options
            .filter(|(key, _)| names_secret(key))
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// Returns the host's addresses for SNAT that the options of the network and the
    /// container name: `outbound_addr4` and `outbound_addr6`, as for netavark's bridge.
    pub fn outbound(&self) -> Vec<IpAddr> {
        let options = self.network.options.iter().chain(&self.options);
        options
            .filter(|(key, _)| names_outbound(key))
            .filter_map(|(_, value)| value.parse().ok())
            .collect()
    }

    /// Returns the link of the host that answers for the containers' IPv6 addresses: the
    /// network's option `ndp_proxy`.
    pub fn ndp_proxy(&self) -> Option<LinkName> {
        let name = self.network.options.get(said::NDP_PROXY)?;
        LinkName::try_from(name.clone()).ok()
    }

    /// Resolves the document of `setup` or `teardown`.
    pub fn resolve(document: &protocol::SetupDocument) -> Result<Self, RequestError> {
        let join = &document.network_options;
        let network = Network::resolve(&document.network)?.for_container(&join.options)?;
        if join.interface_name.is_empty() {
            return Err(RequestError::NoInterfaceName);
        }
        let addresses = addresses::resolve(&network, join.static_ips.as_deref())?;
        Ok(Self {
            container_id: ContainerId::try_from(document.container_id.clone())?,
            container_name: document.container_name.clone(),
            aliases: join.aliases.clone(),
            interface_name: link_name::parse(
                "the container's interface name",
                &join.interface_name,
            )?,
            host_interface_name: options::link(
                &join.options,
                "host_interface_name",
                "the option host_interface_name",
            )?,
            parent_property: parent::property(&join.options)
                .map_err(RequestError::of_container)?
                .or_else(|| network.parent_property().cloned()),
            default_routes: routes::defaults(&network, &addresses),
            routes: routes::of_container(&network, &addresses, &document.network.routes)?,
            addresses,
            mac: join.static_mac.as_deref().map(str::parse).transpose()?,
            ports: ports::unfold(&document.port_mappings)?,
            publish_interface: options::publish_interface(&join.options)?
                .or_else(|| network.publish_interface.clone()),
            options: join.options.clone(),
            network,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(
        subnets: &str,
        ips: &str,
        options: &str,
        routes: &str,
    ) -> Result<Request, RequestError> {
        let json = format!(
            r#"{{"container_id":"c","container_name":"n","network":{{"name":"n","id":"i",
            "driver":"d","subnets":{subnets},"options":{options},"routes":{routes}}},
            "network_options":{{"interface_name":"eth0","static_ips":{ips}}}}}"#
        );
        Request::resolve(&serde_json::from_str(&json).unwrap())
    }

    const DUAL: &str = r#"[{"subnet":"10.0.0.0/24","gateway":"10.0.0.1"},
        {"subnet":"10.1.0.0/24","gateway":"10.1.0.1"},{"subnet":"fd00::/64","gateway":"fd00::1"}]"#;

    #[test]
    fn addresses_take_the_prefix_of_their_subnet_in_its_order() {
        let request =
            resolve(DUAL, r#"["fd00::2","10.1.0.2","10.0.0.2"]"#, "null", "null").unwrap();
        let addresses: Vec<_> = request.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.0.0.2/24", "10.1.0.2/24", "fd00::2/64"]);
    }

    #[test]
    fn each_family_gets_one_default_route() {
        let ips = r#"["10.0.0.2","fd00::2"]"#;
        let request = resolve(DUAL, ips, r#"{"metric":"7"}"#, "null").unwrap();
        let routes: Vec<_> = request
            .default_routes
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(routes, ["0.0.0.0/0 via 10.0.0.1", "::/0 via fd00::1"]);
        assert!(request.default_routes.iter().all(|r| r.metric == Some(7)));
        let none = resolve(DUAL, ips, r#"{"no_default_route":"true"}"#, "null").unwrap();
        assert!(none.default_routes.is_empty());
    }

    #[test]
    fn a_family_without_an_address_gets_no_route() {
        let routes = r#"[{"destination":"10.9.0.0/16","gateway":"10.0.0.1"},
            {"destination":"fd09::/64","gateway":"fd00::1"},
            {"destination":"fd08::/64","route_type":"blackhole"}]"#;
        let of = |ips: &str| {
            let request = resolve(DUAL, ips, "null", routes).unwrap();
            let all = request.default_routes.iter().chain(&request.routes);
            all.map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            of(r#"["10.1.0.2"]"#),
            ["0.0.0.0/0 via 10.0.0.1", "10.9.0.0/16 via 10.0.0.1"]
        );
        let v6 = of(r#"["fd00::2"]"#);
        assert_eq!(v6.len(), 3);
        assert!(v6.iter().all(|route| route.contains("::/")), "{v6:?}");
        assert_eq!(of(r#"["10.1.0.2","fd00::2"]"#).len(), 5);
        assert!(of("[]").is_empty());
    }

    #[test]
    fn a_containers_own_options_take_the_place_of_the_networks() {
        let resolve = |own: &str| {
            let json = format!(
                r#"{{"container_id":"c","container_name":"n","network":{{"name":"n","id":"i",
                "driver":"d","subnets":{DUAL},"options":{{"mtu":"9000","metric":"7"}}}},
                "network_options":{{"interface_name":"eth0","static_ips":["10.0.0.2"],
                "options":{own}}}}}"#
            );
            Request::resolve(&serde_json::from_str(&json).unwrap())
        };
        let request = resolve(r#"{"mtu":"1400","metric":"0"}"#).unwrap();
        assert_eq!(request.network.mtu, Some(1400));
        assert!(request.default_routes.iter().all(|r| r.metric == Some(0)));
        let request = resolve(r#"{"no_default_route":"true"}"#).unwrap();
        assert_eq!(request.network.mtu, Some(9000));
        assert!(request.default_routes.is_empty());
        let error = resolve(r#"{"metric":"x"}"#).unwrap_err().to_string();
        assert!(error.contains("\"metric\""), "{error}");
        assert!(error.ends_with("(given for the container)"), "{error}");
    }

    #[test]
    fn vrfs_are_named_by_options() {
        let ips = r#"["10.0.0.2"]"#;
        let named = |options| resolve(DUAL, ips, options, "null").map(|request| request.network);
        let network = named(r#"{"vrf":"blue","vrf_name":"red"}"#).unwrap();
        assert_eq!(network.vrf.unwrap().as_str(), "blue");
        assert_eq!(network.container_vrf.unwrap().as_str(), "red");
        let network = named(r#"{"vrf":""}"#).unwrap();
        assert!(network.vrf.is_none() && network.container_vrf.is_none());
        let error = named(r#"{"vrf_name":"a/b"}"#).unwrap_err().to_string();
        assert!(
            error.starts_with("the option vrf_name is not valid"),
            "{error}"
        );
    }

    #[test]
    fn mistakes_are_worded_as_netavark_words_them() {
        let net = r#"[{"subnet":"10.0.0.0/24","gateway":"10.0.0.1"}]"#;
        let ips = r#"["10.0.0.2"]"#;
        let cases = [
            (
                resolve(net, r#"["10.9.0.2"]"#, "null", "null"),
                "not all static IPs matched a subnet: expected 1, got 0",
            ),
            (
                resolve(net, "null", "null", "null"),
                "no static ips provided",
            ),
            (
                resolve(
                    r#"[{"subnet":"10.0.0.0/24"},{"subnet":"10.0.0.0/24"}]"#,
                    ips,
                    "null",
                    "null",
                ),
                "duplicate subnet defined: 10.0.0.0/24",
            ),
            (
                resolve(
                    r#"[{"subnet":"10.0.0.0/16"},{"subnet":"10.0.1.0/24"}]"#,
                    ips,
                    "null",
                    "null",
                ),
                "overlapping subnets: 10.0.0.0/16 and 10.0.1.0/24",
            ),
            (
                resolve(net, ips, r#"{"mtu":"x"}"#, "null"),
                r#"unable to parse "mtu": "x" is not a whole number from 0 to 4294967295 (given for the network)"#,
            ),
            (
                resolve(net, ips, r#"{"no_default_route":"yes"}"#, "null"),
                r#"unable to parse "no_default_route": "yes" is not true or false (given for the network)"#,
            ),
            (
                resolve(net, ips, "null", r#"[{"destination":"10.5.0.0/16"}]"#),
                "route 10.5.0.0/16 requires a gateway for type unicast",
            ),
            (
                resolve(
                    net,
                    ips,
                    "null",
                    r#"[{"destination":"fd01::/64","gateway":"10.0.0.1"}]"#,
                ),
                "route with ipv6 destination and ipv4 gateway (fd01::/64 via 10.0.0.1)",
            ),
            (
                resolve(
                    net,
                    ips,
                    "null",
                    r#"[{"destination":"10.5.0.0/16","gateway":"10.0.0.1","route_type":"blackhole"}]"#,
                ),
                "route 10.5.0.0/16 must not have a gateway for type BlackHole",
            ),
            (
                resolve(
                    net,
                    ips,
                    "null",
                    r#"[{"destination":"10.5.0.0/16","route_type":"throw"}]"#,
                ),
                r#"invalid route type "throw""#,
            ),
        ];
        for (result, text) in cases {
            assert_eq!(result.unwrap_err().to_string(), text);
        }
    }
}
