//! The rollback: it undoes the changes in the journal, the newest first.

mod abandoned;
mod change;
mod missing;
mod pending_renames;
mod queue;
mod restore;
mod restore_link;
mod return_moved;
mod routes;
mod search;
mod state;
mod vf;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use audit::{AuditError, Trail};
use journal::{Change, Entry, Journal, JournalError, SavedLink, State, StateError};
use kernel::{Kernel, LinkId, LinkSetting, Living, NetnsId, living_netns};
use services::{Services, SimulatedServices};
use types::{LinkName, Namespace};

pub use missing::ForgetError;
pub(crate) use queue::remove_owned_queue;
pub use restore::{RestoreError, Restorer};
pub(crate) use vf::{set_vf_mac, vf};

use crate::guard::Guard;
use change::{close_loopback, undo_change};
use return_moved::{Returned, return_to_host};
use search::Moved;

/// The time that a rollback has, apart from the driver's own deadline. It grows with
/// each change …
const UNDO_TIME: Duration = Duration::from_secs(10);
/// … by this much, …
const CHANGE_TIME: Duration = Duration::from_millis(50);
/// … and with each firewall rule and published port by this much.
const OBJECT_TIME: Duration = Duration::from_millis(1);

/// The time that a service has to undo a change.
const SERVICE_TIME: Duration = Duration::from_secs(4);

/// A change that couldn't be undone.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what} could not be undone: {reason}")]
pub struct UndoError {
    what: String,
    reason: String,
}

impl UndoError {
    /// Returns the error for a network's state that couldn't be undone.
    pub(super) fn of_state(error: &StateError) -> Self {
        Self {
            what: "the run's change of the network's state".to_owned(),
            reason: error.to_string(),
        }
    }
}

/// The means to undo a run's changes: the journal, and the kernel and the services as
/// the host itself uses them.
pub struct Rollback {
    pub(crate) guard: Guard,
    pub(crate) journal: Option<Journal>,
    /// This run's copy of the network's state, once a call has opened it.
    pub(crate) state: Option<State>,
    pub(crate) trail: Trail,
    unrecorded: Vec<String>,
    /// The living namespaces, if a confined run has looked before.
    living: Looked,
}

/// The living namespaces, if a run has looked already.
type Looked = Option<Result<Living, String>>;

impl Rollback {
    /// Makes a rollback by a journal.
    pub fn new(
        kernel: Box<dyn Kernel + Send>,
        services: Box<dyn Services + Send>,
        journal: Journal,
        trail: Trail,
    ) -> Self {
        Self {
            guard: Guard::new(kernel, services),
            journal: Some(journal),
            state: None,
            trail,
            unrecorded: Vec::new(),
            living: None,
        }
    }

    /// Makes a rollback without a journal, for `create`, which can't change anything.
    pub(crate) fn without_journal(kernel: Box<dyn Kernel + Send>, trail: Trail) -> Self {
        Self {
            guard: Guard::new(kernel, Box::new(SimulatedServices)),
            journal: None,
            state: None,
            trail,
            unrecorded: Vec::new(),
            living: None,
        }
    }

    /// Prepares for a confined run: it makes the journal's folder, which it returns, and
    /// looks for living namespaces if the journal has changes of others than the run's.
    ///
    /// # Errors
    ///
    /// The folder can't be made.
    pub fn confine(&mut self) -> Result<Option<PathBuf>, JournalError> {
        self.trail.confine();
        let Some(journal) = &mut self.journal else {
            return Ok(None);
        };
        let here = journal.here();
        let mut entries = journal.entries().iter();
        let is_elsewhere = |entry: &Entry| entry.host != here.host || entry.netns != here.container;
        if entries.any(is_elsewhere) {
            self.living = Some(living());
        }
        journal.keep_folder().map(Some)
    }

