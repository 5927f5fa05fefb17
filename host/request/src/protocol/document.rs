//! The documents that Podman and netavark send.
//!
//! A field that may be absent may be `null` as well: which of the two occurs
//! depends on the sender's version. Unknown fields are tolerated.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

/// A network, as in netavark's `types::Network`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Network {
    /// The name.
    pub name: String,
    /// The id, 64 hexadecimal digits from Podman.
    pub id: String,
    /// The driver: the name of the plugin.
    pub driver: String,
    /// No way to the outside is wanted.
    #[serde(default)]
    pub internal: bool,
    /// IPv6 is wanted.
    #[serde(default)]
    pub ipv6_enabled: bool,
    /// Name resolution is wanted.
    #[serde(default)]
    pub dns_enabled: bool,
    /// The host's interface below the network.
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
    /// Who chooses addresses, under the key `driver`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub ipam_options: BTreeMap<String, String>,
    /// Name servers for the network's containers.
    #[serde(default, deserialize_with = "null_as_default")]
    pub network_dns_servers: Vec<IpAddr>,
}

/// A subnet of a network.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Subnet {
    /// The network address.
    pub subnet: IpNet,
    /// The gateway inside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// Where Podman may choose addresses.
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
    /// Where it leads.
    pub destination: IpNet,
    /// The next hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// The metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
    /// unicast, blackhole, unreachable or prohibit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_type: Option<String>,
}

/// What `setup` and `teardown` get, as in netavark's
/// `types::NetworkPluginExec`.
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
    /// How this container joins it.
    pub network_options: NetworkOptions,
}

/// How one container joins a network.
#[derive(Debug, Clone, Deserialize)]
pub struct NetworkOptions {
    /// The interface's name in the container.
    pub interface_name: String,
    /// The addresses that were chosen.
    #[serde(default)]
    pub static_ips: Option<Vec<IpAddr>>,
    /// The MAC address that the user asked for.
    #[serde(default)]
    pub static_mac: Option<String>,
    /// Names for the container on this network.
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
    /// How many ports, counting up; 0 counts as 1.
    #[serde(default)]
    pub range: u16,
    /// The host address; empty means all.
    #[serde(default)]
    pub host_ip: String,
    /// tcp, udp or sctp, or several with commas; empty means tcp.
    #[serde(default)]
    pub protocol: String,
}

/// Reads `null` as the type's empty value.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
