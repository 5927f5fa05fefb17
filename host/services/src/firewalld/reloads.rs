//! Waiting for reloads and restarts of firewalld.

use std::time::Instant;

use futures_util::StreamExt;
use types::user::rootless_user;
use zbus::message::{Header, Type};
use zbus::{Message, MessageStream};

use super::bus::{BUS, Bus};
use super::fault::Fault;
use super::{BusAddress, FirewalldError, NAME, PATH, find_owner};

/// The bus's signal about the owner of a name (D-Bus specification, "NameOwnerChanged").
const OWNER_CHANGED: &str = "NameOwnerChanged";
/// firewalld's signal after a reload (firewalld.dbus(5)).
const RELOADED: &str = "Reloaded";

/// What happened to firewalld. Sources that were added at run time are gone after each of
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// firewalld reloaded its settings.
    Reloaded,
    /// firewalld started, or another process took over its bus name.
    Started,
    /// firewalld stopped. A restart is this and then [`Reload::Started`].
    Stopped,
}

/// A watch for reloads and restarts of firewalld. firewalld needn't run.
///
/// No event is lost between two calls of [`Reloads::wait`], but one that falls into the
/// time of [`Reloads::connect`] may be reported although it has passed.
#[derive(Debug)]
pub struct Reloads {
    // Its queue ends before the connection does.
    messages: MessageStream,
    bus: Bus,
    /// The unique name of firewalld's process.
    owner: Option<String>,
}

impl Reloads {
    /// Watches on the system bus, whose address [`BusAddress::system`] finds. Returns
    /// `None` if there is no system bus, and to a plugin of rootless Podman.
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

    /// Watches on the bus at an address, as [`Reloads::connect`] does on the system bus.
    ///
    /// # Errors
    ///
    /// Fails as [`Reloads::connect`] does.
    pub(super) fn connect_to(
        address: &BusAddress,
        deadline: Instant,
    ) -> Result<Option<Self>, FirewalldError> {
        let Some(bus) = Bus::connect(address, deadline)? else {
            return Ok(None);
        };
        let messages = MessageStream::from(bus.connection());
        subscribe(&bus, deadline)
            .map_err(|fault| fault.during("watch firewalld on the system bus"))?;
        let owner = find_owner(&bus, deadline)?.map(|owner| owner.to_string());
        Ok(Some(Self {
            messages,
            bus,
            owner,
        }))
    }

    /// Waits until firewalld reloads, starts or stops, and returns which of them happened.
    /// Returns `None` if the deadline passes first. Without a deadline, it waits for good.
    ///
    /// # Errors
    ///
    /// Fails if the connection to the bus ends.
    pub fn wait(&mut self, deadline: Option<Instant>) -> Result<Option<Reload>, FirewalldError> {
        let Self {
            messages,
            bus,
            owner,
        } = self;
        let event = bus.wait(next(messages, owner), deadline);
        event
            .transpose()
            .map_err(|fault| fault.during("wait for reloads of firewalld"))
    }
}

#[cfg(test)]
impl Reloads {
    /// Returns the unique name of this connection.
    pub(super) fn name(&self) -> &str {
        self.bus.connection().unique_name().unwrap().as_str()
    }
}

/// Asks the bus for the signals. The bus delivers `Reloaded` of firewalld only.
fn subscribe(bus: &Bus, deadline: Instant) -> Result<(), Fault> {
    let owner = format!(
        "type='signal',sender='{BUS}',interface='{BUS}',member='{OWNER_CHANGED}',arg0='{NAME}'"
    );
    let reload = format!(
        "type='signal',sender='{NAME}',path='{PATH}',interface='{NAME}',member='{RELOADED}'"
    );
    for rule in [owner, reload] {
        bus.call_bus("AddMatch", &rule, deadline)?;
    }
    Ok(())
}

/// Reads messages until one is an event.
async fn next(messages: &mut MessageStream, owner: &mut Option<String>) -> Result<Reload, Fault> {
    loop {
        let message = messages.next().await.ok_or(Fault::Lost)??;
        if let Some(event) = event(&message, owner) {
            return Ok(event);
        }
    }
}

/// Returns the event that a message is, and keeps the name of firewalld's process. Any
/// user can send a signal to this process, so its sender is compared.
fn event(message: &Message, owner: &mut Option<String>) -> Option<Reload> {
    if message.message_type() != Type::Signal {
        return None;
    }
    let header = message.header();
    let sender = header.sender()?.as_str();
    if sender == BUS && is(&header, BUS, OWNER_CHANGED) {
        let body = message.body();
        let (name, _, new) = body.deserialize::<(&str, &str, &str)>().ok()?;
        return (name == NAME).then(|| change(owner, new));
    }
    let genuine = owner.as_deref() == Some(sender);
    (genuine && is(&header, NAME, RELOADED)).then_some(Reload::Reloaded)
}

/// Whether a signal has this interface and this name.
fn is(header: &Header<'_>, interface: &str, member: &str) -> bool {
    let has_interface = header
        .interface()
        .is_some_and(|name| name.as_str() == interface);
    has_interface && header.member().is_some_and(|name| name.as_str() == member)
}

/// Keeps the new owner of firewalld's name, which is empty if nobody owns it.
fn change(owner: &mut Option<String>, new: &str) -> Reload {
    *owner = (!new.is_empty()).then(|| new.to_owned());
    match owner {
        Some(_) => Reload::Started,
        None => Reload::Stopped,
    }
}
