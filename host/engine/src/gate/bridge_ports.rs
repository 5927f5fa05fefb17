//! The interface `bridge-ports`.

use journal::Change;
use kernel::{KernelError, PortChange, PortVlans, VlanNumbers};
use policy::{Call, Object};
use types::NumberRange;
use wasmtime::component::Resource;

use super::call::{CallError, Plan, invalid, plan_for_foreign};
use super::links::others_have;
use super::{Gate, Kernel, LinkHandle};
use crate::driver::wit::bridge_ports::{Host, VlanRange};

impl Gate {
    fn change_port(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        change: PortChange,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let plan = plan_for_foreign(&link, self.owns(&link), |kernel, link| {
            Ok(Change::ChangePort {
                link: link.id,
                name: link.name.clone(),
                before: kernel.port(link.id)?,
            })
        });
        let objects = [self.object(&link)];
        let permit = self.decide(call, &objects)?;
        let result = match self.is_in_use_by_others(&link)? {
            true => check_already_set(self.rollback.guard.open(&permit), &link, change),
            false => self.perform(&permit, plan, |kernel| kernel.change_port(link.id, change))?,
        };
        self.record(permit, &objects, result)
    }

    fn change_vlans(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        wanted: VlanChange,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let own = self.owns(&link);
        let removes = matches!(wanted, VlanChange::Remove(_));
        let mut objects = vec![self.object(&link)];
        objects.extend(numbers_object(wanted.numbers(), removes && own));
        let permit = self.decide(call, &objects)?;
        let in_use = self.is_in_use_by_others(&link)?;
        let change = plan_for_foreign(&link, own, |kernel, link| {
            Ok(Change::ChangeVlans {
                link: link.id,
                name: link.name.clone(),
                before: kernel.vlans(link.id)?,
            })
        });
        let plan = |kernel: &mut dyn Kernel| match in_use {
            true => check_vlans_stay(kernel, &link, wanted),
            false => change(kernel),
        };
        let result = self.perform(&permit, plan, |kernel| match wanted {
            VlanChange::Add(vlans) => kernel.add_vlans(link.id, vlans),
            // The plan has made sure that there are none of them.
            VlanChange::Remove(_) if in_use => Ok(()),
            VlanChange::Remove(numbers) => kernel.remove_vlans(link.id, numbers),
        })?;
        self.record(permit, &objects, result)
    }
}

/// A change of the VLANs of a port.
#[derive(Debug, Clone, Copy)]
enum VlanChange {
    Add(PortVlans),
    Remove(VlanNumbers),
}

impl VlanChange {
    fn numbers(self) -> VlanNumbers {
        match self {
            Self::Add(vlans) => vlans.numbers,
            Self::Remove(numbers) => numbers,
        }
    }

    /// Whether a port's existing VLANs stay as they are.
    fn leaves(self, there: &[PortVlans]) -> bool {
        let mut touched = there
            .iter()
            .filter(|vlans| vlans.numbers.overlaps(self.numbers()));
        match self {
            Self::Remove(_) => touched.next().is_none(),
            // A port has only one pvid, so a new one would replace the old one.
            Self::Add(wanted) if wanted.pvid => there.contains(&wanted),
            Self::Add(wanted) => {
                touched.all(|vlans| (vlans.pvid, vlans.untagged) == (false, wanted.untagged))
            }
        }
    }
}

/// Refuses a change of existing VLANs of a link that other containers use.
fn check_vlans_stay(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
    wanted: VlanChange,
) -> Result<Plan, KernelError> {
    match wanted.leaves(&kernel.vlans(link.id)?) {
        true => Ok(Plan::nothing()),
        false => Err(others_have(link)),
    }
}

/// Refuses a change of a port that other containers use, unless the port already has
/// the value.
fn check_already_set(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
    change: PortChange,
) -> Result<(), KernelError> {
    let state = kernel.port(link.id)?;
    let is_so = match change {
        PortChange::Hairpin(on) => state.hairpin == on,
        PortChange::Isolated(on) => state.isolated == on,
        PortChange::Learning(on) => state.learning == on,
    };
    match is_so {
        true => Ok(()),
        false => Err(others_have(link)),
    }
}

