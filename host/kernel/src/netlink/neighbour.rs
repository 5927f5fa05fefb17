//! Neighbours over rtnetlink.

use std::net::IpAddr;

use netlink_packet_route::AddressFamily;
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourExtFlags, NeighbourFlags, NeighbourMessage,
    NeighbourState,
};
use netlink_packet_route::route::RouteProtocol;
use nix::errno::Errno;
use types::Mac;

use super::Netlink;
use super::snapshot::{bytes, parse, unless_existing};
use crate::{
    FoundNeighbour, KernelError, LinkId, Neighbour, NeighbourTable, Neighbours, NeighboursRead,
    SavedNeighbour,
};

impl NeighboursRead for Netlink {
    fn neighbours(&mut self, link: LinkId) -> Result<Vec<FoundNeighbour>, KernelError> {
        let entries = self.neighbour_table(link, NeighbourTable::Entries)?;
        let proxies = self.neighbour_table(link, NeighbourTable::Proxies)?;
        Ok(entries.iter().chain(&proxies).filter_map(found).collect())
    }

    fn has_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<bool, KernelError> {
        let entries = self.neighbour_table(link, table)?;
        Ok(entries.iter().any(|entry| is_set(entry, address)))
    }

    fn save_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<SavedNeighbour, KernelError> {
        let mut entries = self.neighbour_table(link, table)?.into_iter();
        let entry =
            entries.find(|entry| entry.header.ifindex == link.index && is_set(entry, address));
        Ok(saved(entry.ok_or(Errno::ENOENT)?))
    }
}

impl Neighbours for Netlink {
    fn add_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError> {
        self.send_neighbour(link, message(link, address, neighbour))
    }

    fn remove_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError> {
        let own = message(link, address, neighbour);
        let entries = self.neighbour_table(link, neighbour.table())?;
        if !entries.iter().any(|entry| is_same(entry, &own)) {
            return Err(Errno::ENOENT.into());
        }
        self.delete_neighbour(link, own)
    }

    fn remove_saved_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError> {
        self.delete_neighbour(link, parse(&saved.0)?)
    }

    // The link may have another index by now.
    fn put_back_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError> {
        let mut message: NeighbourMessage = parse(&saved.0)?;
        message.header.ifindex = link.index;
        let address = address(&message).ok_or(Errno::EINVAL)?;
        if self.has_neighbour(link, address, table(&message))? {
            return Ok(());
        }
        unless_existing(|| self.send_neighbour(link, message.clone()))
    }
}

impl Netlink {
    /// Sets an entry, and replaces a learnt one.
    pub(super) fn send_neighbour(
        &self,
        link: LinkId,
        mut message: NeighbourMessage,
    ) -> Result<(), KernelError> {
        if table(&message) == NeighbourTable::Proxies {
            // The kernel drops other proxies at any change of a link without
            // carrier (`pneigh_ifdown`). It doesn't report which ones stay.
            message.header.state = NeighbourState::Permanent;
        }
        let neighbours = self.handle(link.namespace)?.neighbours();
        // The address is in the message.
        let mut request = neighbours.add(link.index, IpAddr::from([0; 4])).replace();
        *request.message_mut() = message;
        self.wait(request.execute())
    }

    /// Saves all entries that somebody has set on this link.
    pub(super) fn save_neighbours(&self, link: LinkId) -> Result<Vec<SavedNeighbour>, KernelError> {
        let mut set = self.neighbour_table(link, NeighbourTable::Entries)?;
        set.extend(self.neighbour_table(link, NeighbourTable::Proxies)?);
        set.retain(|entry| entry.header.ifindex == link.index && was_set(entry));
        Ok(set.into_iter().map(saved).collect())
    }

    fn delete_neighbour(&self, link: LinkId, message: NeighbourMessage) -> Result<(), KernelError> {
        let neighbours = self.handle(link.namespace)?.neighbours();
        self.wait(neighbours.del(message).execute())
    }

    /// Returns the entries of both versions of IP. The proxies include those
    /// for all links of the namespace, which have no index.
    fn neighbour_table(
        &self,
        link: LinkId,
        table: NeighbourTable,
    ) -> Result<Vec<NeighbourMessage>, KernelError> {
        let mut question = self.handle(link.namespace)?.neighbours().get();
        let indexes = match table {
            NeighbourTable::Entries => {
                let of_link = NeighbourAttribute::IfIndex(link.index);
                question.message_mut().attributes.push(of_link);
                vec![link.index]
            }
            NeighbourTable::Proxies => {
                question = question.proxies();
                vec![link.index, 0]
            }
        };
        let mut entries = self.collect(question.execute())?;
        entries.retain(|entry| indexes.contains(&entry.header.ifindex));
        Ok(entries)
    }
}

/// Returns the message for an entry.
pub(super) fn message(link: LinkId, address: IpAddr, neighbour: Neighbour) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    let header = &mut message.header;
    header.ifindex = link.index;
    header.family = match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    let wire = match address {
        IpAddr::V4(address) => NeighbourAddress::Inet(address),
        IpAddr::V6(address) => NeighbourAddress::Inet6(address),
    };
    message.attributes = vec![
        NeighbourAttribute::Destination(wire),
        NeighbourAttribute::Protocol(RouteProtocol::Static),
    ];
    match neighbour {
        Neighbour::Permanent(mac) => {
            header.state = NeighbourState::Permanent;
            let mac = NeighbourAttribute::LinkLayerAddress(mac.bytes().to_vec());
            message.attributes.push(mac);
        }
        Neighbour::Proxy => header.flags = NeighbourFlags::Proxy,
    }
    message
}