    /// Removes the journal's folder, if nothing is in it.
    pub fn leave_folder(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.leave_folder();
        }
    }

    /// Returns the trail.
    pub fn trail(&mut self) -> &mut Trail {
        &mut self.trail
    }

    /// Returns the changes that aren't undone.
    pub fn entries(&self) -> &[Entry] {
        self.journal.as_ref().map_or(&[], Journal::entries)
    }

    /// Sets the deadline of the operations of the kernel and the services.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.guard.set_deadline(deadline);
    }

    /// Marks the setup as complete in the journal. From then on its records are in use.
    pub(crate) fn complete(&mut self) -> Result<(), JournalError> {
        match &mut self.journal {
            Some(journal) => journal.complete(),
            None => Ok(()),
        }
    }

    /// Removes a journal without records, as one of an earlier boot is.
    fn discard_empty(&mut self) -> Result<(), JournalError> {
        match &mut self.journal {
            Some(journal) if journal.entries().is_empty() => journal.discard(),
            _ => Ok(()),
        }
    }

    /// Returns the undone changes that couldn't be recorded in the audit trail.
    pub fn unrecorded(&self) -> &[String] {
        &self.unrecorded
    }

    /// Records the end of the run.
    pub fn end(&mut self, error: Option<&str>) -> Result<(), AuditError> {
        self.trail.end(error)
    }
}

impl Rollback {
    /// Undoes every change in the journal, and goes on after a failure. A change that
    /// can't be undone stays in the journal.
    pub fn undo(&mut self) -> Vec<UndoError> {
        let Some(journal) = &mut self.journal else {
            return Vec::new();
        };
        // The rollback goes on even if the journal can't be written.
        let _ = journal.leave();
        // This comes first, because the journals say which state is valid.
        let settled = self.settle_state().err();
        let mut errors: Vec<UndoError> = settled.iter().map(UndoError::of_state).collect();
        errors.extend(self.undo_entries(|_| true));
        // A run that was killed while it wrote its first record leaves an empty
        // journal.
        if let Err(error) = self.discard_empty() {
            errors.push(UndoError {
                what: "an empty journal".to_owned(),
                reason: error.to_string(),
            });
        }
        errors.extend(self.clear_unused_state());
        errors
    }

    /// Undoes every change of a failed run, calls `tell` with each one that can't be
    /// undone, and records the reason of the end.
    pub fn roll_back(&mut self, reason: &str, mut tell: impl FnMut(&str)) {
        for left in self.undo() {
            tell(&left.to_string());
        }
        // The trail itself may be the reason of the failure.
        let _ = self.end(Some(reason));
    }

