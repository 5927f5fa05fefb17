//! The messages of netavark's DHCP proxy (`src/proto/proxy.proto` in netavark), as far
//! as this client uses them.

use prost::Message;

/// What the proxy is asked for. The field `version` is absent: its default is IPv4, and
/// the proxies refuse IPv6.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NetworkConfig {
    #[prost(string, tag = "1")]
    pub(super) host_iface: String,
    #[prost(string, tag = "2")]
    pub(super) container_iface: String,
    #[prost(string, tag = "3")]
    pub(super) container_mac_addr: String,
    #[prost(string, tag = "4")]
    pub(super) domain_name: String,
    #[prost(string, tag = "5")]
    pub(super) host_name: String,
    #[prost(string, tag = "7")]
    pub(super) ns_path: String,
    #[prost(string, tag = "8")]
    pub(super) container_id: String,
}

/// The proxy's answer. Empty texts and zeros stand for absent values.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Lease {
    #[prost(uint32, tag = "3")]
    pub(super) lease_time: u32,
    #[prost(uint32, tag = "4")]
    pub(super) mtu: u32,
    #[prost(string, tag = "5")]
    pub(super) domain_name: String,
    #[prost(string, tag = "6")]
    pub(super) mac_address: String,
    #[prost(bool, tag = "10")]
    pub(super) is_v6: bool,
    #[prost(string, tag = "12")]
    pub(super) yiaddr: String,
    #[prost(string, tag = "17")]
    pub(super) subnet_mask: String,
    #[prost(string, repeated, tag = "19")]
    pub(super) dns_servers: Vec<String>,
    #[prost(string, repeated, tag = "20")]
    pub(super) gateways: Vec<String>,
    #[prost(string, repeated, tag = "21")]
    pub(super) ntp_servers: Vec<String>,
    #[prost(string, tag = "22")]
    pub(super) host_name: String,
}
