//! A run's turn on its network, and what killed runs left there.

use crate::gate::{Gate, UndoError};
use crate::journal::{self, Journal, JournalError, LockError, NetworkLock};
use crate::request::Key;
use crate::store::Layout;

/// Waits for this run's turn.
pub(super) fn take(layout: &Layout, key: &Key, command: &str) -> Result<NetworkLock, LockError> {
    let holder = format!("{command} of container {}", key.container);
    NetworkLock::take(&layout.locks(), &key.network, &holder)
}

/// Undoes what killed setups of other containers left of this network on the
/// host. Whoever has the network's lock knows that none of them runs.
pub(super) fn recover_others(
    gate: &mut Gate,
    layout: &Layout,
    own: &Key,
    _turn: &NetworkLock,
) -> Result<Vec<UndoError>, JournalError> {
    let folder = layout.journals();
    let mut errors = Vec::new();
    for key in journal::all(&folder) {
        if key.network != own.network || key.container == own.container {
            continue;
        }
        let other = Journal::open(&folder, &key, None)?;
        if other.is_abandoned() {
            errors.extend(gate.undo_abandoned(other));
        }
    }
    Ok(errors)
}
