//! What a kernel can't hold.

use std::fmt;

use landlock::{ABI, LandlockStatus};
use nix::errno::Errno;

use crate::{Needs, files, filter};

/// A part of the wall that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// The kernel has no Landlock, or it is switched off.
    NoLandlock,
    /// Landlock's version doesn't hold truncation (it does from Linux 6.2 on).
    OldLandlock(ABI),
    /// The kernel has no filters of system calls, or a container's own filter forbids
    /// them.
    NoSeccomp(Errno),
    /// Capabilities stay.
    Capabilities(String),
    /// A limit can't be set.
    Limits(Errno),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLandlock => f.write_str(
                "files aren't confined: this kernel has no Landlock, or `lsm=` on its command \
                 line leaves it out",
            ),
            Self::OldLandlock(version) => write!(
                f,
                "truncating files isn't confined: this kernel's Landlock is {version:?}, and \
                 that of Linux 6.2 is V3"
            ),
            Self::NoSeccomp(errno) => write!(
                f,
                "system calls aren't confined: this kernel has no seccomp filters \
                 (CONFIG_SECCOMP_FILTER), or they are forbidden here ({errno})"
            ),
            Self::Capabilities(error) => write!(f, "capabilities stay: {error}"),
            Self::Limits(errno) => write!(f, "limits of the process can't be set ({errno})"),
        }
    }
}

/// Returns what this kernel can't hold. A thread tries it, and ends.
pub fn gaps() -> Vec<Gap> {
    let tried = std::thread::spawn(|| {
        let held = files::rules(&Needs::default()).and_then(files::hold);
        let files = held.unwrap_or(Some(Gap::NoLandlock));
        files.into_iter().chain(filter::try_one().err()).collect()
    });
    tried.join().unwrap_or_default()
}

impl Gap {
    /// Returns what Landlock can't hold.
    pub(crate) fn of_landlock(status: &LandlockStatus) -> Option<Self> {
        match status {
            LandlockStatus::Available { effective_abi, .. } => {
                let version = *effective_abi;
                (version < ABI::V3).then_some(Self::OldLandlock(version))
            }
            LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => Some(Self::NoLandlock),
        }
    }
}
