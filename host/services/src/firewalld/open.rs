//! Opening a connection to a message bus that can be believed.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use nix::unistd::geteuid;
use tokio::net::UnixStream;
use tokio::time::sleep;
use zbus::{Connection, connection};

use super::fault::shown;
use super::{BusAddress, FirewalldError};

/// The pause before the next attempt while the queue of the bus is full.
const PAUSE: Duration = Duration::from_millis(20);

/// Connects to a bus that root or this user runs. Returns `None` if nothing listens at the
/// address.
pub(super) async fn open(address: &BusAddress) -> Result<Option<Connection>, FirewalldError> {
    let stream = match dial(address.path()).await {
        Err(error) if is_absent(&error) => return Ok(None),
        stream => stream.map_err(|error| bus_error(address, error))?,
    };
    let peer = stream.peer_cred();
    check_user(
        address,
        peer.map_err(|error| bus_error(address, error))?.uid(),
    )?;
    let stream = stream.into_std();
    let stream = stream.map_err(|error| bus_error(address, error))?;
    let connection = connection::Builder::unix_stream(stream).build().await;
    connection
        .map(Some)
        .map_err(|error| bus_error(address, error))
}

/// Connects to a socket. A socket that doesn't block says at once that the queue is full
/// (connect(2), EAGAIN).
async fn dial(path: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(PAUSE).await,
            stream => return stream,
        }
    }
}

/// Whether nothing listens at the address.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused
    )
}

/// Refuses a bus of another user than root and this one. The user is the one that opened
/// the listening socket (SO_PEERCRED in unix(7)). Of the system bus, that is root: either
/// systemd or a `dbus-daemon` that hasn't given up its rights yet.
fn check_user(address: &BusAddress, user: u32) -> Result<(), FirewalldError> {
    if user == 0 || user == geteuid().as_raw() {
        return Ok(());
    }
    Err(FirewalldError::Foreign {
        address: address.to_string(),
        user,
    })
}

fn bus_error(address: &BusAddress, cause: impl Display) -> FirewalldError {
    FirewalldError::Bus {
        address: address.to_string(),
        cause: shown(&cause.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bus_of_root_or_oneself_is_used() {
        let address: BusAddress = "unix:path=/bus".parse().unwrap();
        assert!(check_user(&address, 0).is_ok());
        assert!(check_user(&address, geteuid().as_raw()).is_ok());
        let error = check_user(&address, geteuid().as_raw() + 1).unwrap_err();
        assert!(matches!(error, FirewalldError::Foreign { .. }));
        assert!(error.to_string().contains("unix:path=/bus"), "{error}");
    }
}
