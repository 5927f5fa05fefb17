//! Addresses over rtnetlink.

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope};

use types::{IpVersion, Namespace};

use super::{Netlink, family};
use crate::{AddressState, Addresses, AddressesRead, KernelError, LinkId, NewAddress};

impl AddressesRead for Netlink {
    fn all_addresses(
        &mut self,
        namespace: Namespace,
        version: IpVersion,
    ) -> Result<Vec<(u32, AddressState)>, KernelError> {
        let mut get = self.handle(namespace)?.address().get();
        get.message_mut().header.family = family(version);
        let addresses = self.collect(get.execute())?;
        let states = addresses
            .iter()
            .filter_map(|message| Some((message.header.index, state(message)?)));
        Ok(states.collect())
    }

    fn addresses(&mut self, link: LinkId) -> Result<Vec<AddressState>, KernelError> {
        let addresses = self.addresses_of(link)?;
        Ok(addresses.iter().filter_map(state).collect())
    }
}

impl Netlink {
    /// Returns a link's addresses. The kernel leaves out those of other links since Linux
    /// 4.20; before, rtnetlink does.
    pub(super) fn addresses_of(&self, link: LinkId) -> Result<Vec<AddressMessage>, KernelError> {
        let mut get = self.handle(link.namespace)?.address().get();
        get.message_mut().header.index = link.index;
        let answers = get.set_link_index_filter(link.index).execute();
        self.collect(answers)
    }
}

impl Addresses for Netlink {
    fn add_address(&mut self, link: LinkId, new: &NewAddress) -> Result<(), KernelError> {
        let addresses = self.handle(link.namespace)?.address();
        let address = new.address;
        let mut request = addresses.add(link.index, address.addr(), address.prefix_len());
        *request.message_mut() = new_message(link.index, new);
        self.wait(request.execute())
    }

    fn remove_address(&mut self, link: LinkId, address: IpNet) -> Result<(), KernelError> {
        let addresses = self.handle(link.namespace)?.address();
        let message = message(link.index, address);
        self.wait(addresses.del(message).execute())
    }
}

/// Returns the message that removes an address. Without IFA_ADDRESS the kernel doesn't look
/// at the length of an IPv4 address's prefix, and removes the first one of any length
/// (`inet_rtm_deladdr`).
pub(super) fn message(index: u32, address: IpNet) -> AddressMessage {
    let mut message = plain(index, address);
    if address.addr().is_ipv4() {
        let same = AddressAttribute::Address(address.addr());
        message.attributes.push(same);
    }
    message
}

/// The message for an address, with the attributes that netavark sends.
fn plain(index: u32, address: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = index;
    message.header.prefix_len = address.prefix_len();
    match address {
        IpNet::V4(v4) => {
            message.header.family = AddressFamily::Inet;
            let broadcast = AddressAttribute::Broadcast(v4.broadcast());
            message.attributes.push(broadcast);
        }
        IpNet::V6(_) => message.header.family = AddressFamily::Inet6,
    }
    let local = AddressAttribute::Local(address.addr());
    message.attributes.push(local);
    message
}

/// Returns the message that adds an address with its options.
pub(super) fn new_message(index: u32, new: &NewAddress) -> AddressMessage {
    let mut message = plain(index, new.address);
    let mut flags = AddressFlags::empty();
    flags.set(AddressFlags::Nodad, new.no_dad);
    flags.set(AddressFlags::Noprefixroute, new.no_prefix_route);
    if !flags.is_empty() {
        // The header's field is too small for all flags (`if_addr.h`).
        message.attributes.push(AddressAttribute::Flags(flags));
    }
    message
}

/// Whether the kernel adds no route to an address's network.
pub(super) fn has_no_prefix_route(message: &AddressMessage) -> bool {
    let mut attributes = message.attributes.iter();
    attributes.any(|attribute| {
        matches!(attribute, AddressAttribute::Flags(all)
            if all.contains(AddressFlags::Noprefixroute))
    })
}

/// Reads an address. Returns `None` if the message has none.
pub(super) fn state(message: &AddressMessage) -> Option<AddressState> {
    let mut local = None;
    let mut peer = None;
    let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => local = Some(*address),
            AddressAttribute::Address(address) => peer = Some(*address),
            AddressAttribute::Flags(all) => flags = *all,
            _ => {}
        }
    }
    Some(AddressState {
        address: IpNet::new(local.or(peer)?, message.header.prefix_len).ok()?,
        link_scope: message.header.scope == AddressScope::Link,
        tentative: flags.contains(AddressFlags::Tentative),
        dad_failed: flags.contains(AddressFlags::Dadfailed),
    })
}
