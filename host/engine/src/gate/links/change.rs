//! Changes of links.

use journal::{Change, Journal};
use kernel::{IPV6_MIN_MTU, KernelError, LinkChange, LinkId, LinkSnapshot, ParentUse};
use nix::errno::Errno;
use policy::{Call, Object};
use types::Namespace;
use wasmtime::component::Resource;

use super::LinkHandle;
use super::in_use::check_already_set;
use crate::gate::call::{CallError, invalid, plan_for_foreign};
use crate::gate::{Gate, Kernel, bounds};
use crate::guard::Permitted;

/// The kinds of links that take ports.
const MASTERS: [&str; 4] = ["bridge", "vrf", "bond", "team"];

impl Gate {
    /// Changes a property of a link. The property is put back later, unless the link is
    /// own.
    pub(super) fn change_link(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        change: &LinkChange,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let plan = plan_for_foreign(&link, self.owns(&link), |kernel, link| {
            let snapshot = match change {
                LinkChange::Up(false) => Some(kernel.snapshot(link.id)?),
                // The kernel deletes the neighbours of a link whose MAC address
                // changes.
                LinkChange::Mac(_) => Some(kernel.snapshot_neighbours(link.id)?),
                _ => None,
            };
            before(kernel, link, snapshot)
        });
        let mut objects = vec![self.object(&link)];
        let mut permit = self.decide(call, &objects)?;
        let parent = match is_passed_on(change) {
            true => passthru_parent(self.rollback.guard.open(&permit), &link),
            false => Ok(None),
        };
        let parent = match parent {
            Ok(parent) => parent,
            Err(error) => return Err(self.record_failure(permit, &objects, error)),
        };
        if let Some(parent) = &parent {
            objects.push(self.whole(parent));
            permit = self.decide_again(permit, &objects)?;
        }
        if self.uses(&link) && !self.is_spelled_out(call, &link) {
            let result = self.change_used(&permit, &link, change)?;
            return self.record(permit, &objects, result);
        }
        let checked = self.check_change(&permit, &link, change);
        if let Err(error) = checked {
            return Err(self.record_failure(permit, &objects, error));
        }
        let result = match self.is_in_use_by_others(&link)? {
            true => check_already_set(self.rollback.guard.open(&permit), &link, change),
            false => self.perform(&permit, plan, |kernel| kernel.change_link(link.id, change))?,
        };
        self.record(permit, &objects, result)
    }

    /// Makes the call `links.set-master`.
    pub(super) fn change_master(
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
        let plan = plan_for_foreign(&link, self.owns(&link), |kernel, link| {
            // In a VRF, the routes of the link's addresses are in another table, and
            // the kernel doesn't move them back.
            let snapshot = kernel.snapshot(link.id)?;
            before(kernel, link, Some(snapshot))
        });
        let change = LinkChange::Master(master.as_ref().map(|master| master.id.index));
        let permit = self.decide(call, &objects)?;
        let takes_ports = master.iter().try_for_each(|master| {
            let kernel = self.rollback.guard.open(&permit);
            check_takes_ports(kernel, &link, master)?;
            check_keeps_ipv6(kernel, &link, master)
        });
        if let Err(error) = takes_ports {
            return Err(self.record_failure(permit, &objects, error));
        }
        let result = match self.is_in_use_by_others(&link)? {
            true => check_already_set(self.rollback.guard.open(&permit), &link, &change),
            false => self.perform(&permit, plan, |kernel| set_master(kernel, link.id, &change))?,
        };
        self.record(permit, &objects, result)
    }

    /// Makes the call `links.set-alias`.
    pub(super) fn change_alias(
        &mut self,
        link: &Resource<LinkHandle>,
        alias: String,
    ) -> Result<(), CallError> {
        let call = Call::LinksSetAlias;
        bounds::ALIAS.text(call, &alias)?;
        if alias.chars().any(char::is_control) {
            return Err(invalid(call, &"an alias has no control characters"));
        }
        let alias = Some(alias).filter(|alias| !alias.is_empty());
        self.change_link(call, link, &LinkChange::Alias(alias))
    }

    /// Makes the call `links.delete`. Only links that were made for this container
    /// alone can be deleted, because the kernel can't restore a deleted link.
    pub(super) fn delete_link(&mut self, link: &Resource<LinkHandle>) -> Result<(), CallError> {
        let call = Call::LinksDelete;
        let link = self.link(link)?;
        let is_made_alone = self.rollback.journal.as_ref().is_some_and(|journal| {
            let mut entries = journal.entries().iter();
            entries.any(|entry| !entry.shared && entry.has_made(link.id, &link.name))
        });
        if !is_made_alone || !self.owns(&link) {
            let text = format!(
                "{} isn't a link that was made for this container alone",
                link.name
            );
            return Err(invalid(call, &text));
        }
        let objects = [self.object(&link)];
        let permit = self.decide(call, &objects)?;
        let result = self.rollback.guard.open(&permit).delete_link(link.id);
        if result.is_ok() {
            self.forget_gone_links(&permit)?;
        }
        self.record(permit, &objects, result)
    }

