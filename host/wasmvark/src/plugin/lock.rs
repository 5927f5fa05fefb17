//! The lock of a run on its network.

use std::fs::File;

use journal::{LockError, NetworkLock};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use types::{Key, NetworkId};

use crate::store::Layout;

/// Whether a run holds a network's lock.
pub(super) fn is_held(layout: &Layout, network: &NetworkId) -> bool {
    let Ok(file) = File::open(layout.locks().join(network.as_str())) else {
        return false;
    };
    let locked = Flock::lock(file, FlockArg::LockSharedNonblock);
    matches!(locked, Err((_, Errno::EWOULDBLOCK)))
}

/// Waits for the network's lock.
pub(super) fn take(layout: &Layout, key: &Key, command: &str) -> Result<NetworkLock, LockError> {
    let holder = format!("{command} of container {}", key.container);
    NetworkLock::take(&layout.locks(), &key.network, &holder)
}
