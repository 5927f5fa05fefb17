//! The state and the settings of firewalld.

use std::time::Instant;

use zbus::wire::Variant;

use super::fault::{Fault, shown};
use super::{Firewalld, FirewalldError, NAME, PATH};

/// The interface of properties (D-Bus specification, "Standard Interfaces").
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// The object of the permanent settings (firewalld.dbus(5)).
const CONFIG_PATH: &str = "/org/fedoraproject/FirewallD1/config";
/// The interface of the permanent settings (firewalld.dbus(5)).
const CONFIG: &str = "org.fedoraproject.FirewallD1.config";
/// The setting in `/etc/firewalld/firewalld.conf` (firewalld.conf(5)). firewalld has it
/// since 2.3.
const STRICT: &str = "StrictForwardPorts";

/// The state of firewalld (firewalld.dbus(5), property `state`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It starts.
    Init,
    /// Its rules are in place.
    Running,
    /// It runs, but its rules couldn't be set.
    Failed,
    /// A state that this version doesn't know, shortened and without control characters.
    Other(String),
}

impl Firewalld {
    /// Returns the state of firewalld.
    ///
    /// Equivalent to `firewall-cmd --state`.
    ///
    /// # Errors
    ///
    /// Fails if firewalld has gone, refuses or doesn't answer before the deadline.
    pub fn state(&self, deadline: Instant) -> Result<State, FirewalldError> {
        let state = self.property(PATH, NAME, "state", deadline);
        match state.map_err(|fault| fault.during("read the state of firewalld"))? {
            state if state == "INIT" => Ok(State::Init),
            state if state == "RUNNING" => Ok(State::Running),
            state if state == "FAILED" => Ok(State::Failed),
            state => Ok(State::Other(shown(&state))),
        }
    }

    /// Whether firewalld lets only the ports through that are forwarded with firewalld's
    /// own means: `StrictForwardPorts` in firewalld.conf(5). A firewalld without the
    /// setting, before 2.3, lets all through. A change of firewalld.conf counts from
    /// firewalld's next reload on.
    ///
    /// # Errors
    ///
    /// Fails if firewalld has gone, refuses, answers neither yes nor no, or doesn't
    /// answer before the deadline.
    pub fn strict_forward_ports(&self, deadline: Instant) -> Result<bool, FirewalldError> {
        match self.property(CONFIG_PATH, CONFIG, STRICT, deadline) {
            Ok(value) => yes_or_no(&value),
            Err(fault) if is_unknown(&fault) => Ok(false),
            Err(fault) => Err(fault),
        }
        .map_err(|fault| fault.during(format!("read firewalld's setting {STRICT}")))
    }

    /// Reads a property that is a text.
    fn property(
        &self,
        path: &str,
        interface: &str,
        name: &str,
        deadline: Instant,
    ) -> Result<String, Fault> {
        let reply = self.call(path, PROPERTIES, "Get", &(interface, name), deadline)?;
        let body = reply.body();
        match body.deserialize::<Variant<'_>>() {
            Ok(Variant::Str(text)) => Ok(text.as_str().to_owned()),
            _ => Err(Fault::Answer("it is no text")),
        }
    }
}

/// Reads a boolean of firewalld.conf(5). Case doesn't matter there.
fn yes_or_no(value: &str) -> Result<bool, Fault> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(Fault::Answer("it is neither yes nor no")),
    }
}

/// Whether firewalld doesn't know the property. It answers with an error of its D-Bus
/// library, whose text has the name and the text of the documented one.
fn is_unknown(fault: &Fault) -> bool {
    match fault {
        Fault::Refused { name, text } => {
            let named = |error: &str| name == error || text.contains(error);
            named("org.freedesktop.DBus.Error.InvalidArgs")
                || named("org.freedesktop.DBus.Error.UnknownProperty")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_yes_or_no() {
        for (value, is) in [
            ("yes", true),
            ("True", true),
            ("no", false),
            ("False", false),
        ] {
            assert_eq!(yes_or_no(value).unwrap(), is);
        }
        assert!(yes_or_no("maybe").is_err());
    }
}
