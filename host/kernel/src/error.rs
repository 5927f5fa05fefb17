//! Errors of the kernel's operations.

use nix::errno::Errno;
use types::Namespace;

/// Why the kernel didn't do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KernelError {
    /// The kernel answered with an error number.
    #[error("{} ({errno:?})", errno.desc())]
    Errno {
        /// The number.
        errno: Errno,
    },
    /// There is no such namespace in this run.
    #[error("the {0}'s network namespace doesn't exist in this run")]
    NoNamespace(Namespace),
    /// Nothing has the property that was looked for.
    #[error("{0}")]
    NotFound(String),
    /// The time of the run is over.
    #[error("the time of the run was over while the kernel worked on it")]
    Deadline,
    /// It can't be done as things are; the text says what to do about it.
    #[error("{text} ({errno:?})")]
    Refused {
        /// The number that the kernel has for it.
        errno: Errno,
        /// What is in the way.
        text: String,
    },
    /// The conversation with the kernel broke down.
    #[error("netlink failed: {0}")]
    Netlink(String),
    /// It failed halfway: something may have changed.
    #[error("{0}")]
    Unfinished(Box<KernelError>),
}

impl From<Errno> for KernelError {
    fn from(errno: Errno) -> Self {
        Self::Errno { errno }
    }
}

impl KernelError {
    /// The error number, where the kernel gave one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Errno { errno } | Self::Refused { errno, .. } => Some(*errno),
            Self::Unfinished(error) => error.errno(),
            _ => None,
        }
    }

    /// The object isn't there (any more).
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::NotFound(_) | Self::NoNamespace(_) => true,
            Self::Errno { errno } => matches!(
                errno,
                Errno::ENODEV | Errno::ENOENT | Errno::ESRCH | Errno::EADDRNOTAVAIL
            ),
            Self::Refused { .. } | Self::Deadline | Self::Netlink(_) | Self::Unfinished(_) => false,
        }
    }

    /// Whether somebody else has what is to be made.
    pub fn is_taken(&self) -> bool {
        self.errno() == Some(Errno::EEXIST)
    }

    /// Whether it's unknown what was changed.
    pub fn is_unclear(&self) -> bool {
        matches!(
            self,
            Self::Deadline | Self::Netlink(_) | Self::Unfinished(_)
        )
    }

    /// The same for one of several steps, of which so many were done.
    pub(super) fn after(self, done: usize) -> Self {
        match done {
            0 => self,
            _ => self.unfinished(),
        }
    }

    /// The same for an operation of which a step before this one was done.
    pub(super) fn unfinished(self) -> Self {
        if self.is_unclear() {
            return self;
        }
        Self::Unfinished(Box::new(self))
    }
}
