//! `addresses.allocate-subnet`.

use std::net::IpAddr;
use std::time::Instant;

use ::types::{IpVersion, Namespace};
use ipnet::IpNet;
use kernel::{Kernel, KernelError};
use nix::errno::Errno;
use policy::Call;
use request::first_address;

use super::Gate;
use super::call::CallError;
use crate::driver::wit::types;

/// The longest prefix of a route that leads anywhere rather than to a network. VPNs
/// divide the default route into two halves.
const ANYWHERE: u8 = 1;

/// The free subnets that the host has for new networks.
pub trait SubnetPools: Send {
    /// Chooses a subnet that overlaps with none of `used`. Until this value is dropped,
    /// no other run gets a subnet. It waits for other runs until the deadline.
    ///
    /// # Errors
    ///
    /// All pools are used up, or it can't be determined what is in use.
    fn choose(
        &mut self,
        version: IpVersion,
        used: &[IpNet],
        deadline: Option<Instant>,
    ) -> Result<IpNet, PoolError>;
}

/// The reason why there is no subnet for a network.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// No pool has a free subnet.
    #[error("{0}")]
    UsedUp(String),
    /// The pools or the used subnets can't be read.
    #[error("{0}")]
    Unreadable(String),
}

impl From<PoolError> for KernelError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::UsedUp(text) => Self::NotFound(text),
            PoolError::Unreadable(text) => refused(Errno::EIO, text),
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
        let permit = self.decide(Call::AddressesAllocateSubnet, &[])?;
        let chosen = self.check_missing(version).and_then(|()| {
            let used = used(self.rollback.guard.open(&permit))?;
            let deadline = self.end;
            let pools = self.pools.as_mut().ok_or_else(|| {
                let text = "a network gets its subnets when it is created";
                refused(Errno::EOPNOTSUPP, text.to_owned())
            })?;
            Ok(pools.choose(version, &used, deadline)?)
        });
        let subnet = self.record(permit, &[], chosen)?;
        let allocated = AllocatedSubnet {
            subnet,
            gateway: with_gateway.then(|| first_address(subnet)),
        };
        self.allocated.push(allocated);
        Ok(types::Subnet {
            subnet: subnet.to_string(),
            gateway: allocated.gateway.map(|gateway| gateway.to_string()),
        })
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

/// Returns the networks that the host's addresses and routes are in.
fn used(kernel: &mut dyn Kernel) -> Result<Vec<IpNet>, KernelError> {
    let addresses = kernel.all_addresses(Namespace::Host)?.into_iter();
    let survey = kernel.survey(Namespace::Host)?;
    let routes = survey.routes.into_iter();
    let routes = routes.map(|found| found.route.route.destination);
    let routes = routes.filter(|destination| destination.prefix_len() > ANYWHERE);
    let addresses = addresses.map(|(_, state)| state.address);
    Ok(addresses.chain(routes).collect())
}
