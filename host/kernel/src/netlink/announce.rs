//! Announcing addresses. Only a link's own address can be announced.

use std::net::IpAddr;

use super::Netlink;
use crate::{AddressesRead, Announce, KernelError, LinkId, LinksRead, announce};

impl Announce for Netlink {
    fn announce(&mut self, link: LinkId, address: IpAddr) -> Result<(), KernelError> {
        let state = self.link_by_id(link)?;
        let mac = announce::sender(&state)?;
        let addresses = self.addresses(link)?;
        if !addresses.iter().any(|own| own.address.addr() == address) {
            let text = format!("{address} is no address of {}: add it first", state.name);
            return Err(KernelError::NotFound(text));
        }
        let netns = self.netns(link.namespace)?;
        match address {
            IpAddr::V4(address) => announce::gratuitous_arp(netns, &state, mac, address),
            IpAddr::V6(address) => {
                announce::neighbour_advertisement(netns, &state, mac, address, self.deadline()?)
            }
        }
    }
}
