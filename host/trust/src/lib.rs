//! Who could have written a file: precompiled code runs with the host's own
//! rights, a grant decides over the machine, and what a journal says is done.
//!
//! A path is walked part by part, and so is each link on the way, so that
//! nobody else can choose what is met at its end. Once a path is trusted, only
//! root and this user can change where it leads: looking first and opening
//! afterwards is safe.

#![deny(unsafe_code)]

mod secrets;
mod walk;

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;

pub use secrets::{SecretError, Secrets};
use walk::{End, Walk, owner_fault};

/// The bits of a mode that let group or others write.
const OTHERS_WRITE: u32 = 0o022;

/// Why a path isn't trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It can't be looked at, or made.
    #[error("can't {action} {}: {error}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which part of the path.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
    /// Somebody else could have written there.
    #[error(
        "{} {fault}, so what lies there can't be trusted: it and the folders above it must belong \
         to root or to the user who runs this and be writable by nobody else",
        path.display()
    )]
    Untrusted {
        /// The file, folder or link.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
}

impl From<TrustError> for io::Error {
    fn from(error: TrustError) -> Self {
        match error {
            // The error's path is the caller's as a rule, who names it.
            TrustError::Io { error, .. } => error,
            TrustError::Untrusted { .. } => Self::new(io::ErrorKind::PermissionDenied, error),
        }
    }
}

/// How much of what lies above is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Above {
    /// Only root and this user may write to the folders above.
    Ours,
    /// A group may write to a folder above, as that of syslog does to
    /// `/var/log`, where what is met in it belongs to root or this user.
    Groups,
    /// Others' folders: netavark's plugin directories.
    Anybody,
}

/// Refuses a file that somebody other than root or this user could have
/// written or replaced.
pub fn check(path: &Path) -> Result<(), TrustError> {
    match Walk::new(Above::Ours).to(path, None)? {
        End::There => Ok(()),
        End::Missing(part) => Err(TrustError::Io {
            action: "look at",
            path: part,
            error: io::ErrorKind::NotFound.into(),
        }),
    }
}

/// The same of those parts of a path that are there.
pub fn check_existing(path: &Path, above: Above) -> Result<(), TrustError> {
    Walk::new(above).to(path, None).map(drop)
}

/// Makes a folder and those above it where they are missing, with a mode
/// that doesn't depend on the umask, and checks all of them.
pub fn make_folder(path: &Path, mode: u32, above: Above) -> Result<(), TrustError> {
    Walk::new(above).to(path, Some(mode)).map(drop)
}

/// Opens a file of this program's own in a trusted folder, and checks the file
/// that is open. A link is none, whoever made it. `mode` is what a new file
/// gets, whatever the umask.
pub fn open(options: &mut OpenOptions, path: &Path, mode: u32) -> io::Result<File> {
    // A fifo must not keep the run waiting.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = options.mode(mode).custom_flags(flags.bits()).open(path);
    let file = opened.map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ELOOP) => io::Error::other("it is a symbolic link, which nobody follows here"),
        _ => error,
    })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    check_open(path, &metadata)?;
    give_mode(&file, &metadata, mode)?;
    Ok(file)
}

/// Checks a file that is open.
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

/// Reads a file of this program's own, of at most `max` bytes.
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
        "it has more than the {max} bytes that such a file can have"
    )))
}

/// What is wrong with a file by its own owner and mode.
pub fn fault(metadata: &Metadata) -> Option<String> {
    owner_fault(metadata.uid()).or_else(|| {
        let open = metadata.mode() & OTHERS_WRITE != 0;
        open.then(|| "can be written by others".to_owned())
    })
}
