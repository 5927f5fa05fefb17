//! The creation of links, as far as it's the same for all kinds.

use journal::{Change, JournalError};
use kernel::kinds::{IpvlanIsolation, IpvlanMode, LinkNumber};
use kernel::{Kernel, KernelError, LinkId, LinkKind, NewLink, ParentUse};
use nix::errno::Errno;
use policy::{Call, Object};
use types::{HostPlace, InvalidMac, LinkName, Mac, Namespace, NumberRange};
use wasmtime::component::Resource;

use super::above::Above;
use super::used::of_another_network;
use super::{LinkHandle, kinds, others_have};
use crate::driver::wit::types::Place;
use crate::gate::call::{CallError, Plan, invalid};
use crate::gate::{Gate, bounds, explain};
use crate::guard::Permitted;

impl Place {
    fn namespace(self) -> Namespace {
        match self {
            Self::Container => Namespace::Container,
            Self::Host | Self::Shared => Namespace::Host,
        }
    }

    /// Returns the place as an object of a decision. The container is always allowed,
    /// so it's `None`.
    pub(super) fn object(self) -> Option<Object<'static>> {
        match self {
            Self::Container => None,
            Self::Host => Some(Object::Place(HostPlace::Host)),
            Self::Shared => Some(Object::Place(HostPlace::Shared)),
        }
    }
}

/// The link that a driver wants.
pub(super) struct Wanted {
    /// The call.
    pub(super) call: Call,
    /// The place where it's made.
    pub(super) place: Place,
    /// Its name, or `None` for the one that the request gives it.
    pub(super) name: Option<String>,
    /// Its MAC address.
    pub(super) mac: Option<String>,
    /// Its MTU in bytes.
    pub(super) mtu: Option<u32>,
    /// Its kind. It refers to the parent.
    pub(super) kind: LinkKind,
    /// Its parent.
    pub(super) parent: Option<LinkHandle>,
}