    fn undo_entries(&mut self, is_meant: impl Fn(&Entry) -> bool) -> Vec<UndoError> {
        let entries = self.journal.iter().flat_map(Journal::entries);
        let time = time_to_undo(entries);
        let journal = self.journal.iter();
        let (services, entries): (Vec<Entry>, Vec<Entry>) = journal
            .flat_map(|journal| journal.entries().to_vec())
            .partition(|entry| entry.change.is_of_service());
        let mut errors = self.undo_services(services.iter().filter(|entry| is_meant(entry)));
        self.guard.set_deadline(Instant::now() + time);
        // This comes first, because the undo finds links by their names.
        if let Err(error) = self.settle_names() {
            errors.push(error);
            return errors;
        }
        // Rules that keep packets back outlast the links and addresses that they are for.
        let (guards, others): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| keeps_back(&entry.change));
        let mut stuck: Vec<&Change> = Vec::new();
        for entry in others.into_iter().rev().chain(guards.into_iter().rev()) {
            if !stuck.is_empty() && keeps_back(&entry.change) {
                continue;
            }
            if !is_meant(entry) {
                // Older changes of a link wait until the link is back.
                if matches!(entry.change, Change::MoveLink { .. }) {
                    stuck.push(&entry.change);
                }
                continue;
            }
            if stuck.iter().any(|newer| entry.change.is_below(newer)) {
                // Changes below this one wait too.
                stuck.push(&entry.change);
                continue;
            }
            if let Err(failure) = self.undo_one(entry) {
                stuck.push(&entry.change);
                errors.push(UndoError {
                    what: entry.change.to_string(),
                    reason: failure.to_string(),
                });
            }
        }
        errors
    }

    /// Undoes the changes of services, the newest first. Each has time of its own, and
    /// after the first failure no more is asked, so that a service that hangs holds up
    /// nothing else.
    fn undo_services<'a>(
        &mut self,
        entries: impl DoubleEndedIterator<Item = &'a Entry>,
    ) -> Vec<UndoError> {
        let mut errors: Vec<UndoError> = Vec::new();
        for entry in entries.rev() {
            let asked = match errors.first() {
                None => {
                    self.guard.set_deadline(Instant::now() + SERVICE_TIME);
                    self.undo_one(entry)
                }
                Some(first) => Err(Failure::Other(format!("not tried after {}", first.what))),
            };
            if let Err(failure) = asked {
                errors.push(UndoError {
                    what: entry.change.to_string(),
                    reason: failure.to_string(),
                });
            }
        }
        errors
    }

    fn undo_one(&mut self, entry: &Entry) -> Result<(), Failure> {
        let undone = self.undo_unless_shared(entry);
        let reason = undone.as_ref().err().map(ToString::to_string);
        let mut what = entry.change.to_string();
        if matches!(undone, Ok(Undone::Gone)) {
            what.push_str(", which is gone");
        }
        // The rollback goes on even if the trail can't be written. Leftovers would be
        // worse.
        let recorded = self.trail.undo(&what, reason.as_deref());
        if let (Err(Failure::Missing { why, .. }), Some(journal)) = (&undone, &mut self.journal) {
            // The error has the reason too, so it isn't lost if the journal can't be
            // written.
            let _ = journal.missing(entry.number, why);
        }
        undone?;
        if recorded.is_err() {
            self.unrecorded.push(what);
        }
        if let Some(journal) = &mut self.journal {
            let voided = journal.void(entry.number);
            voided.map_err(|error| Failure::Other(error.to_string()))?;
        }
        Ok(())
    }

    /// Undoes a change, unless other containers of the network use its object too.
    fn undo_unless_shared(&mut self, entry: &Entry) -> Result<Undone, Failure> {
        let Some(journal) = &self.journal else {
            return Ok(Undone::Done);
        };
        if journal.is_shared(entry).map_err(other)? {
            return Ok(Undone::Done);
        }
        let here = journal.here();
        let same = Same {
            host: entry.host == here.host,
            container: entry.netns.is_some() && entry.netns == here.container,
        };
        if !same.host
            && entry.change.touches_host()
            && lives(&self.living, entry.host).map_err(Failure::Other)?
        {
            return Err(Failure::Other(
                "it was made from another network namespace of the host, which is still in use; \
                 run this from there"
                    .to_owned(),
            ));
        }
        if let Change::MoveLink { saved, name, index } = &entry.change
            && same.host
        {
            let moved = Moved {
                saved,
                names: [name].into_iter().chain(&entry.renaming).collect(),
                index: *index,
                same_container: same.container,
                own: has_made(journal, entry, saved),
                is_namespace_gone: &|| is_gone(&self.living, entry.netns),
            };
            return match return_to_host(self.guard.for_host(), &moved).map_err(other)? {
                Returned::Back => Ok(Undone::Done),
                Returned::Gone => Ok(Undone::Gone),
                Returned::Missing(why) => Err(Failure::Missing {
                    why,
                    container: journal.key().container.to_string(),
                    network: journal.key().network.to_string(),
                }),
            };
        }
        if entry.change.is_of_service() {
            let services = self.guard.services_for_host();
            let undo = AssertUnwindSafe(|| undo_service(services, &entry.change));
            return catch_unwind(undo).unwrap_or_else(|_| Err(other(INTERNAL)));
        }
        let used = journal.uses_table_of(entry).map_err(other)?;
        // A panic is a bug. It must not keep the other changes from being undone.
        let kernel = self.guard.for_host();
        let opened = |link, name: &LinkName| {
            let mut entries = journal.entries_of(Namespace::Host);
            entries.any(|other| other.has_made(link, name) || has_opened(other, link, name))
        };
        let undo = AssertUnwindSafe(|| {
            if same.host {
                close_loopback(kernel, entry, opened)?;
            }
            undo_change(kernel, entry, same, !used)
        });
        match catch_unwind(undo) {
            Ok(undone) => undone.map_err(other)?,
            Err(_) => return Err(other(INTERNAL)),
        }
        Ok(Undone::Done)
    }
}

