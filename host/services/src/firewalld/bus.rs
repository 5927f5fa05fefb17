//! A connection to a message bus, with a deadline for each call.

use std::future::Future;
use std::io::{Error, ErrorKind};
use std::time::Instant;

use nix::unistd::geteuid;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout_at;
use zbus::names::OwnedUniqueName;
use zbus::wire::DynamicType;
use zbus::{Connection, Message, connection};

use super::fault::Fault;
use super::{BusAddress, FirewalldError};

/// The name and the interface of the bus itself (D-Bus specification, "Message bus
/// messages").
pub(super) const BUS: &str = "org.freedesktop.DBus";
/// The object of the bus itself (D-Bus specification, "Message bus messages").
const BUS_PATH: &str = "/org/freedesktop/DBus";
/// The error for a name without an owner (D-Bus specification, "GetNameOwner").
const NO_OWNER: &str = "org.freedesktop.DBus.Error.NameHasNoOwner";

/// A connection to a message bus.
#[derive(Debug)]
pub(super) struct Bus {
    // Its tasks end with it, before their runtime does.
    connection: Connection,
    runtime: Runtime,
}

/// The method of a call.
pub(super) struct Call<'a> {
    /// The bus name of the called process. Calls to a unique name start no service.
    pub(super) to: &'a str,
    /// The object's path.
    pub(super) path: &'a str,
    /// The object's interface.
    pub(super) interface: &'a str,
    /// The method's name.
    pub(super) method: &'a str,
}

impl Bus {
    /// Connects to a bus that root or this user runs. Returns `None` if nothing listens at
    /// the address.
    pub(super) fn connect(
        address: &BusAddress,
        deadline: Instant,
    ) -> Result<Option<Self>, FirewalldError> {
        let runtime = runtime().map_err(|error| bus_error(address, &error))?;
        let connecting = within(deadline, async {
            let builder = connection::Builder::address(address.get());
            let connection = builder.build().await?;
            let peer = connection.peer_creds().await?.unix_user_id();
            Ok((connection, peer))
        });
        match runtime.block_on(connecting) {
            Ok((connection, peer)) => {
                check_peer(address, peer)?;
                Ok(Some(Self {
                    connection,
                    runtime,
                }))
            }
            Err(Stopped::Failed(error)) if is_absent(&error) => Ok(None),
            Err(Stopped::Failed(error)) => Err(bus_error(address, &error)),
            Err(Stopped::Late) => Err(FirewalldError::Deadline {
                action: "connect to the system bus".to_owned(),
            }),
        }
    }

    /// Calls a method and waits for the answer.
    pub(super) fn call<B>(
        &self,
        call: &Call<'_>,
        body: &B,
        deadline: Instant,
    ) -> Result<Message, Fault>
    where
        B: serde::Serialize + DynamicType,
    {
        let calling = self.connection.call_method(
            Some(call.to),
            call.path,
            Some(call.interface),
            call.method,
            body,
        );
        Ok(self.runtime.block_on(within(deadline, calling))?)
    }

    /// Calls a method of the bus itself.
    pub(super) fn call_bus<B>(
        &self,
        method: &str,
        body: &B,
        deadline: Instant,
    ) -> Result<Message, Fault>
    where
        B: serde::Serialize + DynamicType,
    {
        let call = Call {
            to: BUS,
            path: BUS_PATH,
            interface: BUS,
            method,
        };
        self.call(&call, body, deadline)
    }

    /// Returns the unique name of the process that owns a name, if there is one. No
    /// service is started.
    pub(super) fn owner_of(
        &self,
        name: &str,
        deadline: Instant,
    ) -> Result<Option<OwnedUniqueName>, Fault> {
        let reply = match self.call_bus("GetNameOwner", &name, deadline) {
            Err(Fault::Refused { name, .. }) if name == NO_OWNER => return Ok(None),
            reply => reply?,
        };
        let owner = reply.body().deserialize::<OwnedUniqueName>();
        owner
            .map(Some)
            .map_err(|_| Fault::Answer("it is no unique name"))
    }

    /// Waits on this connection until the future is ready or a deadline passes. Returns
    /// `None` in the latter case.
    pub(super) fn wait<F: Future>(
        &self,
        future: F,
        deadline: Option<Instant>,
    ) -> Option<F::Output> {
        self.runtime.block_on(async {
            match deadline {
                Some(deadline) => timeout_at(deadline.into(), future).await.ok(),
                None => Some(future.await),
            }
        })
    }

    /// Returns the connection.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Why an operation of the library has no result.
pub(super) enum Stopped {
    /// The deadline passed.
    Late,
    /// The library failed.
    Failed(zbus::Error),
}

/// Waits for the library until a deadline.
async fn within<T>(
    deadline: Instant,
    future: impl Future<Output = zbus::Result<T>>,
) -> Result<T, Stopped> {
    match timeout_at(deadline.into(), future).await {
        Ok(result) => result.map_err(Stopped::Failed),
        Err(_) => Err(Stopped::Late),
    }
}

/// Returns a runtime on the calling thread. It starts no other thread.
fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
}

/// Whether nothing listens at the address.
fn is_absent(error: &zbus::Error) -> bool {
    match error {
        zbus::Error::Connection(error, _) => {
            matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            )
        }
        _ => false,
    }
}

/// Refuses a bus that another user than root or this one runs. The kernel names the user
/// that opened the listening socket (SO_PEERCRED in unix(7)).
fn check_peer(address: &BusAddress, peer: Option<u32>) -> Result<(), FirewalldError> {
    let allowed = |user| user == 0 || user == geteuid().as_raw();
    match peer {
        Some(user) if allowed(user) => Ok(()),
        Some(user) => Err(FirewalldError::Foreign {
            address: address.to_string(),
            user,
        }),
        None => Err(bus_error(address, &"the kernel doesn't name its user")),
    }
}

fn bus_error(address: &BusAddress, cause: &dyn std::fmt::Display) -> FirewalldError {
    FirewalldError::Bus {
        address: address.to_string(),
        cause: super::fault::shown(&cause.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bus_of_root_or_oneself_is_used() {
        let address: BusAddress = "unix:path=/bus".parse().unwrap();
        assert!(check_peer(&address, Some(0)).is_ok());
        assert!(check_peer(&address, Some(geteuid().as_raw())).is_ok());
        for peer in [Some(geteuid().as_raw() + 1), None] {
            let error = check_peer(&address, peer).unwrap_err().to_string();
            assert!(error.contains("unix:path=/bus"), "{error}");
        }
    }
}
