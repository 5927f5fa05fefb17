//! The address of the system bus.

use std::env::{self, VarError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use types::text::{plain, shortened};
use zbus::Address;
use zbus::address::Transport;
use zbus::address::transport::UnixSocket;

use super::FirewalldError;

/// The variable that moves the system bus (D-Bus specification, "System message bus").
const VARIABLE: &str = "DBUS_SYSTEM_BUS_ADDRESS";
/// The address of the system bus without that variable (D-Bus specification, "System
/// message bus"). `/var/run` leads to `/run` wherever both exist.
const DEFAULT: &str = "unix:path=/run/dbus/system_bus_socket";
/// The longest address that an error shows, in bytes.
const SHOWN_MAX: usize = 200;

/// The address of a message bus: the path of a UNIX domain socket.
///
/// The other kinds of D-Bus addresses are refused. Some of them run programs, some lead
/// to other hosts, and any user can claim an abstract socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusAddress(PathBuf);

impl BusAddress {
    /// Returns the address of the system bus: that in `DBUS_SYSTEM_BUS_ADDRESS`, as in
    /// netavark, or `/run/dbus/system_bus_socket`. Returns `None` if the variable is there
    /// and empty, which means that there is no bus.
    ///
    /// # Errors
    ///
    /// Fails if the variable holds another kind of address than one path.
    pub fn system() -> Result<Option<Self>, FirewalldError> {
        Self::of(env::var(VARIABLE))
    }

    fn of(variable: Result<String, VarError>) -> Result<Option<Self>, FirewalldError> {
        match variable {
            Ok(address) if address.is_empty() => Ok(None),
            Ok(address) => address.parse().map(Some),
            Err(VarError::NotPresent) => DEFAULT.parse().map(Some),
            Err(VarError::NotUnicode(address)) => {
                Err(refused(&address.to_string_lossy(), "is not UTF-8"))
            }
        }
    }

    /// Returns the path of the socket.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl FromStr for BusAddress {
    type Err = FirewalldError;

    /// Reads an address such as `unix:path=/run/dbus/system_bus_socket`.
    fn from_str(text: &str) -> Result<Self, FirewalldError> {
        // The library takes a list of addresses for one path.
        if text.contains(';') {
            return Err(refused(text, "holds several addresses"));
        }
        let address = Address::from_str(text).map_err(|_| refused(text, "is no D-Bus address"))?;
        match path(&address) {
            Some(path) if path.is_absolute() => Ok(Self(path.to_owned())),
            Some(_) => Err(refused(text, "has a relative path")),
            None => Err(refused(text, "is not the path of a socket")),
        }
    }
}

impl fmt::Display for BusAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&format!("unix:path={}", self.0.display())))
    }
}

/// Returns the path of the socket, if the address has one.
fn path(address: &Address) -> Option<&Path> {
    match address.transport() {
        Transport::Unix(unix) => match unix.path() {
            UnixSocket::File(path) => Some(path),
            _ => None,
        },
        _ => None,
    }
}

fn refused(address: &str, fault: &'static str) -> FirewalldError {
    FirewalldError::Address {
        address: shown(address),
        fault,
    }
}

fn shown(address: &str) -> String {
    plain(&shortened(address, SHOWN_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_path_is_an_address() {
        for good in [
            DEFAULT,
            "unix:path=/a,guid=0123456789abcdef0123456789abcdef",
        ] {
            assert!(good.parse::<BusAddress>().is_ok(), "{good}");
        }
        for (bad, fault) in [
            ("unix:abstract=/tmp/x", "is not the path of a socket"),
            ("unix:dir=/tmp", "is not the path of a socket"),
            ("tcp:host=192.0.2.1,port=1", "is not the path of a socket"),
            ("unixexec:path=/bin/sh", "is no D-Bus address"),
            ("unix:path=bus", "has a relative path"),
            ("unix:path=/a;unix:path=/b", "holds several addresses"),
            ("", "is no D-Bus address"),
        ] {
            let error = bad.parse::<BusAddress>().unwrap_err().to_string();
            assert!(error.contains(fault), "{bad}: {error}");
        }
    }

    #[test]
    fn an_empty_variable_means_that_there_is_no_bus() {
        assert_eq!(BusAddress::of(Ok(String::new())).unwrap(), None);
        let usual = BusAddress::of(Err(VarError::NotPresent)).unwrap();
        assert_eq!(usual, Some(DEFAULT.parse().unwrap()));
        let own = BusAddress::of(Ok("unix:path=/a".to_owned())).unwrap();
        assert_eq!(own, Some("unix:path=/a".parse().unwrap()));
        assert!(BusAddress::of(Ok("bus".to_owned())).is_err());
    }

    #[test]
    fn an_error_shows_no_control_characters() {
        let error = format!("\u{1b}[2J{}", "x".repeat(1000));
        let error = error.parse::<BusAddress>().unwrap_err().to_string();
        assert!(!error.contains('\u{1b}') && error.len() < 500, "{error}");
    }
}
