//! The undo records of a container on a network, and the network's lock. The crate
//! knows nothing of the driver.
//!
//! Each change is recorded here before it is made, in one append, and confirmed
//! afterwards. The journal is in the runtime directory, so it is lost together with
//! the kernel state that it describes. It also defines "own": a driver's own links are
//! those that its journal says were made or moved.
//!
//! A shared object, as a bridge, is in the journal of each container that uses it, and
//! is undone with the last of them. The journals are the reference count, so a crash
//! can't make it wrong.
//!
//! A journal without the line of a complete setup belongs to a killed run. The next
//! run that takes the network's lock undoes it. A mark beside the journals says which those
//! are, so that no run reads all of them.

#![deny(unsafe_code)]

mod change;
mod disk;
mod entry;
mod file;
mod folder;
mod lock;
mod maker;
mod marks;
mod state;

pub use change::{BridgeProperty, Change, VfLink};
pub use entry::{Entry, SavedLink};
pub use file::{Here, Journal, Others};
pub use folder::{all, networks, networks_of, of_network, some_of_network};
pub use lock::{FolderLock, Lock, LockError, NetworkLock};
pub use maker::maker_of;
pub use state::{State, StateError, clear_unused, clear_unused_of, is_used_by_others, settle};

use std::path::PathBuf;

/// The mode of folders of journals and locks. It doesn't depend on the umask.
const FOLDER_MODE: u32 = 0o700;
/// The mode of the files in them.
const FILE_MODE: u32 = 0o600;

/// Why the journal can't be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "can't {action} the journal {}: {error}; a change that can't be undone isn't made, so free \
     space or give access there first",
    path.display()
)]
pub struct JournalError {
    action: &'static str,
    path: PathBuf,
    error: String,
}
