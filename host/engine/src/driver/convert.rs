//! The conversion of requests to the types of the WIT.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use request::protocol::Subnet;
use request::{Network, Request};
use types::{IpVersion, Port, Protocol, Route, RouteKind};

use super::bindings::wasmvark::driver::types as wit;

/// Returns the request for `create`.
pub(super) fn create_request(network: &Network, json: &str) -> wit::CreateRequest {
    wit::CreateRequest {
        network: wit::Network::from(network),
        options: of_network(&network.options).collect(),
        json: json.to_owned(),
    }
}

/// Returns the request for `setup` and `teardown`.
pub(super) fn request(request: &Request, container_exists: bool, json: &str) -> wit::Request {
    wit::Request {
        network: wit::Network::from(&request.network),
        container_id: request.container_id.to_string(),
        container_name: request.container_name.clone(),
        container_exists,
        interface_name: request.interface_name.to_string(),
        mac: request.mac.map(|mac| mac.to_string()),
        addresses: request.addresses.iter().map(ToString::to_string).collect(),
        default_routes: request
            .default_routes
            .iter()
            .map(wit::Route::from)
            .collect(),
        routes: request.routes.iter().map(wit::Route::from).collect(),
        host_routes: request.addresses.iter().map(host_route).collect(),
        ports: request.ports.iter().map(wit::Port::from).collect(),
        options: options(request),
        json: json.to_owned(),
    }
}

/// Returns the options that apply to a container, sorted by key. The container's own
/// replace the network's.
fn options(request: &Request) -> Vec<wit::RequestOption> {
    let own = &request.options;
    let network = of_network(&request.network.options);
    let network = network.filter(|option| !own.contains_key(&option.key));
    let own = own.iter();
    let own = own.map(|(key, value)| option(key, value, wit::OptionOrigin::Container));
    let mut all: Vec<_> = network.chain(own).collect();
    all.sort_by(|one, other| one.key.cmp(&other.key));
    all
}

fn of_network(
    options: &BTreeMap<String, String>,
) -> impl Iterator<Item = wit::RequestOption> + use<'_> {
    let options = options.iter();
    options.map(|(key, value)| option(key, value, wit::OptionOrigin::Network))
}

fn option(key: &str, value: &str, origin: wit::OptionOrigin) -> wit::RequestOption {
    wit::RequestOption {
        key: key.to_owned(),
        value: value.to_owned(),
        origin,
    }
}

/// Returns the host's route to an address of the container.
fn host_route(address: &IpNet) -> wit::Route {
    wit::Route {
        destination: IpNet::from(address.addr()).to_string(),
        gateway: None,
        metric: None,
        kind: wit::RouteKind::Unicast,
    }
}

impl From<wit::IpVersion> for IpVersion {
    fn from(version: wit::IpVersion) -> Self {
        match version {
            wit::IpVersion::Ipv4 => Self::Ipv4,
            wit::IpVersion::Ipv6 => Self::Ipv6,
        }
    }
}

impl From<&Network> for wit::Network {
    fn from(network: &Network) -> Self {
        Self {
            name: network.name.clone(),
            id: network.id.to_string(),
            driver: network.driver.clone(),
            parent: network.parent_name().map(ToString::to_string),
            subnets: network.subnets.iter().map(wit::Subnet::from).collect(),
            internal: network.internal,
            ipv6: network.ipv6,
            dns: network.dns,
            ipam_driver: network.ipam_driver.clone(),
            mtu: network.mtu,
            metric: network.metric,
            no_default_route: network.no_default_route,
        }
    }
}

impl From<&Subnet> for wit::Subnet {
    fn from(subnet: &Subnet) -> Self {
        Self::new(subnet.subnet, subnet.gateway)
    }
}

impl wit::Subnet {
    /// Returns a subnet whose gateway has the prefix length of the subnet.
    pub(crate) fn new(subnet: IpNet, gateway: Option<IpAddr>) -> Self {
        let prefix = subnet.prefix_len();
        Self {
            subnet: subnet.to_string(),
            gateway: gateway.map(|gateway| format!("{gateway}/{prefix}")),
        }
    }
}

impl From<&Route> for wit::Route {
    fn from(route: &Route) -> Self {
        Self {
            destination: route.destination.to_string(),
            gateway: route.gateway.map(|gateway| gateway.to_string()),
            metric: route.metric,
            kind: match route.kind {
                RouteKind::Unicast => wit::RouteKind::Unicast,
                RouteKind::Blackhole => wit::RouteKind::Blackhole,
                RouteKind::Unreachable => wit::RouteKind::Unreachable,
                RouteKind::Prohibit => wit::RouteKind::Prohibit,
            },
        }
    }
}

impl From<&Port> for wit::Port {
    fn from(port: &Port) -> Self {
        Self {
            host_address: port.host_address.map(|address| address.to_string()),
            host_port: port.host_port,
            container_port: port.container_port,
            protocol: match port.protocol {
                Protocol::Tcp => wit::Protocol::Tcp,
                Protocol::Udp => wit::Protocol::Udp,
                Protocol::Sctp => wit::Protocol::Sctp,
            },
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A request with two subnets, one of them without a gateway, and options of both
    /// origins.
    pub(in crate::driver) fn example() -> Request {
        let json = r#"{"container_id":"c","container_name":"n","network":{"name":"n","id":"i",
            "driver":"d","subnets":[{"subnet":"10.0.0.0/16","gateway":"10.0.0.1"},
            {"subnet":"fd00::/64"}],"options":{"mtu":"9000","mode":"a","zone":"z"}},
            "network_options":{"interface_name":"eth0","static_ips":["10.0.0.2","fd00::2"],
            "options":{"mtu":"1400","alias":"x"}}}"#;
        Request::resolve(&serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn each_option_is_there_once_with_its_origin() {
        let request = request(&example(), true, "");
        let options = request.options.iter();
        let options: Vec<_> = options
            .map(|it| (it.key.as_str(), it.value.as_str(), it.origin))
            .collect();
        let (network, container) = (wit::OptionOrigin::Network, wit::OptionOrigin::Container);
        let expected = [
            ("alias", "x", container),
            ("mode", "a", network),
            ("mtu", "1400", container),
            ("zone", "z", network),
        ];
        assert_eq!(options, expected);
        assert_eq!(request.network.mtu, Some(1400));
        let create = create_request(&example().network, "");
        let keys: Vec<_> = create.options.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(keys, ["mode", "mtu", "zone"]);
        assert!(create.options.iter().all(|it| it.origin == network));
    }

    #[test]
    fn a_gateway_has_its_subnets_prefix_length() {
        let request = request(&example(), true, "");
        let gateways = request.network.subnets.into_iter().map(|it| it.gateway);
        let expected = [Some("10.0.0.1/16".to_owned()), None];
        assert_eq!(gateways.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_host_has_a_route_to_each_address_alone() {
        let request = request(&example(), true, "");
        let routes = request.host_routes.iter();
        let destinations: Vec<_> = routes.map(|it| it.destination.as_str()).collect();
        assert_eq!(destinations, ["10.0.0.2/32", "fd00::2/128"]);
        let mut routes = request.host_routes.iter();
        assert!(routes.all(|it| it.gateway.is_none() && it.metric.is_none()));
    }
}
