//! What the proxy needs to know for a lease.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use types::{ContainerId, LinkName, Mac};

use super::DhcpError;
use super::wire::NetworkConfig;

/// The paths that name the namespace of the process that opens them. The proxy would
/// configure its own, which is the host's.
const OWN_PROCESS: [&str; 2] = ["/proc/self", "/proc/thread-self"];

/// A container's link that needs an address. [`super::DhcpProxy::release`] takes the
/// same values as [`super::DhcpProxy::lease`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRequest {
    /// The link in the proxy's namespace over which the proxy sends and receives raw
    /// packets: the parent of a macvlan, or the bridge of a veth's peer.
    pub host_link: LinkName,
    /// The link in the container's namespace that gets the address and the route.
    pub container_link: LinkName,
    /// The MAC address of the container's link. The proxy knows a lease by it.
    pub container_mac: Mac,
    /// The search domain. The known proxies don't send it to the DHCP server: they
    /// return it as the lease's.
    pub domain: Option<String>,
    /// The name that the DHCP server is told (option 12 in RFC 2132).
    pub host_name: Option<String>,
    /// The path of the container's namespace, as the proxy sees it.
    pub netns: PathBuf,
    /// The client identifier (option 61 in RFC 2132), from which the DHCP server knows
    /// a restarted container. netavark takes the container's id. Two links with the
    /// same one get the same address from a DHCP server.
    pub container: ContainerId,
}

impl LeaseRequest {
    /// Writes the request as the proxy's message.
    ///
    /// # Errors
    ///
    /// The proxy can't open the path of the namespace.
    pub(super) fn to_wire(&self) -> Result<NetworkConfig, DhcpError> {
        Ok(NetworkConfig {
            host_iface: self.host_link.to_string(),
            container_iface: self.container_link.to_string(),
            container_mac_addr: self.container_mac.to_string(),
            domain_name: self.domain.clone().unwrap_or_default(),
            host_name: self.host_name.clone().unwrap_or_default(),
            ns_path: netns_path(&self.netns)?.to_owned(),
            container_id: self.container.to_string(),
        })
    }
}

/// Returns a path that means the same to the proxy as to this process.
fn netns_path(path: &Path) -> Result<&str, DhcpError> {
    let own = OWN_PROCESS.iter().any(|own| path.starts_with(own));
    match path.to_str() {
        Some(text) if path.is_absolute() && !own => Ok(text),
        _ => Err(DhcpError::NetnsPath {
            path: path.to_owned(),
        }),
    }
}
