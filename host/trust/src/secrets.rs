//! Secrets that the operator keeps for drivers to use and not to see: a file
//! each, which nobody but its owner can read.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

/// Bytes of the longest secret.
const MAX: u64 = 4096;
/// The bits of a mode that let group or others in.
const OTHERS: u32 = 0o077;

/// The folder of the secrets.
#[derive(Debug, Clone)]
pub struct Secrets {
    folder: PathBuf,
    /// Whether their texts are read.
    looked_into: bool,
}

/// What stands for the text of a secret that isn't read: a possible key.
const STAND_IN: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// Why a secret can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It can't be the name of one.
    #[error(
        "{0:?} can't be the name of a secret: it takes 1 to 64 letters, digits, '_', '.' and '-', \
         and starts with a letter or digit"
    )]
    Name(String),
    /// There is none.
    #[error("there is no secret {}: put it into that file, with mode 0600", .0.display())]
    Missing(PathBuf),
    /// It can't be read.
    #[error("can't read the secret {}: {error}", path.display())]
    Io {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others could read or write it.
    #[error(
        "the secret {} {fault}: it must be a file of root's, or of the user who runs this, with \
         mode 0600, in folders that nobody else can write",
        path.display()
    )]
    Exposed {
        /// Its file.
        path: PathBuf,
        /// What's wrong.
        fault: String,
    },
    /// It's no text, or too long.
    #[error("the secret {} is no text of at most {MAX} bytes", .0.display())]
    NoText(PathBuf),
}

impl Secrets {
    /// The secrets in a folder.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            looked_into: true,
        }
    }

    /// The same for a run that uses nothing: whether a secret is there and is
    /// well kept is found out, but not its text, for which another one stands.
    pub fn unread(folder: PathBuf) -> Self {
        Self {
            folder,
            looked_into: false,
        }
    }

    /// Whether a text can be the name of a secret.
    pub fn check_name(name: &str) -> Result<(), SecretError> {
        match types::is_secret_name(name) {
            true => Ok(()),
            false => Err(SecretError::Name(name.to_owned())),
        }
    }

    /// The text of a secret, without space around it.
    pub fn read(&self, name: &str) -> Result<String, SecretError> {
        Self::check_name(name)?;
        let path = self.folder.join(name);
        let file = open(&path)?;
        let failed = |error| SecretError::Io {
            path: path.clone(),
            error,
        };
        let metadata = file.metadata().map_err(failed)?;
        let fault = match () {
            () if !metadata.is_file() => Some("is no plain file".to_owned()),
            () if metadata.mode() & OTHERS != 0 => Some("can be read by others".to_owned()),
            () => crate::fault(&metadata),
        };
        if let Some(fault) = fault {
            return Err(SecretError::Exposed { path, fault });
        }
        // The folders above: who can replace it there can choose it.
        if crate::check(&self.folder).is_err() {
            return Err(SecretError::Exposed {
                path,
                fault: "lies in a folder that others can write".to_owned(),
            });
        }
        if !self.looked_into {
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

/// Opens the file itself, so that what is checked is what is read. A fifo must
/// not keep the run waiting.
fn open(path: &Path) -> Result<File, SecretError> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let mut options = File::options();
    let opened = options.read(true).custom_flags(flags.bits()).open(path);
    opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SecretError::Missing(path.to_owned()),
        _ => SecretError::Io {
            path: path.to_owned(),
            error,
        },
    })
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
            ("long", "no text of at most"),
            ("raw", "no text of at most"),
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
