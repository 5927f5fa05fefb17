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

/// Allows this user no further process or thread, unless it is root of the machine, whom
/// the kernel doesn't limit. The filter allows threads only, in any case.
pub(crate) fn no_more_threads() -> Result<(), Errno> {
    lower(Resource::RLIMIT_NPROC, 0)
}

fn lower(resource: Resource, to: u64) -> Result<(), Errno> {
    let (_, hard) = getrlimit(resource)?;
    let to = to.min(hard);
    setrlimit(resource, to, to)
}
