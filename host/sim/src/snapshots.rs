//! Snapshots of links.

use std::collections::BTreeMap;

use kernel::{
    FoundRoute, KernelError, LinkId, LinkSnapshot, NewAddress, Saved, Snapshots, SnapshotsRead,
    TableRoute,
};

use super::Simulation;
use super::machine::BY_KERNEL;

impl SnapshotsRead for Simulation {
    fn snapshot(&mut self, at: LinkId) -> Result<LinkSnapshot, KernelError> {
        let machine = &mut *self.in_time()?;
        let neighbours = machine.set_neighbours(at)?;
        let settings = machine.settings_of(at)?;
        let (_, link) = machine.find(at)?;
        let addresses: Vec<NewAddress> = link
            .addresses
            .iter()
            .filter(|address| !address.link_scope)
            .map(|address| address.new)
            .collect();
        let mut routes: Vec<FoundRoute> = machine
            .room_ref(at.namespace)
            .routes
            .iter()
            .filter(|found| found.protocol != BY_KERNEL && found.route.links().contains(&at.index))
            .cloned()
            .collect();
        routes.sort_by_key(|found| found.route.route.gateway.is_some());
        Ok(Saved::snapshot(
            at,
            settings,
            &addresses,
            &routes,
            &neighbours,
        ))
    }

    fn snapshot_neighbours(&mut self, at: LinkId) -> Result<LinkSnapshot, KernelError> {
        let machine = &mut *self.in_time()?;
        let neighbours = machine.set_neighbours(at)?;
        let settings = BTreeMap::new();
        Ok(Saved::snapshot(at, settings, &[], &[], &neighbours))
    }
}

impl Snapshots for Simulation {
    fn put_settings(&mut self, at: LinkId, snapshot: &LinkSnapshot) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let (number, _) = machine.find(at)?;
        for (key, value) in snapshot.settings() {
            // As with the real kernel, a refused value leaves the setting as it is.
            let _ = machine.write_of_link(number, key, value);
        }
        Ok(())
    }

    fn replay(
        &mut self,
        at: LinkId,
        before: u32,
        snapshot: &LinkSnapshot,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        for address in Saved::read_addresses(snapshot)? {
            unless_there(machine.add_address(at, &address))?;
        }
        for mut found in Saved::read_snapshot_routes(snapshot)? {
            renumber(&mut found.route, before, at.index);
            unless_there(machine.put_route(at.namespace, found, false))?;
        }
        for saved in snapshot.neighbours() {
            machine.put_back_neighbour(at, saved)?;
        }
        Ok(())
    }
}

/// Accepts the error for an object that exists already.
pub(super) fn unless_there(result: Result<(), KernelError>) -> Result<(), KernelError> {
    match result {
        Err(error) if error.is_taken() => Ok(()),
        result => result,
    }
}

fn renumber(route: &mut TableRoute, before: u32, now: u32) {
    let other = |index: &mut Option<u32>| {
        if *index == Some(before) {
            *index = Some(now);
        }
    };
    other(&mut route.link);
    route
        .next_hops
        .iter_mut()
        .for_each(|hop| other(&mut hop.link));
}