impl Gate {
    /// Makes a link. In the place `shared`, it returns the existing link of the
    /// network's other containers if there is one.
    pub(super) fn make_link(&mut self, wanted: Wanted) -> Result<Resource<LinkHandle>, CallError> {
        let Wanted { call, place, .. } = wanted;
        bounds::names(call, [&wanted.name])?;
        bounds::addresses(call, [&wanted.mac])?;
        self.check_handle_limit(call, 1)?;
        let link = NewLink {
            namespace: place.namespace(),
            name: self.name_of_new(call, place, wanted.name)?,
            mac: mac(wanted.mac).map_err(|error| invalid(call, &error))?,
            mtu: wanted.mtu,
            kind: wanted.kind,
        };
        let (namespace, name) = (link.namespace, &link.name);
        kinds::check_table(call, namespace, link.kind.table())?;
        let parent = wanted.parent;
        let mut objects = vec![Object::NewLink { namespace, name }];
        objects.extend(place.object());
        objects.extend(parent.as_ref().map(|parent| self.object(parent)));
        objects.extend(self.kind_objects(namespace, &link.kind));
        let whole = parent.as_ref().map(|parent| self.whole(parent));
        let changes_parent = self.changes_parent(&link.kind);
        objects.extend(whole.filter(|_| changes_parent));
        let mut permit = self.decide(call, &objects)?;
        if changes_parent
            && let Some(parent) = &parent
            && self.is_in_use_by_others(parent)?
        {
            return Err(self.record_failure(permit, &objects, others_have(parent)));
        }
        if let Some(parent) = &parent
            && let Some(network) = self.network_of_vlan(parent)
        {
            let error = vlan_of_another_network(&parent.name, network);
            return Err(self.record_failure(permit, &objects, error));
        }
        let below = parent
            .as_ref()
            .map(|parent| self.below(&permit, parent, link.kind.name()));
        let below = match below.transpose() {
            Ok(below) => below.flatten(),
            Err(error) => return Err(self.record_failure(permit, &objects, error)),
        };
        if let Some(below) = &below {
            objects.push(self.object(below));
            permit = self.decide_again(permit, &objects)?;
        }
        if let Some(parent) = &parent {
            let differing = self.links_of_other_mode(&permit, parent, &link.kind);
            let differing = match differing {
                Ok(differing) => differing,
                Err(error) => return Err(self.record_failure(permit, &objects, error)),
            };
            if !differing.is_empty() && !changes_parent {
                objects.push(self.whole(parent));
                permit = self.decide_again(permit, &objects)?;
            }
            let mut others = differing.iter();
            if let Some(other) = others.find(|other| !self.owns(&other.link)) {
                let error = other.mode_conflict(parent);
                return Err(self.record_failure(permit, &objects, error));
            }
        }
        let found = match place {
            Place::Container | Place::Host => None,
            Place::Shared => {
                let found = self.find_shared(&permit, &link)?;
                match found {
                    Ok(found) => found,
                    Err(error) => return Err(self.record_failure(permit, &objects, error)),
                }
            }
        };
        let request = &self.authority.request;
        let is_named = request.parent.as_ref() == Some(name);
        let bridge_of = request.bridge_of.clone().filter(|_| is_named);
        let result = self.perform(
            &permit,
            |kernel| {
                if found.is_none() {
                    check_is_no_others(kernel, &link, bridge_of.as_deref())?;
                    check_name_is_free(kernel, namespace, name)?;
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
                None => match kernel.create_link(&link) {
                    Err(error) => Err(explain::new_link(kernel, &link, parent.as_ref(), error)),
                    made => made,
                },
            },
        )?;
        let index = self.record(permit, &objects, result)?;
        self.hand_out(LinkId { namespace, index }, link.name)
    }

    /// Returns the other network that has made a parent which is a VLAN. The parent goes
    /// with that network's last container, and takes what lies on it along.
    fn network_of_vlan(&self, parent: &LinkHandle) -> Option<&str> {
        let request = &self.authority.request;
        request.vlan_parent()?;
        let is_named = request.parent.as_ref() == Some(&parent.name);
        let network = request.bridge_of.as_deref();
        network.filter(|_| is_named && parent.id.namespace == Namespace::Host)
    }

    /// Returns the link that a new macvlan link on a macvlan link would lie on: the
    /// kernel makes it on the parent of that one (`macvlan_common_newlink`,
    /// `ipvlan_link_new`). A parent that the user named is meant with what is below it. So
    /// is an own link that the same call made, because what is below it was allowed then.
    ///
    /// Fails for an own link that another call made or moved: that call's grant may have
    /// allowed what is below it, and this call's may not.
    fn below(
        &mut self,
        permit: &Permitted,
        parent: &LinkHandle,
        kind: &str,
    ) -> Result<Option<LinkHandle>, KernelError> {
        let namespace = parent.id.namespace;
        let is_named = self.authority.request.parent.as_ref() == Some(&parent.name);
        if namespace == Namespace::Host && is_named {
            return Ok(None);
        }
        let (owns, made) = (self.owns(parent), self.has_made(parent));
        let links = self.rollback.guard.open(permit).tied_links(namespace)?;
        let at = |index: u32| {
            links
                .iter()
                .find(move |link| link.info.state.index == index)
        };
        let Some(link) = at(parent.id.index) else {
            return Ok(None);
        };
        if made && link.info.kind.as_deref() == Some(kind) {
            return Ok(None);
        }
        let is_passed_on = match kind {
            "macvlan" | "macvtap" => {
                matches!(link.info.kind.as_deref(), Some("macvlan" | "macvtap"))
            }
            "ipvlan" => matches!(link.info.kind.as_deref(), Some("ipvlan" | "ipvtap")),
            _ => false,
        };
        if owns && is_passed_on {
            return Err(KernelError::Refused {
                errno: Errno::EINVAL,
                text: format!(
                    "the new {kind} link would lie on what is below {}: name that as the parent",
                    parent.name
                ),
            });
        }
        let tie = link.tie.filter(|tie| is_passed_on && !tie.elsewhere);
        Ok(tie.and_then(|tie| at(tie.index)).map(|below| LinkHandle {
            id: LinkId {
                namespace,
                index: below.info.state.index,
            },
            name: below.info.state.name.clone(),
        }))
    }

    /// Whether the driver made a link, rather than moved it.
    fn has_made(&self, link: &LinkHandle) -> bool {
        let journal = self.rollback.journal.as_ref();
        let entry = journal.and_then(|journal| journal.entry_of(link.id, &link.name));
        entry.is_some_and(|entry| matches!(entry.change, Change::MakeLink { .. }))
    }

    /// Returns the number that a kind of link takes, as an object of a decision.
    fn kind_objects(&self, namespace: Namespace, kind: &LinkKind) -> Option<Object<'static>> {
        match kind.number()? {
            LinkNumber::Vlan(id) => Some(Object::Vlans {
                numbers: NumberRange::one(id),
                own: false,
            }),
            LinkNumber::Vni(id) => Some(Object::Vni(id)),
            LinkNumber::Table(table) => match namespace {
                Namespace::Host => Some(self.table_object(namespace, table)),
                // All tables of the container belong to the container.
                Namespace::Container => None,
            },
        }
    }

