//! `links.rename`.

use journal::Change;
use kernel::{KernelError, LinkChange};
use nix::errno::Errno;
use policy::{Call, Object, reached_only_as};
use types::{LinkName, Namespace};
use wasmtime::component::Resource;

use super::{LinkHandle, make};
use crate::gate::call::{CallError, Plan, invalid};
use crate::gate::{Gate, Kernel};
use crate::guard::Permitted;

const CALL: Call = Call::LinksRename;

impl Gate {
    /// Renames a link. The journal identifies own links by their names, so it gets the
    /// new name before the kernel does.
    pub(super) fn rename_link(
        &mut self,
        link: &Resource<LinkHandle>,
        name: &LinkName,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let journal = self.rollback.journal.as_ref();
        let entry = journal.and_then(|journal| journal.entry_of(link.id, &link.name));
        let own = entry.map(|entry| (entry.number, entry.shared));
        if own.is_some_and(|(_, shared)| shared) {
            let text = format!(
                "{} has its name for all containers of the network",
                link.name
            );
            return Err(invalid(CALL, &text));
        }
        let namespace = link.id.namespace;
        let objects = [self.object(&link), Object::NewLink { namespace, name }];
        let permit = self.decide(CALL, &objects)?;
        if self.is_in_firewall(&link) {
            let error = KernelError::Refused {
                errno: Errno::EBUSY,
                text: format!(
                    "the firewall knows {} by its name: rename it before you add firewall rules",
                    link.name
                ),
            };
            return Err(self.record_failure(permit, &objects, error));
        }
        let result = match own {
            Some((number, _)) => self.rename_own(&permit, number, &link, name)?,
            None => self.rename_foreign(&permit, &link, name)?,
        };
        if result.is_ok() {
            self.update_names(&link, name);
        }
        self.record(permit, &objects, result)
    }

    /// Whether firewall rules of this container name a link. They wouldn't apply to it
    /// under another name.
    fn is_in_firewall(&self, link: &LinkHandle) -> bool {
        let is_it = |change: &Change| {
            change.firewall().is_some_and(|entry| {
                entry.namespace() == link.id.namespace && entry.rule.link() == Some(&link.name)
            })
        };
        self.rollback.journal.as_ref().is_some_and(|journal| {
            let mut entries = journal.entries_of(link.id.namespace);
            entries.any(|entry| is_it(&entry.change))
        })
    }

    fn rename_own(
        &mut self,
        permit: &Permitted,
        number: u32,
        link: &LinkHandle,
        name: &LinkName,
    ) -> Result<Result<(), KernelError>, CallError> {
        let Some(journal) = &mut self.rollback.journal else {
            return Ok(Ok(()));
        };
        let begun = journal.rename(number, name);
        let result = match begun {
            Ok(()) => {
                let kernel = self.rollback.guard.open(permit);
                kernel.change_link(link.id, &LinkChange::Name(name.clone()))
            }
            Err(error) => return Err(self.host_failed(&error)),
        };
        let written = match &result {
            Ok(()) => journal.named(number, name),
            // The kernel may have made a rename that was cut off, so the journal keeps
            // both names.
            Err(error) if error.is_unclear() => Ok(()),
            Err(_) => journal.named(number, &link.name),
        };
        match written {
            Ok(()) => Ok(result),
            Err(error) => Err(self.host_failed(&error)),
        }
    }

    fn rename_foreign(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
        name: &LinkName,
    ) -> Result<Result<(), KernelError>, CallError> {
        let namespace = link.id.namespace;
        let gained = reached_only_as(&self.authority, namespace, &link.name, name);
        let plan = |kernel: &mut dyn Kernel| {
            make::check_name_is_free(kernel, namespace, name)?;
            if let Some(call) = gained {
                return Err(reaches_further(call, link, name));
            }
            Ok(Plan::of([Change::RenameLink {
                link: link.id,
                before: kernel.link_by_id(link.id)?,
                name: name.clone(),
                snapshot: kernel.snapshot(link.id)?,
            }]))
        };
        self.perform(permit, plan, |kernel| {
            kernel.change_link(link.id, &LinkChange::Name(name.clone()))
        })
    }

    /// Notes the new name for handles to the link, and for the request's parent.
    fn update_names(&mut self, link: &LinkHandle, name: &LinkName) {
        self.renamed.insert(link.id, name.clone());
        let request = &mut self.authority.request;
        for parent in [&mut request.parent, &mut request.default_parent] {
            if link.id.namespace == Namespace::Host && parent.as_ref() == Some(&link.name) {
                *parent = Some(name.clone());
            }
        }
    }
}

fn reaches_further(call: Call, link: &LinkHandle, name: &LinkName) -> KernelError {
    KernelError::Refused {
        errno: Errno::EPERM,
        text: format!(
            "{0} can't become {name}: {call} is allowed for {name} and not for {0}; grant it for \
             both",
            link.name
        ),
    }
}
