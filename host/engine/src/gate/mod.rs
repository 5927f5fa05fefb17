//! The host side of the WIT.
//!
//! Every call takes the same path: `decide`, the journal, the kernel, the audit trail.
//! The kernel is behind a guard that opens only with a [`Permit`](policy::Permit), and
//! only `decide` makes permits. The host itself opens the guard in another way, to read
//! the answer and to undo changes. This module knows nothing of JSON or of the command
//! line.

mod addresses;
mod announce;
mod around;
mod asked;
mod bounds;
mod bridge_ports;
mod call;
mod clash;
mod dhcp;
mod dns;
mod explain;
mod firewall;
mod links;
mod log;
#[cfg(any(test, fuzzing))]
pub(crate) mod model;
mod names;
mod neighbours;
mod offloads;
mod own;
mod report;
mod returned;
mod routes;
mod rules;
mod state;
mod subnets;
mod sysctl;
mod traffic;
mod wireguard;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use wasmtime::component::ResourceTable;

pub use call::{CallError, Stop};
pub use dhcp::DhcpClient;
pub use dns::Names;
pub use firewall::Firewall;
pub use links::LinkHandle;
pub use log::Log;
pub use returned::ReturnedError;
pub use subnets::{AllocatedSubnet, PoolError, SubnetPools, UsedNetworks};

use kernel::{Kernel, LinkId};
use policy::{Authority, Call, Limits};
use request::LeasedAddress;
use trust::Secrets;
use types::LinkName;

use crate::driver::Usage;
use crate::rollback::Rollback;

/// The gate of one run.
pub struct Gate {
    rollback: Rollback,
    authority: Authority,
    log: Log,
    secrets: Secrets,
    firewall: Firewall,
    /// The pools of subnets, in `create`.
    pools: Option<Box<dyn SubnetPools>>,
    /// The subnets that calls have allocated.
    allocated: Vec<AllocatedSubnet>,
    /// The container's names, if the user wants them served.
    names: Option<Names>,
    /// The addresses of the DNS servers that calls have found for the container.
    name_servers: Vec<IpAddr>,
    /// Whether names are served, with the search domain of such networks.
    serves_names: bool,
    /// The container as a DHCP server's client.
    dhcp: Option<DhcpClient>,
    /// The addresses that DHCP servers gave.
    leased: Vec<LeasedAddress>,
    links: ResourceTable,
    /// The number of open handles.
    handles: usize,
    /// The objects on the host that the driver made for the network's other containers,
    /// once a call has read them.
    others_own: Option<own::OfOthers>,
    /// Whether other containers use an own link too, for each link that a call has
    /// asked about.
    in_use: HashMap<LinkId, bool>,
    /// The current names of links that were renamed. Handles have the old names.
    renamed: HashMap<LinkId, LinkName>,
    calls: u32,
    /// The number of filters that calls have added to queueing disciplines.
    htb_filters: u16,
    /// The allowed call whose record isn't in the trail yet.
    pending: Option<Call>,
    /// The last call with its objects.
    asked: Option<asked::Asked>,
    /// The settings of the host that calls have set, by their paths.
    host_settings: BTreeMap<String, String>,
    /// The driver's deadline, while it runs.
    end: Option<Instant>,
    stop: Option<Stop>,
    /// What the run has used, once it has ended.
    usage: Usage,
}

impl Gate {
    /// Makes a gate to the kernel of a rollback.
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
            firewall: Firewall::Ours,
            pools: None,
            allocated: Vec::new(),
            names: None,
            name_servers: Vec::new(),
            serves_names: false,
            dhcp: None,
            leased: Vec::new(),
            links: ResourceTable::new(),
            handles: 0,
            others_own: None,
            in_use: HashMap::new(),
            renamed: HashMap::new(),
            calls: 0,
            htb_filters: 0,
            pending: None,
            asked: None,
            host_settings: BTreeMap::new(),
            end: None,
            stop: None,
            usage: Usage::default(),
        }
    }

    /// Notes what the run has used, but for its calls and messages, which the gate counts.
    pub(crate) fn note_usage(&mut self, usage: Usage) {
        let logged = self.limits().log_bytes.saturating_sub(self.log.left());
        self.usage = Usage {
            calls: self.calls,
            log_bytes: usage.log_bytes.saturating_add(logged),
            ..usage
        };
    }

    /// Notes how long it took to map the code.
    pub(crate) fn note_mapping(&mut self, mapping: Duration) {
        self.usage.mapping = mapping;
    }

    /// Returns what the run has used.
    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// Ends the gate, and returns its rollback.
    pub(crate) fn into_rollback(self) -> Rollback {
        self.rollback
    }

    /// Returns the settings of the host that calls have set, by their paths.
    pub fn host_settings(&self) -> &BTreeMap<String, String> {
        &self.host_settings
    }

    /// Returns the limits of the driver.
    pub(crate) fn limits(&self) -> &Limits {
        self.authority.grant.limits()
    }

    /// Returns the path of the grant file, for messages.
    pub(crate) fn grant_path(&self) -> &Path {
        self.authority.grant.path()
    }

    /// Returns the reason why the gate ended the run, if it did.
    pub(crate) fn stopped(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }

    /// Sets the deadline after which every call fails. `None` is for the host itself.
    pub(crate) fn end_at(&mut self, end: Option<Instant>) {
        self.end = end;
    }

    /// Returns the last call and what came of it, in words.
    pub(crate) fn last_call(&self) -> Option<String> {
        self.asked.as_ref().map(ToString::to_string)
    }

    /// Returns the driver's last messages, a line each.
    pub(crate) fn last_messages(&self) -> String {
        self.log.last()
    }

    /// Writes a component's output to the log.
    pub(crate) fn log_output(&mut self, output: &str) {
        self.log.output(output);
    }
}
