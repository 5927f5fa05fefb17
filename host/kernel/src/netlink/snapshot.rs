//! Snapshots of links over rtnetlink. They consist of the kernel's messages, so
//! that all attributes are restored, known or not.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netlink_packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol};
use netlink_packet_route::route::{
    RouteAttribute, RouteFlags, RouteMessage, RouteNextHopFlags, RouteProtocol, RouteType,
};
use nix::errno::Errno;
use rtnetlink::packet_core::{Emitable, Parseable};
use types::Namespace;

use super::{Netlink, route};
use crate::{
    KernelError, LinkId, LinkSnapshot, LinksRead, Neighbours, Snapshots, SnapshotsRead, sysctl,
};

impl SnapshotsRead for Netlink {
    fn snapshot(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError> {
        let name = self.link_by_id(link)?.name;
        let settings = sysctl::all(self.netns(link.namespace)?, &name)?;
        self.read_snapshot(link, settings)
    }

    fn snapshot_neighbours(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError> {
        Ok(LinkSnapshot {
            neighbours: self.save_neighbours(link)?,
            ..LinkSnapshot::default()
        })
    }
}

impl Snapshots for Netlink {
    fn put_settings(&mut self, link: LinkId, snapshot: &LinkSnapshot) -> Result<(), KernelError> {
        let name = self.link_by_id(link)?.name;
        sysctl::restore(self.netns(link.namespace)?, &name, &snapshot.settings)
    }

    // The link may have another index by now. Existing objects stay, except for
    // addresses with other labels: the kernel changes labels when it renames a
    // link (`inetdev_changename`), and only a new address gets the old label.
    fn replay(
        &mut self,
        link: LinkId,
        before: u32,
        snapshot: &LinkSnapshot,
    ) -> Result<(), KernelError> {
        let handle = self.handle(link.namespace)?;
        let addresses = snapshot.addresses.iter().map(|bytes| {
            let mut message: AddressMessage = parse(bytes)?;
            message.header.index = link.index;
            Ok(message)
        });
        let addresses: Vec<_> = addresses.collect::<Result<_, KernelError>>()?;
        self.remove_mislabelled(link, &addresses)?;
        for message in &addresses {
            unless_existing(|| {
                let unused = std::net::Ipv4Addr::UNSPECIFIED.into();
                let mut request = handle.address().add(link.index, unused, 0);
                *request.message_mut() = message.clone();
                self.wait(request.execute())
            })?;
        }
        let existing = self.all_routes(link.namespace)?;
        for route in &snapshot.routes {
            let mut message: RouteMessage = parse(route)?;
            renumber(&mut message, before, link.index);
            // Before the kernel found that the route exists, it would look for
            // a route to the gateway, which may be gone.
            if existing
                .iter()
                .any(|one| route::found(one) == route::found(&message))
            {
                continue;
            }
            unless_existing(|| self.wait(route::add(handle.clone(), message.clone())))?;
        }
        let mut neighbours = snapshot.neighbours.iter();
        neighbours.try_for_each(|neighbour| self.put_back_neighbour(link, neighbour))
    }
}

impl Netlink {
    /// Reads the addresses, routes and neighbours of a link, and adds its
    /// settings. Leaves out those that the kernel makes by itself.
    pub(super) fn read_snapshot(
        &self,
        link: LinkId,
        settings: BTreeMap<String, String>,
    ) -> Result<LinkSnapshot, KernelError> {
        let addresses = self.addresses_of(link)?;
        let mut routes = self.all_routes(link.namespace)?;
        routes.retain(|route| is_set(route) && uses(route, link.index));
        // A gateway is reached through another route, which must come first.
        routes.sort_by_key(has_gateway);
        Ok(LinkSnapshot {
            settings,
            addresses: addresses
                .iter()
                .filter(|a| !is_by_kernel(a))
                .map(bytes)
                .collect(),
            routes: routes.iter().map(bytes).collect(),
            neighbours: self.save_neighbours(link)?,
        })
    }

    /// Removes addresses that have other labels than these. An address may be
    /// gone because the kernel removed it with another one of its subnet. That
    /// is checked once more, since an error of the kernel isn't believed the
    /// first time.
    fn remove_mislabelled(
        &self,
        link: LinkId,
        addresses: &[AddressMessage],
    ) -> Result<(), KernelError> {
        let handle = self.handle(link.namespace)?;
        let is_mislabelled = |own: &AddressMessage| {
            let mut addresses = addresses.iter();
            addresses.any(|address| key(own) == key(address) && label(own) != label(address))
        };
        for _ in 0..2 {
            let mut is_done = true;
            let existing = self.addresses_of(link)?.into_iter();
            for address in existing.filter(is_mislabelled) {
                match self.wait(handle.address().del(address).execute()) {
                    Err(error) if error.is_not_found() => is_done = false,
                    result => result?,
                }
            }
            if is_done {
                break;
            }
        }
        Ok(())
    }

    fn all_routes(&self, namespace: Namespace) -> Result<Vec<RouteMessage>, KernelError> {
        let handle = self.handle(namespace)?;
        let mut routes = Vec::new();
        for question in route::all_routes_questions() {
            routes.extend(self.collect(handle.route().get(question).execute())?);
        }
        Ok(routes)
    }
}

pub(super) fn bytes(message: &impl Emitable) -> Vec<u8> {
    let mut bytes = vec![0; message.buffer_len()];
    message.emit(&mut bytes);
    bytes
}

pub(super) fn parse<T: Parseable<[u8]>>(bytes: &[u8]) -> Result<T, KernelError> {
    T::parse(bytes).map_err(|error| KernelError::Netlink(error.to_string()))
}

/// Adds an object that may exist. EEXIST is believed only the second time,
/// because nobody checks the object afterwards.
pub(super) fn unless_existing(
    add: impl Fn() -> Result<(), KernelError>,
) -> Result<(), KernelError> {
    for _ in 0..2 {
        match add() {
            Err(error) if error.errno() == Some(Errno::EEXIST) => {}
            result => return result,
        }
    }
    Ok(())
}

/// Returns the prefix length and the address, which are unique on a link.
fn key(address: &AddressMessage) -> (u8, Option<IpAddr>) {
    let local = address
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            AddressAttribute::Local(address) => Some(*address),
            _ => None,
        });
    (address.header.prefix_len, local)
}

