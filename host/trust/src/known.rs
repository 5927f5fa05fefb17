//! The folders that a run has checked before.
//!
//! A folder that belongs to root or this user, and that nobody else can write to, is
//! changed by nobody else from then on, if that was so for all folders above it, too. So a
//! run, which lasts seconds, looks at each once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

static KNOWN: OnceLock<Mutex<HashSet<PathBuf>>> = OnceLock::new();

/// Has this process check each folder above its files once. A process that goes on for
/// longer than a run doesn't do that.
pub fn check_folders_once() {
    let _ = KNOWN.set(Mutex::default());
}

/// Whether a folder was checked before.
pub(crate) fn has(folder: &Path) -> bool {
    let known = KNOWN.get().map(|known| known.lock());
    known.is_some_and(|known| {
        known
            .unwrap_or_else(PoisonError::into_inner)
            .contains(folder)
    })
}

/// Adds a folder that was checked with all that are above it.
pub(crate) fn add(folder: &Path) {
    if let Some(known) = KNOWN.get() {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(folder.to_owned());
    }
}
