//! `links.use-bridge`, and the changes of a used bridge.
//!
//! A used bridge is the host's. All containers of the network share the undo records of
//! its changes, and the last one takes the changes back.

use journal::{BridgeProperty, Change, Entry};
use kernel::{KernelError, LinkChange, LinkId, LinkInfo};
use nix::errno::Errno;
use policy::{Call, Object};
use types::{LinkName, Namespace};
use wasmtime::component::Resource;

use super::LinkHandle;
use super::in_use::others_have;
use crate::gate::call::{CallError, Plan, invalid};
use crate::gate::{Gate, Kernel};
use crate::guard::Permitted;

const CALL: Call = Call::LinksUseBridge;

/// The record of a change of a used bridge.
#[derive(Debug, Clone)]
pub(in crate::gate) enum Known {
    /// This container has it.
    Own,
    /// Another container of the network has it.
    Others(Box<Change>),
    /// No container has it.
    Nobody,
}

impl Known {
    /// Returns the plan of a change. `new` returns the record of a change that the host
    /// doesn't have yet.
    pub(in crate::gate) fn plan(self, new: impl FnOnce() -> Option<Change>) -> Plan {
        match self {
            Self::Own => Plan::nothing(),
            Self::Others(change) => Plan::shared(*change),
            Self::Nobody => new().map_or_else(Plan::nothing, Plan::shared),
        }
    }
}

