//! Making links: what all kinds have in common.

use journal::{Change, JournalError};
use kernel::kinds::{IpvlanIsolation, IpvlanMode, LinkNumber};
use kernel::{Kernel, KernelError, LinkId, LinkKind, NewLink, ParentUse};
use nix::errno::Errno;
use policy::{Call, Object};
use types::{HostPlace, InvalidMac, LinkName, Mac, Namespace, NumberRange};
use wasmtime::component::Resource;

use super::above::Above;
use super::{LinkHandle, kinds};
use crate::driver::wit::types::Place;
use crate::gate::call::{CallError, Plan, invalid};
use crate::gate::{Gate, bounds};
use crate::guard::Permitted;

impl Place {
    fn namespace(self) -> Namespace {
        match self {
            Self::Container => Namespace::Container,
            Self::Host | Self::Shared => Namespace::Host,
        }
    }

    /// The place as an object of a decision; the container needs no word.
    pub(super) fn object(self) -> Option<Object<'static>> {
        match self {
            Self::Container => None,
            Self::Host => Some(Object::Place(HostPlace::Host)),
            Self::Shared => Some(Object::Place(HostPlace::Shared)),
        }
    }
}

/// What a driver wants made.
pub(super) struct Wanted {
    /// The call that it was asked for by.
    pub(super) call: Call,
    /// Where.
    pub(super) place: Place,
    /// Its name, if not the one that is meant for it.
    pub(super) name: Option<String>,
    /// Its MAC address.
    pub(super) mac: Option<String>,
    /// Its MTU in bytes.
    pub(super) mtu: Option<u32>,
    /// Its kind, on the parent below.
    pub(super) kind: LinkKind,
    /// Its parent.
    pub(super) parent: Option<LinkHandle>,
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
        kinds::check_table(call, namespace, link.kind.table())?;
        let parent = wanted.parent;
        let mut objects = vec![Object::NewLink { namespace, name }];
        objects.extend(place.object());
        objects.extend(parent.as_ref().map(|parent| self.object(parent)));
        objects.extend(self.kind_objects(namespace, &link.kind));
        let whole = parent.as_ref().map(|parent| self.whole(parent));
        let uses_it = self.changes_parent(&link.kind);
        objects.extend(whole.filter(|_| uses_it));
        let mut permit = self.decide(call, &objects)?;
        if let Some(parent) = &parent {
            let unlike = self.unlike_others(&permit, parent, &link.kind);
            let unlike = match unlike {
                Ok(unlike) => unlike,
                Err(error) => return Err(self.record_failure(permit, &objects, error)),
            };
            if !unlike.is_empty() && !uses_it {
                objects.push(self.whole(parent));
                permit = self.judge(permit, &objects)?;
            }
            let mut others = unlike.iter();
            if let Some(other) = others.find(|other| !self.owns(&other.link)) {
                let error = other.keeps_its_mode(parent);
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
        let index = self.record(permit, &objects, result)?;
        self.hand_out(LinkId { namespace, index }, link.name)
    }

    /// What else a kind of link takes.
    fn kind_objects(&self, namespace: Namespace, kind: &LinkKind) -> Option<Object<'static>> {
        match kind.number()? {
            LinkNumber::Vlan(id) => Some(Object::Vlans {
                numbers: NumberRange::one(id),
                own: false,
            }),
            LinkNumber::Vni(id) => Some(Object::Vni(id)),
            LinkNumber::Table(table) => match namespace {
                Namespace::Host => Some(self.table_object(namespace, table)),
                // In the container every table is the container's.
                Namespace::Container => None,
            },
        }
    }

    /// All of a link as an object of a decision.
    pub(super) fn whole<'a>(&self, link: &'a LinkHandle) -> Object<'a> {
        Object::Whole {
            namespace: link.id.namespace,
            name: &link.name,
            own: self.owns(link),
        }
    }

    /// Whether a new link changes the one below it, by what the user said of it:
    /// a passthru link takes all of it, and an ipvlan link gives all others there
    /// its mode.
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

    /// The ipvlan links of a parent that have another mode than a new one, as far as
    /// they are on the host or in the container.
    fn unlike_others(
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
        first_alive(kernel, wanted, shared).map_err(|error| self.host_failed(&error))
    }
}

/// The index of the first of these links that is there under its name. One of
/// another kind, or with another table, isn't what is wanted.
fn first_alive(
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
