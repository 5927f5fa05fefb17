//! Neighbours of links.

use std::net::IpAddr;

use kernel::{
    FoundNeighbour, KernelError, LinkId, Neighbour, NeighbourTable, Neighbours, NeighboursRead,
    Saved, SavedNeighbour,
};
use nix::errno::Errno;

use super::Simulation;
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
        let table = machine.table(at)?;
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
        at: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError> {
        self.in_time()?.put_back_neighbour(at, saved)
    }
}

impl Machine {
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

    /// The neighbours of a link, for changing them.
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

    pub(super) fn neighbours(&mut self, at: LinkId) -> Result<Vec<FoundNeighbour>, KernelError> {
        Ok(self.table(at)?.clone())
    }

    /// Those that somebody has set.
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
        let table = self.table(at)?;
        table.retain(|it| it.address != new.address || it.table != new.table);
        table.push(new);
        self.find_mut(at)?.is_changed = true;
        Ok(())
    }
}

/// Those of multicast groups are the kernel's own.
pub(super) fn is_set(found: &FoundNeighbour) -> bool {
    let is_set = found.permanent || found.table == NeighbourTable::Proxies;
    is_set && !found.address.is_multicast()
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