impl Gate {
    /// Makes the call `links.use-bridge`.
    pub(super) fn use_named_bridge(
        &mut self,
        vlan_filtering: bool,
    ) -> Result<Option<Resource<LinkHandle>>, CallError> {
        self.check_handle_limit(CALL, 1)?;
        let request = &self.authority.request;
        let Some(name) = request.parent.clone() else {
            return self.chosen_is_new();
        };
        let journal = self.rollback.journal.as_ref();
        let own = journal.and_then(|journal| journal.own_link(Namespace::Host, &name));
        let objects = [Object::Link {
            namespace: Namespace::Host,
            name: &name,
            own: own.is_some(),
        }];
        let permit = self.decide(CALL, &objects)?;
        let found = match own {
            Some(_) => Ok(None),
            None => self.find_used(&permit, &name)?,
        };
        let used = match found {
            Ok(Some(bridge)) => self.begin_use(&permit, &bridge, vlan_filtering)?.map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        let Some(id) = self.record(permit, &objects, used)? else {
            return Ok(None);
        };
        self.authority.request.used_bridge = Some(name.clone());
        self.hand_out(id, name).map(Some)
    }

    /// Returns the answer where the host chose the name. No existing link has it.
    fn chosen_is_new(&mut self) -> Result<Option<Resource<LinkHandle>>, CallError> {
        let request = &self.authority.request;
        let Some(name) = request.name_for(CALL, Namespace::Host, true) else {
            return Err(invalid(CALL, &"the request has no name for a bridge"));
        };
        let objects = [Object::NewLink {
            namespace: Namespace::Host,
            name: &name,
        }];
        self.read(CALL, &objects, |_| Ok(None))
    }

    /// Finds the existing bridge of a name, unless the network's containers made it.
    fn find_used(
        &mut self,
        permit: &Permitted,
        name: &LinkName,
    ) -> Result<Result<Option<LinkHandle>, KernelError>, CallError> {
        if let Some(network) = &self.authority.request.bridge_of {
            return Ok(Err(of_another_network(name, network)));
        }
        let namespace = Namespace::Host;
        let info = match self.info_of(permit, name) {
            Ok(Some(info)) => info,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let index = info.state.index;
        let id = LinkId { namespace, index };
        if info.kind.as_deref() != Some("bridge") {
            return Ok(Err(no_bridge(name, &info)));
        }
        if self.others_made(id, name)? {
            return Ok(Ok(None));
        }
        let name = name.clone();
        Ok(Ok(Some(LinkHandle { id, name })))
    }

    fn info_of(
        &mut self,
        permit: &Permitted,
        name: &LinkName,
    ) -> Result<Option<LinkInfo>, KernelError> {
        let namespace = Namespace::Host;
        let kernel = self.rollback.guard.open(permit);
        let found = kernel.link_by_name(namespace, name).and_then(|state| {
            let index = state.index;
            kernel.link_info(LinkId { namespace, index })
        });
        match found {
            Ok(info) => Ok(Some(info)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether other containers of the network made a link.
    fn others_made(&mut self, link: LinkId, name: &LinkName) -> Result<bool, CallError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(false);
        };
        let mut shared = journal.shared_links(name);
        let found = shared.find_map(|made| match made {
            Ok((made, _)) if made != link => None,
            Ok(_) => Some(Ok(true)),
            Err(error) => Some(Err(error)),
        });
        drop(shared);
        match found.unwrap_or(Ok(false)) {
            Ok(made) => Ok(made),
            Err(error) => Err(self.host_failed(&error)),
        }
    }

    /// Writes the records of the use, and turns VLAN filtering on.
    fn begin_use(
        &mut self,
        permit: &Permitted,
        bridge: &LinkHandle,
        vlan_filtering: bool,
    ) -> Result<Result<LinkId, KernelError>, CallError> {
        if self.rollback.journal.is_none() {
            return Ok(Ok(bridge.id));
        }
        let mut plan = Plan::nothing();
        if !self.uses(bridge) {
            let joined = self.joined(bridge)?.into_iter();
            let plans = joined.map(Plan::shared);
            plan = plans.fold(plan, Plan::and);
        }
        let begun = self.perform(permit, |_| Ok(plan), |_| Ok(()))?;
        if let Err(error) = begun {
            return Ok(Err(error));
        }
        if vlan_filtering {
            let change = LinkChange::VlanFiltering(true);
            if let Err(error) = self.change_used(permit, bridge, &change)? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(bridge.id))
    }

    /// Returns the records that a container gets when it begins to use a bridge: those of
    /// the network's other containers, so that nothing goes before the last of them.
    fn joined(&mut self, bridge: &LinkHandle) -> Result<Vec<Change>, CallError> {
        let mut joined = vec![Change::UseBridge {
            link: bridge.id,
            name: bridge.name.clone(),
        }];
        for entry in self.others_entries()? {
            let change = entry.change;
            if entry.shared && change.is_of_bridge(bridge.id) && !joined.contains(&change) {
                joined.push(change);
            }
        }
        Ok(joined)
    }

    fn others_entries(&mut self) -> Result<Vec<Entry>, CallError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(Vec::new());
        };
        let entries = journal.entries_of_others();
        entries.map_err(|error| self.host_failed(&error))
    }

    /// Whether a link is an existing bridge of the host that this run uses.
    pub(in crate::gate) fn uses(&self, link: &LinkHandle) -> bool {
        let journal = self.rollback.journal.as_ref();
        let entry = journal.and_then(|journal| journal.entry_of_used(link.id, &link.name));
        entry.is_some()
    }

    /// Returns the shared record of a change of a used bridge.
    pub(in crate::gate) fn known(
        &mut self,
        is_it: impl Fn(&Change) -> bool,
    ) -> Result<Known, CallError> {
        let journal = self.rollback.journal.as_ref();
        let has_own = journal.is_some_and(|journal| {
            let mut entries = journal.entries_of(Namespace::Host);
            entries.any(|entry| entry.shared && is_it(&entry.change))
        });
        if has_own {
            return Ok(Known::Own);
        }
        let mut others = self.others_entries()?.into_iter();
        let found = others.find(|entry| entry.shared && is_it(&entry.change));
        Ok(match found {
            Some(entry) => Known::Others(Box::new(entry.change)),
            None => Known::Nobody,
        })
    }

    /// Turns a property of a used bridge on.
    pub(super) fn change_used(
        &mut self,
        permit: &Permitted,
        bridge: &LinkHandle,
        change: &LinkChange,
    ) -> Result<Result<(), KernelError>, CallError> {
        let Some(property) = turned_on(change) else {
            return Ok(Err(stays(bridge)));
        };
        let known = self.known(|it| {
            matches!(it, Change::ChangeBridge { link, property: its, .. }
                if (*link, *its) == (bridge.id, property))
        })?;
        let in_use = self.is_in_use_by_others(bridge)?;
        let plan = |kernel: &mut dyn Kernel| {
            let is_on = has(kernel, bridge.id, property)?;
            if in_use && !is_on {
                return Err(others_have(bridge));
            }
            // What others have turned on stays on, whichever ports there are.
            let ports = match is_on {
                true => Vec::new(),
                false => kernel.links(bridge.id.namespace, Some(bridge.id.index))?,
            };
            let new = || Change::ChangeBridge {
                link: bridge.id,
                name: bridge.name.clone(),
                property,
                ports: ports.iter().map(|port| port.index).collect(),
            };
            Ok(known.plan(|| (!is_on).then(new)))
        };
        self.perform(permit, plan, |kernel| kernel.change_link(bridge.id, change))
    }

    /// Refuses a change that could harm the machines behind a used bridge: those at ports
    /// that the network's containers didn't make.
    pub(in crate::gate) fn check_alone(
        &mut self,
        permit: &Permitted,
        bridge: &LinkHandle,
        errno: Errno,
        why: &str,
    ) -> Result<Result<(), KernelError>, CallError> {
        let own = self.own_objects(Namespace::Host)?;
        let kernel = self.rollback.guard.open(permit);
        let ports = match kernel.links(bridge.id.namespace, Some(bridge.id.index)) {
            Ok(ports) => ports,
            Err(error) => return Ok(Err(error)),
        };
        let mut foreign = ports
            .iter()
            .filter(|port| !own.has_link(port.index, || Some(port.name.clone())));
        Ok(match foreign.next() {
            None => Ok(()),
            Some(port) => Err(KernelError::Refused {
                errno,
                text: format!(
                    "{} has the port {}, which isn't this network's: {why}",
                    bridge.name, port.name
                ),
            }),
        })
    }
}

/// Returns the property that a change turns on.
fn turned_on(change: &LinkChange) -> Option<BridgeProperty> {
    match change {
        LinkChange::Up(true) => Some(BridgeProperty::Up),
        LinkChange::Promiscuous(true) => Some(BridgeProperty::Promiscuous),
        LinkChange::VlanFiltering(true) => Some(BridgeProperty::VlanFiltering),
        _ => None,
    }
}

fn has(
    kernel: &mut dyn Kernel,
    link: LinkId,
    property: BridgeProperty,
) -> Result<bool, KernelError> {
    let info = kernel.link_info(link)?;
    Ok(match property {
        BridgeProperty::Up => info.state.up,
        BridgeProperty::Promiscuous => info.state.promiscuous,
        BridgeProperty::VlanFiltering => info.vlan_filtering == Some(true),
    })
}

/// Returns the error for a change of a used bridge that can't be made.
fn stays(bridge: &LinkHandle) -> KernelError {
    KernelError::Refused {
        errno: Errno::EBUSY,
        text: format!("{} is the host's, and others may rely on it", bridge.name),
    }
}

/// Returns the error for a link that should be a bridge. It begins as netavark's does.
fn no_bridge(name: &LinkName, info: &LinkInfo) -> KernelError {
    let kind = info.kind.as_deref().unwrap_or("hardware");
    KernelError::Refused {
        errno: Errno::EEXIST,
        text: format!(
            "bridge interface {name} already exists but is a {kind} interface: choose another \
             name with --interface-name or -o parent"
        ),
    }
}

/// Returns the error for the bridge of another network.
pub(super) fn of_another_network(name: &LinkName, network: &str) -> KernelError {
    KernelError::Refused {
        errno: Errno::EEXIST,
        text: format!(
            "{name} is the bridge of the network {network}: choose another name with \
             --interface-name or -o parent, or connect containers to {network}"
        ),
    }
}
