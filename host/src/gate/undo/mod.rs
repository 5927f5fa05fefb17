//! Undoing what the journal holds, the newest change first.

use std::time::{Duration, Instant};

use super::Gate;
use crate::journal::{Change, Entry, Journal, SavedLink, StateError};
use crate::kernel::{
    Kernel, KernelError, LinkChange, LinkId, LinkState, NetnsId, PortChange, PortState,
    VlanNumbers, living_netns,
};
use crate::net::{LinkName, Namespace};

/// How long undoing may take, whatever the driver used up.
const UNDO_TIME: Duration = Duration::from_secs(10);

/// What couldn't be undone.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what} could not be undone: {reason}")]
pub struct UndoError {
    what: String,
    reason: String,
}

impl UndoError {
    /// What a driver kept couldn't be dealt with.
    pub(super) fn of_state(error: &StateError) -> Self {
        Self {
            what: "what the run did to the network's state".to_owned(),
            reason: error.to_string(),
        }
    }
}

impl Gate {
    /// Undoes every change in the journal, and goes on after a failure. What
    /// fails stays in the journal.
    pub fn undo(&mut self) -> Vec<UndoError> {
        let entries = match &self.journal {
            Some(journal) => journal.entries().to_vec(),
            None => return Vec::new(),
        };
        // First, because the journals tell what counts.
        let settled = self.settle_state().err();
        let mut errors: Vec<UndoError> = settled.iter().map(UndoError::of_state).collect();
        errors.extend(self.undo_entries(&entries));
        // A run that was killed while it wrote its first line left one.
        if let Err(error) = self.discard_empty() {
            errors.push(UndoError {
                what: "an empty journal".to_owned(),
                reason: error.to_string(),
            });
        }
        errors.extend(self.clear_unused_state());
        errors
    }

    /// Undoes what a killed setup of another container left on the host. What
    /// it left in its container is out of reach here, and goes with that
    /// container's teardown.
    pub fn undo_abandoned(&mut self, other: Journal) -> Vec<UndoError> {
        let entries: Vec<Entry> = other
            .entries()
            .iter()
            .filter(|entry| entry.change.is_on_host())
            .cloned()
            .collect();
        let own = self.journal.replace(other);
        let errors = self.undo_entries(&entries);
        self.journal = own;
        errors
    }

    fn undo_entries(&mut self, entries: &[Entry]) -> Vec<UndoError> {
        let kernel = self.guard.for_host();
        kernel.set_deadline(Instant::now() + UNDO_TIME);
        let mut errors = Vec::new();
        let mut stuck: Vec<&Change> = Vec::new();
        for entry in entries.iter().rev() {
            if stuck.iter().any(|newer| entry.change.is_below(newer)) {
                continue;
            }
            if let Err(reason) = self.undo_one(entry) {
                stuck.push(&entry.change);
                let what = entry.change.to_string();
                errors.push(UndoError { what, reason });
            }
        }
        errors
    }

