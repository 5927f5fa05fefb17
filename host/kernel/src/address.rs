//! Addresses of links.

use ipnet::IpNet;
use types::{IpVersion, Namespace};

use super::{KernelError, LinkId};

/// An address that the kernel has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressState {
    /// The address with its prefix length.
    pub address: IpNet,
    /// Whether the address is valid only on its link (RT_SCOPE_LINK).
    pub link_scope: bool,
    /// Whether the address can't be used yet (IFA_F_TENTATIVE).
    pub tentative: bool,
    /// Whether another host has the address (IFA_F_DADFAILED).
    pub dad_failed: bool,
}

/// An address to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAddress {
    /// The address with its prefix length.
    pub address: IpNet,
    /// Whether the address is used without duplicate address detection
    /// (IFA_F_NODAD).
    pub no_dad: bool,
    /// Whether the kernel adds no route to the address's network
    /// (IFA_F_NOPREFIXROUTE).
    pub no_prefix_route: bool,
}

/// Reading addresses.
pub trait AddressesRead {
    /// Lists a namespace's addresses of a version of IP, each with the index of its link.
    /// Equivalent to `ip -4 address show`, or `ip -6`.
    fn all_addresses(
        &mut self,
        namespace: Namespace,
        version: IpVersion,
    ) -> Result<Vec<(u32, AddressState)>, KernelError>;
    /// Lists the addresses of a link. Equivalent to `ip address show dev NAME`.
    fn addresses(&mut self, link: LinkId) -> Result<Vec<AddressState>, KernelError>;
}

/// Adding and removing addresses.
pub trait Addresses {
    /// Adds an address. Equivalent to `ip address add`.
    fn add_address(&mut self, link: LinkId, address: &NewAddress) -> Result<(), KernelError>;
    /// Removes an address. Equivalent to `ip address delete`.
    fn remove_address(&mut self, link: LinkId, address: IpNet) -> Result<(), KernelError>;
}
