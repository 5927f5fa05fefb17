//! `links.move-to-container`.

use journal::{Change, SavedLink};
use kernel::{FarLink, IdentifiedLink, KernelError, LinkId, Proof, SavedPeer, Whereabouts};
use nix::errno::Errno;
use policy::{Call, Object};
use types::{LinkName, Namespace};
use wasmtime::component::Resource;

use super::{LinkHandle, others_have};
use crate::gate::call::{CallError, Plan, Stop, invalid};
use crate::gate::{Gate, Kernel};

const CALL: Call = Call::LinksMoveToContainer;

impl Gate {
    /// Moves a link into the container. The undo record has the properties that the
    /// container can't change, so that the rollback can identify the link.
    pub(super) fn move_link(
        &mut self,
        link: &Resource<LinkHandle>,
        name: LinkName,
    ) -> Result<(), CallError> {
        let moved = self.link(link)?;
        if moved.id.namespace == Namespace::Container {
            let there = format!("{} is in the container already", moved.name);
            return Err(invalid(CALL, &there));
        }
        let objects = [
            self.object(&moved),
            Object::NewLink {
                namespace: Namespace::Container,
                name: &name,
            },
        ];
        let may_be_swapped = self.owns(&moved) || self.is_spelled_out(CALL, &moved);
        let plan = |kernel: &mut dyn Kernel| {
            let saved = save(kernel, moved.id)?;
            if !may_be_swapped {
                check_identifiable(&saved)?;
            }
            Ok(Plan::of([Change::MoveLink {
                saved,
                name: name.clone(),
                index: None,
            }]))
        };
        let permit = self.decide(CALL, &objects)?;
        if self.is_in_use_by_others(&moved)? {
            return Err(self.record_failure(permit, &objects, others_have(&moved)));
        }
        // What is allowed for all of the network's containers needs a link for them.
        if self.is_made_shared(&moved) {
            return Err(self.record_failure(permit, &objects, is_shared(&moved)));
        }
        let checked = self.check_vf_is_set(&moved);
        let checked = checked.and_then(|()| self.check_move(&permit, &moved));
        if let Err(error) = checked {
            return Err(self.record_failure(permit, &objects, error));
        }
        let result = self.perform(&permit, plan, |kernel| {
            kernel.move_link(moved.id, Namespace::Container, &name, None)
        })?;
        let index = self.record(permit, &objects, result)?;
        let id = LinkId {
            namespace: Namespace::Container,
            index,
        };
        if let Some(used) = &mut self.authority.request.used_vf
            && used.link.as_ref() == Some(&moved.name)
        {
            used.link = None;
        }
        match self.links.get_mut(link) {
            Ok(handle) => *handle = LinkHandle { id, name },
            Err(error) => return Err(self.stop(Stop::Host(error.to_string()))),
        }
        Ok(())
    }
}

fn is_shared(link: &LinkHandle) -> KernelError {
    KernelError::Refused {
        errno: Errno::EINVAL,
        text: format!("{} is shared, so it stays on the host", link.name),
    }
}

fn save(kernel: &mut dyn Kernel, link: LinkId) -> Result<SavedLink, KernelError> {
    let IdentifiedLink {
        state,
        identity,
        alternative_names,
        has_plain_name: _,
    } = kernel.identified(link)?;
    let peer = match identity.proof() {
        Proof::Peer(at) => peer(kernel, at, link)?,
        Proof::Device | Proof::Lower | Proof::Nothing => None,
    };
    Ok(SavedLink {
        link: state,
        snapshot: kernel.snapshot(link)?,
        vfs: kernel.vfs(link)?,
        identity: Some(identity),
        peer,
        alternative_names,
    })
}

/// Returns the peer, if the host can see it and it refers back to the link.
fn peer(
    kernel: &mut dyn Kernel,
    at: FarLink,
    link: LinkId,
) -> Result<Option<SavedPeer>, KernelError> {
    let own = FarLink {
        place: Whereabouts::Host,
        index: link.index,
    };
    match kernel.far_link(at) {
        Ok(far) if far.identity.tie == Some(own) => Ok(Some(SavedPeer {
            at,
            name: far.state.name,
            mac: far.state.mac,
        })),
        Ok(_) => Ok(None),
        Err(error) if error.is_not_found() || error.errno() == Some(Errno::EPERM) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses a link that the rollback couldn't tell from one that the container made.
fn check_identifiable(saved: &SavedLink) -> Result<(), KernelError> {
    let identity = saved.identity.as_ref();
    let is_identifiable = identity.is_some_and(|identity| match identity.proof() {
        Proof::Device | Proof::Lower => true,
        Proof::Peer(_) => saved.peer.is_some(),
        Proof::Nothing => false,
    });
    if is_identifiable {
        return Ok(());
    }
    let name = &saved.link.name;
    let kind = identity.map(kernel::LinkIdentity::kind_in_words);
    Err(KernelError::Refused {
        errno: Errno::EOPNOTSUPP,
        text: format!(
            "{name} is a {}, which the host couldn't tell from one that the container has made in \
             its place; give the container a macvlan or a veth link on it, or, if you trust the \
             container with that, write link = \"{name}\" for this call into the grant",
            kind.unwrap_or_default()
        ),
    })
}
