//! Limits of the process (getrlimit(2)).

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::Needs;

/// The most open files. A run has a few dozen.
const OPEN_FILES: u64 = 256;

/// Sets the limits, for good. None is raised.
pub(crate) fn set(needs: &Needs) -> Result<(), Errno> {
    lower(Resource::RLIMIT_CORE, 0)?;
    lower(Resource::RLIMIT_NOFILE, OPEN_FILES)?;
    lower(Resource::RLIMIT_FSIZE, needs.file_size)?;
    lower(Resource::RLIMIT_DATA, needs.memory)
}

/// Allows this user no further thread, once all of a run are there. Root of the machine is
/// an exception for the kernel. The filter allows no process in any case.
pub fn no_more_threads() {
    // Without it, the run has the same rights.
    let _ = lower(Resource::RLIMIT_NPROC, 0);
}

fn lower(resource: Resource, to: u64) -> Result<(), Errno> {
    let (_, hard) = getrlimit(resource)?;
    let to = to.min(hard);
    setrlimit(resource, to, to)
}
