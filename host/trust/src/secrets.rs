//! The operator's secrets. Drivers use them without seeing them. Each is a file that
//! only its owner can read.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{self, OFlag};
use nix::sys::stat::Mode;

/// The longest secret, in bytes.
const MAX: u64 = 4096;
/// The bits of a mode that give group or others access.
const OTHERS: u32 = 0o077;

/// The folder of the secrets.
#[derive(Debug, Clone)]
pub struct Secrets {
    folder: PathBuf,
    /// Whether the texts of the secrets are read.
    reads_text: bool,
}

/// The text in place of a secret's text that isn't read. It is a valid WireGuard key.
const STAND_IN: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// Why a secret can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The text can't be the name of a secret.
    #[error(
        "{0:?} can't be the name of a secret: use 1 to 64 letters, digits, '_', '.' and '-', and \
         begin with a letter or digit"
    )]
    Name(String),
    /// There is no secret of that name.
    #[error("there is no secret {}: put it into that file, with mode 0600", .0.display())]
    Missing(PathBuf),
    /// The secret can't be read.
    #[error("can't read the secret {}: {error}", path.display())]
    Io {
        /// The secret's file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// Another user could read or write the secret.
    #[error(
        "the secret {} {fault}: it must be a file of root or of the user who runs this, with mode \
         0600, in folders that nobody else can write",
        path.display()
    )]
    Exposed {
        /// The secret's file.
        path: PathBuf,
        /// The fault, with a verb first.
        fault: String,
    },
    /// The secret isn't text, or is too long.
    #[error("the secret {} is not a text of at most {MAX} bytes", .0.display())]
    NoText(PathBuf),
}

impl Secrets {
    /// Returns the secrets in a folder.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            reads_text: true,
        }
    }

    /// Returns the secrets in a folder for a run that uses none, as that of `plan`. A
    /// secret's file is checked, but its text isn't read: another text takes its place.
    pub fn unread(folder: PathBuf) -> Self {
        Self {
            folder,
            reads_text: false,
        }
    }

    /// Checks that a text can be the name of a secret.
    pub fn check_name(name: &str) -> Result<(), SecretError> {
        match types::is_secret_name(name) {
            true => Ok(()),
            false => Err(SecretError::Name(name.to_owned())),
        }
    }

    /// Reads a secret, without white space around it.
    pub fn read(&self, name: &str) -> Result<String, SecretError> {
        Self::check_name(name)?;
        let path = self.folder.join(name);
        let file = open(&path, self.reads_text)?;
        let failed = |error| SecretError::Io {
            path: path.clone(),
            error,
        };
        let metadata = file.metadata().map_err(failed)?;
        let fault = match () {
            () if !metadata.is_file() => Some("is not a plain file".to_owned()),
            () if metadata.mode() & OTHERS != 0 => Some("can be read by others".to_owned()),
            () => crate::fault(&metadata),
        };
        if let Some(fault) = fault {
            return Err(SecretError::Exposed { path, fault });
        }
        // A user who can write to a folder above could replace the secret.
        if crate::check(&self.folder).is_err() {
            return Err(SecretError::Exposed {
                path,
                fault: "lies in a folder that others can write".to_owned(),
            });
        }
        if !self.reads_text {
            return Ok(STAND_IN.to_owned());
        }
        let mut text = String::new();
        let mut limited = file.take(MAX + 1);
        match limited.read_to_string(&mut text) {
            Ok(_) if limited.limit() > 0 => Ok(text.trim().to_owned()),
            Ok(_) => Err(SecretError::NoText(path)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(SecretError::NoText(path))
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// Opens a file, but no symbolic link, so that the checked file is the one that is
/// read. A fifo must not keep the run waiting.
fn open(path: &Path, to_read: bool) -> Result<File, SecretError> {
    let mut flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    // A confined plan may look at secrets, and read none.
    flags.set(OFlag::O_PATH, !to_read);
    match fcntl::open(path, flags, Mode::empty()) {
        Ok(file) => Ok(file.into()),
        Err(Errno::ENOENT) => Err(SecretError::Missing(path.to_owned())),
        Err(errno) => Err(SecretError::Io {
            path: path.to_owned(),
            error: errno.into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn put(folder: &Path, name: &str, text: &[u8], mode: u32) {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_secret_is_read_where_only_its_owner_can() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets::new(folder.path().to_owned());
        put(folder.path(), "good", b"text\n", 0o600);
        put(folder.path(), "open", b"text\n", 0o640);
        put(folder.path(), "long", &vec![b'x'; 4097], 0o600);
        put(folder.path(), "raw", &[0xff, 0xfe], 0o600);
        symlink("good", folder.path().join("link")).unwrap();
        assert_eq!(secrets.read("good").unwrap(), "text");
        for (name, what) in [
            ("open", "can be read by others"),
            ("long", "not a text of at most"),
            ("raw", "not a text of at most"),
            ("link", "can't read"),
            ("none", "there is no secret"),
            ("../good", "can't be the name"),
            ("", "can't be the name"),
            (".hidden", "can't be the name"),
        ] {
            let error = secrets.read(name).unwrap_err().to_string();
            assert!(error.contains(what), "{name}: {error}");
        }
    }

    #[test]
    fn a_secret_that_is_not_read_is_checked_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets::unread(folder.path().to_owned());
        put(folder.path(), "good", b"text\n", 0o600);
        put(folder.path(), "open", b"text\n", 0o640);
        let text = secrets.read("good").unwrap();
        assert!(!text.contains("text"));
        assert!(text.parse::<types::WireguardKey>().is_ok());
        assert!(secrets.read("open").is_err());
        assert!(secrets.read("none").is_err());
    }
}