fn label(address: &AddressMessage) -> Option<&str> {
    address
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            AddressAttribute::Label(label) => Some(label.as_str()),
            _ => None,
        })
}

/// Whether the kernel adds an address by itself when the link is up.
fn is_by_kernel(address: &AddressMessage) -> bool {
    address.attributes.iter().any(|attribute| {
        matches!(
            attribute,
            AddressAttribute::Protocol(
                AddressProtocol::Loopback
                    | AddressProtocol::RouterAnnouncement
                    | AddressProtocol::LinkLocal
            )
        )
    })
}

/// Whether somebody set a route. The kernel adds others by itself, with
/// addresses or advertisements.
fn is_set(route: &RouteMessage) -> bool {
    let header = &route.header;
    header.kind == RouteType::Unicast
        && !header.flags.contains(RouteFlags::Cloned)
        && !matches!(
            header.protocol,
            RouteProtocol::Kernel | RouteProtocol::Ra | RouteProtocol::IcmpRedirect
        )
}

fn uses(route: &RouteMessage, link: u32) -> bool {
    route.attributes.iter().any(|attribute| match attribute {
        RouteAttribute::Oif(index) => *index == link,
        RouteAttribute::MultiPath(hops) => hops.iter().any(|hop| hop.interface_index == link),
        _ => false,
    })
}

fn has_gateway(route: &RouteMessage) -> bool {
    route.attributes.iter().any(|attribute| {
        matches!(
            attribute,
            RouteAttribute::Gateway(_) | RouteAttribute::Via(_) | RouteAttribute::MultiPath(_)
        )
    })
}

/// Replaces the link's old index by the new one. Leaves out attributes that
/// only the kernel sets.
pub(super) fn renumber(route: &mut RouteMessage, before: u32, now: u32) {
    route.header.flags &= RouteFlags::Onlink;
    let attributes = &mut route.attributes;
    attributes.retain(|attribute| !matches!(attribute, RouteAttribute::CacheInfo(_)));
    for attribute in attributes {
        match attribute {
            RouteAttribute::Oif(index) if *index == before => *index = now,
            RouteAttribute::MultiPath(hops) => {
                for hop in hops {
                    hop.flags &= RouteNextHopFlags::Onlink;
                    if hop.interface_index == before {
                        hop.interface_index = now;
                    }
                }
            }
            _ => {}
        }
    }
}
