//! The network of a request.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use types::NetworkId;
use types::{LinkName, LinkProperty};

use super::{Parent, RequestError, options};
use crate::protocol::{self, Subnet};

/// A checked network.
#[derive(Debug, Clone)]
pub struct Network {
    /// The network's name.
    pub name: String,
    /// The network's id.
    pub id: NetworkId,
    /// The driver's name.
    pub driver: String,
    /// The network's parent.
    pub parent: Option<Parent>,
    /// The network's subnets.
    pub subnets: Vec<Subnet>,
    /// Whether the network must not reach outside of the host.
    pub internal: bool,
    /// Whether IPv6 is wanted.
    pub ipv6: bool,
    /// Whether name resolution is wanted.
    pub dns: bool,
    /// The ipam driver, which chooses addresses. It is `None` if the request names none.
    pub ipam_driver: Option<String>,
    /// The option `mtu`, in bytes. A container's own option goes before it, also for the
    /// next two options.
    pub mtu: Option<u32>,
    /// The option `metric`.
    pub metric: Option<u32>,
    /// Whether the option `no_default_route` is set.
    pub no_default_route: bool,
    /// The option `vrf`: a VRF of the host that is the master of the network's links, as
    /// for netavark's bridge.
    pub vrf: Option<LinkName>,
    /// The option `vrf_name`: the name of a VRF in the container.
    pub container_vrf: Option<LinkName>,
    /// The option `publish_interface`.
    pub publish_interface: Option<LinkName>,
    /// The name servers that the user gave for the network's containers.
    pub name_servers: Vec<IpAddr>,
    /// All options of the network.
    pub options: BTreeMap<String, String>,
}

impl Network {
    /// Whether Podman chose addresses. It chooses none with the ipam drivers `none` and
    /// `dhcp`.
    pub(super) fn has_addresses(&self) -> bool {
        !matches!(self.ipam_driver.as_deref(), Some("none" | "dhcp"))
    }

    /// Returns the parent's name, if the request names the parent by it.
    pub fn parent_name(&self) -> Option<&LinkName> {
        self.parent.as_ref()?.name()
    }

    /// Returns the parent's property, if the request names the parent by one.
    pub fn parent_property(&self) -> Option<&LinkProperty> {
        self.parent.as_ref()?.property()
    }

    /// Returns the gateways of the subnets, with their prefix lengths.
    pub fn gateways(&self) -> Vec<IpNet> {
        let subnets = self.subnets.iter();
        subnets
            .filter_map(|subnet| IpNet::new(subnet.gateway?, subnet.subnet.prefix_len()).ok())
            .collect()
    }

    /// Replaces the options `mtu`, `metric` and `no_default_route` by a container's own.
    pub(super) fn for_container(
        self,
        own: &BTreeMap<String, String>,
    ) -> Result<Self, RequestError> {
        let of_container = RequestError::of_container;
        let no_default_route = options::no_default_route(own).map_err(of_container)?;
        Ok(Self {
            mtu: options::mtu(own).map_err(of_container)?.or(self.mtu),
            metric: options::metric(own).map_err(of_container)?.or(self.metric),
            no_default_route: no_default_route.unwrap_or(self.no_default_route),
            ..self
        })
    }

    /// Checks the network of a document, except its subnets. The caller of `create`
    /// checks those itself, and `setup` checks them with the addresses.
    pub fn resolve(network: &protocol::Network) -> Result<Self, RequestError> {
        let options = &network.options;
        Ok(Self {
            name: types::plain("network name", network.name.clone())?,
            id: NetworkId::try_from(network.id.clone())?,
            driver: network.driver.clone(),
            parent: Parent::resolve(network.network_interface.as_deref(), options)?,
            subnets: network.subnets.clone(),
            internal: network.internal,
            ipv6: network.ipv6_enabled,
            dns: network.dns_enabled,
            ipam_driver: network
                .ipam_options
                .get("driver")
                .filter(|driver| !driver.is_empty())
                .cloned(),
            mtu: options::mtu(options)?,
            metric: options::metric(options)?,
            no_default_route: options::no_default_route(options)?.unwrap_or(false),
            vrf: options::link(options, "vrf", "the option vrf")?,
            container_vrf: options::link(options, "vrf_name", "the option vrf_name")?,
            publish_interface: options::publish_interface(options)?,
            name_servers: network.network_dns_servers.clone(),
            options: options.clone(),
        })
    }
}
