//! The tasks of a keeper, and its answers.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use request::KeptNetwork;
use serde::{Deserialize, Serialize};
use services::Relayed;
use services::dhcp::{Lease, LeaseRequest};
use services::dns::{DnsRecord, Registration, Served};

/// A task with the time that is left for it. A point in time means nothing to another
/// process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// The time, in milliseconds.
    pub(super) left_ms: u64,
    /// The task.
    pub(super) task: Task,
}

/// A task of a keeper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Task {
    /// Reads which changes of services the run may undo. It comes once, under the
    /// network's lock and before the driver runs.
    Begin,
    /// Registers the container's names.
    Register(Registration),
    /// Withdraws a container's names.
    Withdraw(DnsRecord),
    /// Gets a lease.
    Lease(LeaseRequest),
    /// Ends a lease.
    Release(LeaseRequest),
    /// Whether a subnet is a source of firewalld's zone `trusted`.
    IsTrusted(IpNet),
    /// Adds a subnet to the zone.
    Trust(IpNet),
    /// Removes a subnet from the zone.
    Distrust(IpNet),
    /// Whether firewalld forwards only what its own rules allow.
    IsStrict,
    /// Keeps the host's settings that the container needs, by their paths.
    KeepSettings(BTreeMap<String, String>),
    /// Keeps the document of a new network.
    KeepNetwork(Box<KeptNetwork>),
    /// Opens the newest file of the trail, with space for a line of this size. The file
    /// goes with the answer.
    OpenTrail {
        /// The size, in bytes.
        line: u64,
    },
    /// Does the rest of a teardown.
    EndTeardown {
        /// Whether the kept settings are forgotten.
        forgets: bool,
        /// Whether ports are published through the container's other networks.
        publishes: bool,
    },
}

/// The answer to a task.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The task is done.
    Done,
    /// The names are registered.
    Served(Served),
    /// The lease, or `None` for one that a plan knows nothing of.
    Leased(Option<Lease>),
    /// The answer to [`Task::IsTrusted`].
    IsTrusted(Option<bool>),
    /// The answer to [`Task::IsStrict`].
    IsStrict(bool),
    /// The file that was opened comes right after this.
    Opened,
}

/// The result of a task.
pub(super) type Reply = Result<Answer, Relayed>;

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin => f.write_str("read the journals again"),
            Self::Register(registration) => {
                let DnsRecord {
                    network, container, ..
                } = &registration.record;
                write!(
                    f,
                    "register names of container {container} on network {network:?}"
                )
            }
            Self::Withdraw(DnsRecord {
                network, container, ..
            }) => write!(
                f,
                "withdraw the names of container {container} on network {network:?}"
            ),
            Self::Lease(request) => write!(f, "lease an address for {}", client(request)),
            Self::Release(request) => write!(f, "end the lease of {}", client(request)),
            Self::IsTrusted(subnet) => write!(f, "look for {subnet} in firewalld's zone trusted"),
            Self::Trust(subnet) => write!(f, "add {subnet} to firewalld's zone trusted"),
            Self::Distrust(subnet) => write!(f, "remove {subnet} from firewalld's zone trusted"),
            Self::IsStrict => f.write_str("read firewalld's setting StrictForwardPorts"),
            Self::KeepSettings(settings) => write!(f, "keep {} settings", settings.len()),
            Self::KeepNetwork(kept) => write!(
                f,
                "keep the network {:?} with the id {:?}",
                kept.network.name, kept.network.id
            ),
            Self::OpenTrail { .. } => f.write_str("open the audit trail"),
            Self::EndTeardown { .. } => f.write_str("end a teardown"),
        }
    }
}

/// Returns the client of a lease in words.
fn client(request: &LeaseRequest) -> String {
    let LeaseRequest {
        container_mac,
        container,
        ..
    } = request;
    format!("{container_mac} of container {container}")
}
