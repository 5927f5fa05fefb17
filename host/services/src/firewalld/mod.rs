//! The client of firewalld, over D-Bus. While firewalld runs, it rejects what a bridge's
//! containers send outside, whatever the tables of others accept. Subnets that are
//! sources of its zone `trusted` pass.
//!
//! Sources are added at run time only: `firewall-cmd --reload` and a restart of firewalld
//! forget them. [`Reloads`] says when to add them again.
//!
//! firewalld is never started, because each call goes to the process that owns its bus
//! name. Only root may change firewalld, so rootless Podman has no use for this.
//!
//! A message has at most the size that the bus allows (`max_message_size` in
//! dbus-daemon(1), 32 MiB as a rule), and never more than 128 MiB. Texts from outside
//! are shortened and stripped of control characters before they go into errors.

mod address;
mod bus;
mod error;
#[cfg(test)]
mod fake;
mod fault;
mod open;
mod overlap;
mod reloads;
mod setting;
#[cfg(test)]
mod tests;
mod zone;

use std::time::Instant;

use types::user::rootless_user;
use zbus::Message;
use zbus::names::OwnedUniqueName;
use zbus::wire::DynamicType;

pub use address::BusAddress;
use bus::{Bus, Call};
pub use error::FirewalldError;
use fault::Fault;
pub use overlap::Overlap;
pub use reloads::{Reload, Reloads};
pub use setting::State;
pub use zone::{Added, Removed, Source};

/// The bus name of firewalld, and its main interface (firewalld.dbus(5)).
const NAME: &str = "org.fedoraproject.FirewallD1";
/// The object of the firewall at run time (firewalld.dbus(5)).
const PATH: &str = "/org/fedoraproject/FirewallD1";
/// The zone that accepts all packets (firewalld.zones(5)).
const TRUSTED: &str = "trusted";

/// The firewalld of this host. It is the process that ran at the time of
/// [`Firewalld::connect`]: after a restart, calls fail with [`FirewalldError::Gone`].
///
/// Each call blocks until firewalld answers or the deadline has passed. The calls must
/// not be made inside an asynchronous runtime.
#[derive(Debug)]
pub struct Firewalld {
    bus: Bus,
    owner: OwnedUniqueName,
}

impl Firewalld {
    /// Connects to firewalld on the system bus, whose address [`BusAddress::system`]
    /// finds. Returns `None` if there is no system bus, or if firewalld doesn't run or runs
    /// in another network namespace, whose firewall it is. Returns `None` to a plugin of
    /// rootless Podman too, since only root may change firewalld.
    ///
    /// # Errors
    ///
    /// Fails if the address of the bus isn't safe, and if the bus refuses the connection,
    /// belongs to another user or doesn't answer before the deadline.
    pub fn connect(deadline: Instant) -> Result<Option<Self>, FirewalldError> {
        if rootless_user().is_some() {
            return Ok(None);
        }
        match BusAddress::system()? {
            Some(address) => Self::connect_to(&address, deadline),
            None => Ok(None),
        }
    }

    /// Connects to firewalld on the bus at an address, as [`Firewalld::connect`] does on
    /// the system bus.
    ///
    /// # Errors
    ///
    /// Fails as [`Firewalld::connect`] does.
    pub(super) fn connect_to(
        address: &BusAddress,
        deadline: Instant,
    ) -> Result<Option<Self>, FirewalldError> {
        let Some(bus) = Bus::connect(address, deadline)? else {
            return Ok(None);
        };
        let Some(owner) = find_owner(&bus, deadline)? else {
            return Ok(None);
        };
        let found = bus.process_of(&owner, deadline);
        let process = found.map_err(|fault| fault.during("find firewalld's process"))?;
        Ok(process
            .is_none_or(shares_netns)
            .then(|| Self { bus, owner }))
    }

    /// Calls a method of firewalld. A reply from another process is refused.
    fn call<B>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
        deadline: Instant,
    ) -> Result<Message, Fault>
    where
        B: serde::Serialize + DynamicType,
    {
        let call = Call {
            to: self.owner.as_str(),
            path,
            interface,
            method,
        };
        let reply = self.bus.call(&call, body, deadline)?;
        match reply.header().sender() {
            Some(sender) if sender.as_str() == self.owner.as_str() => Ok(reply),
            _ => Err(Fault::Answer("it came from another process")),
        }
    }
}

/// Whether a process has this process's network namespace. One that can't be told is
/// taken for one that has.
fn shares_netns(process: u32) -> bool {
    let netns = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net"));
    match (netns("self"), netns(&process.to_string())) {
        (Ok(own), Ok(its)) => own == its,
        _ => true,
    }
}

/// Returns the process that owns firewalld's bus name, if there is one.
fn find_owner(bus: &Bus, deadline: Instant) -> Result<Option<OwnedUniqueName>, FirewalldError> {
    bus.owner_of(NAME, deadline)
        .map_err(|fault| fault.during("find firewalld on the system bus"))
}
