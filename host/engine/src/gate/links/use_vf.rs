//! `links.use-vf`.
//!
//! The record of the use keeps a VF for one container: it's written before any property
//! of the VF is changed, and removed after all of them are restored. The journals of all
//! networks are read under a lock, so that no two runs choose the same VF.

use journal::{Change, Journal};
use kernel::{AddressState, KernelError, LinkId, find};
use nix::errno::Errno;
use policy::{Call, Object, UsedVf};
use types::{Key, LinkProperty, Namespace, VfChange};
use wasmtime::component::Resource;

use super::LinkHandle;
use crate::gate::call::{CallError, Plan, invalid};
use crate::gate::{Gate, Kernel};
use crate::guard::Permitted;

const CALL: Call = Call::LinksUseVf;

/// The number of VFs of one container on a network. Nothing limits a driver otherwise: it
/// could take all of a card.
const VFS_MAX: usize = 1;

impl Gate {
    /// Makes the call `links.use-vf`.
    pub(super) fn use_vf_of(
        &mut self,
        card: &Resource<LinkHandle>,
        number: u32,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.check_handle_limit(CALL, 1)?;
        let card = self.link(card)?;
        if card.id.namespace != Namespace::Host {
            let there = format!("{} isn't on the host", card.name);
            return Err(invalid(CALL, &there));
        }
        let objects = [Object::Vf {
            namespace: card.id.namespace,
            card: &card.name,
            number,
            change: None,
            own: false,
        }];
        let permit = self.decide(CALL, &objects)?;
        let used = match self.free_vf(&permit, &card, number) {
            Ok(link) => self.claim_vf(&permit, &card, number, link)?,
            Err(error) => Err(error),
        };
        let link = self.record(permit, &objects, used)?;
        self.authority.request.used_vf = Some(UsedVf {
            card: card.name,
            number,
            link: Some(link.name.clone()),
            made: Vec::new(),
        });
        self.hand_out(link.id, link.name)
    }

    /// Returns the link of a VF, if nobody uses it.
    fn free_vf(
        &mut self,
        permit: &Permitted,
        card: &LinkHandle,
        number: u32,
    ) -> Result<LinkHandle, KernelError> {
        let entries = self.rollback.journal.iter().flat_map(Journal::entries);
        let used = entries.filter(|entry| matches!(entry.change, Change::UseVf { .. }));
        if used.count() >= VFS_MAX {
            let text = format!(
                "a container has at most {VFS_MAX} VF on a network: connect it to another \
                 network for another one"
            );
            return Err(busy(text));
        }
        let kernel = self.rollback.guard.open(permit);
        let link = vf_link(kernel, card, number)?;
        check_unused(kernel, &link)?;
        self.check_move(permit, &link)?;
        Ok(link)
    }

    /// Records the use of a VF, unless a journal has the VF already.
    fn claim_vf(
        &mut self,
        permit: &Permitted,
        card: &LinkHandle,
        number: u32,
        link: LinkHandle,
    ) -> Result<Result<LinkHandle, KernelError>, CallError> {
        let Some(journal) = &self.rollback.journal else {
            return Err(self.host_failed(&"there is no container yet"));
        };
        let lock = match journal.lock_vfs() {
            Ok(lock) => lock,
            Err(error) => return Ok(Err(busy(error.to_string()))),
        };
        let is_it = |change: &Change| change.is_of_vf(card.id, number, link.id.index);
        match journal.owner_elsewhere(is_it) {
            Ok(None) => {}
            Ok(Some(owner)) => return Ok(Err(has(&owner))),
            Err(error) => return Err(self.host_failed(&error)),
        }
        let change = Change::UseVf {
            link: card.id,
            name: card.name.clone(),
            number,
            vf_link: link.id.index,
        };
        let begun = self.perform(permit, |_| Ok(Plan::of([change])), |_| Ok(()))?;
        drop(lock);
        Ok(begun.map(|()| link))
    }

    /// Notes a change of the VF that the run uses.
    pub(super) fn note_vf_change(&mut self, card: &LinkHandle, vf: u32, change: VfChange) {
        if let Some(used) = &mut self.authority.request.used_vf
            && (&used.card, used.number) == (&card.name, vf)
        {
            used.made.push(change);
        }
    }

    /// Refuses to move the link of a VF that lacks something that the user asked for, as
    /// its VLAN: the container would have the VF without it.
    pub(super) fn check_vf_is_set(&self, link: &LinkHandle) -> Result<(), KernelError> {
        match self.authority.request.lacking_of_vf(&link.name) {
            Some(change) if !self.is_spelled_out(Call::LinksMoveToContainer, link) => {
                Err(busy(format!(
                    "the request has {change} for the VF of {}: set that before its link is moved",
                    link.name
                )))
            }
            _ => Ok(()),
        }
    }

    /// Returns the index of the link of a card's VF, if this container uses the VF.
    pub(super) fn used_vf_link(&self, card: LinkId, vf: u32) -> Option<u32> {
        let entries = self.rollback.journal.iter().flat_map(Journal::entries);
        let mut uses = entries.filter_map(|entry| match &entry.change {
            Change::UseVf {
                link,
                number,
                vf_link,
                ..
            } if (*link, *number) == (card, vf) => Some(*vf_link),
            _ => None,
        });
        uses.next()
    }
}

/// Returns the host's link of a VF.
fn vf_link(
    kernel: &mut dyn Kernel,
    card: &LinkHandle,
    number: u32,
) -> Result<LinkHandle, KernelError> {
    // The card's own list tells a missing VF from one without a link.
    crate::rollback::vf(kernel, card.id, number)?;
    let device = kernel.vf_device(card.id, number)?;
    let namespace = Namespace::Host;
    let links = kernel.placed_links(namespace)?;
    match find(&links, &LinkProperty::Pci(device.clone())) {
        Ok(state) => Ok(LinkHandle {
            id: LinkId {
                namespace,
                index: state.index,
            },
            name: state.name,
        }),
        Err(error) if error.is_not_found() => Err(KernelError::NotFound(format!(
            "VF {number} ({device}) has no link on the host: a container has it, or its driver \
             isn't one for networks; `ip link show dev {}` lists the VFs, and `lspci -k -s \
             {device}` shows the driver",
            card.name
        ))),
        Err(error) => Err(error),
    }
}

/// Refuses a VF whose link the host itself uses.
fn check_unused(kernel: &mut dyn Kernel, link: &LinkHandle) -> Result<(), KernelError> {
    let name = &link.name;
    if let Some(master) = kernel.link_by_id(link.id)?.master {
        return Err(busy(format!(
            "its link {name} is a port of link {master}: choose another VF, or take it out with \
             `ip link set dev {name} nomaster`"
        )));
    }
    // The kernel gives each link that is up an address of its own for IPv6.
    let is_hosts =
        |address: &AddressState| !(address.link_scope && address.address.addr().is_ipv6());
    let addresses = kernel.addresses(link.id)?;
    match addresses.iter().find(|address| is_hosts(address)) {
        None => Ok(()),
        Some(found) => Err(busy(format!(
            "its link {name} has the host's address {}: choose another VF, or remove the address \
             with `ip address flush dev {name}`",
            found.address
        ))),
    }
}

/// Returns the error for a VF that another container has.
fn has(owner: &Key) -> KernelError {
    busy(format!(
        "the container {} on the network {} has it: choose another VF, or, if that container is \
         gone, clear its remains with `wasmvark gc`",
        owner.container, owner.network
    ))
}

fn busy(text: String) -> KernelError {
    let errno = Errno::EBUSY;
    KernelError::Refused { errno, text }
}
