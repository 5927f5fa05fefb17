//! A run's turn on its network, and what killed runs left there.

use engine::rollback::{Rollback, UndoError};
use journal::{JournalError, LockError, NetworkLock};
use types::Key;

use crate::store::Layout;

/// Waits for this run's turn.
pub(super) fn take(layout: &Layout, key: &Key, command: &str) -> Result<NetworkLock, LockError> {
    let holder = format!("{command} of container {}", key.container);
    NetworkLock::take(&layout.locks(), &key.network, &holder)
}

/// Undoes what killed setups of other containers left of this network on the
/// host. Whoever has the network's lock knows that none of them runs.
pub(super) fn recover_others(
    rollback: &mut Rollback,
    _turn: &NetworkLock,
) -> Result<Vec<UndoError>, JournalError> {
    let mut errors = Vec::new();
    for other in rollback.abandoned_journals()? {
        errors.extend(rollback.undo_abandoned(other));
    }
    errors.extend(rollback.clear_unused_state());
    Ok(errors)
}
