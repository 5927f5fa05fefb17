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
mod links;
mod log;
#[cfg(test)]
mod model;
mod neighbours;
mod offloads;
mod report;
mod returned;
mod routes;
mod rules;
mod state;
mod sysctl;
mod traffic;
mod wireguard;

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use wasmtime::component::ResourceTable;

pub use call::{CallError, Stop};
pub use links::LinkHandle;
pub use log::Log;
pub use returned::ReturnedError;

use kernel::{Kernel, LinkId};
use policy::{Authority, Call, Limits};
use trust::Secrets;
use types::LinkName;

use crate::rollback::Rollback;

/// The gate of one run.
pub struct Gate {
    rollback: Rollback,
    authority: Authority,
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
}

impl Gate {
    /// A gate before a kernel, whose changes can be rolled back.
    pub(crate) fn new(
        rollback: Rollback,
        authority: Authority,
        log: Log,
        secrets: Secrets,
    ) -> Self {
        Self {
            rollback,
            authority,
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
        }
    }

    /// What undoes the run, once no driver runs any more.
    pub(crate) fn into_rollback(self) -> Rollback {
        self.rollback
    }

    /// How much the driver may use up.
    pub(crate) fn limits(&self) -> &Limits {
        self.authority.grant.limits()
    }

    /// The grant that decides, for messages.
    pub(crate) fn grant_path(&self) -> &Path {
        self.authority.grant.path()
    }

    /// What ended the run at the gate, if anything did.
    pub(crate) fn stopped(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }

    /// Has every call from here on fail once it's this late; `None` for what the
    /// host does itself.
    pub(crate) fn end_at(&mut self, end: Option<Instant>) {
        self.end = end;
    }

    /// Passes on what a component printed.
    pub(crate) fn log_output(&mut self, output: &str) {
        self.log.output(output);
    }
}
