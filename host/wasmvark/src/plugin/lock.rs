//! The lock of a run on its network.

use journal::{LockError, NetworkLock};
use types::Key;

use crate::store::Layout;

/// Waits for the network's lock.
pub(super) fn take(layout: &Layout, key: &Key, command: &str) -> Result<NetworkLock, LockError> {
    let holder = format!("{command} of container {}", key.container);
    NetworkLock::take(&layout.locks(), &key.network, &holder)
}
