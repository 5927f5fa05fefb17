//! The interface `dhcp`.

use std::net::IpAddr;
use std::path::PathBuf;

use journal::Change;
use kernel::KernelError;
use nix::errno::Errno;
use policy::Call;
use request::LeasedAddress;
use services::dhcp::{DhcpError, Lease, LeaseRequest};
use types::{ContainerId, Mac, Namespace};
use wasmtime::component::Resource;

use super::call::{CallError, invalid};
use super::{Gate, LinkHandle};
use crate::driver::wit::dhcp::{Host, LeasedAddress as WitAddress};
use crate::guard::Permitted;

/// The container as a DHCP server's client.
#[derive(Debug, Clone)]
pub struct DhcpClient {
    /// The path of the container's namespace, as netavark's DHCP proxy sees it. A plan
    /// may have none.
    pub netns: PathBuf,
    /// The container.
    pub container: ContainerId,
    /// The name that the server is told.
    pub host_name: Option<String>,
}

impl Host for Gate {
    fn lease(
        &mut self,
        link: Resource<LinkHandle>,
        parent: Resource<LinkHandle>,
    ) -> Result<WitAddress, CallError> {
        let call = Call::DhcpLease;
        let (link, parent) = (self.link(&link)?, self.link(&parent)?);
        if link.id.namespace != Namespace::Container || !self.owns(&link) {
            let text = format!("{} isn't the driver's own in the container", link.name);
            return Err(invalid(call, &text));
        }
        if parent.id.namespace != Namespace::Host {
            let text = format!("{} isn't in the host's namespace", parent.name);
            return Err(invalid(call, &text));
        }
        let objects = [self.object(&link), self.object(&parent)];
        let permit = self.decide(call, &objects)?;
        let result = match self.lease_request(&permit, &link, &parent) {
            Err(error) => Err(error),
            Ok(request) => self.take_lease(&permit, &request)?,
        };
        self.record(permit, &objects, result)
    }
}

impl Gate {
    /// Sets the container as a DHCP server's client.
    pub(crate) fn with_dhcp(mut self, dhcp: Option<DhcpClient>) -> Self {
        self.dhcp = dhcp;
        self
    }

    /// Returns the addresses that DHCP servers gave.
    pub fn leased(&self) -> &[LeasedAddress] {
        &self.leased
    }

    fn lease_request(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
        parent: &LinkHandle,
    ) -> Result<LeaseRequest, KernelError> {
        let Some(client) = self.dhcp.clone() else {
            return Err(refused("there is no container yet".to_owned()));
        };
        let kernel = self.rollback.guard.open(permit);
        let info = kernel.link_info(link.id)?;
        let parent = kernel.link_info(parent.id)?;
        let name = info.state.name;
        if !info.state.up {
            let text = format!("{name} is down: set it up first, because the answer comes by it");
            return Err(refused(text));
        }
        let Some(container_mac) = info.state.mac else {
            return Err(refused(format!("{name} has no MAC address")));
        };
        Ok(LeaseRequest {
            host_link: parent.state.name,
            container_link: name,
            container_mac,
            domain: None,
            host_name: client.host_name,
            netns: client.netns,
            container: client.container,
        })
    }

    fn take_lease(
        &mut self,
        permit: &Permitted,
        request: &LeaseRequest,
    ) -> Result<Result<WitAddress, KernelError>, CallError> {
        if self.others_lease(request.container_mac)? {
            let text = format!(
                "another container has a lease for {}",
                request.container_mac
            );
            return Ok(Err(refused(text)));
        }
        let change = Change::LeaseAddress {
            request: request.clone(),
        };
        let entries = match self.begin_service(change, false)? {
            Err(error) => return Ok(Err(error)),
            Ok(entries) => entries,
        };
        let leased = self.rollback.guard.open_services(permit).lease(request);
        let result = leased.map_err(|error| failed(&error));
        self.confirm(&entries, &result.as_ref().map(|_| ()).map_err(Clone::clone))?;
        Ok(result.map(|lease| self.note_lease(lease)))
    }

    /// Whether another container of the network has a lease for a MAC address. The proxy
    /// would end that one.
    fn others_lease(&mut self, mac: Mac) -> Result<bool, CallError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(false);
        };
        let leased = journal.others_lease(mac);
        leased.map_err(|error| self.host_failed(&error))
    }

    fn note_lease(&mut self, lease: Option<Lease>) -> WitAddress {
        let Some(lease) = lease else {
            return WitAddress {
                address: None,
                gateway: None,
                mtu: None,
            };
        };
        let leased = LeasedAddress {
            address: lease.address.into(),
            gateway: lease.gateways.first().copied().map(IpAddr::V4),
        };
        let servers = lease.dns_servers.into_iter().map(IpAddr::V4);
        self.name_servers.extend(servers);
        let answer = WitAddress {
            address: Some(leased.address.to_string()),
            gateway: leased.gateway.map(|gateway| gateway.to_string()),
            mtu: lease.mtu,
        };
        self.leased.push(leased);
        answer
    }
}

fn refused(text: String) -> KernelError {
    KernelError::Refused {
        errno: Errno::EINVAL,
        text,
    }
}

/// Returns the error of the proxy. Only one that was never asked has no lease.
fn failed(error: &DhcpError) -> KernelError {
    let refused = KernelError::Refused {
        errno: Errno::EIO,
        text: error.to_string(),
    };
    match error.is_unasked() {
        true => refused,
        false => KernelError::Unfinished(Box::new(refused)),
    }
}
