//! The host side of the WIT. Every call takes the same way: `decide`, then the
//! journal, then the kernel, then the audit trail. It knows nothing of JSON or
//! of the command line.
//!
//! The kernel stands behind a guard, which opens for a
//! [`Permit`](policy::Permit) only, and only `decide` makes permits. What the host does on its own behalf
//! (reading the answer, undoing) has a door of its own there.

mod addresses;
mod announce;
mod bounds;
mod bridge_ports;
mod call;
mod clash;
mod firewall;
mod guard;
mod links;
mod log;
#[cfg(test)]
mod model;
mod neighbours;
mod offloads;
mod report;
mod restore;
mod returned;
mod routes;
mod rules;
mod state;
mod sysctl;
mod traffic;
mod undo;
mod wireguard;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use wasmtime::component::ResourceTable;

pub use call::{CallError, Stop};
pub use links::LinkHandle;
pub use log::Log;
pub use restore::{RestoreError, Restorer};
pub use returned::ReturnedError;
pub use undo::{ForgetError, UndoError};

use audit::{AuditError, Trail};
use journal::{Journal, JournalError, State};
use kernel::{Kernel, LinkId};
use policy::{Authority, Call, Grant, RequestReach};
use trust::Secrets;
use types::LinkName;

use guard::Guard;

/// The gate of one run.
pub struct Gate {
    guard: Guard,
    authority: Authority,
    journal: Option<Journal>,
    /// This run's copy of the network's state, once it's asked for.
    state: Option<State>,
    trail: Trail,
    log: Log,
    secrets: Secrets,
    links: ResourceTable,
    /// How many there are.
    handles: usize,
    /// What the network's other containers have on the host by this driver, once
    /// it's asked for.
    others_own: Option<clash::Own>,
    /// The own links that were asked about, and whether others have them too.
    in_use: HashMap<LinkId, bool>,
    /// The names of links that got others since handles to them were given out.
    renamed: HashMap<LinkId, LinkName>,
    calls: u32,
    /// The call that was allowed and isn't on record yet.
    pending: Option<Call>,
    /// When the driver's time is over, while it runs.
    end: Option<Instant>,
    stop: Option<Stop>,
    unrecorded: Vec<String>,
}

impl Gate {
    /// A gate before a kernel. Without a journal (in `create`) nothing can be
    /// changed.
    pub fn new(
        kernel: Box<dyn Kernel + Send>,
        authority: Authority,
        journal: Option<Journal>,
        trail: Trail,
        log: Log,
        secrets: Secrets,
    ) -> Self {
        Self {
            guard: Guard::new(kernel),
            authority,
            journal,
            state: None,
            trail,
            log,
            secrets,
            links: ResourceTable::new(),
            handles: 0,
            others_own: None,
            in_use: HashMap::new(),
            renamed: HashMap::new(),
            calls: 0,
            pending: None,
            end: None,
            stop: None,
            unrecorded: Vec::new(),
        }
    }

    /// A gate that lets nothing through, for undoing what a journal holds.
    pub fn for_undoing(kernel: Box<dyn Kernel + Send>, journal: Journal, trail: Trail) -> Self {
        let authority = Authority {
            grant: Grant::nothing(),
            request: RequestReach::default(),
        };
        let log = Log::new(String::new(), 0, None);
        let secrets = Secrets::new(PathBuf::new());
        Self::new(kernel, authority, Some(journal), trail, log, secrets)
    }

    /// The grant that decides, for messages.
    pub fn grant_path(&self) -> &Path {
        self.authority.grant.path()
    }

    /// What ended the run at the gate, if anything did.
    pub fn stopped(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }

    /// Moves the deadline of the kernel's operations.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.guard.for_host().set_deadline(deadline);
    }

    /// Has every call from here on fail once it's this late; `None` for what the
    /// host does itself.
    pub fn end_at(&mut self, end: Option<Instant>) {
        self.end = end;
    }

    /// Passes on what a component printed.
    pub fn log_output(&mut self, output: &str) {
        self.log.output(output);
    }

    /// Calls the setup done in the journal: from here on, what it holds is in
    /// use.
    pub fn complete(&mut self) -> Result<(), JournalError> {
        match &mut self.journal {
            Some(journal) => journal.complete(),
            None => Ok(()),
        }
    }

    /// Removes a journal that holds nothing, as one of another boot does.
    fn discard_empty(&mut self) -> Result<(), JournalError> {
        match &mut self.journal {
            Some(journal) if journal.entries().is_empty() => journal.discard(),
            _ => Ok(()),
        }
    }

    /// The journals that killed setups of the network's other containers left.
    pub fn abandoned_journals(&self) -> Result<Vec<Journal>, JournalError> {
        let journal = self.journal.as_ref();
        journal.map_or_else(|| Ok(Vec::new()), Journal::abandoned_others)
    }

    /// What was undone and couldn't be recorded.
    pub fn unrecorded(&self) -> &[String] {
        &self.unrecorded
    }

    /// Records the end of the run.
    pub fn end(&mut self, error: Option<&str>) -> Result<(), AuditError> {
        self.trail.end(error)
    }
}
