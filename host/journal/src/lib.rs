//! What a driver has made or changed for one container on one network, and
//! how to undo it. It knows nothing of the driver.
//!
//! Each change is written here before it is made, in one append, and confirmed
//! afterwards. The journal lies on the runtime directory, where it vanishes
//! with the kernel state that it describes. It is also what "own" means: the
//! links that it says were made or moved.
//!
//! What the containers of a network share (a bridge) stands in the journal of
//! each of them, and goes with the last. The journals themselves are the count,
//! so a crash can't make it wrong.
//!
//! A journal that a setup left without calling it complete belongs to a run
//! that was killed: whoever has the network's lock next undoes it.

#![deny(unsafe_code)]

mod change;
mod disk;
mod entry;
mod file;
mod folder;
mod lock;
mod state;

pub use change::Change;
pub use entry::{Entry, SavedLink};
pub use file::{Here, Journal};
pub use folder::{all, networks, of_network};
pub use lock::{LockError, NetworkLock};
pub use state::{State, StateError, clear_unused, clear_unused_of, is_used_by_others, settle};

use std::path::PathBuf;

/// What folders of journals and locks get, whatever the umask.
const FOLDER_MODE: u32 = 0o700;
/// What the files in them get.
const FILE_MODE: u32 = 0o600;

/// Why the journal can't be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "can't {action} the journal {}: {error}; nothing is changed that can't be undone later, so \
     make room or give access there first",
    path.display()
)]
pub struct JournalError {
    action: &'static str,
    path: PathBuf,
    error: String,
}
