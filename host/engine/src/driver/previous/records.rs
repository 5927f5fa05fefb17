//! The WIT records of requests of 0.2.

use std::collections::BTreeMap;

use request::{Network, Request};
use wasmtime::component::{ComponentType, Lower};

use crate::driver::bindings::wasmvark::driver::types as wit;

/// The WIT record `subnet` of 0.2, whose gateway has no prefix length.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(super) struct PreviousSubnet {
    subnet: String,
    gateway: Option<String>,
}

/// The WIT record `network` of 0.2, with options.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(super) struct PreviousNetwork {
    name: String,
    id: String,
    driver: String,
    parent: Option<String>,
    subnets: Vec<PreviousSubnet>,
    internal: bool,
    ipv6: bool,
    dns: bool,
    #[component(name = "ipam-driver")]
    ipam_driver: Option<String>,
    mtu: Option<u32>,
    metric: Option<u32>,
    #[component(name = "no-default-route")]
    no_default_route: bool,
    options: Vec<wit::OptionValue>,
}

/// The WIT record `create-request` of 0.2.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(super) struct PreviousCreateRequest {
    network: PreviousNetwork,
    json: String,
}

/// The WIT record `request` of 0.2, with the options of the network, of the container,
/// and those that apply.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(super) struct PreviousRequest {
    network: PreviousNetwork,
    #[component(name = "container-id")]
    container_id: String,
    #[component(name = "container-name")]
    container_name: String,
    #[component(name = "container-exists")]
    container_exists: bool,
    #[component(name = "interface-name")]
    interface_name: String,
    mac: Option<String>,
    addresses: Vec<String>,
    #[component(name = "default-routes")]
    default_routes: Vec<wit::Route>,
    routes: Vec<wit::Route>,
    ports: Vec<wit::Port>,
    options: Vec<wit::OptionValue>,
    #[component(name = "container-options")]
    container_options: Vec<wit::OptionValue>,
    json: String,
}

impl From<wit::Subnet> for PreviousSubnet {
    fn from(current: wit::Subnet) -> Self {
        let alone = |gateway: String| match gateway.split_once('/') {
            Some((address, _)) => address.to_owned(),
            None => gateway,
        };
        Self {
            subnet: current.subnet,
            gateway: current.gateway.map(alone),
        }
    }
}

impl PreviousNetwork {
    fn new(network: &Network, current: wit::Network) -> Self {
        let subnets = current.subnets.into_iter();
        Self {
            name: current.name,
            id: current.id,
            driver: current.driver,
            parent: current.parent,
            subnets: subnets.map(PreviousSubnet::from).collect(),
            internal: current.internal,
            ipv6: current.ipv6,
            dns: current.dns,
            ipam_driver: current.ipam_driver,
            mtu: current.mtu,
            metric: current.metric,
            no_default_route: current.no_default_route,
            options: values(&network.options),
        }
    }
}

impl PreviousCreateRequest {
    /// Converts a request. `network` has the same in the host's types.
    pub(super) fn new(network: &Network, current: wit::CreateRequest) -> Self {
        Self {
            network: PreviousNetwork::new(network, current.network),
            json: current.json,
        }
    }
}

impl PreviousRequest {
    /// Converts a request. `request` is the same in the host's types. It also has options
    /// of the network that the container replaces.
    pub(super) fn new(request: &Request, current: wit::Request) -> Self {
        let options = current.options.into_iter();
        Self {
            network: PreviousNetwork::new(&request.network, current.network),
            container_id: current.container_id,
            container_name: current.container_name,
            container_exists: current.container_exists,
            interface_name: current.interface_name,
            mac: current.mac,
            addresses: current.addresses,
            default_routes: current.default_routes,
            routes: current.routes,
            ports: current.ports,
            options: options
                .map(|option| wit::OptionValue {
                    key: option.key,
                    value: option.value,
                })
                .collect(),
            container_options: values(&request.options),
            json: current.json,
        }
    }
}

fn values(options: &BTreeMap<String, String>) -> Vec<wit::OptionValue> {
    let options = options.iter();
    options
        .map(|(key, value)| wit::OptionValue {
            key: key.clone(),
            value: value.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::convert;
    use crate::driver::convert::tests::example;

    fn pairs(options: &[wit::OptionValue]) -> Vec<(&str, &str)> {
        let options = options.iter();
        options
            .map(|it| (it.key.as_str(), it.value.as_str()))
            .collect()
    }

    #[test]
    fn a_request_is_as_in_0_2() {
        let request = example();
        let previous = PreviousRequest::new(&request, convert::request(&request, true, "{}"));
        let network = &previous.network;
        let gateways = network.subnets.iter().map(|it| it.gateway.as_deref());
        assert_eq!(gateways.collect::<Vec<_>>(), [Some("10.0.0.1"), None]);
        let given = [("mode", "a"), ("mtu", "9000"), ("zone", "z")];
        assert_eq!(pairs(&network.options), given);
        let own = [("alias", "x"), ("mtu", "1400")];
        assert_eq!(pairs(&previous.container_options), own);
        let all = [
            ("alias", "x"),
            ("mode", "a"),
            ("mtu", "1400"),
            ("zone", "z"),
        ];
        assert_eq!(pairs(&previous.options), all);
        assert_eq!((network.mtu, &*previous.json), (Some(1400), "{}"));
        let current = convert::create_request(&request.network, "");
        let create = PreviousCreateRequest::new(&request.network, current);
        assert_eq!(pairs(&create.network.options), given);
    }
}
