//! The interface `bridge-ports`.

use wasmtime::component::Resource;

use super::links::others_have;
use super::perform::{CallError, Plan, invalid, plan_for_foreign};
use super::{Gate, Kernel, LinkHandle};
use crate::driver::wit::bridge_ports::{Host, VlanRange};
use crate::grant::{Call, Object};
use crate::journal::Change;
use crate::kernel::{KernelError, PortChange, PortVlans, VlanNumbers};
use crate::net::NumberRange;

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
        self.change(call, &objects, plan, |kernel| {
            kernel.change_port(link.id, change)
        })
    }

    fn change_vlans(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        numbers: VlanNumbers,
        operation: impl FnOnce(&mut dyn Kernel, &LinkHandle) -> Result<(), KernelError>,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let removes = call == Call::BridgePortsRemoveVlans;
        // One more passes a bridge that others have; theirs go on passing it.
        let stays = removes && self.is_in_use_by_others(&link)?;
        let change = plan_for_foreign(&link, self.owns(&link), |kernel, link| {
            Ok(Change::ChangeVlans {
                link: link.id,
                name: link.name.clone(),
                before: kernel.vlans(link.id)?,
            })
        });
        let plan = |kernel: &mut dyn Kernel| match stays {
            true => must_pass_none(kernel, &link, numbers),
            false => change(kernel),
        };
        let mut objects = vec![self.object(&link)];
        objects.extend(numbers_object(numbers, removes && self.owns(&link)));
        self.change(call, &objects, plan, |kernel| match stays {
            true => Ok(()),
            false => operation(kernel, &link),
        })
    }
}

/// A link that others have passes these VLANs for them, or nothing is to be done.
fn must_pass_none(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
    numbers: VlanNumbers,
) -> Result<Plan, KernelError> {
    let vlans = kernel.vlans(link.id)?;
    let mut passes = vlans.iter().map(|vlans| vlans.numbers);
    let overlaps =
        |its: VlanNumbers| its.first() <= numbers.last() && numbers.first() <= its.last();
    match passes.any(overlaps) {
        true => Err(others_have(link)),
        false => Ok(Plan::nothing()),
    }
}

/// VLANs as an object of a decision.
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
        self.change_vlans(call, &port, vlans.numbers, |kernel, link| {
            kernel.add_vlans(link.id, vlans)
        })
    }

    fn remove_vlans(
        &mut self,
        port: Resource<LinkHandle>,
        first: u16,
        last: u16,
    ) -> Result<(), CallError> {
        let call = Call::BridgePortsRemoveVlans;
        let numbers = numbers(call, first, last)?;
        self.change_vlans(call, &port, numbers, |kernel, link| {
            kernel.remove_vlans(link.id, numbers)
        })
    }
}
