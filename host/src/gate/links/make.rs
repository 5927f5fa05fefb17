//! Making links: what all kinds have in common.

use nix::errno::Errno;
use wasmtime::component::Resource;

use super::LinkHandle;
use crate::driver::wit::types::Place;
use crate::gate::Gate;
use crate::gate::perform::{CallError, Plan};
use crate::grant::{Call, Object};
use crate::journal::{Change, JournalError};
use crate::kernel::{Kernel, KernelError, LinkId, NewLink};
use crate::net::{LinkName, Mac, Namespace};

impl Place {
    pub(super) fn namespace(self) -> Namespace {
        match self {
            Self::Container => Namespace::Container,
            Self::Host | Self::Shared => Namespace::Host,
        }
    }
}

impl Gate {
    /// Makes a link in a place, or finds the one that the containers of this
    /// network share there.
    pub(super) fn make_link(
        &mut self,
        call: Call,
        place: Place,
        link: &NewLink,
        parent: Option<&LinkHandle>,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let NewLink {
            namespace, name, ..
        } = link;
        let namespace = *namespace;
        let mut objects = vec![Object::NewLink { namespace, name }];
        objects.extend(parent.map(|parent| self.object(parent)));
        let permit = self.decide(call, &objects)?;
        let change = |index| Change::MakeLink {
            namespace,
            name: name.clone(),
            index,
        };
        let result = match place {
            Place::Container | Place::Host => {
                let plan = |kernel: &mut dyn Kernel| {
                    must_be_free(kernel, namespace, name)?;
                    Ok(Plan::of([change(None)]))
                };
                self.perform(&permit, plan, |kernel| kernel.create_link(link))?
            }
            Place::Shared => match self.find_shared(name)? {
                Some(index) => self.perform(
                    &permit,
                    |_| Ok(Plan::shared(change(Some(index)))),
                    |_| Ok(index),
                )?,
                None => {
                    let plan = |kernel: &mut dyn Kernel| {
                        must_be_free(kernel, namespace, name)?;
                        Ok(Plan::shared(change(None)))
                    };
                    self.perform(&permit, plan, |kernel| kernel.create_link(link))?
                }
            },
        };
        let index = self.settle(call, &objects, result)?;
        self.hand_out(LinkId { namespace, index }, name.clone())
    }

    /// The index of the link of this name that other containers of the network
    /// have, if it's still there.
    fn find_shared(&mut self, name: &LinkName) -> Result<Option<u32>, CallError> {
        let links = match &self.journal {
            Some(journal) => journal.shared_links(name),
            None => Ok(Vec::new()),
        };
        let links = links.map_err(|error: JournalError| self.host_failed(&error))?;
        for link in links {
            match self.guard.for_host().link_by_id(link) {
                Ok(state) if state.name == *name => return Ok(Some(link.index)),
                Ok(_) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(self.host_failed(&error)),
            }
        }
        Ok(None)
    }
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
pub(super) fn mac(text: Option<String>) -> Result<Option<Mac>, crate::net::InvalidMac> {
    text.map(|mac| mac.parse()).transpose()
}