pub(super) fn found(message: &NeighbourMessage) -> Option<FoundNeighbour> {
    Some(FoundNeighbour {
        address: address(message)?,
        mac: mac(message),
        permanent: message.header.state == NeighbourState::Permanent,
        table: table(message),
    })
}

fn table(message: &NeighbourMessage) -> NeighbourTable {
    match message.header.flags.contains(NeighbourFlags::Proxy) {
        true => NeighbourTable::Proxies,
        false => NeighbourTable::Entries,
    }
}

fn address(message: &NeighbourMessage) -> Option<IpAddr> {
    let mut attributes = message.attributes.iter();
    attributes.find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => Some((*address).into()),
        NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => {
            Some((*address).into())
        }
        _ => None,
    })
}

fn mac(message: &NeighbourMessage) -> Option<Mac> {
    let mut attributes = message.attributes.iter();
    attributes.find_map(|attribute| match attribute {
        NeighbourAttribute::LinkLayerAddress(bytes) => Mac::try_from(bytes.as_slice()).ok(),
        _ => None,
    })
}

fn protocol(message: &NeighbourMessage) -> Option<RouteProtocol> {
    let mut attributes = message.attributes.iter();
    attributes.find_map(|attribute| match attribute {
        NeighbourAttribute::Protocol(protocol) => Some(*protocol),
        _ => None,
    })
}

/// Whether an entry is for an address, and somebody has set it.
fn is_set(message: &NeighbourMessage, wanted: IpAddr) -> bool {
    was_set(message) && address(message) == Some(wanted)
}

/// Whether somebody has set an entry: an administrator, or a routing program
/// (NTF_EXT_LEARNED, NTF_EXT_MANAGED).
fn was_set(message: &NeighbourMessage) -> bool {
    let lasting = NeighbourFlags::Proxy | NeighbourFlags::ExtLearned;
    let is_managed = |attribute: &NeighbourAttribute| match attribute {
        NeighbourAttribute::ExtFlags(flags) => flags.contains(NeighbourExtFlags::Managed),
        _ => false,
    };
    message.header.state == NeighbourState::Permanent
        || message.header.flags.intersects(lasting)
        || message.attributes.iter().any(is_managed)
}

/// Whether an entry is the one that this program set.
fn is_same(message: &NeighbourMessage, own: &NeighbourMessage) -> bool {
    found(message) == found(own)
        && protocol(message) == protocol(own)
        && message.header.ifindex == own.header.ifindex
}

/// Saves an entry, without the attributes that describe only its present state.
fn saved(mut message: NeighbourMessage) -> SavedNeighbour {
    message.attributes.retain(|attribute| {
        !matches!(
            attribute,
            NeighbourAttribute::CacheInfo(_) | NeighbourAttribute::Probes(_)
        )
    });
    SavedNeighbour(bytes(&message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Namespace;

    const LINK: LinkId = LinkId {
        namespace: Namespace::Host,
        index: 7,
    };

    fn round_trip(message: NeighbourMessage) -> NeighbourMessage {
        parse(&saved(message).0).unwrap()
    }

    fn neighbours() -> [(IpAddr, Neighbour); 2] {
        let mac = "02:00:00:00:00:07".parse().unwrap();
        [
            ("10.0.0.2".parse().unwrap(), Neighbour::Permanent(mac)),
            ("fd00::2".parse().unwrap(), Neighbour::Proxy),
        ]
    }

    #[test]
    fn all_of_an_entry_comes_back_from_the_message() {
        for (address, neighbour) in neighbours() {
            let own = message(LINK, address, neighbour);
            let read = round_trip(own.clone());
            assert!(is_same(&read, &own), "{read:?}");
            assert!(is_set(&read, address), "{read:?}");
            let found = found(&read).unwrap();
            assert_eq!(found.table, neighbour.table());
            assert_eq!(found.permanent, neighbour != Neighbour::Proxy);
        }
    }

    #[test]
    fn what_was_learnt_is_not_set() {
        let [(address, neighbour), _] = neighbours();
        let mut learnt = message(LINK, address, neighbour);
        learnt.header.state = NeighbourState::Reachable;
        assert!(!is_set(&learnt, address));
        let mut managed = learnt.clone();
        let flags = NeighbourAttribute::ExtFlags(NeighbourExtFlags::Managed);
        managed.attributes.push(flags);
        let mut external = learnt;
        external.header.flags = NeighbourFlags::ExtLearned;
        for entry in [managed, external] {
            assert!(is_set(&round_trip(entry), address));
        }
    }

    #[test]
    fn what_others_set_is_not_own() {
        let [(address, neighbour), _] = neighbours();
        let own = message(LINK, address, neighbour);
        let mut boot = own.clone();
        boot.attributes
            .retain(|attribute| !matches!(attribute, NeighbourAttribute::Protocol(_)));
        let mac = "02:00:00:00:00:08".parse().unwrap();
        let other_mac = message(LINK, address, Neighbour::Permanent(mac));
        for other in [boot, other_mac] {
            assert!(!is_same(&round_trip(other), &own));
        }
    }
}
