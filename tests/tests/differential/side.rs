//! One of the two kernels: an operation before it, and its answer.

use std::collections::BTreeMap;

use kernel::{
    Kernel, KernelError, LinkId, LinkSnapshot, NewLink, NewVeth, SavedNeighbour, SavedRoutes,
    SavedRule, VethEnd,
};
use types::{LinkName, Namespace};

use crate::operation::{Name, Operation};

/// The index that stands for a link which never was: neither kernel gets there by
/// itself.
const NOBODY: u32 = 77_777;

/// A kernel, and what its caller remembers.
pub(crate) struct Side {
    pub(crate) kernel: Box<dyn Kernel>,
    /// The last index that a name had. Who holds it may come too late.
    last: BTreeMap<String, u32>,
    routes: Option<SavedRoutes>,
    rule: Option<SavedRule>,
    neighbour: Option<SavedNeighbour>,
    /// With the index that the link had.
    snapshot: Option<(u32, LinkSnapshot)>,
}

impl Side {
    pub(crate) fn new(kernel: Box<dyn Kernel>) -> Self {
        Self {
            kernel,
            last: BTreeMap::new(),
            routes: None,
            rule: None,
            neighbour: None,
            snapshot: None,
        }
    }

    /// Where a link is, or was.
    pub(crate) fn at(&mut self, name: &Name) -> LinkId {
        let namespace = name.namespace;
        let index = match self.kernel.link_by_name(namespace, &name.link) {
            Ok(state) => {
                self.last.insert(format!("{name:?}"), state.index);
                state.index
            }
            Err(_) => self
                .last
                .get(&format!("{name:?}"))
                .copied()
                .unwrap_or(NOBODY),
        };
        LinkId { namespace, index }
    }

    pub(crate) fn index(&mut self, namespace: Namespace, link: &LinkName) -> u32 {
        let link = link.clone();
        self.at(&Name { namespace, link }).index
    }

    /// What a link is called.
    fn called(&mut self, namespace: Namespace, index: u32) -> String {
        match self.kernel.link_by_id(LinkId { namespace, index }) {
            Ok(state) => format!("{namespace}:{}", state.name),
            Err(_) => format!("{namespace}:nobody"),
        }
    }

    /// Does an operation. The answer is the same text for the same answer.
    pub(crate) fn apply(&mut self, operation: &Operation) -> String {
        told(self.answer(operation))
    }

    fn answer(&mut self, operation: &Operation) -> Result<String, KernelError> {
        match operation {
            Operation::CreateLink {
                name,
                mac,
                mtu,
                kind,
            } => {
                let link = NewLink {
                    namespace: name.namespace,
                    name: name.link.clone(),
                    mac: *mac,
                    mtu: *mtu,
                    kind: self.kind(kind),
                };
                let index = self.kernel.create_link(&link)?;
                return Ok(self.called(name.namespace, index));
            }
            Operation::CreateVeth {
                container,
                host,
                mtu,
            } => {
                let end = |(name, mac): &(LinkName, _)| VethEnd {
                    name: name.clone(),
                    mac: *mac,
                };
                let veth = NewVeth {
                    container: end(container),
                    host: end(host),
                    mtu: *mtu,
                };
                let (inside, outside) = self.kernel.create_veth(&veth)?;
                let inside = self.called(Namespace::Container, inside);
                return Ok(format!(
                    "{inside} {}",
                    self.called(Namespace::Host, outside)
                ));
            }
            Operation::Move { link, name, index } => {
                let to = match link.namespace {
                    Namespace::Host => Namespace::Container,
                    Namespace::Container => Namespace::Host,
                };
                let at = self.at(link);
                let moved = self.kernel.move_link(at, to, name, *index)?;
                let is_wished = index.is_some_and(|index| index == moved);
                return Ok(format!("{} {is_wished}", self.called(to, moved)));
            }
            Operation::DefaultRouteLink => {
                let index = self.kernel.default_route_link()?;
                return Ok(self.called(Namespace::Host, index));
            }
            _ => {}
        }
        if let Some(answer) = self.ask(operation) {
            return Ok(answer?.to_string());
        }
        self.change(operation).map(|()| String::new())
    }

