//! Errors of operations on the kernel.

use nix::errno::Errno;
use types::Namespace;

/// The failure of an operation on the kernel.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KernelError {
    /// The kernel answered with an error number.
    #[error("{} ({errno:?})", errno.desc())]
    Errno {
        /// The number.
        errno: Errno,
    },
    /// The run has no such namespace.
    #[error("the {0}'s network namespace doesn't exist in this run")]
    NoNamespace(Namespace),
    /// No object has the given properties.
    #[error("{0}")]
    NotFound(String),
    /// The run's deadline is over.
    #[error("the time of the run was over before the kernel finished")]
    Deadline,
    /// The operation isn't possible in the present state. The text says what to
    /// do.
    #[error("{text} ({errno:?})")]
    Refused {
        /// The kernel's number for this error.
        errno: Errno,
        /// The obstacle and its remedy.
        text: String,
    },
    /// The exchange of messages with the kernel failed.
    #[error("netlink failed: {0}")]
    Netlink(String),
    /// The operation failed halfway, and may have changed something.
    #[error("{0}")]
    Unfinished(Box<KernelError>),
}

impl From<Errno> for KernelError {
    fn from(errno: Errno) -> Self {
        Self::Errno { errno }
    }
}

impl KernelError {
    /// Returns the error number, if the kernel gave one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Errno { errno } | Self::Refused { errno, .. } => Some(*errno),
            Self::Unfinished(error) => error.errno(),
            _ => None,
        }
    }

    /// Whether the object doesn't exist (any more).
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

    /// Whether the object to be made exists already.
    pub fn is_taken(&self) -> bool {
        self.errno() == Some(Errno::EEXIST)
    }

    /// Whether the operation may have changed something all the same.
    pub fn is_unclear(&self) -> bool {
        matches!(
            self,
            Self::Deadline | Self::Netlink(_) | Self::Unfinished(_)
        )
    }

    /// Returns the error of an operation of which a number of steps were done
    /// before.
    pub(super) fn after(self, done: usize) -> Self {
        match done {
            0 => self,
            _ => self.unfinished(),
        }
    }

    /// Returns the error of an operation of which an earlier step was done.
    pub(super) fn unfinished(self) -> Self {
        if self.is_unclear() {
            return self;
        }
        Self::Unfinished(Box::new(self))
    }
}
