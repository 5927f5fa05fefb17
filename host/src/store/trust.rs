//! Who could have written a file: precompiled code runs with the host's own
//! rights, and a grant decides over the machine.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::StoreError;

/// What the kernel shows for an owner that a user namespace has no number for
/// (`/proc/sys/kernel/overflowuid`).
pub const OVERFLOW_UID: u32 = 65534;
/// The bits of a mode that let group or others write.
const OTHERS_WRITE: u32 = 0o022;
/// The bit that keeps others from replacing what isn't theirs in a folder.
const STICKY: u32 = 0o1000;

/// Refuses a file that somebody other than root or this user could have
/// written or replaced: by its owner and mode, and by those of each folder
/// above it.
pub fn check(path: &Path) -> Result<(), StoreError> {
    for (depth, part) in path.ancestors().enumerate() {
        if part.as_os_str().is_empty() {
            continue;
        }
        let metadata = std::fs::metadata(part).map_err(StoreError::io("look at", part))?;
        if let Some(fault) = fault(&metadata, depth > 0) {
            return Err(StoreError::Untrusted {
                path: part.to_owned(),
                fault,
            });
        }
    }
    Ok(())
}

pub(super) fn fault(metadata: &Metadata, above: bool) -> Option<&'static str> {
    let owner = metadata.uid();
    let ours = owner == 0 || owner == nix::unistd::geteuid().as_raw();
    // In a user namespace the machine's root has no number, and the folders
    // above the user's own are root's.
    let roots = above && owner == OVERFLOW_UID && super::rootless_user().is_some();
    if !ours && !roots {
        return Some("belongs to another user");
    }
    let mode = metadata.mode();
    if mode & OTHERS_WRITE != 0 && !(above && mode & STICKY != 0) {
        return Some("can be written by others");
    }
    None
}
