//! The network that a run may keep.

use policy::{Call, Grant};
use request::protocol::{self, Subnet};
use request::{KeptNetwork, first_address};
use types::{IpVersion, NetworkId};

use crate::plugin::create;

/// The network of a run of `create`.
#[derive(Debug)]
pub(in crate::plugin::keeper) struct NewNetwork {
    /// The network as the user asked for it.
    users: protocol::Network,
    id: NetworkId,
    /// Whether the host can give it subnets.
    allocates: bool,
}

impl NewNetwork {
    /// Returns the network of a document.
    pub(in crate::plugin::keeper) fn new(
        grant: &Grant,
        users: &protocol::Network,
        id: &NetworkId,
    ) -> Self {
        Self {
            users: users.clone(),
            id: id.clone(),
            allocates: grant.calls().contains_key(&Call::AddressesAllocateSubnet),
        }
    }

    /// Whether this is the user's network, with the subnets and the name that the host
    /// may have chosen.
    pub(super) fn allows(&self, kept: &KeptNetwork) -> bool {
        let network = protocol::Network {
            subnets: kept.network.subnets.clone(),
            ..self.users.clone()
        };
        let chosen = kept.chosen.clone();
        let mut names = create::host_names(&self.id);
        chosen
            .iter()
            .all(|chosen| names.any(|name| name == *chosen))
            && self.allows_subnets(&kept.network.subnets)
            && KeptNetwork { network, chosen }.shortened() == *kept
    }

    fn allows_subnets(&self, subnets: &[Subnet]) -> bool {
        let users = self.users.subnets.as_slice();
        let Some(allocated) = subnets.strip_prefix(users) else {
            return false;
        };
        let is_only_one = |subnet: &Subnet| {
            let version = IpVersion::of(&subnet.subnet);
            let same = subnets.iter().map(|other| IpVersion::of(&other.subnet));
            same.filter(|other| *other == version).count() == 1
        };
        let is_whole = |subnet: &Subnet| {
            let first = first_address(subnet.subnet);
            subnet.lease_range.is_none() && subnet.gateway.is_none_or(|gateway| gateway == first)
        };
        allocated.is_empty()
            || (self.allocates
                && allocated
                    .iter()
                    .all(|new| is_only_one(new) && is_whole(new)))
    }
}
