//! Ports of bridges and their VLANs.

use kernel::{
    BridgePorts, BridgePortsRead, KernelError, LinkId, PortChange, PortState, PortVlans,
    VlanNumbers,
};
use nix::errno::Errno;

use super::Simulation;
use super::link::Link;
use super::machine::Machine;

/// The flags of a new port (`new_nbp`).
const NEW_PORT: PortState = PortState {
    hairpin: false,
    isolated: false,
    learning: true,
};

impl BridgePortsRead for Simulation {
    fn port(&mut self, link: LinkId) -> Result<PortState, KernelError> {
        self.in_time()?.port(link)
    }

    fn vlans(&mut self, link: LinkId) -> Result<Vec<PortVlans>, KernelError> {
        self.in_time()?.vlans(link)
    }
}

impl BridgePorts for Simulation {
    fn change_port(&mut self, at: LinkId, change: PortChange) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let mut port = machine.port(at)?;
        match change {
            PortChange::Hairpin(on) => port.hairpin = on,
            PortChange::Isolated(on) => port.isolated = on,
            PortChange::Learning(on) => port.learning = on,
        }
        let (number, _) = machine.find(at)?;
        machine.edit(number, |link| link.port = Some(port));
        Ok(())
    }

    fn add_vlans(&mut self, at: LinkId, vlans: PortVlans) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let mut all = without(machine.vlans_to_change(at)?, vlans.numbers);
        if vlans.pvid {
            all.iter_mut().for_each(|other| other.pvid = false);
        }
        all.push(vlans);
        all.sort_by_key(|vlans| vlans.numbers.first());
        let (number, _) = machine.find(at)?;
        machine.edit(number, |link| link.vlans = Some(all));
        Ok(())
    }

    fn remove_vlans(&mut self, at: LinkId, numbers: VlanNumbers) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let left = without(machine.vlans_to_change(at)?, numbers);
        let (number, _) = machine.find(at)?;
        machine.edit(number, |link| link.vlans = Some(left));
        Ok(())
    }
}

impl Machine {
    pub(super) fn port(&mut self, at: LinkId) -> Result<PortState, KernelError> {
        let (_, link) = self.find(at)?;
        let master = link.master.and_then(|master| self.links.get(&master));
        if master.is_none_or(|master| master.kind() != "bridge") {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if let Some(port) = link.port {
            return Ok(port);
        }
        match self.unmoved_port(link) {
            Some(real) => self.reader.port(real),
            None => Ok(NEW_PORT),
        }
    }

    /// Returns the id of a port in the real kernel, unless it has left its
    /// bridge.
    fn unmoved_port(&self, link: &Link) -> Option<LinkId> {
        let real = super::settings::unmoved(link)?;
        let master = link.master.and_then(|master| self.links.get(&master));
        let index = master.map(|master| master.at.index);
        (index == link.state.master).then_some(real)
    }

    pub(super) fn vlans(&mut self, at: LinkId) -> Result<Vec<PortVlans>, KernelError> {
        let (_, link) = self.find(at)?;
        if let Some(vlans) = &link.vlans {
            return Ok(vlans.clone());
        }
        match self.unmoved_port(link) {
            Some(real) => self.reader.vlans(real),
            None if self.has_vlans(link) => Ok(new_vlans()),
            None => Ok(Vec::new()),
        }
    }

    /// Returns the VLANs of a link that can have some (`rtnl_bridge_setlink`).
    fn vlans_to_change(&mut self, at: LinkId) -> Result<Vec<PortVlans>, KernelError> {
        let (_, link) = self.find(at)?;
        match self.has_vlans(link) {
            true => self.vlans(at),
            false => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    /// Whether a link is a bridge, or a port of one.
    fn has_vlans(&self, link: &Link) -> bool {
        let master = link.master.and_then(|master| self.links.get(&master));
        let is_port = master.is_some_and(|master| master.kind() == "bridge");
        is_port || link.kind() == "bridge"
    }
}

/// Returns the VLANs of a new port (`nbp_vlan_init`).
fn new_vlans() -> Vec<PortVlans> {
    let first = VlanNumbers::new(1, 1).into_iter();
    let vlans = first.map(|numbers| PortVlans {
        numbers,
        pvid: true,
        untagged: true,
    });
    vlans.collect()
}

/// Removes a range from VLANs.
fn without(vlans: Vec<PortVlans>, gone: VlanNumbers) -> Vec<PortVlans> {
    let parts = vlans.into_iter().flat_map(|vlans| {
        let (first, last) = (vlans.numbers.first(), vlans.numbers.last());
        let below = VlanNumbers::new(first, last.min(gone.first().saturating_sub(1)));
        let above = VlanNumbers::new(first.max(gone.last().saturating_add(1)), last);
        let parts = [below, above].into_iter().flatten();
        parts.map(move |numbers| PortVlans { numbers, ..vlans })
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vlans(first: u16, last: u16) -> PortVlans {
        PortVlans {
            numbers: VlanNumbers::new(first, last).unwrap(),
            pvid: false,
            untagged: false,
        }
    }

    #[test]
    fn some_vlans_are_taken_out_of_a_range() {
        let gone = |first, last| VlanNumbers::new(first, last).unwrap();
        let left = without(vec![vlans(2, 9)], gone(4, 5));
        assert_eq!(left, [vlans(2, 3), vlans(6, 9)]);
        assert_eq!(without(vec![vlans(2, 9)], gone(1, 4094)), []);
        assert_eq!(without(vec![vlans(2, 9)], gone(10, 11)), [vlans(2, 9)]);
        assert_eq!(without(vec![vlans(2, 2)], gone(1, 1)), [vlans(2, 2)]);
    }
}