/// Undoes a change that a service made.
fn undo_service(services: &mut dyn Services, change: &Change) -> Result<Undone, Failure> {
    let undone = match change {
        Change::RegisterNames { record } => services.withdraw(record).map_err(other),
        Change::LeaseAddress { request } => services.release(request).map_err(other),
        Change::TrustSource { source } => services.distrust(*source).map_err(other),
        _ => Ok(()),
    };
    undone.map(|()| Undone::Done)
}

/// What is said of a panic.
const INTERNAL: &str = "internal error; please report it";

/// The result of an undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undone {
    /// The change is undone.
    Done,
    /// The changed object doesn't exist any more.
    Gone,
}

/// The reason why a change stays in the journal.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The link can't be found.
    #[error(
        "the link is missing: {why}; the journal keeps it, and each teardown, setup or `wasmvark \
         gc` looks for it again; bring it back, or give it up: `wasmvark journal forget \
         {container} --network {network}`"
    )]
    Missing {
        why: String,
        container: String,
        network: String,
    },
    /// Any other failure.
    #[error("{0}")]
    Other(String),
}

fn other(error: impl std::fmt::Display) -> Failure {
    Failure::Other(error.to_string())
}

/// Whether the driver had made a link before the driver moved it.
fn has_made(journal: &Journal, entry: &Entry, saved: &SavedLink) -> bool {
    let link = LinkId {
        namespace: Namespace::Host,
        index: saved.link.index,
    };
    let mut older = journal.entries().iter();
    older.any(|older| {
        older.number < entry.number
            && older.host == entry.host
            && older.has_made(link, &saved.link.name)
    })
}

/// Whether an entry says that loopback addresses are routed through a used bridge, and
/// weren't before.
fn has_opened(entry: &Entry, link: LinkId, name: &LinkName) -> bool {
    matches!(&entry.change, Change::SetLinkSetting { link: of, name: its, setting, before, .. }
        if (*of, its) == (link, name) && *setting == LinkSetting::RouteLocalnet && before == "0")
}

/// Whether a change is a firewall rule that only keeps packets back.
fn keeps_back(change: &Change) -> bool {
    let entry = change.firewall();
    entry.is_some_and(|entry| entry.rule.only_drops())
}

/// Returns the time that the undo of changes may take. The number of changes is
/// limited, so the time is too.
fn time_to_undo<'a>(entries: impl Iterator<Item = &'a Entry>) -> Duration {
    let times = entries.map(|entry| {
        let rule = entry.change.firewall().map(|firewall| &firewall.rule);
        let objects = rule.map_or(0, |rule| rule.rules().saturating_add(rule.ports()));
        let objects = u32::try_from(objects).unwrap_or(u32::MAX);
        CHANGE_TIME.saturating_add(OBJECT_TIME.saturating_mul(objects))
    });
    times.fold(UNDO_TIME, Duration::saturating_add)
}

/// Which of the run's network namespaces are those in which a change was made. If one
/// is another namespace, the change went with the old one.
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

/// Whether a network namespace is known to be gone.
fn is_gone(looked: &Looked, netns: Option<NetnsId>) -> bool {
    netns.is_some_and(|netns| lives(looked, netns).is_ok_and(|lives| !lives))
}

fn lives(looked: &Looked, netns: NetnsId) -> Result<bool, String> {
    match looked {
        Some(Ok(living)) => Ok(living.may_have(netns)),
        Some(Err(error)) => Err(error.clone()),
        None => living().map(|living| living.may_have(netns)),
    }
}

fn living() -> Result<Living, String> {
    living_netns()
        .map_err(|error| format!("can't tell which network namespaces are alive: {error}"))
}
