//! A client of netavark's DHCP proxy. The proxy asks a DHCP server for an address on a
//! container's behalf, and renews the lease for as long as the container runs.
//!
//! The proxy itself adds the address and the default route to the container's link,
//! and changes them if a renewal brings others. It sets neither the MTU nor DNS, and
//! takes nothing away when a lease is released. It knows a lease by the MAC address
//! alone, and knows IPv4 only.
//!
//! The protocol is gRPC over a Unix socket (`src/proto/proxy.proto` in netavark). It is
//! the same from netavark 1.14 to 2.1.

mod error;
mod grpc;
mod lease;
mod request;
mod wire;

#[cfg(test)]
mod fake_proxy;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Instant;

pub use error::{DhcpError, Status};
use grpc::Failure;
pub use lease::Lease;
use nix::errno::Errno;
pub use request::LeaseRequest;
use types::text;

/// The proxy's socket (`ListenStream=` of netavark-dhcp-proxy.socket, and
/// `DEFAULT_UDS_PATH` in netavark). netavark takes no other, rootless or not.
pub const DEFAULT_SOCKET: &str = "/run/podman/nv-proxy.sock";

/// Leases addresses of DHCP servers.
pub trait Dhcp {
    /// Gets a lease. `None` stands for one that a plan knows nothing of.
    ///
    /// # Errors
    ///
    /// There is no lease, or nobody knows whether there is one
    /// ([`DhcpProxy::lease`]).
    fn lease(&mut self, request: &LeaseRequest) -> Result<Option<Lease>, DhcpError>;

    /// Ends a lease. One of a proxy that isn't there has ended with the proxy.
    ///
    /// # Errors
    ///
    /// The proxy didn't end it ([`DhcpProxy::release`]).
    fn release(&mut self, request: &LeaseRequest) -> Result<(), DhcpError>;
}

/// netavark's DHCP proxy. Each call has a connection of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DhcpProxy {
    socket: PathBuf,
}

impl Default for DhcpProxy {
    fn default() -> Self {
        Self::at(DEFAULT_SOCKET.into())
    }
}

impl DhcpProxy {
    /// Returns the proxy that listens on another socket.
    pub fn at(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Returns the path of the proxy's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Gets a lease. The container's link must be up and have no address of the lease
    /// yet. The proxy gives up after 8 s without a DHCP server, so the deadline should
    /// be later than that.
    ///
    /// A second lease for the same MAC address takes the place of the first, and fails
    /// if the address is still on the link.
    ///
    /// The calling thread must not run asynchronous code.
    ///
    /// # Errors
    ///
    /// The proxy can't be reached, gives no lease, answers with anything but a lease,
    /// or misses the deadline. After all errors but those of a proxy that wasn't asked
    /// ([`DhcpError::is_unasked`]) it may hold a lease: [`Self::release`] it.
    pub fn lease(&self, request: &LeaseRequest, deadline: Instant) -> Result<Lease, DhcpError> {
        let answer = self.call("Setup", request, deadline, |status| DhcpError::NoLease {
            host_link: request.host_link.clone(),
            container_link: request.container_link.clone(),
            status,
        })?;
        Lease::from_wire(answer, request.container_mac).map_err(|fault| self.malformed(fault))
    }

    /// Ends a lease and its renewals. The proxy knows it by the MAC address. Nothing
    /// happens if there is no lease. The address and the route stay on the container's
    /// link.
    ///
    /// The DHCP server may keep the address until the lease ends: netavark 1.14 tells it
    /// nothing, and dnsmasq ignores the DHCPRELEASE of netavark 1.17, which names no
    /// address.
    ///
    /// The calling thread must not run asynchronous code.
    ///
    /// # Errors
    ///
    /// The proxy can't be reached, refuses, answers with anything but a lease, or
    /// misses the deadline.
    pub fn release(&self, request: &LeaseRequest, deadline: Instant) -> Result<(), DhcpError> {
        let answer = self.call("Teardown", request, deadline, |status| {
            DhcpError::NotReleased {
                mac: request.container_mac,
                status,
            }
        });
        // It is the lease that there was, or an empty one.
        answer.map(drop)
    }

    /// Returns the error of a call if nobody listens on the proxy's socket.
    pub(crate) fn absent(&self, request: &LeaseRequest) -> DhcpError {
        match request.to_wire() {
            Err(error) => error,
            Ok(_) => {
                let error = std::io::Error::from_raw_os_error(Errno::ENOENT as i32);
                DhcpError::unreachable(self.socket.clone(), error)
            }
        }
    }

    /// Calls a method of the proxy. `refused` makes the error of an error status.
    fn call(
        &self,
        method: &str,
        request: &LeaseRequest,
        deadline: Instant,
        refused: impl FnOnce(Status) -> DhcpError,
    ) -> Result<wire::Lease, DhcpError> {
        let message = request.to_wire()?;
        let answer = self.wait(deadline, grpc::call(&self.socket, method, &message))?;
        answer.map_err(|failure| match failure {
            Failure::Connect(error) => DhcpError::unreachable(self.socket.clone(), error),
            Failure::Broken(error) => self.broken(&error),
            Failure::Malformed(fault) => self.malformed(fault),
            Failure::Status(status) => refused(status),
        })
    }

    /// Waits for an answer until the deadline. The connection ends with the call, and
    /// a proxy that still waits for a DHCP server gives up then.
    fn wait<T>(&self, deadline: Instant, answer: impl Future<Output = T>) -> Result<T, DhcpError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(DhcpError::Runtime)?;
        runtime
            .block_on(async { tokio::time::timeout_at(deadline.into(), answer).await })
            .map_err(|_| DhcpError::Deadline {
                socket: self.socket.clone(),
            })
    }

    fn broken(&self, error: &h2::Error) -> DhcpError {
        DhcpError::Broken {
            socket: self.socket.clone(),
            error: text::plain_error(&error.to_string()),
        }
    }

    fn malformed(&self, fault: String) -> DhcpError {
        DhcpError::Malformed {
            socket: self.socket.clone(),
            fault,
        }
    }
}
