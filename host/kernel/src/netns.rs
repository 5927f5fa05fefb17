//! Network namespaces: opening them safely and running work inside one.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, fstat};
use nix::sys::statfs::{NSFS_MAGIC, fstatfs};
use serde::{Deserialize, Serialize};

use super::inside_netns::Inside;

/// The file of the calling thread's namespace.
const OWN_NETNS: &str = "/proc/thread-self/ns/net";

/// The reason why a namespace can't be used.
#[derive(Debug, thiserror::Error)]
pub enum NetnsError {
    /// The file doesn't exist.
    #[error("the container's network namespace {} doesn't exist", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The file can't be opened.
    #[error("can't open the network namespace {}: {}", path.display(), errno.desc())]
    Open {
        /// The path.
        path: PathBuf,
        /// The reason.
        errno: Errno,
    },
    /// The file isn't a network namespace.
    #[error(
        "{} is no network namespace: give a path like /run/netns/NAME or /proc/PID/ns/net",
        path.display()
    )]
    NotNetns {
        /// The path.
        path: PathBuf,
    },
    /// The path leads to the host's namespace, in which Podman runs.
    #[error(
        "{} is the host's own network namespace: a container needs one of its own",
        path.display()
    )]
    IsHost {
        /// The path.
        path: PathBuf,
    },
    /// A thread can't enter the namespace.
    #[error("can't enter the network namespace: {}", errno.desc())]
    Enter {
        /// The reason; EPERM without CAP_SYS_ADMIN.
        errno: Errno,
    },
}

/// The identity of a namespace: the device and inode of its file in nsfs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NetnsId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl NetnsId {
    /// The identity of an imagined namespace. No file has these numbers.
    pub const IMAGINED: Self = Self {
        device: 0,
        inode: 0,
    };

    /// Returns the identity of the namespace whose file has this device and
    /// inode.
    pub fn new(device: u64, inode: u64) -> Self {
        Self { device, inode }
    }
}

/// An open network namespace. Clones share the file, and the thread inside.
#[derive(Debug, Clone)]
pub struct Netns(Arc<Open>);

#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: File,
    id: NetnsId,
    /// The thread that opened its own namespace, where it can work itself.
    own: Option<ThreadId>,
    inside: Mutex<Option<Inside>>,
}

impl Netns {
    /// Opens the namespace of this thread.
    pub fn current() -> Result<Self, NetnsError> {
        Self::open(Path::new(OWN_NETNS), Some(std::thread::current().id()))
    }

    /// Opens the container's namespace. Fails if it's `host`.
    pub fn container(path: &Path, host: &Self) -> Result<Self, NetnsError> {
        let netns = Self::open(path, None)?;
        if netns.id() == host.id() {
            return Err(NetnsError::IsHost {
                path: path.to_owned(),
            });
        }
        Ok(netns)
    }

    /// Opens a namespace file. The path is resolved once, without opening the
    /// file that it leads to. So a FIFO can't block, and no device is opened.
    fn open(path: &Path, own: Option<ThreadId>) -> Result<Self, NetnsError> {
        let failed = |errno| match errno {
            Errno::ENOENT | Errno::ENOTDIR => NetnsError::Missing {
                path: path.to_owned(),
            },
            errno => NetnsError::Open {
                path: path.to_owned(),
                errno,
            },
        };
        let resolved = nix::fcntl::open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())
            .map_err(failed)?;
        if fstatfs(&resolved).map_err(failed)?.filesystem_type() != NSFS_MAGIC {
            return Err(NetnsError::NotNetns {
                path: path.to_owned(),
            });
        }
        let itself = format!("/proc/self/fd/{}", resolved.as_raw_fd());
        let file = nix::fcntl::open(
            itself.as_str(),
            OFlag::O_RDONLY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )
        .map_err(failed)?;
        let stat = fstat(&file).map_err(failed)?;
        Ok(Self(Arc::new(Open {
            path: path.to_owned(),
            file: file.into(),
            id: NetnsId {
                device: stat.st_dev,
                inode: stat.st_ino,
            },
            own,
            inside: Mutex::new(None),
        })))
    }

    /// Returns the identity.
    pub fn id(&self) -> NetnsId {
        self.0.id
    }

    pub(super) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Returns the open file, for netlink attributes that name a namespace by
    /// its file descriptor.
    pub(super) fn file(&self) -> &File {
        &self.0.file
    }

    /// Runs work inside the namespace: here, if this thread has opened it as its own, or
    /// else on a thread that stays in the namespace until the last clone is dropped. So no
    /// failure can leave the caller there, and only the first work needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    ///
    /// A thread can't enter the namespace, or the work panics.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NetnsError> {
        if self.0.own == Some(std::thread::current().id()) {
            return Ok(work());
        }
        let mut inside = self.0.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = match inside.take() {
            Some(thread) => thread,
            None => Inside::enter(self)?,
        };
        let done = thread.run(work);
        *inside = Some(thread);
        done.ok_or(NetnsError::Enter {
            errno: Errno::EFAULT,
        })
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.file.as_fd()
    }
}
