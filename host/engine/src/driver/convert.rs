//! The conversion of requests to the types of the WIT.

use std::collections::BTreeMap;

use request::protocol::Subnet;
use request::{Network, Request};
use types::{IpVersion, Port, Protocol, Route, RouteKind};

use super::bindings::wasmvark::driver::types as wit;

/// Returns the request for `create`.
pub(super) fn create_request(network: &Network, json: &str) -> wit::CreateRequest {
    wit::CreateRequest {
        network: wit::Network::from(network),
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
        ports: request.ports.iter().map(wit::Port::from).collect(),
        options: options(&effective(request)),
        container_options: options(&request.options),
        json: json.to_owned(),
    }
}

/// Returns the options that apply to a container. The container's own replace the
/// network's.
fn effective(request: &Request) -> BTreeMap<String, String> {
    let mut options = request.network.options.clone();
    options.extend(request.options.clone());
    options
}

fn options(options: &BTreeMap<String, String>) -> Vec<wit::OptionValue> {
    let options = options.iter();
    options
        .map(|(key, value)| wit::OptionValue {
            key: key.clone(),
            value: value.clone(),
        })
        .collect()
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
            options: options(&network.options),
        }
    }
}

impl From<&Subnet> for wit::Subnet {
    fn from(subnet: &Subnet) -> Self {
        Self {
            subnet: subnet.subnet.to_string(),
            gateway: subnet.gateway.map(|gateway| gateway.to_string()),
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
