//! Making links: what all kinds have in common.

use nix::errno::Errno;
use wasmtime::component::Resource;

use super::LinkHandle;
use crate::driver::wit::types::Place;
use crate::gate::perform::{CallError, Plan, invalid};
use crate::gate::{Gate, bounds};
use crate::grant::{Call, Object, Permit};
use crate::journal::{Change, JournalError};
use crate::kernel::{Kernel, KernelError, LinkId, LinkKind, NewLink};
use crate::net::{InvalidMac, LinkName, Mac, Namespace};

impl Place {
    fn namespace(self) -> Namespace {
        match self {
            Self::Container => Namespace::Container,
            Self::Host | Self::Shared => Namespace::Host,
        }
    }
}

/// What a driver wants made.
pub(super) struct Wanted {
    call: Call,
    place: Place,
    name: Option<String>,
    mac: Option<String>,
    mtu: Option<u32>,
    kind: LinkKind,
    parent: Option<LinkHandle>,
}

impl Wanted {
    /// A link without a parent.
    pub(super) fn new(
        call: Call,
        place: Place,
        name: Option<String>,
        mac: Option<String>,
        mtu: Option<u32>,
        kind: LinkKind,
    ) -> Self {
        Self {
            call,
            place,
            name,
            mac,
            mtu,
            kind,
            parent: None,
        }
    }

    /// The same on another link.
    pub(super) fn on(self, parent: Option<LinkHandle>) -> Self {
        Self { parent, ..self }
    }
}

impl Gate {
    /// Makes a link in a place, or finds the one that the containers of this
    /// network share there.
    pub(super) fn make_link(&mut self, wanted: Wanted) -> Result<Resource<LinkHandle>, CallError> {
        let Wanted { call, place, .. } = wanted;
        bounds::names(call, [&wanted.name])?;
        bounds::addresses(call, [&wanted.mac])?;
        self.has_room_for_handles(call, 1)?;
        let link = NewLink {
            namespace: place.namespace(),
            name: self.name_of_new(call, place, wanted.name)?,
            mac: mac(wanted.mac).map_err(|error| invalid(call, &error))?,
            mtu: wanted.mtu,
            kind: wanted.kind,
        };
        let (namespace, name) = (link.namespace, &link.name);
        let mut objects = vec![Object::NewLink { namespace, name }];
        objects.extend(wanted.parent.as_ref().map(|parent| self.object(parent)));
        let permit = self.decide(call, &objects)?;
        let found = match place {
            Place::Container | Place::Host => None,
            Place::Shared => self.find_shared(&permit, name)?,
        };
        let result = self.perform(
            &permit,
            |kernel| {
                if found.is_none() {
                    must_be_free(kernel, namespace, name)?;
                }
                let change = Change::MakeLink {
                    namespace,
                    name: name.clone(),
                    index: found,
                    table: link.kind.table(),
                };
                Ok(match place {
                    Place::Container | Place::Host => Plan::of([change]),
                    Place::Shared => Plan::shared(change),
                })
            },
            |kernel| match found {
                Some(index) => Ok(index),
                None => kernel.create_link(&link),
            },
        )?;
        let index = self.settle(call, &objects, result)?;
        self.hand_out(LinkId { namespace, index }, link.name)
    }

    /// The name that a driver gives a link, or else the one that is meant for
    /// it.
    pub(super) fn name_of_new(
        &self,
        call: Call,
        place: Place,
        name: Option<String>,
    ) -> Result<LinkName, CallError> {
        if let Some(name) = name {
            return LinkName::try_from(name).map_err(|error| invalid(call, &error));
        }
        let shared = place == Place::Shared;
        let request = &self.authority.request;
        let name = request.name_for(call, place.namespace(), shared);
        name.ok_or_else(|| invalid(call, &"the request has no name for this link: give one"))
    }

    /// The index of the link of this name that other containers of the network
    /// have, if it's still there.
    fn find_shared(&mut self, permit: &Permit, name: &LinkName) -> Result<Option<u32>, CallError> {
        let Some(journal) = &self.journal else {
            return Ok(None);
        };
        let kernel = self.guard.open(permit);
        let found = first_alive(kernel, name, journal.shared_links(name));
        found.map_err(|error| self.host_failed(&error))
    }
}

/// The index of the first of these links that is there under this name.
fn first_alive(
    kernel: &mut dyn Kernel,
    name: &LinkName,
    links: impl Iterator<Item = Result<LinkId, JournalError>>,
) -> Result<Option<u32>, String> {
    for link in links {
        let link = link.map_err(|error| error.to_string())?;
        match kernel.link_by_id(link) {
            Ok(state) if state.name == *name => return Ok(Some(link.index)),
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(None)
}

/// A name must be free before the journal says that the link that has it is
/// own.
pub(super) fn must_be_free(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    name: &LinkName,
) -> Result<(), KernelError> {
    match kernel.link_by_name(namespace, name) {
        Ok(_) => Err(Errno::EEXIST.into()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// A MAC address as a driver gives it.
pub(super) fn mac(text: Option<String>) -> Result<Option<Mac>, InvalidMac> {
    text.map(|mac| mac.parse()).transpose()
}