    fn undo_one(&mut self, entry: &Entry) -> Result<(), String> {
        let undone = self.undo_unless_shared(entry);
        let reason = undone.as_ref().err().map(String::as_str);
        let what = entry.change.to_string();
        // Undoing goes on where the trail can't be written: leaving things
        // behind would be worse.
        let recorded = self.trail.undo(&what, reason);
        undone?;
        if recorded.is_err() {
            self.unrecorded.push(what);
        }
        if let Some(journal) = &mut self.journal {
            journal
                .void(entry.number)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Undoes a change, unless other containers of the network have its object
    /// too.
    fn undo_unless_shared(&mut self, entry: &Entry) -> Result<(), String> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        if journal
            .is_shared(entry)
            .map_err(|error| error.to_string())?
        {
            return Ok(());
        }
        let here = journal.here();
        let same = Same {
            host: entry.host == here.host,
            container: entry.netns.is_some() && entry.netns == here.container,
        };
        if !same.host && entry.change.touches_host() && lives(entry.host)? {
            return Err(
                "it was made from another network namespace of the host, which is still in use; \
                 run this from there"
                    .to_owned(),
            );
        }
        undo_change(self.guard.for_host(), &entry.change, same).map_err(|error| error.to_string())
    }
}

/// Which namespaces of a run are those in which a change was made. With
/// another one, what was in the old one is gone with it.
#[derive(Debug, Clone, Copy)]
struct Same {
    host: bool,
    container: bool,
}

impl Same {
    fn has(self, namespace: Namespace) -> bool {
        match namespace {
            Namespace::Host => self.host,
            Namespace::Container => self.container,
        }
    }
}

fn lives(netns: NetnsId) -> Result<bool, String> {
    let living = living_netns()
        .map_err(|error| format!("can't tell which network namespaces are alive: {error}"))?;
    Ok(living.contains(&netns))
}

/// Undoes one change. What isn't there is looked for once more, because it's
/// forgotten after that.
fn undo_change(kernel: &mut dyn Kernel, change: &Change, same: Same) -> Result<(), KernelError> {
    for _ in 0..2 {
        match undo_if_there(kernel, change, same) {
            Err(error) if error.is_not_found() => {}
            result => return result,
        }
    }
    Ok(())
}

fn undo_if_there(kernel: &mut dyn Kernel, change: &Change, same: Same) -> Result<(), KernelError> {
    match change {
        Change::MakeLink { namespace, .. }
        | Change::AddRoute { namespace, .. }
        | Change::SetSetting { namespace, .. }
            if !same.has(*namespace) =>
        {
            Ok(())
        }
        Change::ChangeLink { link, .. }
        | Change::AddAddress { link, .. }
        | Change::ChangePort { link, .. }
        | Change::ChangeVlans { link, .. }
        | Change::SetLinkSetting { link, .. }
        | Change::SetFeature { link, .. }
            if !same.has(link.namespace) =>
        {
            Ok(())
        }
        Change::KeepState => Ok(()),
        Change::MoveLink { .. } if !same.host => Ok(()),
        Change::MakeLink {
            namespace,
            name,
            index,
        } => delete(kernel, *namespace, name, *index),
        Change::MoveLink { saved, name, index } => {
            give_back(kernel, saved, name, *index, same.container)
        }
        Change::ChangeLink {
            link,
            before,
            snapshot,
        } => match kernel.link_by_id(*link)? {
            now if now.name == before.name => {
                put_back(kernel, *link, before)?;
                let mut snapshots = snapshot.iter();
                snapshots.try_for_each(|snapshot| kernel.replay(*link, link.index, snapshot))
            }
            // Another link has its index now.
            _ => Ok(()),
        },
        Change::AddAddress {
            link,
            name,
            address,
        } => if_same(kernel, *link, name, |kernel| {
            kernel.remove_address(*link, *address)
        }),
        Change::ChangePort { link, name, before } => if_same(kernel, *link, name, |kernel| {
            put_back_port(kernel, *link, *before)
        }),
        Change::ChangeVlans { link, name, before } => if_same(kernel, *link, name, |kernel| {
            kernel.remove_vlans(*link, VlanNumbers::ALL)?;
            let mut vlans = before.iter();
            vlans.try_for_each(|vlans| kernel.add_vlans(*link, *vlans))
        }),
        Change::SetLinkSetting {
            link,
            name,
            setting,
            before,
        } => if_same(kernel, *link, name, |kernel| {
            kernel.set_link_setting(*link, *setting, before)
        }),
        Change::SetSetting {
            namespace,
            key,
            before,
        } => kernel.set_setting(*namespace, key, before),
        Change::SetFeature {
            link,
            name,
            feature,
            before,
        } => if_same(kernel, *link, name, |kernel| {
            kernel.want_feature(*link, feature, *before)
        }),
        Change::AddRoute { namespace, route } => kernel.remove_route(*namespace, route),
    }
}

/// Undoes something about a link, unless another link has its index now.
fn if_same(
    kernel: &mut dyn Kernel,
    link: LinkId,
    name: &LinkName,
    undo: impl FnOnce(&mut dyn Kernel) -> Result<(), KernelError>,
) -> Result<(), KernelError> {
    match kernel.link_by_id(link)? {
        now if now.name == *name => undo(kernel),
        _ => Ok(()),
    }
}

/// Has a bridge treat a port as it did, where it differs.
fn put_back_port(
    kernel: &mut dyn Kernel,
    link: LinkId,
    before: PortState,
) -> Result<(), KernelError> {
    let now = kernel.port(link)?;
    let differences = [
        (now.hairpin != before.hairpin).then_some(PortChange::Hairpin(before.hairpin)),
        (now.isolated != before.isolated).then_some(PortChange::Isolated(before.isolated)),
        (now.learning != before.learning).then_some(PortChange::Learning(before.learning)),
    ];
    let mut differences = differences.iter().flatten();
    differences.try_for_each(|change| kernel.change_port(link, *change))
}

/// Deletes a link that was made. One that was begun and never confirmed is
/// known by its name, which was free when it was begun, or by the one that it
/// had before.
fn delete(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    name: &LinkName,
    index: Option<u32>,
) -> Result<(), KernelError> {
    let link = match index {
        Some(index) => kernel.link_by_id(LinkId { namespace, index })?,
        None => match found(kernel.link_by_name(namespace, &name.temporary()))? {
            Some(half_made) => half_made,
            None => kernel.link_by_name(namespace, name)?,
        },
    };
    // A namespace whose number is used again has other links.
    if index.is_some() && link.name != *name {
        return Ok(());
    }
    let index = link.index;
    kernel.delete_link(LinkId { namespace, index })
}

/// Moves a link back to the host and makes it as it was. This goes on where an
/// earlier attempt was cut off.
fn give_back(
    kernel: &mut dyn Kernel,
    saved: &SavedLink,
    name: &LinkName,
    index: Option<u32>,
    same_container: bool,
) -> Result<(), KernelError> {
    let in_container = if same_container {
        find_moved(kernel, saved, name, index)?
    } else {
        None
    };
    let link = match in_container {
        Some(link) => {
            kernel.change_link(link, &LinkChange::Up(false))?;
            // First, so that its address tells which it is on the host.
            dress(kernel, link, &saved.link)?;
            let index = kernel.move_link(link, Namespace::Host, &saved.link.name)?;
            LinkId {
                namespace: Namespace::Host,
                index,
            }
        }
        None => returned(kernel, saved, name)?,
    };
    // Some of them, as disable_ipv6, must hold before it's up.
    kernel.put_settings(link, &saved.snapshot)?;
    put_back(kernel, link, &saved.link)?;
    kernel.replay(link, saved.link.index, &saved.snapshot)
}

/// Finds a moved link in the container: by its index, or, where the move was
/// never confirmed, by its name and MAC address. Once it's back, its index may
/// be another link's.
fn find_moved(
    kernel: &mut dyn Kernel,
    saved: &SavedLink,
    name: &LinkName,
    index: Option<u32>,
) -> Result<Option<LinkId>, KernelError> {
    let namespace = Namespace::Container;
    if let Some(index) = index {
        let link = LinkId { namespace, index };
        let state = found(kernel.link_by_id(link))?;
        let same = state.filter(|state| state.name == *name || state.mac == saved.link.mac);
        return Ok(same.map(|_| link));
    }
    for name in [name, &saved.link.name] {
        let state = found(kernel.link_by_name(namespace, name))?;
        if let Some(state) = state.filter(|state| state.mac == saved.link.mac) {
            let index = state.index;
            return Ok(Some(LinkId { namespace, index }));
        }
    }
    Ok(None)
}

/// Finds a link that is on the host again: an earlier attempt came that far, or
/// the kernel gave it back when the container's namespace went, under whichever
/// name, index and MAC address.
fn returned(
    kernel: &mut dyn Kernel,
    saved: &SavedLink,
    name: &LinkName,
) -> Result<LinkId, KernelError> {
    let namespace = Namespace::Host;
    let links = kernel.links(namespace, None)?;
    let link = find_same(&links, saved, name).ok_or_else(|| {
        let gone = format!("{} went with the container's namespace", saved.link.name);
        KernelError::NotFound(gone)
    })?;
    let index = link.index;
    let id = LinkId { namespace, index };
    if link.name != saved.link.name {
        kernel.change_link(id, &LinkChange::Up(false))?;
        kernel.change_link(id, &LinkChange::Name(saved.link.name.clone()))?;
    }
    Ok(id)
}

/// Hardware is known by its permanent MAC address, which VLANs on it have too;
/// other links by two of name, index and MAC address.
fn find_same<'a>(
    links: &'a [LinkState],
    saved: &SavedLink,
    name: &LinkName,
) -> Option<&'a LinkState> {
    let has_its_name = |link: &LinkState| [&saved.link.name, name].contains(&&link.name);
    let has_its_index = |link: &LinkState| link.index == saved.link.index;
    let has_its_mac = |link: &LinkState| link.mac == saved.link.mac;
    if let Some(mac) = saved.link.permanent_mac {
        let mut same = links.iter().filter(|link| link.permanent_mac == Some(mac));
        let close = same
            .clone()
            .find(|link| has_its_index(link) || has_its_name(link));
        return close.or(match (same.next(), same.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        });
    }
    links.iter().find(|link| {
        let facts = [has_its_name(link), has_its_index(link), has_its_mac(link)];
        facts.into_iter().filter(|fact| *fact).count() >= 2
    })
}

