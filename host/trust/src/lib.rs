//! Checks of the files and folders that the host believes. Precompiled code runs with
//! the host's own rights, a grant decides over the machine, and the host acts upon a
//! journal's records.
//!
//! A path is walked part by part, and so is each symbolic link on it. No other user
//! can choose the file at its end. Only root and this user can change where a trusted
//! path leads, so it's safe to check the path first and to open it afterwards.

#![deny(unsafe_code)]

mod known;
mod secrets;
mod walk;

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;

pub use known::check_folders_once;
pub use secrets::{SecretError, Secrets};
use walk::{End, Walk, owner_fault};

/// The bits of a mode that let group or others write.
const OTHERS_WRITE: u32 = 0o022;

/// Why a path isn't trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The path can't be read, or the folder can't be made.
    #[error("can't {action} {}: {error}", path.display())]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The part of the path.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// Another user could have written there.
    #[error(
        "{} {fault}, so what lies there can't be trusted: it and the folders above it must belong \
         to root or to the user who runs this and be writable by nobody else",
        path.display()
    )]
    Untrusted {
        /// The file, folder or link.
        path: PathBuf,
        /// The fault, with a verb first.
        fault: String,
    },
}

impl From<TrustError> for io::Error {
    fn from(error: TrustError) -> Self {
        match error {
            // The caller names the path, which is the error's as a rule.
            TrustError::Io { error, .. } => error,
            TrustError::Untrusted { .. } => Self::new(io::ErrorKind::PermissionDenied, error),
        }
    }
}

/// The rule for the folders above a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Above {
    /// Only root and this user may write to the folders above.
    Ours,
    /// A group may write to a folder above, as the group of syslog does to `/var/log`.
    /// The path's part in that folder must belong to root or this user.
    Groups,
    /// Anybody may write to them, as to netavark's plugin directories.
    Anybody,
}

/// Refuses a file that a user other than root and this one could have written or
/// replaced.
pub fn check(path: &Path) -> Result<(), TrustError> {
    there(Walk::new(Above::Ours).to(path, None)?)
}

fn there(end: End) -> Result<(), TrustError> {
    match end {
        End::There => Ok(()),
        End::Missing(part) => Err(TrustError::Io {
            action: "look at",
            path: part,
            error: io::ErrorKind::NotFound.into(),
        }),
    }
}

/// Refuses a program that a user other than root and this one could have written or
/// replaced. In rootless Podman's user namespace, the programs of the system are those of
/// the machine's root, who has no id there.
pub fn check_program(path: &Path) -> Result<(), TrustError> {
    there(Walk::to_program().to(path, None)?)
}

/// Checks the existing parts of a path.
pub fn check_existing(path: &Path, above: Above) -> Result<(), TrustError> {
    Walk::new(above).to(path, None).map(drop)
}

/// Makes a folder and the missing folders above it, and checks all of them. The mode
/// doesn't depend on the umask.
pub fn make_folder(path: &Path, mode: u32, above: Above) -> Result<(), TrustError> {
    Walk::new(above).to(path, Some(mode)).map(drop)
}

/// Opens one of this program's own files in a trusted folder, and checks the open
/// file. A symbolic link is refused. A new file gets `mode`, which doesn't depend on
/// the umask.
pub fn open(options: &mut OpenOptions, path: &Path, mode: u32) -> io::Result<File> {
    // A fifo must not keep the run waiting.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = options.mode(mode).custom_flags(flags.bits()).open(path);
    let file = opened.map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ELOOP) => io::Error::other("it is a symbolic link, which isn't followed here"),
        // A confined run can't open the file of another user. That is its fault.
        Some(Errno::EACCES) => untrusted(path).map_or(error, Into::into),
        _ => error,
    })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    check_open(path, &metadata)?;
    give_mode(&file, &metadata, mode)?;
    Ok(file)
}

/// Returns the fault of a file that can't be opened, if it has one.
fn untrusted(path: &Path) -> Option<TrustError> {
    let fault = fault(&std::fs::symlink_metadata(path).ok()?)?;
    Some(TrustError::Untrusted {
        path: path.to_owned(),
        fault,
    })
}

/// Checks the owner and mode of an open file.
pub fn check_open(path: &Path, metadata: &Metadata) -> io::Result<()> {
    match fault(metadata) {
        None => Ok(()),
        Some(fault) => Err(TrustError::Untrusted {
            path: path.to_owned(),
            fault,
        }
        .into()),
    }
}

/// Gives a new file the bits of its mode that the umask took away.
pub fn give_mode(file: &File, metadata: &Metadata, mode: u32) -> io::Result<()> {
    if metadata.mode() & mode == mode {
        return Ok(());
    }
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

/// Reads one of this program's own files, of at most `max` bytes.
pub fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    if let Some(folder) = path.parent() {
        check_existing(folder, Above::Ours)?;
    }
    let file = open(OpenOptions::new().read(true), path, 0)?;
    let mut bytes = Vec::new();
    let mut limited = file.take(max.saturating_add(1));
    if limited.get_ref().metadata()?.len() <= max {
        limited.read_to_end(&mut bytes)?;
        if limited.limit() > 0 {
            return Ok(bytes);
        }
    }
    Err(io::Error::other(format!(
        "it is longer than {max} bytes, the most that such a file can have"
    )))
}

/// Returns the fault in a file's own owner or mode, if it has one.
pub fn fault(metadata: &Metadata) -> Option<String> {
    owner_fault(metadata.uid()).or_else(|| {
        let open = metadata.mode() & OTHERS_WRITE != 0;
        open.then(|| "can be written by others".to_owned())
    })
}