    /// Removes the undo records of links that are gone. The kernel deletes both ends of
    /// a veth pair at once. A link that was moved isn't gone: undoing returns it first.
    fn forget_gone_links(&mut self, permit: &Permitted) -> Result<(), CallError> {
        let Some(journal) = &mut self.rollback.journal else {
            return Ok(());
        };
        let made: Vec<(u32, LinkId)> = journal
            .entries()
            .iter()
            .filter_map(|entry| Some((entry.number, entry.made_link()?)))
            .filter(|(_, link)| !has_moved(journal, *link))
            .collect();
        let mut written = Ok(());
        for (number, link) in made {
            let kernel = self.rollback.guard.open(permit);
            let mut is_gone = || {
                let state = kernel.link_by_id(link);
                state.is_err_and(|error| error.is_not_found())
            };
            // A link that isn't found is looked for once more, because its record is
            // removed after that.
            if is_gone() && is_gone() {
                written = written.and(journal.void(number));
            }
        }
        written.map_err(|error| self.host_failed(&error))
    }
}

/// Whether a link was moved into the container.
fn has_moved(journal: &Journal, link: LinkId) -> bool {
    let mut entries = journal.entries().iter();
    entries.any(|entry| match &entry.change {
        Change::MoveLink { saved, .. } => {
            link.namespace == Namespace::Host && saved.link.index == link.index
        }
        _ => false,
    })
}

/// Whether a passthru link passes a change on to its parent.
fn is_passed_on(change: &LinkChange) -> bool {
    matches!(
        change,
        LinkChange::Mac(_) | LinkChange::Promiscuous(_) | LinkChange::AllMulticast(_)
    )
}

/// Returns the parent of a passthru link, or `None` for other links. The parent is on
/// the host or in the same namespace.
fn passthru_parent(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
) -> Result<Option<LinkHandle>, KernelError> {
    if kernel.link_info(link.id)?.parent_use != Some(ParentUse::Whole) {
        return Ok(None);
    }
    let links = kernel.tied_links(link.id.namespace)?;
    let itself = links.iter().find(|it| it.info.state.index == link.id.index);
    let tie = itself.and_then(|it| it.tie);
    let tie = tie.ok_or_else(|| KernelError::NotFound(format!("{} has no parent", link.name)))?;
    let id = LinkId {
        namespace: match tie.elsewhere {
            true => Namespace::Host,
            false => link.id.namespace,
        },
        index: tie.index,
    };
    let name = kernel.link_by_id(id)?.name;
    Ok(Some(LinkHandle { id, name }))
}

/// Returns the undo record of a change: the link's state, and the objects that it's
/// about to lose.
fn before(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
    snapshot: Option<LinkSnapshot>,
) -> Result<Change, KernelError> {
    let link = link.id;
    Ok(Change::ChangeLink {
        link,
        before: kernel.link_by_id(link)?,
        snapshot,
    })
}

/// Checks that a link can be the master of another one. The kernel finds out only after
/// it has taken the other one out of its old master (`do_set_master`).
fn check_takes_ports(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
    master: &LinkHandle,
) -> Result<(), KernelError> {
    let name = &master.name;
    if link.id == master.id {
        return Err(KernelError::Refused {
            errno: Errno::EINVAL,
            text: format!("{name} can't be its own master"),
        });
    }
    let info = kernel.link_info(master.id)?;
    let kind = info.kind.as_deref().unwrap_or("hardware");
    match MASTERS.contains(&kind) {
        true => Ok(()),
        false => Err(KernelError::Refused {
            errno: Errno::EOPNOTSUPP,
            text: format!("{name} takes no ports: it is a {kind} interface, and no bridge or VRF"),
        }),
    }
}

/// Refuses a port with which a bridge of the host would lose IPv6, because bridges follow
/// the MTU of their ports. It would come back with the settings of a new link.
fn check_keeps_ipv6(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
    master: &LinkHandle,
) -> Result<(), KernelError> {
    if master.id.namespace == Namespace::Container {
        return Ok(());
    }
    let bridge = kernel.link_info(master.id)?;
    let port = kernel.link_by_id(link.id)?.mtu;
    let is_bridge = bridge.kind.as_deref() == Some("bridge");
    match is_bridge && bridge.state.mtu >= IPV6_MIN_MTU && port < IPV6_MIN_MTU {
        false => Ok(()),
        true => Err(KernelError::Refused {
            errno: Errno::EBUSY,
            text: format!(
                "{} has an MTU of {port}, with which the bridge {} would lose its IPv6 settings: \
                 give it an MTU of {IPV6_MIN_MTU} or more",
                link.name, master.name
            ),
        }),
    }
}

/// Sets a link's master. If the kernel refuses the new one, the link gets its old one
/// back.
fn set_master(
    kernel: &mut dyn Kernel,
    link: LinkId,
    change: &LinkChange,
) -> Result<(), KernelError> {
    let old = kernel.link_by_id(link)?.master;
    let result = kernel.change_link(link, change);
    if old.is_some() && result.as_ref().is_err_and(|error| !error.is_unclear()) {
        // The first error is the one to tell.
        let _ = kernel.change_link(link, &LinkChange::Master(old));
    }
    result
}
