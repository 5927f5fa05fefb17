//! Shared links. As long as another container uses a link too, no run may change it,
//! because that would affect the other container.

use kernel::{KernelError, LinkChange};
use nix::errno::Errno;

use super::LinkHandle;
use crate::gate::call::CallError;
use crate::gate::{Gate, Kernel};

impl Gate {
    /// Whether an own link is used by other containers of the network too.
    pub(in crate::gate) fn is_in_use_by_others(
        &mut self,
        link: &LinkHandle,
    ) -> Result<bool, CallError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(false);
        };
        let made = journal.entry_of(link.id, &link.name);
        let entry = made.or_else(|| journal.entry_of_used(link.id, &link.name));
        let Some(entry) = entry else {
            return Ok(false);
        };
        if let Some(in_use) = self.in_use.get(&link.id) {
            return Ok(*in_use);
        }
        // The answer stays valid, because this run holds the network's lock.
        let in_use = match journal.is_shared(entry) {
            Ok(in_use) => in_use,
            Err(error) => return Err(self.host_failed(&error)),
        };
        self.in_use.insert(link.id, in_use);
        Ok(in_use)
    }
}

/// Returns the error for a change of a link that other containers use.
pub(in crate::gate) fn others_have(link: &LinkHandle) -> KernelError {
    KernelError::Refused {
        errno: Errno::EBUSY,
        text: format!(
            "other containers of the network have {}, so it stays as it is: stop them first",
            link.name
        ),
    }
}

/// Refuses a change of a link that other containers use, unless the link already has
/// the value.
pub(super) fn check_already_set(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
    change: &LinkChange,
) -> Result<(), KernelError> {
    let state = kernel.link_by_id(link.id)?;
    let is_so = match change {
        LinkChange::Name(name) => state.name == *name,
        LinkChange::Mac(mac) => state.mac == Some(*mac),
        LinkChange::Mtu(mtu) => state.mtu == *mtu,
        LinkChange::Up(up) => state.up == *up,
        LinkChange::Master(master) => state.master == *master,
        LinkChange::TxQueueLength(packets) => state.tx_queue_length == *packets,
        LinkChange::Promiscuous(on) => state.promiscuous == *on,
        LinkChange::AllMulticast(on) => state.all_multicast == *on,
        LinkChange::Alias(alias) => state.alias == *alias,
        LinkChange::VlanFiltering(on) => kernel.link_info(link.id)?.vlan_filtering == Some(*on),
    };
    match is_so {
        true => Ok(()),
        false => Err(others_have(link)),
    }
}
