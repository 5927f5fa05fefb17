//! A client of netavark's DHCP proxy. The proxy asks a DHCP server for an address on a
//! container's behalf, and renews the lease for as long as the container runs.
//!
//! The proxy itself adds the address and the default route to the container's link,
//! and changes them if a renewal brings others. It sets neither the MTU nor DNS, and
//! takes nothing away when a lease is released. It knows a lease by the MAC address
//! alone, and knows IPv4 only.
//!
//! The protocol is gRPC over a Unix socket (`src/proto/proxy.proto` in netavark). This
//! client works with the proxies of netavark 1.14 to 2.1.

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
pub use request::LeaseRequest;

/// The proxy's socket (`ListenStream=` of netavark-dhcp-proxy.socket, and
/// `DEFAULT_UDS_PATH` in netavark). netavark takes no other, rootless or not.
pub const DEFAULT_SOCKET: &str = "/run/podman/nv-proxy.sock";

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
    /// or misses the deadline. After all errors but [`DhcpError::Unreachable`] and
    /// [`DhcpError::NetnsPath`] the proxy may hold a lease: [`Self::release`] it.
    pub fn lease(&self, request: &LeaseRequest, deadline: Instant) -> Result<Lease, DhcpError> {
        let message = request.to_wire()?;
        let answer = self.wait(deadline, grpc::call(&self.socket, "Setup", &message))?;
        let answer = answer.map_err(|failure| match failure {
            Failure::Status(status) => DhcpError::NoLease {
                host_link: request.host_link.clone(),
                container_link: request.container_link.clone(),
                status,
            },
            failure => self.error(failure),
        })?;
        Lease::from_wire(answer, request.container_mac).map_err(|fault| self.malformed(fault))
    }

    /// Ends a lease and its renewals. The proxy knows it by the MAC address. Since
    /// netavark 2.0 it tells the DHCP server. Nothing happens if there is no lease. The
    /// address and the route stay on the container's link.
    ///
    /// The calling thread must not run asynchronous code.
    ///
    /// # Errors
    ///
    /// The proxy can't be reached, refuses, answers with anything but a lease, or
    /// misses the deadline.
    pub fn release(&self, request: &LeaseRequest, deadline: Instant) -> Result<(), DhcpError> {
        let message = request.to_wire()?;
        let answer = self.wait(deadline, grpc::call(&self.socket, "Teardown", &message))?;
        // The answer is the lease that there was, or an empty one.
        answer.map(drop).map_err(|failure| match failure {
            Failure::Status(status) => DhcpError::NotReleased {
                mac: request.container_mac,
                status,
            },
            failure => self.error(failure),
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

    fn error(&self, failure: Failure) -> DhcpError {
        let socket = self.socket.clone();
        match failure {
            Failure::Connect(error) => DhcpError::unreachable(socket, error),
            Failure::Broken(error) => DhcpError::Broken {
                socket,
                error: types::text::plain_error(&error.to_string()),
            },
            Failure::Malformed(fault) => self.malformed(fault),
            Failure::Status(status) => self.malformed(format!("the status {status}")),
        }
    }

    fn malformed(&self, fault: String) -> DhcpError {
        DhcpError::Malformed {
            socket: self.socket.clone(),
            fault,
        }
    }
}