/// Gives a link all that it had, where it differs.
fn put_back(kernel: &mut dyn Kernel, link: LinkId, before: &LinkState) -> Result<(), KernelError> {
    let now = dress(kernel, link, before)?;
    let differences = [
        (now.master != before.master).then_some(LinkChange::Master(before.master)),
        (now.tx_queue_length != before.tx_queue_length)
            .then_some(LinkChange::TxQueueLength(before.tx_queue_length)),
        (now.promiscuous != before.promiscuous)
            .then_some(LinkChange::Promiscuous(before.promiscuous)),
        (now.all_multicast != before.all_multicast)
            .then_some(LinkChange::AllMulticast(before.all_multicast)),
        (now.alias != before.alias).then(|| LinkChange::Alias(before.alias.clone())),
        (now.up != before.up).then_some(LinkChange::Up(before.up)),
    ];
    let mut differences = differences.iter().flatten();
    differences.try_for_each(|change| kernel.change_link(link, change))
}

/// Gives a link its old MAC address and MTU, where they differ; returns how it
/// was found.
fn dress(
    kernel: &mut dyn Kernel,
    link: LinkId,
    before: &LinkState,
) -> Result<LinkState, KernelError> {
    let now = kernel.link_by_id(link)?;
    if let Some(mac) = before.mac.filter(|mac| now.mac != Some(*mac)) {
        kernel.change_link(link, &LinkChange::Mac(mac))?;
    }
    if now.mtu != before.mtu {
        kernel.change_link(link, &LinkChange::Mtu(before.mtu))?;
    }
    Ok(now)
}

fn found(result: Result<LinkState, KernelError>) -> Result<Option<LinkState>, KernelError> {
    match result {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
