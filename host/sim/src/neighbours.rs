//! Neighbours of links.

use std::net::{IpAddr, Ipv4Addr};

use kernel::{
    FoundNeighbour, KernelError, LinkId, Neighbour, NeighbourTable, Neighbours, NeighboursRead,
    Saved, SavedNeighbour,
};
use nix::errno::Errno;

use super::Simulation;
use super::link::Number;
use super::machine::Machine;

impl NeighboursRead for Simulation {
    fn neighbours(&mut self, link: LinkId) -> Result<Vec<FoundNeighbour>, KernelError> {
        self.in_time()?.neighbours(link)
    }

    fn has_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<bool, KernelError> {
        self.in_time()?.has_neighbour(link, address, table)
    }

    fn save_neighbour(
        &mut self,
        at: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<SavedNeighbour, KernelError> {
        let machine = &mut *self.in_time()?;
        let set = machine.set_neighbours(at)?;
        let mut set = set.iter();
        let it = set.find(|it| it.address == address && it.table == table);
        Ok(Saved::neighbour(at, it.ok_or(Errno::ENOENT)?))
    }
}

impl Neighbours for Simulation {
    fn add_neighbour(
        &mut self,
        at: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let new = found(address, neighbour);
        machine.put_neighbour(at, new)
    }

    fn remove_neighbour(
        &mut self,
        at: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let own = found(address, neighbour);
        let mut gone = Vec::new();
        let table = machine.table(at).unwrap_or(&mut gone);
        let is_own = |it: &FoundNeighbour| {
            (it.address, it.mac, it.table) == (own.address, own.mac, own.table)
        };
        let place = table.iter().position(is_own).ok_or(Errno::ENOENT)?;
        table.remove(place);
        Ok(())
    }

    fn remove_saved_neighbour(
        &mut self,
        at: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let saved = Saved::read_neighbour(saved)?.ok_or(Errno::EINVAL)?;
        let table = machine.table(at)?;
        let is_it = |it: &FoundNeighbour| it.address == saved.address && it.table == saved.table;
        let place = table.iter().position(is_it).ok_or(Errno::ENOENT)?;
        table.remove(place);
        Ok(())
    }

    fn put_back_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError> {
        self.in_time()?.put_back_neighbour(link, saved)
    }
}

impl Machine {
    /// Returns the neighbours of a link, for changing them.
    fn table(&mut self, at: LinkId) -> Result<&mut Vec<FoundNeighbour>, KernelError> {
        let (_, link) = self.find(at)?;
        if link.neighbours.is_none() {
            let read = match link.real() {
                Some(real) => self.reader.neighbours(real)?,
                None => Vec::new(),
            };
            self.find_mut(at)?.neighbours = Some(read);
        }
        Ok(self.find_mut(at)?.neighbours.get_or_insert_default())
    }

    /// A link that isn't there has none: the kernel takes its index for a question
    /// about others (`neigh_dump_filtered`).
    pub(super) fn neighbours(&mut self, at: LinkId) -> Result<Vec<FoundNeighbour>, KernelError> {
        match self.table(at) {
            Ok(table) => Ok(table.clone()),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Forgets neighbours of a link.
    pub(super) fn forget_neighbours(
        &mut self,
        number: Number,
        goes: impl Fn(&FoundNeighbour) -> bool,
    ) {
        let at = self.links.get(&number).map(|link| link.at);
        if let Some(Ok(table)) = at.map(|at| self.table(at)) {
            table.retain(|neighbour| !goes(neighbour));
        }
    }

    /// Returns the neighbours that were set, not learnt.
    pub(super) fn set_neighbours(
        &mut self,
        at: LinkId,
    ) -> Result<Vec<FoundNeighbour>, KernelError> {
        let mut set = self.neighbours(at)?;
        set.retain(is_set);
        Ok(set)
    }

    pub(super) fn has_neighbour(
        &mut self,
        at: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<bool, KernelError> {
        let set = self.set_neighbours(at)?;
        Ok(set
            .iter()
            .any(|it| it.address == address && it.table == table))
    }

    fn put_neighbour(&mut self, at: LinkId, new: FoundNeighbour) -> Result<(), KernelError> {
        let (number, _) = self.find(at)?;
        let is_v4 = new.address.is_ipv4();
        let may_have_ipv6 = self.may_have_ipv6(number)?;
        let (_, link) = self.find(at)?;
        let has_family = if is_v4 {
            link.has_ipv4()
        } else {
            link.has_ipv6()
        };
        match new.table {
            // `arp_constructor`, `ndisc_allow_add`
            NeighbourTable::Entries if !has_family || !(is_v4 || may_have_ipv6) => {
                return Err(Errno::EINVAL.into());
            }
            // `pndisc_constructor`
            NeighbourTable::Proxies if !has_family && !is_v4 => {
                return Err(Errno::ENOBUFS.into());
            }
            _ => {}
        }
        // `arp_constructor`: the loopback link, and one between two ends, has one
        // entry for all.
        let mut new = new;
        let is_like_loopback = link.is_loopback() || link.kind() == "wireguard";
        if is_v4 && is_like_loopback && new.table == NeighbourTable::Entries {
            new.address = Ipv4Addr::UNSPECIFIED.into();
        }
        // A link without addresses has nowhere to send to.
        if link.state.mac.is_none() {
            new.mac = None;
        }
        let table = self.table(at)?;
        table.retain(|it| it.address != new.address || it.table != new.table);
        table.push(new);
        self.find_mut(at)?.is_changed = true;
        Ok(())
    }

    pub(super) fn put_back_neighbour(
        &mut self,
        at: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError> {
        let saved = Saved::read_neighbour(saved)?.ok_or(Errno::EINVAL)?;
        if self.has_neighbour(at, saved.address, saved.table)? {
            return Ok(());
        }
        self.put_neighbour(at, saved)
    }
}

/// Whether somebody has set it, rather than that it was learnt.
pub(super) fn is_set(found: &FoundNeighbour) -> bool {
    found.permanent || found.table == NeighbourTable::Proxies
}

fn found(address: IpAddr, neighbour: Neighbour) -> FoundNeighbour {
    FoundNeighbour {
        address,
        mac: match neighbour {
            Neighbour::Permanent(mac) => Some(mac),
            Neighbour::Proxy => None,
        },
        permanent: neighbour != Neighbour::Proxy,
        table: neighbour.table(),
    }
}
