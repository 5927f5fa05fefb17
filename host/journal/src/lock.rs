//! Locks between runs. Runs for one network take turns, and runs for different networks
//! don't wait for each other.
//!
//! The kernel holds the lock as long as the process has the file open (`flock(2)`), so
//! a killed run leaves no lock behind.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use trust::{self, Above};
use types::NetworkId;
use types::text;

use super::{FILE_MODE, FOLDER_MODE};

/// How long a run waits for the lock. Podman holds up all other networking meanwhile.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest description of the lock's holder that is read, in bytes.
const HOLDER_MAX: u64 = 1024;
/// The pause between two attempts. The runs ahead take milliseconds each.
const PAUSE: Duration = Duration::from_millis(2);

/// Why a lock can't be taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LockError {
    /// Another run holds the lock.
    #[error(
        "another run has held the lock {} for {} s: {holder}; try again once it has ended",
        path.display(),
        timeout.as_secs()
    )]
    Busy {
        /// The lock's file.
        path: PathBuf,
        /// How long this run has waited.
        timeout: Duration,
        /// The other run's description of itself.
        holder: String,
    },
    /// The file can't be used.
    #[error(
        "can't take the lock {}: {error}; free space or give access there first",
        path.display()
    )]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// The cause.
        error: String,
    },
}

/// A network's lock, held by this run until it is dropped.
#[derive(Debug)]
pub struct NetworkLock {
    _lock: Lock,
}

impl NetworkLock {
    /// Waits for the lock of a network and takes it. `holder` describes this run to
    /// those that wait for it.
    pub fn take(folder: &Path, network: &NetworkId, holder: &str) -> Result<Self, LockError> {
        let _lock = Lock::take(folder, network.as_str(), holder, TIMEOUT)?;
        Ok(Self { _lock })
    }
}

/// A lock, held by this run until it is dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: Flock<File>,
}

impl Lock {
    /// Waits for a lock and takes it. `holder` describes this run to those that wait for
    /// it.
    pub fn take(
        folder: &Path,
        name: &str,
        holder: &str,
        timeout: Duration,
    ) -> Result<Self, LockError> {
        let path = folder.join(name);
        let failed = |error: std::io::Error| LockError::Io {
            path: path.clone(),
            error: error.to_string(),
        };
        let made = trust::make_folder(folder, FOLDER_MODE, Above::Ours);
        made.map_err(|error| failed(error.into()))?;
        let file = wait(&path, open, timeout, read_holder)?;
        let mut lock = Self { path, file };
        lock.sign(holder);
        Ok(lock)
    }

    /// Writes the holder's description into the file. The lock works without it, if the
    /// disk is full.
    fn sign(&mut self, holder: &str) {
        let text = format!("process {}, {holder}", std::process::id());
        let _ = self.file.set_len(0);
        let _ = self.file.write_all(text.as_bytes());
    }
}

impl Drop for Lock {
    /// Removes the file and frees the lock.
    fn drop(&mut self) {
        // The lock is still held, so the file is no other run's. A file that can't be
        // removed holds up no run.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A lock on a folder, held by this run until it is dropped. It leaves no file behind,
/// also if the run is killed.
#[derive(Debug)]
pub struct FolderLock {
    _folder: Flock<File>,
}

impl FolderLock {
    /// Waits for the lock and takes it. `others` describes those that may hold it.
    pub(super) fn take(folder: &Path, others: &str, timeout: Duration) -> Result<Self, LockError> {
        let made = trust::make_folder(folder, FOLDER_MODE, Above::Ours);
        made.map_err(|error| LockError::Io {
            path: folder.to_owned(),
            error: std::io::Error::from(error).to_string(),
        })?;
        let open = |path: &Path| File::open(path);
        let _folder = wait(folder, open, timeout, |_| others.to_owned())?;
        Ok(Self { _folder })
    }
}

/// Waits until nobody else has locked what is at a path, and locks it.
fn wait(
    path: &Path,
    open: impl Fn(&Path) -> std::io::Result<File>,
    timeout: Duration,
    holder: impl Fn(File) -> String,
) -> Result<Flock<File>, LockError> {
    let failed = |error: std::io::Error| LockError::Io {
        path: path.to_owned(),
        error: error.to_string(),
    };
    let start = Instant::now();
    loop {
        let file = open(path).map_err(failed)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) if is_at(&file, path) => return Ok(file),
            // The run before has removed it.
            Ok(_) => {}
            Err((file, Errno::EWOULDBLOCK)) if start.elapsed() > timeout => {
                return Err(LockError::Busy {
                    holder: holder(file),
                    path: path.to_owned(),
                    timeout,
                });
            }
            Err((_, Errno::EWOULDBLOCK | Errno::EINTR)) => std::thread::sleep(PAUSE),
            Err((_, errno)) => return Err(failed(errno.into())),
        }
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    trust::open(options, path, FILE_MODE)
}

/// Whether an open file is the file at a path.
fn is_at(file: &File, path: &Path) -> bool {
    let there = std::fs::symlink_metadata(path);
    match (file.metadata(), there) {
        (Ok(own), Ok(there)) => (own.dev(), own.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Reads the description of the lock's holder.
fn read_holder(mut file: File) -> String {
    let mut text = String::new();
    let read = file.rewind();
    let read = read.and_then(|()| file.take(HOLDER_MAX).read_to_string(&mut text));
    match read {
        Ok(0) | Err(_) => "the file doesn't name it".to_owned(),
        Ok(_) => text::plain_error(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path, name: &str) -> Result<Lock, LockError> {
        Lock::take(folder, name, "setup of c1", Duration::from_millis(20))
    }

    #[test]
    fn one_run_at_a_time_has_a_network() {
        let folder = tempfile::tempdir().unwrap();
        let first = take(folder.path(), "a").unwrap();
        let error = take(folder.path(), "a").unwrap_err().to_string();
        assert!(error.contains("setup of c1"), "{error}");
        drop(take(folder.path(), "b").unwrap());
        drop(first);
        drop(take(folder.path(), "a").unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_a_killed_run_left_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "process 1, setup of c0").unwrap();
        drop(take(folder.path(), "a").unwrap());
    }

    #[test]
    fn a_locked_folder_is_nobody_elses_and_stays_empty() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("journal");
        let take = || FolderLock::take(&folder, "another setup", Duration::from_millis(20));
        let first = take().unwrap();
        let error = take().unwrap_err().to_string();
        assert!(error.contains("another setup"), "{error}");
        drop(first);
        // The lock of a folder that is gone is nobody's.
        let old = take().unwrap();
        std::fs::remove_dir(&folder).unwrap();
        drop(take().unwrap());
        drop(old);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn many_runs_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        let network = NetworkId::try_from("a".to_owned()).unwrap();
        let inside = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let lock = NetworkLock::take(folder.path(), &network, "test").unwrap();
                        use std::sync::atomic::Ordering::SeqCst;
                        assert_eq!(inside.fetch_add(1, SeqCst), 0);
                        assert_eq!(inside.fetch_sub(1, SeqCst), 1);
                        drop(lock);
                    }
                });
            }
        });
    }
}