/// Returns VLANs as an object of a decision.
fn numbers_object(numbers: VlanNumbers, own: bool) -> Option<Object<'static>> {
    let numbers = NumberRange::new(numbers.first(), numbers.last())?;
    Some(Object::Vlans { numbers, own })
}

fn numbers(call: Call, first: u16, last: u16) -> Result<VlanNumbers, CallError> {
    let numbers = VlanNumbers::new(first, last);
    numbers.ok_or_else(|| {
        let range = format!("{first} to {last} is no range of VLANs: they go from 1 to 4094");
        invalid(call, &range)
    })
}

impl Host for Gate {
    fn set_hairpin(&mut self, port: Resource<LinkHandle>, on: bool) -> Result<(), CallError> {
        let call = Call::BridgePortsSetHairpin;
        self.change_port(call, &port, PortChange::Hairpin(on))
    }

    fn set_isolated(&mut self, port: Resource<LinkHandle>, on: bool) -> Result<(), CallError> {
        let call = Call::BridgePortsSetIsolated;
        self.change_port(call, &port, PortChange::Isolated(on))
    }

    fn set_learning(&mut self, port: Resource<LinkHandle>, on: bool) -> Result<(), CallError> {
        let call = Call::BridgePortsSetLearning;
        self.change_port(call, &port, PortChange::Learning(on))
    }

    fn vlans(&mut self, port: Resource<LinkHandle>) -> Result<Vec<VlanRange>, CallError> {
        let link = self.link(&port)?;
        let objects = [self.object(&link)];
        let vlans = self.read(Call::BridgePortsVlans, &objects, |kernel| {
            kernel.vlans(link.id)
        })?;
        let ranges = vlans.iter().map(|vlans| VlanRange {
            first: vlans.numbers.first(),
            last: vlans.numbers.last(),
            pvid: vlans.pvid,
            untagged: vlans.untagged,
        });
        Ok(ranges.collect())
    }

    fn add_vlans(&mut self, port: Resource<LinkHandle>, vlans: VlanRange) -> Result<(), CallError> {
        let call = Call::BridgePortsAddVlans;
        if vlans.pvid && vlans.first != vlans.last {
            return Err(invalid(call, &"only one VLAN can be the pvid"));
        }
        let vlans = PortVlans {
            numbers: numbers(call, vlans.first, vlans.last)?,
            pvid: vlans.pvid,
            untagged: vlans.untagged,
        };
        self.change_vlans(call, &port, VlanChange::Add(vlans))
    }

    fn remove_vlans(
        &mut self,
        port: Resource<LinkHandle>,
        first: u16,
        last: u16,
    ) -> Result<(), CallError> {
        let call = Call::BridgePortsRemoveVlans;
        let numbers = numbers(call, first, last)?;
        self.change_vlans(call, &port, VlanChange::Remove(numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vlans(first: u16, last: u16, pvid: bool, untagged: bool) -> PortVlans {
        PortVlans {
            numbers: VlanNumbers::new(first, last).unwrap(),
            pvid,
            untagged,
        }
    }

    #[test]
    fn others_keep_their_vlans() {
        let there = [vlans(1, 1, true, true), vlans(20, 29, false, false)];
        let add = |first, last, pvid, untagged| {
            VlanChange::Add(vlans(first, last, pvid, untagged)).leaves(&there)
        };
        assert!(add(30, 39, false, false));
        assert!(add(25, 35, false, false));
        assert!(add(1, 1, true, true));
        assert!(!add(30, 30, true, true));
        assert!(!add(25, 25, false, true));
        assert!(!add(1, 1, false, true));
        assert!(!add(1, 5, false, false));
        let remove =
            |first, last| VlanChange::Remove(VlanNumbers::new(first, last).unwrap()).leaves(&there);
        assert!(remove(30, 4094));
        assert!(!remove(2, 20));
    }
}
