//! Changing links.

use wasmtime::component::Resource;

use super::LinkHandle;
use crate::gate::perform::{CallError, Plan, invalid};
use crate::gate::{Gate, Kernel};
use crate::grant::{Call, Object};
use crate::journal::Change;
use crate::kernel::{KernelError, LinkId};

impl Gate {
    /// Changes a property of a link, which is put back afterwards unless the
    /// link is the driver's own.
    pub(super) fn change_link(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        operation: impl FnOnce(&mut dyn Kernel, LinkId) -> Result<(), KernelError>,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let plan = self.plan_change(&link);
        let objects = [self.object(&link)];
        self.change(call, &objects, plan, |kernel| operation(kernel, link.id))
    }

    /// `links.set-master`.
    pub(super) fn put_below(
        &mut self,
        link: &Resource<LinkHandle>,
        master: Option<&Resource<LinkHandle>>,
    ) -> Result<(), CallError> {
        let call = Call::LinksSetMaster;
        let link = self.link(link)?;
        let master = master.map(|master| self.link(master)).transpose()?;
        let mut objects = vec![self.object(&link)];
        if let Some(master) = &master {
            if master.id.namespace != link.id.namespace {
                let apart = format!("{} and {} are in two namespaces", link.name, master.name);
                return Err(invalid(call, &apart));
            }
            objects.push(Object::Master {
                namespace: master.id.namespace,
                name: &master.name,
                own: self.owns(master),
            });
        }
        let plan = self.plan_change(&link);
        let index = master.as_ref().map(|master| master.id.index);
        self.change(call, &objects, plan, |kernel| {
            kernel.set_master(link.id, index)
        })
    }

    /// Reads how a link is, unless it goes with the driver's own.
    fn plan_change(
        &self,
        link: &LinkHandle,
    ) -> impl FnOnce(&mut dyn Kernel) -> Result<Plan, KernelError> + use<> {
        let (own, link) = (self.owns(link), link.id);
        move |kernel| {
            if own {
                return Ok(Plan::nothing());
            }
            let before = kernel.link_by_id(link)?;
            Ok(Plan::of([Change::ChangeLink { link, before }]))
        }
    }
}