    /// Answers what is yes or no.
    fn ask(&mut self, operation: &Operation) -> Option<Result<bool, KernelError>> {
        Some(match operation {
            Operation::HasRoute(way) => {
                let route = self.route(way);
                self.kernel.has_route(way.namespace, &route)
            }
            Operation::HasRule(namespace, rule) => self.kernel.has_rule(*namespace, rule),
            Operation::HasNeighbour(link, address, table) => {
                let at = self.at(link);
                self.kernel.has_neighbour(at, *address, *table)
            }
            _ => return None,
        })
    }

    fn change(&mut self, operation: &Operation) -> Result<(), KernelError> {
        match operation {
            Operation::Delete(link) => {
                let at = self.at(link);
                self.kernel.delete_link(at)
            }
            Operation::Change(link, change) => {
                let at = self.at(link);
                let change = self.link_change(link.namespace, change);
                self.kernel.change_link(at, &change)
            }
            Operation::AlternativeNames(link, names) => {
                let at = self.at(link);
                self.kernel.set_alternative_names(at, names)
            }
            Operation::AddAddress(link, new) => {
                let at = self.at(link);
                self.kernel.add_address(at, new)
            }
            Operation::RemoveAddress(link, address) => {
                let at = self.at(link);
                self.kernel.remove_address(at, *address)
            }
            Operation::ChangePort(link, change) => {
                let at = self.at(link);
                self.kernel.change_port(at, *change)
            }
            Operation::AddVlans(link, vlans) => {
                let at = self.at(link);
                self.kernel.add_vlans(at, *vlans)
            }
            Operation::RemoveVlans(link, numbers) => {
                let at = self.at(link);
                self.kernel.remove_vlans(at, *numbers)
            }
            Operation::SetLinkSetting(link, setting, value) => {
                let at = self.at(link);
                self.kernel.set_link_setting(at, *setting, value)
            }
            Operation::SetSetting(namespace, key, value) => {
                self.kernel.set_setting(*namespace, key, value)
            }
            Operation::Announce(link, address) => {
                let at = self.at(link);
                self.kernel.announce(at, *address)
            }
            Operation::Snapshot(_) | Operation::PutSettings(_) | Operation::Replay(_) => {
                self.change_by_snapshot(operation)
            }
            _ => match self.change_route(operation) {
                Some(answer) => answer,
                None => self.change_rest(operation),
            },
        }
    }

    fn change_by_snapshot(&mut self, operation: &Operation) -> Result<(), KernelError> {
        match operation {
            Operation::Snapshot(link) => {
                let at = self.at(link);
                self.snapshot = None;
                self.snapshot = Some((at.index, self.kernel.snapshot(at)?));
            }
            Operation::PutSettings(link) => {
                let at = self.at(link);
                if let Some((_, snapshot)) = &self.snapshot {
                    self.kernel.put_settings(at, snapshot)?;
                }
            }
            Operation::Replay(link) => {
                let at = self.at(link);
                if let Some((before, snapshot)) = &self.snapshot {
                    self.kernel.replay(at, *before, snapshot)?;
                }
            }
            _ => unreachable!("{operation:?}"),
        }
        Ok(())
    }

    fn change_route(&mut self, operation: &Operation) -> Option<Result<(), KernelError>> {
        let note = |side: &mut Self, saved: Result<SavedRoutes, KernelError>| {
            side.routes = None;
            side.routes = Some(saved?);
            Ok(())
        };
        Some(match operation {
            Operation::AddRoute(way) => {
                let route = self.route(way);
                self.kernel.add_route(way.namespace, &route)
            }
            Operation::ReplaceRoute(way) => {
                let route = self.route(way);
                self.kernel.replace_route(way.namespace, &route)
            }
            Operation::RemoveRoute(way) => {
                let route = self.route(way);
                self.kernel.remove_route(way.namespace, &route)
            }
            Operation::SaveRoute(way) => {
                let route = self.route(way);
                let saved = self.kernel.save_route(way.namespace, &route);
                note(self, saved)
            }
            Operation::SaveRivals(way) => {
                let route = self.route(way);
                let saved = self.kernel.save_rivals(way.namespace, &route);
                note(self, saved)
            }
            Operation::RemoveSavedRoutes(namespace) => match &self.routes {
                Some(saved) => self.kernel.remove_saved(*namespace, saved),
                None => Ok(()),
            },
            Operation::PutBackRoutes(namespace) => match &self.routes {
                Some(saved) => self.kernel.put_back_routes(*namespace, saved),
                None => Ok(()),
            },
            _ => return None,
        })
    }

