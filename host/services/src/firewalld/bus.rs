//! A connection to a message bus, with a deadline for each call.

use std::future::Future;
use std::io;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout_at;
use zbus::names::OwnedUniqueName;
use zbus::wire::DynamicType;
use zbus::{Connection, Message};

use super::fault::Fault;
use super::open::open;
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
        let runtime = runtime().map_err(|error| FirewalldError::Bus {
            address: address.to_string(),
            cause: error.to_string(),
        })?;
        let connection = match runtime.block_on(until(deadline, open(address))) {
            Some(connection) => connection?,
            None => return Err(Fault::Deadline.during("connect to the system bus")),
        };
        Ok(connection.map(|connection| Self {
            connection,
            runtime,
        }))
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
        match self.wait(calling, Some(deadline)) {
            Some(reply) => Ok(reply?),
            None => Err(Fault::Deadline),
        }
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

    /// Returns the number of the process behind a unique name. A process of another PID
    /// namespace has none.
    pub(super) fn process_of(
        &self,
        name: &OwnedUniqueName,
        deadline: Instant,
    ) -> Result<Option<u32>, Fault> {
        match self.call_bus("GetConnectionUnixProcessID", &name.as_str(), deadline) {
            Err(Fault::Refused { .. }) => Ok(None),
            reply => Ok(reply?
                .body()
                .deserialize::<u32>()
                .ok()
                .filter(|pid| *pid > 0)),
        }
    }

    /// Waits on this connection until the future is ready or a deadline passes. Returns
    /// `None` in the latter case.
    pub(super) fn wait<F: Future>(
        &self,
        future: F,
        deadline: Option<Instant>,
    ) -> Option<F::Output> {
        match deadline {
            Some(deadline) => self.runtime.block_on(until(deadline, future)),
            None => Some(self.runtime.block_on(future)),
        }
    }

    /// Returns the connection.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Waits until the future is ready or the deadline passes. Returns `None` in the latter
/// case.
async fn until<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    timeout_at(deadline.into(), future).await.ok()
}

/// Returns a runtime on the calling thread. It starts no other thread.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
}
