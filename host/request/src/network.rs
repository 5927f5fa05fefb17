//! The network of a request.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use types::NetworkId;
use types::{LinkName, LinkProperty};

use super::{Parent, RequestError, options};
use crate::protocol::{self, Subnet};

/// A network, checked.
#[derive(Debug, Clone)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: NetworkId,
    /// The driver as Podman calls it.
    pub driver: String,
    /// The host's interface below it.
    pub parent: Option<Parent>,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
    /// It must not reach outside.
    pub internal: bool,
    /// IPv6 is wanted.
    pub ipv6: bool,
    /// Name resolution is wanted.
    pub dns: bool,
    /// Who chooses addresses; `None` where the request leaves it open.
    pub ipam_driver: Option<String>,
    /// The option `mtu`, in bytes. Of this and the next two a container may
    /// have its own.
    pub mtu: Option<u32>,
    /// The option `metric`.
    pub metric: Option<u32>,
    /// The option `no_default_route`.
    pub no_default_route: bool,
    /// The option `vrf`: a VRF of the host that the network's links go below,
    /// as for netavark's bridge.
    pub vrf: Option<LinkName>,
    /// The option `vrf_name`: what a VRF in the container is to be called.
    pub container_vrf: Option<LinkName>,
    /// Name servers that the user gave for its containers.
    pub name_servers: Vec<IpAddr>,
    /// All options.
    pub options: BTreeMap<String, String>,
}

impl Network {
    /// Whether Podman chose addresses: not so with the ipam drivers `none` and
    /// `dhcp`.
    pub(super) fn has_addresses(&self) -> bool {
        !matches!(self.ipam_driver.as_deref(), Some("none" | "dhcp"))
    }

    /// The name of the host's interface below it, where the request has it.
    pub fn parent_name(&self) -> Option<&LinkName> {
        self.parent.as_ref()?.name()
    }

    /// What that interface can be found by, where the request has no name.
    pub fn parent_property(&self) -> Option<&LinkProperty> {
        self.parent.as_ref()?.property()
    }

    /// The gateways of the subnets, with their prefix lengths.
    pub fn gateways(&self) -> Vec<IpNet> {
        let subnets = self.subnets.iter();
        subnets
            .filter_map(|subnet| IpNet::new(subnet.gateway?, subnet.subnet.prefix_len()).ok())
            .collect()
    }

    /// The network as one container sees it, whose own options `mtu`, `metric`
    /// and `no_default_route` take the place of the network's.
    pub(super) fn for_container(
        self,
        own: &BTreeMap<String, String>,
    ) -> Result<Self, RequestError> {
        let no_default_route = options::parse(own, "no_default_route")?;
        Ok(Self {
            mtu: options::parse(own, "mtu")?.or(self.mtu),
            metric: options::parse(own, "metric")?.or(self.metric),
            no_default_route: no_default_route.unwrap_or(self.no_default_route),
            ..self
        })
    }

    /// Checks the network of a document. Whether subnets and addresses fit
    /// is a matter of `setup`: the caller of `create` checks subnets itself.
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
            mtu: options::parse(options, "mtu")?,
            metric: options::parse(options, "metric")?,
            no_default_route: options::parse(options, "no_default_route")?.unwrap_or(false),
            vrf: options::link(options, "vrf", "the option vrf")?,
            container_vrf: options::link(options, "vrf_name", "the option vrf_name")?,
            name_servers: network.network_dns_servers.clone(),
            options: options.clone(),
        })
    }
}
