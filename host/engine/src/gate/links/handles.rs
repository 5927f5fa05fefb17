//! The handles of links that a driver holds.

use journal::Journal;
use kernel::LinkId;
use policy::{Call, Object};
use types::LinkName;
use wasmtime::component::{Resource, ResourceTableError};

use crate::gate::call::{CallError, Stop};
use crate::gate::{Gate, bounds};

/// The link behind a driver's handle.
#[derive(Debug, Clone)]
pub struct LinkHandle {
    /// The link's namespace and index.
    pub(in crate::gate) id: LinkId,
    /// The link's name when the driver got the handle.
    pub(in crate::gate) name: LinkName,
}

impl Gate {
    /// Returns the link behind a handle, with its current name.
    pub(in crate::gate) fn link(
        &mut self,
        handle: &Resource<LinkHandle>,
    ) -> Result<LinkHandle, CallError> {
        self.find_handle(handle)
            .map_err(|error| self.stop(Stop::Host(error.to_string())))
    }

    /// Does the same outside of a call.
    pub(super) fn find_handle(
        &self,
        handle: &Resource<LinkHandle>,
    ) -> Result<LinkHandle, ResourceTableError> {
        let mut link = self.links.get(handle)?.clone();
        if let Some(name) = self.renamed.get(&link.id) {
            link.name.clone_from(name);
        }
        Ok(link)
    }

    /// Returns a link as an object of a decision.
    pub(in crate::gate) fn object<'a>(&self, link: &'a LinkHandle) -> Object<'a> {
        Object::Link {
            namespace: link.id.namespace,
            name: &link.name,
            own: self.owns(link),
        }
    }

    /// Whether a link is own: the driver made or moved it, according to the journal.
    pub(in crate::gate) fn owns(&self, link: &LinkHandle) -> bool {
        let journal = self.rollback.journal.as_ref();
        journal.is_some_and(|journal| journal.owns(link.id, &link.name))
    }

    /// Whether the grant's line for a call names a link. Then the operator accepts the
    /// consequences of the call for this link.
    pub(in crate::gate) fn is_spelled_out(&self, call: Call, link: &LinkHandle) -> bool {
        let reach = self.authority.grant.calls().get(&call);
        reach.is_some_and(|reach| reach.has_link(link.id.namespace, &link.name))
    }

    /// Whether a link is own and no other container shares it. Then its addresses,
    /// routes and neighbours go with it.
    pub(in crate::gate) fn has_alone(&self, link: &LinkHandle) -> bool {
        self.owns(link) && !self.is_made_shared(link)
    }

    /// Whether the driver has made a link for all containers of the network.
    pub(super) fn is_made_shared(&self, link: &LinkHandle) -> bool {
        let journal = self.rollback.journal.as_ref();
        journal.is_some_and(|journal| {
            let mut entries = journal.entries().iter();
            entries.any(|entry| entry.shared && entry.has_made(link.id, &link.name))
        })
    }

    /// Refuses a call that would exceed the number of handles, before it has any
    /// effect.
    pub(super) fn check_handle_limit(&self, call: Call, count: usize) -> Result<(), CallError> {
        match self.handles.saturating_add(count) <= bounds::HANDLES {
            true => Ok(()),
            false => Err(bounds::too_many_handles(call)),
        }
    }

    /// Whether the driver has a shared link on the host.
    pub(in crate::gate) fn has_shared_link(&self) -> bool {
        let journal = self.rollback.journal.as_ref();
        journal.is_some_and(Journal::has_shared_link)
    }

    pub(super) fn hand_out(
        &mut self,
        id: LinkId,
        name: LinkName,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let handle = self
            .links
            .push(LinkHandle { id, name })
            .map_err(|error| self.stop(Stop::Host(error.to_string())))?;
        self.handles += 1;
        Ok(handle)
    }
}
