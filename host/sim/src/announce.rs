//! Announcing addresses.

use std::net::IpAddr;

use kernel::{Announce, KernelError, LinkId, announce};

use super::Simulation;

impl Announce for Simulation {
    fn announce(&mut self, at: LinkId, address: IpAddr) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let (_, link) = machine.find(at)?;
        announce::sender(&machine.state(link))?;
        let mut addresses = link.addresses.iter();
        if !addresses.any(|own| own.new.address.addr() == address) {
            let text = format!(
                "{address} is no address of {}: add it first",
                link.state.name
            );
            return Err(KernelError::NotFound(text));
        }
        Ok(())
    }
}
