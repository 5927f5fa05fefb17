//! The real kernel, over rtnetlink. Each namespace has a socket, on a runtime
//! of the calling thread.

mod address;
mod announce;
mod bridge_port;
mod create_link;
mod ethtool;
mod exchange;
mod features;
mod generic;
mod identity;
mod link;
mod links;
mod neighbour;
mod nft;
mod nla;
mod place;
#[cfg(any(test, fuzzing))]
pub(crate) mod played;
mod route;
mod routes;
mod rule;
mod saved;
mod setting;
mod snapshot;
mod traffic;
mod vf;
mod wireguard;

use std::future::Future;
use std::io;
use std::time::Instant;

use futures_util::{Stream, TryStreamExt};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;
use rtnetlink::Handle;
use rtnetlink::sys::AsyncSocket;
use tokio::runtime::{Handle as RuntimeHandle, Runtime};

use super::{KernelError, Netns, NetnsError, Timed};
use exchange::{Wire, send};
pub use features::find as find_feature;
use generic::Generic;
pub use nft::DroppingChain;
use nft::{Handles, Netfilter};
pub use saved::Saved;
use types::{IpVersion, Namespace};

/// Returns the address family of a version of IP.
fn family(version: IpVersion) -> AddressFamily {
    match version {
        IpVersion::Ipv4 => AddressFamily::Inet,
        IpVersion::Ipv6 => AddressFamily::Inet6,
    }
}

/// The task that carries messages between a socket and its handles.
type Connection = rtnetlink::proto::Connection<RouteNetlinkMessage, Wire>;

fn connect(runtime: &RuntimeHandle) -> io::Result<(Connection, Handle)> {
    let _context = runtime.enter();
    let (mut connection, handle, _unsolicited) = rtnetlink::new_connection_with_socket::<Wire>()?;
    let socket = connection.socket_mut().socket_ref();
    // The kernel then lists what is asked for, not everything. Before Linux 4.20 it has no
    // such option, so answers are looked through in any case.
    let _ = socket.set_netlink_get_strict_chk(true);
    Ok((connection, handle))
}

/// A namespace with the sockets inside it.
struct NamespaceSockets {
    netns: Netns,
    handle: Handle,
    generic: Option<Generic>,
    netfilter: Option<Netfilter>,
    /// The handles of rules that were read.
    handles: Handles,
}

impl NamespaceSockets {
    /// Opens a socket in this thread's namespace.
    fn open_here(netns: Netns, runtime: &Runtime) -> Result<Self, NetnsError> {
        let connection = connect(runtime.handle());
        Self::new(netns, runtime, connection)
    }

    /// Opens a socket in another namespace.
    fn open_inside(netns: Netns, runtime: &Runtime) -> Result<Self, NetnsError> {
        let here = runtime.handle().clone();
        let connection = netns.run(move || connect(&here))?;
        Self::new(netns, runtime, connection)
    }

    fn new(
        netns: Netns,
        runtime: &Runtime,
        connection: io::Result<(Connection, Handle)>,
    ) -> Result<Self, NetnsError> {
        let (connection, handle) = connection.map_err(|error| {
            let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
            NetnsError::Enter { errno }
        })?;
        runtime.spawn(connection);
        Ok(Self {
            netns,
            handle,
            generic: None,
            netfilter: None,
            handles: Handles::default(),
        })
    }
}

/// The network state of the host's namespace and of a container's.
pub struct Netlink {
    runtime: Runtime,
    /// The deadline of operations; `None` until somebody sets one.
    deadline: Option<Instant>,
    host: NamespaceSockets,
    container: Option<NamespaceSockets>,
}

impl Netlink {
    /// Opens a socket in each namespace; `host` is this thread's. Operations fail
    /// until a deadline is set.
    pub fn open(host: Netns, container: Option<Netns>) -> Result<Self, NetnsError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| NetnsError::Enter {
                errno: error.raw_os_error().map_or(Errno::EIO, Errno::from_raw),
            })?;
        Ok(Self {
            host: NamespaceSockets::open_here(host, &runtime)?,
            container: container
                .map(|netns| NamespaceSockets::open_inside(netns, &runtime))
                .transpose()?,
            runtime,
            deadline: None,
        })
    }

    /// Returns the socket of a namespace.
    fn handle(&self, namespace: Namespace) -> Result<&Handle, KernelError> {
        Ok(&self.sockets(namespace)?.handle)
    }

    fn netns(&self, namespace: Namespace) -> Result<&Netns, KernelError> {
        Ok(&self.sockets(namespace)?.netns)
    }

    fn sockets(&self, namespace: Namespace) -> Result<&NamespaceSockets, KernelError> {
        match namespace {
            Namespace::Host => Ok(&self.host),
            Namespace::Container => self
                .container
                .as_ref()
                .ok_or(KernelError::NoNamespace(namespace)),
        }
    }

    fn sockets_mut(&mut self, namespace: Namespace) -> Result<&mut NamespaceSockets, KernelError> {
        let sockets = match namespace {
            Namespace::Host => Some(&mut self.host),
            Namespace::Container => self.container.as_mut(),
        };
        sockets.ok_or(KernelError::NoNamespace(namespace))
    }

    /// Opens a further socket in a namespace.
    fn open_socket<T: Send + 'static>(
        &self,
        namespace: Namespace,
        open: impl FnOnce(&RuntimeHandle) -> io::Result<T> + Send + 'static,
    ) -> Result<T, KernelError> {
        let runtime = self.runtime.handle().clone();
        let opened = match namespace {
            Namespace::Host => open(&runtime),
            Namespace::Container => {
                let opened = self.netns(namespace)?.run(move || open(&runtime));
                opened.map_err(|error| KernelError::Netlink(error.to_string()))?
            }
        };
        opened.map_err(|error| {
            error
                .raw_os_error()
                .map_or(Errno::EIO, Errno::from_raw)
                .into()
        })
    }

    /// Returns the deadline. Without one, operations fail as late ones do.
    fn deadline(&self) -> Result<Instant, KernelError> {
        self.deadline.ok_or(KernelError::Deadline)
    }

    /// Waits for an operation until the deadline. Every message to the kernel
    /// passes here.
    #[track_caller]
    fn wait<T, E: Into<KernelError>>(
        &self,
        operation: impl Future<Output = Result<T, E>>,
    ) -> Result<T, KernelError> {
        failpoint::before_operation()?;
        let until = self.deadline()?.into();
        let result = self
            .runtime
            .block_on(async { tokio::time::timeout_at(until, operation).await })
            .map_err(|_| KernelError::Deadline)?
            .map_err(Into::into);
        failpoint::after_operation();
        result
    }

    /// Waits for all answers of the kernel.
    #[track_caller]
    fn collect<T>(
        &self,
        answers: impl Stream<Item = Result<T, rtnetlink::Error>>,
    ) -> Result<Vec<T>, KernelError> {
        self.wait(answers.try_collect())
    }
}

impl Timed for Netlink {
    fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }
}

/// Takes the error number from the kernel's answer.
impl From<rtnetlink::Error> for KernelError {
    fn from(error: rtnetlink::Error) -> Self {
        match error {
            rtnetlink::Error::NetlinkError(message) => {
                Errno::from_raw(message.raw_code().saturating_neg()).into()
            }
            error => Self::Netlink(error.to_string()),
        }
    }
}
