//! `addresses.allocate-subnet`.

use std::net::IpAddr;

use ::types::{IpVersion, Namespace};
use ipnet::IpNet;
use kernel::{Kernel, KernelError};
use nix::errno::Errno;
use policy::{Call, Object};
use request::first_address;

use super::Gate;
use super::call::CallError;
use crate::driver::wit::types;

/// The longest prefix of a route that leads anywhere rather than to a network. VPNs
/// divide the default route into two halves.
const ANYWHERE: u8 = 1;

/// The networks that the host's addresses and routes are in.
#[derive(Debug, Clone, Default)]
pub struct UsedNetworks {
    /// Those that the host is connected to, or has another route to.
    pub sure: Vec<IpNet>,
    /// Those with a route through a gateway. A wide one, as 10.0.0.0/8 of a VPN, doesn't
    /// say that all of it is in use.
    pub routed: Vec<IpNet>,
}

/// The free subnets that the host has for new networks.
pub trait SubnetPools: Send {
    /// Chooses a subnet that overlaps with none of the used ones. Until this value is
    /// dropped, no other run gets a subnet.
    ///
    /// # Errors
    ///
    /// The user wants no such subnet, all pools are used up, or it can't be determined
    /// what is in use.
    fn choose(&mut self, version: IpVersion, used: &UsedNetworks) -> Result<IpNet, PoolError>;
}

/// The reason why there is no subnet for a network.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PoolError {
    /// The user's network is to have no such subnet.
    #[error("{0}")]
    Unwanted(String),
    /// No pool has a free subnet, or it can't be determined what is in use.
    #[error("{0}")]
    Unavailable(String),
}

impl From<PoolError> for KernelError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Unwanted(text) => refused(Errno::EINVAL, text),
            PoolError::Unavailable(text) => Self::NotFound(text),
        }
    }
}

/// A subnet that the host has allocated for a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllocatedSubnet {
    /// The subnet.
    pub subnet: IpNet,
    /// The gateway, if the driver wants one.
    pub gateway: Option<IpAddr>,
}

impl Gate {
    /// Lets the driver allocate subnets from pools.
    pub(crate) fn with_pools(mut self, pools: Option<Box<dyn SubnetPools>>) -> Self {
        self.pools = pools;
        self
    }

    /// Returns the subnets that the driver has had allocated.
    pub fn allocated_subnets(&self) -> &[AllocatedSubnet] {
        &self.allocated
    }

    /// Makes the call `addresses.allocate-subnet`.
    pub(super) fn allocate(
        &mut self,
        version: IpVersion,
        with_gateway: bool,
    ) -> Result<types::Subnet, CallError> {
        let objects = [Object::NewSubnet(version)];
        let permit = self.decide(Call::AddressesAllocateSubnet, &objects)?;
        let chosen = self.check_missing(version).and_then(|()| {
            let used = used(self.rollback.guard.open(&permit))?;
            let pools = self.pools.as_mut().ok_or_else(|| {
                let text = "a network gets its subnets when it is created";
                refused(Errno::EOPNOTSUPP, text.to_owned())
            })?;
            Ok(pools.choose(version, &used)?)
        });
        let subnet = self.record(permit, &objects, chosen)?;
        let allocated = AllocatedSubnet {
            subnet,
            gateway: with_gateway.then(|| first_address(subnet)),
        };
        self.allocated.push(allocated);
        Ok(types::Subnet::new(subnet, allocated.gateway))
    }

    /// Checks that the network has no subnet of a version.
    fn check_missing(&self, version: IpVersion) -> Result<(), KernelError> {
        let users = self.authority.request.subnets.iter();
        let allocated = self.allocated.iter().map(|allocated| &allocated.subnet);
        let mut subnets = users.chain(allocated);
        match subnets.find(|subnet| IpVersion::of(subnet) == version) {
            None => Ok(()),
            Some(subnet) => Err(refused(
                Errno::EEXIST,
                format!("the network has the subnet {subnet}"),
            )),
        }
    }
}

fn refused(errno: Errno, text: String) -> KernelError {
    KernelError::Refused { errno, text }
}

/// Reads which networks the host has addresses in or routes to.
fn used(kernel: &mut dyn Kernel) -> Result<UsedNetworks, KernelError> {
    let mut used = UsedNetworks::default();
    for version in IpVersion::ALL {
        let addresses = kernel.all_addresses(Namespace::Host, version)?.into_iter();
        used.sure.extend(addresses.map(|(_, state)| state.address));
    }
    for found in kernel.survey(Namespace::Host)?.routes {
        let destination = found.route.route.destination;
        let mut hops = found.route.by_next_hop().into_iter();
        let is_routed = hops.any(|hop| hop.route.gateway.is_some());
        match is_routed {
            _ if destination.prefix_len() <= ANYWHERE => {}
            true => used.routed.push(destination),
            false => used.sure.push(destination),
        }
    }
    Ok(used)
}
