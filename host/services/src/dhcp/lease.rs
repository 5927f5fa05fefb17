//! A lease, checked. The proxy passes on what a DHCP server on the network says, so no
//! value is believed.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use types::{Mac, text};

use super::wire;

/// The most addresses of one kind: as many as an option of DHCP holds (RFC 2132,
/// section 2).
const ADDRESSES_MAX: usize = 63;
/// The smallest MTU that a DHCP server can give (option 26 in RFC 2132), in bytes.
const MTU_MIN: u32 = 68;
/// The largest MTU of IPv4 (the total length in RFC 791), in bytes.
const MTU_MAX: u32 = 65535;
/// The lease time that stands for infinity (RFC 2131, section 3.3).
const FOREVER: u32 = u32::MAX;
/// The longest part of a wrong value that an error shows, in bytes.
const SHOWN_MAX: usize = 64;

/// The lease of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The address, with the prefix length of its subnet. The proxy has added it to
    /// the container's link.
    pub address: Ipv4Net,
    /// The gateways, at most 63. The proxy has added a default route through the first,
    /// with the metric 100.
    pub gateways: Vec<Ipv4Addr>,
    /// The DNS servers, at most 63.
    pub dns_servers: Vec<Ipv4Addr>,
    /// The NTP servers, at most 63.
    pub ntp_servers: Vec<Ipv4Addr>,
    /// The search domain. The known proxies return the request's, and drop the DHCP
    /// server's.
    pub domain: Option<String>,
    /// The container's name according to the DHCP server. A name that isn't a valid
    /// domain is left out.
    pub host_name: Option<String>,
    /// The MTU in bytes, at least 68. The proxy hasn't set it.
    pub mtu: Option<u32>,
    /// The time for which the lease lasts without a renewal, or `None` if it lasts
    /// forever. The proxy renews it.
    pub lease_time: Option<Duration>,
}

impl Lease {
    /// Checks the proxy's answer to a request for `mac`.
    ///
    /// # Errors
    ///
    /// A value is missing or wrong. The error is the fault, without control
    /// characters.
    pub(super) fn from_wire(lease: wire::Lease, mac: Mac) -> Result<Self, String> {
        if lease.is_v6 {
            return Err("a lease of IPv6 where IPv4 was asked for".to_owned());
        }
        check_mac(&lease.mac_address, mac)?;
        Ok(Self {
            address: subnet(&lease.yiaddr, &lease.subnet_mask)?,
            gateways: addresses("gateways", &lease.gateways)?,
            dns_servers: addresses("DNS servers", &lease.dns_servers)?,
            ntp_servers: addresses("NTP servers", &lease.ntp_servers)?,
            domain: domain(lease.domain_name)?,
            host_name: Some(lease.host_name).filter(|name| text::is_domain(name)),
            mtu: mtu(lease.mtu)?,
            lease_time: (lease.lease_time != FOREVER)
                .then(|| Duration::from_secs(lease.lease_time.into())),
        })
    }
}

fn check_mac(text: &str, expected: Mac) -> Result<(), String> {
    match text.parse::<Mac>() {
        Ok(mac) if mac != expected => Err(format!("the lease of {mac} instead of {expected}")),
        Ok(_) => Ok(()),
        Err(_) if text.is_empty() => Ok(()),
        Err(_) => Err(format!("the MAC address {}", shown(text))),
    }
}

fn subnet(address: &str, mask: &str) -> Result<Ipv4Net, String> {
    let fault = || format!("the subnet mask {}", shown(mask));
    let mask: Ipv4Addr = mask.parse().map_err(|_| fault())?;
    // An address without a mask would make the whole of IPv4 its subnet.
    if mask.is_unspecified() {
        return Err(fault());
    }
    Ipv4Net::with_netmask(host(address)?, mask).map_err(|_| fault())
}

fn addresses(kind: &str, texts: &[String]) -> Result<Vec<Ipv4Addr>, String> {
    if texts.len() > ADDRESSES_MAX {
        let count = texts.len();
        return Err(format!(
            "{count} {kind}, of which {ADDRESSES_MAX} are allowed"
        ));
    }
    texts.iter().map(|text| host(text)).collect()
}

/// Reads an address that one host on a network can have.
fn host(text: &str) -> Result<Ipv4Addr, String> {
    let address: Option<Ipv4Addr> = text.parse().ok();
    address
        .filter(|address| !address.is_unspecified() && !address.is_loopback())
        .filter(|address| !address.is_multicast() && !address.is_broadcast())
        .ok_or_else(|| format!("the address {}", shown(text)))
}

fn domain(text: String) -> Result<Option<String>, String> {
    match text {
        text if text.is_empty() => Ok(None),
        text if text::is_domain(&text) => Ok(Some(text)),
        text => Err(format!("the domain {}", shown(&text))),
    }
}

fn mtu(bytes: u32) -> Result<Option<u32>, String> {
    match bytes {
        0 => Ok(None),
        MTU_MIN..=MTU_MAX => Ok(Some(bytes)),
        _ => Err(format!("the MTU {bytes}")),
    }
}

fn shown(text: &str) -> String {
    format!("{:?}", text::plain(&text::shortened(text, SHOWN_MAX)))
}
