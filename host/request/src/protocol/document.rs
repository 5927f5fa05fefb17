//! The documents that Podman and netavark send.
//!
//! An optional field may be absent or `null`, depending on the sender's version. Unknown
//! fields are ignored.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

/// A network, as in netavark's `types::Network`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Network {
    /// The network's name.
    pub name: String,
    /// The network's id. Podman's have 64 hexadecimal digits.
    pub id: String,
    /// The driver, which is the name of the plugin.
    pub driver: String,
    /// Whether the network must not reach outside of the host.
    #[serde(default)]
    pub internal: bool,
    /// Whether IPv6 is wanted.
    #[serde(default)]
    pub ipv6_enabled: bool,
    /// Whether name resolution is wanted.
    #[serde(default)]
    pub dns_enabled: bool,
    /// The name of the network's parent.
    #[serde(default)]
    pub network_interface: Option<String>,
    /// The subnets.
    #[serde(default, deserialize_with = "null_as_default")]
    pub subnets: Vec<Subnet>,
    /// The static routes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub routes: Vec<Route>,
    /// The options of `podman network create --opt`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub options: BTreeMap<String, String>,
    /// The options for addresses. The key `driver` names the ipam driver, which chooses
    /// them.
    #[serde(default, deserialize_with = "null_as_default")]
    pub ipam_options: BTreeMap<String, String>,
    /// The name servers for the network's containers.
    #[serde(default, deserialize_with = "null_as_default")]
    pub network_dns_servers: Vec<IpAddr>,
}

/// A subnet of a network.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Subnet {
    /// The network address.
    pub subnet: IpNet,
    /// The gateway of the subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// The range that Podman chooses addresses from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_range: Option<LeaseRange>,
}

/// The part of a subnet that Podman chooses addresses from.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct LeaseRange {
    /// The first address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ip: Option<String>,
    /// The last address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ip: Option<String>,
}

/// A static route of a network.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Route {
    /// The destination.
    pub destination: IpNet,
    /// The gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// The metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
    /// The kind: `unicast`, `blackhole`, `unreachable` or `prohibit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_type: Option<String>,
}

/// The document of `setup` and `teardown`, as in netavark's `types::NetworkPluginExec`.
#[derive(Debug, Clone, Deserialize)]
pub struct SetupDocument {
    /// The container's id.
    pub container_id: String,
    /// The container's name.
    #[serde(default)]
    pub container_name: String,
    /// The published ports.
    #[serde(default, deserialize_with = "null_as_default")]
    pub port_mappings: Vec<PortMapping>,
    /// The network.
    pub network: Network,
    /// The container's options for the network.
    pub network_options: NetworkOptions,
}

/// A container's options for a network.
#[derive(Debug, Clone, Deserialize)]
pub struct NetworkOptions {
    /// The interface's name in the container.
    pub interface_name: String,
    /// The chosen addresses.
    #[serde(default)]
    pub static_ips: Option<Vec<IpAddr>>,
    /// The MAC address that the user asked for.
    #[serde(default)]
    pub static_mac: Option<String>,
    /// The container's further names on this network.
    #[serde(default, deserialize_with = "null_as_default")]
    pub aliases: Vec<String>,
    /// Options for this container only.
    #[serde(default, deserialize_with = "null_as_default")]
    pub options: BTreeMap<String, String>,
}

/// One or more published ports.
#[derive(Debug, Clone, Deserialize)]
pub struct PortMapping {
    /// The first port in the container.
    pub container_port: u16,
    /// The first port on the host.
    pub host_port: u16,
    /// The number of consecutive ports. 0 stands for 1.
    #[serde(default)]
    pub range: u16,
    /// The host address, or an empty text for all addresses.
    #[serde(default)]
    pub host_ip: String,
    /// `tcp`, `udp` or `sctp`, or several with commas. An empty text stands for `tcp`.
    #[serde(default)]
    pub protocol: String,
}

/// Reads `null` as the type's default value.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