    fn change_rest(&mut self, operation: &Operation) -> Result<(), KernelError> {
        match operation {
            Operation::AddRule(namespace, rule) => self.kernel.add_rule(*namespace, rule),
            Operation::RemoveRule(namespace, rule) => self.kernel.remove_rule(*namespace, rule),
            Operation::SaveRule(namespace, rule) => {
                self.rule = None;
                self.rule = Some(self.kernel.save_rule(*namespace, rule)?);
                Ok(())
            }
            Operation::RemoveSavedRule(namespace) => match &self.rule {
                Some(saved) => self.kernel.remove_saved_rule(*namespace, saved),
                None => Ok(()),
            },
            Operation::PutBackRule(namespace) => match &self.rule {
                Some(saved) => self.kernel.put_back_rule(*namespace, saved),
                None => Ok(()),
            },
            Operation::AddNeighbour(link, address, neighbour) => {
                let at = self.at(link);
                self.kernel.add_neighbour(at, *address, *neighbour)
            }
            Operation::RemoveNeighbour(link, address, neighbour) => {
                let at = self.at(link);
                self.kernel.remove_neighbour(at, *address, *neighbour)
            }
            Operation::SaveNeighbour(link, address, table) => {
                let at = self.at(link);
                self.neighbour = None;
                self.neighbour = Some(self.kernel.save_neighbour(at, *address, *table)?);
                Ok(())
            }
            Operation::RemoveSavedNeighbour(link) => {
                let at = self.at(link);
                match &self.neighbour {
                    Some(saved) => self.kernel.remove_saved_neighbour(at, saved),
                    None => Ok(()),
                }
            }
            Operation::PutBackNeighbour(link) => {
                let at = self.at(link);
                match &self.neighbour {
                    Some(saved) => self.kernel.put_back_neighbour(at, saved),
                    None => Ok(()),
                }
            }
            _ => self.change_queue(operation),
        }
    }

    fn change_queue(&mut self, operation: &Operation) -> Result<(), KernelError> {
        match operation {
            Operation::SetTbf(link, tbf) => {
                let at = self.at(link);
                self.kernel.set_tbf(at, tbf)
            }
            Operation::SetHtb(link, whole) => {
                let at = self.at(link);
                self.kernel.set_htb(at, *whole)
            }
            Operation::AddHtbClass(link, class) => {
                let at = self.at(link);
                self.kernel.add_htb_class(at, class)
            }
            Operation::RemoveHtbClass(link, class) => {
                let at = self.at(link);
                self.kernel
                    .remove_htb_class(at, class.number, class.packets)
            }
            Operation::RedirectIngress(link, to) => {
                let at = self.at(link);
                let to = self.index(link.namespace, to);
                self.kernel.redirect_ingress(at, to)
            }
            Operation::RemoveQueue(link, hook) => {
                let at = self.at(link);
                self.kernel.remove_queue(at, *hook)
            }
            operation => unreachable!("{operation:?}"),
        }
    }
}

/// An answer as it's compared: a failure by its sort and its number. What a
/// failure says for people isn't the kernel's.
fn told(answer: Result<String, KernelError>) -> String {
    match answer {
        Ok(value) => format!("done {value}").trim_end().to_owned(),
        Err(error) => format!("failed: {}", sort(&error)),
    }
}

fn sort(error: &KernelError) -> String {
    match error {
        KernelError::Errno { errno } => format!("{errno:?}"),
        KernelError::NoNamespace(namespace) => format!("no {namespace}"),
        KernelError::NotFound(_) => "not found".to_owned(),
        KernelError::Deadline => "deadline".to_owned(),
        KernelError::Refused { errno, .. } => format!("refused, {errno:?}"),
        KernelError::Netlink(text) => format!("netlink: {text}"),
        KernelError::Unfinished(error) => format!("halfway, {}", sort(error)),
    }
}
