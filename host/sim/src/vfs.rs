//! Virtual functions.

use kernel::{KernelError, LinkId, VfChange, VfState, Vfs, VfsRead};
use nix::errno::Errno;
use types::PciAddress;

use super::Simulation;
use super::machine::Machine;

impl VfsRead for Simulation {
    fn vfs(&mut self, link: LinkId) -> Result<Vec<VfState>, KernelError> {
        self.in_time()?.vfs(link)
    }

    fn vf_device(&mut self, card: LinkId, number: u32) -> Result<PciAddress, KernelError> {
        let machine = &mut *self.in_time()?;
        let (_, link) = machine.find(card)?;
        match link.real() {
            Some(real) => machine.reader.vf_device(real, number),
            None => Err(Errno::ENOENT.into()),
        }
    }
}

impl Vfs for Simulation {
    fn change_vf(&mut self, at: LinkId, wanted: u32, change: VfChange) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let mut vfs = machine.vfs(at)?;
        let mut all = vfs.iter_mut();
        let vf = all.find(|vf| vf.number == wanted).ok_or(Errno::EINVAL)?;
        match change {
            VfChange::Mac(mac) => vf.mac = mac,
            VfChange::Vlan(vlan) => vf.vlan = vlan,
            VfChange::SpoofCheck(on) => vf.spoof_check = on,
            VfChange::Trust(on) => vf.trust = on,
            VfChange::LinkState(state) => vf.link_state = state,
            VfChange::Rate { min, max } => (vf.min_rate, vf.max_rate) = (min, max),
        }
        machine.assume("cards take what is set for their VFs".to_owned());
        let (number, _) = machine.find(at)?;
        machine.edit(number, |link| link.vfs = Some(vfs));
        Ok(())
    }
}

impl Machine {
    pub(super) fn vfs(&mut self, at: LinkId) -> Result<Vec<VfState>, KernelError> {
        let (_, link) = self.find(at)?;
        match (&link.vfs, link.real()) {
            (Some(vfs), _) => Ok(vfs.clone()),
            (None, Some(real)) => self.reader.vfs(real),
            (None, None) => Ok(Vec::new()),
        }
    }
}
