//! Why a lease can't be got or released.

use std::fmt;
use std::io;
use std::path::PathBuf;

use types::user::rootless_user;
use types::{LinkName, Mac, text};

use crate::Relayed;

/// The names of gRPC's status codes, by number (`doc/statuscodes.md` in gRPC).
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The code of a DHCP server that grants no lease.
const NOT_FOUND: usize = 5;
/// The code of a DHCP server that doesn't answer.
const ABORTED: usize = 10;

/// Why a lease can't be got or released.
#[derive(Debug, thiserror::Error)]
pub enum DhcpError {
    /// Nobody listens on the socket, or this user may not connect.
    #[error(
        "can't connect to netavark's DHCP proxy at {}: {error}; {}",
        socket.display(),
        connect_hint(error.kind(), *rootless)
    )]
    Unreachable {
        /// The proxy's socket.
        socket: PathBuf,
        /// The cause.
        error: io::Error,
        /// Whether the process runs for rootless Podman.
        rootless: bool,
    },
    /// The proxy would open another namespace by this path, or none.
    #[error(
        "netavark's DHCP proxy can't open the network namespace {path:?}: give an absolute path \
         outside of /proc/self, in UTF-8"
    )]
    NetnsPath {
        /// The path.
        path: PathBuf,
    },
    /// The proxy has no lease, or couldn't configure the container's link.
    #[error(
        "netavark's DHCP proxy gave no lease to {container_link} over {host_link}: {status}; {}",
        lease_hint(status)
    )]
    NoLease {
        /// The link over which the proxy asked.
        host_link: LinkName,
        /// The container's link.
        container_link: LinkName,
        /// The proxy's answer.
        status: Status,
    },
    /// The proxy didn't release the lease.
    #[error(
        "netavark's DHCP proxy didn't release the lease of {mac}: {status}; the DHCP server keeps \
         the address until the lease ends"
    )]
    NotReleased {
        /// The MAC address of the container's link.
        mac: Mac,
        /// The proxy's answer.
        status: Status,
    },
    /// The proxy didn't answer before the deadline.
    #[error(
        "netavark's DHCP proxy at {} didn't answer before the deadline; {LOG}",
        socket.display()
    )]
    Deadline {
        /// The proxy's socket.
        socket: PathBuf,
    },
    /// The connection ended or failed before the answer.
    #[error("the connection to netavark's DHCP proxy at {} broke: {error}; {LOG}", socket.display())]
    Broken {
        /// The proxy's socket.
        socket: PathBuf,
        /// The cause, without control characters.
        error: String,
    },
    /// The answer isn't what the protocol allows.
    #[error(
        "netavark's DHCP proxy at {} sent a wrong answer: {fault}; {LOG}",
        socket.display()
    )]
    Malformed {
        /// The proxy's socket.
        socket: PathBuf,
        /// The fault, without control characters.
        fault: String,
    },
    /// This process can't wait for sockets.
    #[error("can't prepare a call of netavark's DHCP proxy: {0}; raise the limit of open files")]
    Runtime(io::Error),
    /// The error of another process, which calls the proxy in this one's place.
    #[error(transparent)]
    Relayed(#[from] Relayed),
}

/// The end of errors whose cause is in the proxy.
const LOG: &str = "`journalctl --unit netavark-dhcp-proxy` shows the proxy's log";

impl DhcpError {
    pub(super) fn unreachable(socket: PathBuf, error: io::Error) -> Self {
        Self::Unreachable {
            socket,
            error,
            rootless: rootless_user().is_some(),
        }
    }

    /// Whether the proxy was never asked. After any other error it may hold a lease.
    pub fn is_unasked(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NetnsPath { .. } => true,
            Self::Relayed(error) => error.is_unasked(),
            _ => false,
        }
    }
}

/// Rootless Podman has a `/run` and a network namespace of its own. The proxy of the
/// systemd unit is in neither.
fn connect_hint(kind: io::ErrorKind, rootless: bool) -> &'static str {
    if rootless {
        return "rootless Podman's networks have no DHCP proxy: run the container with rootful \
                Podman, or give the network a subnet";
    }
    match kind {
        io::ErrorKind::PermissionDenied => "only root may connect to it: run Podman as root",
        _ => "run `systemctl enable --now netavark-dhcp-proxy.socket`",
    }
}

fn lease_hint(status: &Status) -> &'static str {
    match status.code {
        NOT_FOUND | ABORTED => "check that a DHCP server on that network has a free address",
        _ => LOG,
    }
}

/// An error status of the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    code: usize,
    message: String,
}

impl Status {
    /// Takes a status from the proxy's answer. `code` must not be 0.
    pub(super) fn new(code: usize, message: &str) -> Self {
        Self {
            code,
            message: text::plain_error(message),
        }
    }

    /// Returns the proxy's message, shortened and without control characters.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match CODES.get(self.code) {
            Some(name) => f.write_str(name)?,
            None => write!(f, "status {}", self.code)?,
        }
        match &*self.message {
            "" => Ok(()),
            message => write!(f, ": {message}"),
        }
    }
}