    /// Returns a whole link as an object of a decision. Calls have it as an object if
    /// they change the link for all its users.
    pub(super) fn whole<'a>(&self, link: &'a LinkHandle) -> Object<'a> {
        Object::Whole {
            namespace: link.id.namespace,
            name: &link.name,
            own: self.owns(link),
        }
    }

    /// Whether a new link changes its parent. A passthru link takes the whole parent.
    /// An ipvlan link sets the mode of all ipvlan links on it, which is a change if the
    /// mode isn't the request's.
    fn changes_parent(&self, kind: &LinkKind) -> bool {
        let request = &self.authority.request;
        let given = |option: &Option<String>, default| {
            let option = option.as_deref().filter(|text| !text.is_empty());
            option.unwrap_or(default).to_owned()
        };
        match kind.parent_use() {
            None => false,
            Some(ParentUse::Whole) => true,
            Some(ParentUse::Ipvlan(mode, isolation)) => {
                let wanted = (mode.name(), isolation.name());
                let mode = given(&request.mode, IpvlanMode::L2.name());
                let isolation = given(&request.flag, IpvlanIsolation::Bridge.name());
                wanted != (&mode, &isolation)
            }
        }
    }

    /// Returns the ipvlan links of a parent whose mode differs from that of a new link,
    /// if they are on the host or in the container.
    fn links_of_other_mode(
        &mut self,
        permit: &Permitted,
        parent: &LinkHandle,
        kind: &LinkKind,
    ) -> Result<Vec<Above>, KernelError> {
        let Some(wanted @ ParentUse::Ipvlan(..)) = kind.parent_use() else {
            return Ok(Vec::new());
        };
        let mut others = self.links_on(permit, parent)?;
        others.retain(|other| other.is_ipvlan() && other.info.parent_use != Some(wanted));
        Ok(others)
    }

    /// Returns the name that the driver gives a link, or else the request's name for
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

    /// Returns the index of a shared link of the network's other containers, if it
    /// still exists.
    fn find_shared(
        &mut self,
        permit: &Permitted,
        wanted: &NewLink,
    ) -> Result<Result<Option<u32>, KernelError>, CallError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(Ok(None));
        };
        let kernel = self.rollback.guard.open(permit);
        let shared = journal.shared_links(&wanted.name);
        first_existing(kernel, wanted, shared).map_err(|error| self.host_failed(&error))
    }
}

/// Returns the index of the first link that still exists under its name.
///
/// # Errors
///
/// The link is of another kind or has another table.
fn first_existing(
    kernel: &mut dyn Kernel,
    wanted: &NewLink,
    links: impl Iterator<Item = Result<(LinkId, Option<u32>), JournalError>>,
) -> Result<Result<Option<u32>, KernelError>, JournalError> {
    for link in links {
        let (link, table) = link?;
        match kernel.link_info(link) {
            Ok(info) if info.state.name == wanted.name => {
                let kind = Some(wanted.kind.name());
                let fits = info.kind.as_deref() == kind && table == wanted.kind.table();
                return Ok(match fits {
                    true => Ok(Some(link.index)),
                    false => Err(Errno::EEXIST.into()),
                });
            }
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(None))
}

/// Checks that the name of a bridge or a VLAN isn't that of another network's.
fn check_is_no_others(
    kernel: &mut dyn Kernel,
    link: &NewLink,
    network: Option<&str>,
) -> Result<(), KernelError> {
    let Some(network) = network else {
        return Ok(());
    };
    let error = match link.kind.name() {
        "bridge" => of_another_network(&link.name, network),
        "vlan" => vlan_of_another_network(&link.name, network),
        _ => return Ok(()),
    };
    match kernel.link_by_name(link.namespace, &link.name) {
        Ok(_) => Err(error),
        Err(_) => Ok(()),
    }
}

/// Returns the error for a VLAN that goes with another network's last container.
fn vlan_of_another_network(name: &LinkName, network: &str) -> KernelError {
    KernelError::Refused {
        errno: Errno::EBUSY,
        text: format!(
            "{name} is there for the network {network} and goes with its last container: for \
             several networks, make it yourself (`ip link add link … name {name} type vlan id …`)"
        ),
    }
}

/// Checks that a name is free, because the undo would delete the link that has it.
pub(super) fn check_name_is_free(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    name: &LinkName,
) -> Result<(), KernelError> {
    match kernel.link_by_name(namespace, name) {
        Ok(_) => Err(explain::name_is_taken(kernel, namespace, name)),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Parses a driver's MAC address.
pub(super) fn mac(text: Option<String>) -> Result<Option<Mac>, InvalidMac> {
    text.map(|mac| mac.parse()).transpose()
}
