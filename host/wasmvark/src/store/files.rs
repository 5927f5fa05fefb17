//! The store's files: writing them whole, and checking cheaply whether they changed.
//!
//! Hashing a large component in each run would cost more than running it. So a stamp
//! beside each file has its digest, its size and its times. The file is hashed only if
//! its size or times differ from the stamp.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use request::Declared;
use serde::{Deserialize, Serialize};
use trust::{self, Above};
use types::Digest;

use super::StoreError;

/// The mode of new folders. Only their owner can write to them.
pub(super) const FOLDER_MODE: u32 = 0o755;

/// Whether a file is as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intact {
    /// The file is as it was written.
    Yes,
    /// The file is missing.
    Missing,
    /// The file differs from its digest.
    Corrupt,
    /// The file is code that another engine made, or one for another processor.
    Foreign,
}

#[derive(Serialize, Deserialize)]
struct Stamp {
    digest: Digest,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    /// What made the file, if it is code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maker: Option<String>,
    /// The options that the component declares of which the code is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    options: Option<Declared>,
}

/// What a stamp has beside the file's own properties.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes {
    /// What made the file, if it is code.
    pub(super) maker: Option<String>,
    /// The options that the component declares of which the code is.
    pub(super) options: Option<Declared>,
}

impl Stamp {
    fn new(digest: Digest, notes: Notes, metadata: &Metadata) -> Self {
        Self {
            digest,
            maker: notes.maker,
            options: notes.options,
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether a file is as it was when it got the stamp.
    fn fits(&self, metadata: &Metadata) -> bool {
        self.size == metadata.size()
            && self.modified == (metadata.mtime(), metadata.mtime_nsec())
            && self.changed == (metadata.ctime(), metadata.ctime_nsec())
    }
}

/// Writes a file under a temporary name and renames it, so that no reader gets half of
/// it.
pub(super) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    if let Some(folder) = path.parent() {
        trust::make_folder(folder, FOLDER_MODE, Above::Ours)?;
    }
    // The mode must not depend on the umask.
    let fix_mode = |file: &File| file.set_permissions(Permissions::from_mode(mode));
    replace(path, bytes, mode, fix_mode).map_err(StoreError::io("write", path))
}

/// Writes a file that everybody may read in the same way.
pub(super) fn write_for_all(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    if let Some(folder) = path.parent() {
        trust::make_folder(folder, 0o755, Above::Ours)?;
    }
    let fix_mode = |file: &File| file.set_permissions(Permissions::from_mode(0o644));
    replace(path, bytes, 0o644, fix_mode).map_err(StoreError::io("write", path))
}

/// Replaces an existing file in the same way. It keeps its mode, and a symbolic link to
/// it stays.
pub(super) fn change(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let keep_mode = || {
        let real = std::fs::canonicalize(path)?;
        let mode = std::fs::metadata(&real)?.permissions();
        replace(&real, bytes, 0o600, |file| file.set_permissions(mode))
    };
    keep_mode().map_err(StoreError::io("write", path))
}

fn replace(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    finish: impl FnOnce(&File) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let temporary = path.with_added_extension(format!("{}.new", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            finish(&file)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // The error of writing is returned, not one of removing the temporary file.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// Writes a file with its stamp.
pub(super) fn write_stamped(path: &Path, bytes: &[u8], notes: Notes) -> Result<(), StoreError> {
    write(path, bytes, 0o600)?;
    stamp(path, Digest::of(bytes), notes)
}

/// Adds the options of its component to the stamp of code, which says nothing new of the
/// code itself. A damaged stamp stays.
pub(super) fn note_options(path: &Path, options: Declared) -> Result<(), StoreError> {
    let Some(stored) = read_stamp(path) else {
        return Ok(());
    };
    let stamp = Stamp {
        options: Some(options),
        ..stored
    };
    write_stamp(path, &stamp)
}

/// Checks a file against its stamp and its maker, and against its digest if its size or
/// times differ.
pub(super) fn check(path: &Path, maker: Option<&str>) -> Intact {
    check_with_options(path, maker).0
}

/// Checks a file in the same way, and returns the options in the stamp of one that is
/// intact.
pub(super) fn check_with_options(path: &Path, maker: Option<&str>) -> (Intact, Option<Declared>) {
    let Ok(metadata) = std::fs::metadata(path) else {
        return (Intact::Missing, None);
    };
    let Some(stored) = read_stamp(path) else {
        return (Intact::Corrupt, None);
    };
    if stored.maker.as_deref() != maker {
        return (Intact::Foreign, None);
    }
    if stored.fits(&metadata) {
        return (Intact::Yes, stored.options);
    }
    match std::fs::read(path) {
        Ok(bytes) if Digest::of(&bytes) == stored.digest => {
            let notes = Notes {
                maker: stored.maker,
                options: stored.options.clone(),
            };
            // A moved or restored file gets a new stamp. If that can't be written, the
            // file is hashed again next time.
            let _ = stamp(path, stored.digest, notes);
            (Intact::Yes, stored.options)
        }
        _ => (Intact::Corrupt, None),
    }
}

fn read_stamp(path: &Path) -> Option<Stamp> {
    let text = std::fs::read(stamp_path(path)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Removes a file with its stamp, if they exist.
pub(super) fn remove_stamped(path: &Path) -> Result<(), StoreError> {
    remove(path)?;
    remove(&stamp_path(path))
}

/// Removes a file, if it exists.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn stamp(path: &Path, digest: Digest, notes: Notes) -> Result<(), StoreError> {
    let metadata = File::open(path)
        .and_then(|file| file.metadata())
        .map_err(StoreError::io("look at", path))?;
    write_stamp(path, &Stamp::new(digest, notes, &metadata))
}

fn write_stamp(path: &Path, stamp: &Stamp) -> Result<(), StoreError> {
    let text = serde_json::to_vec(stamp).unwrap_or_default();
    write(&stamp_path(path), &text, 0o600)
}

fn stamp_path(path: &Path) -> PathBuf {
    path.with_added_extension("stamp")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Rewrites a file, at a time that differs from that of the last change. Times have the
    /// grain of the kernel's clock (`ktime_get_coarse_real_ts64`).
    pub(in crate::store) fn rewrite(path: &Path, bytes: &[u8]) {
        let changed = || {
            let metadata = std::fs::metadata(path).unwrap();
            (metadata.ctime(), metadata.ctime_nsec())
        };
        let before = changed();
        while changed() == before {
            std::thread::sleep(std::time::Duration::from_millis(1));
            std::fs::write(path, bytes).unwrap();
        }
    }

    /// Stores outlive an upgrade.
    #[test]
    fn stamps_keep_their_form() {
        let golden = include_str!("golden/stamp.json");
        let stamp: Stamp = serde_json::from_str(golden).unwrap();
        assert_eq!(serde_json::to_string(&stamp).unwrap(), golden.trim_end());
    }

    #[test]
    fn a_changed_file_is_noticed_and_a_touched_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(check(&path, None), Intact::Missing);
        write_stamped(&path, b"code", Notes::default()).unwrap();
        assert_eq!(check(&path, None), Intact::Yes);
        rewrite(&path, b"c0de");
        assert_eq!(check(&path, None), Intact::Corrupt);
        rewrite(&path, b"code");
        assert_eq!(check(&path, None), Intact::Yes);
        let of_one = Notes {
            maker: Some("one".to_owned()),
            options: None,
        };
        write_stamped(&path, b"code", of_one).unwrap();
        assert_eq!(check(&path, Some("one")), Intact::Yes);
        assert_eq!(check(&path, Some("two")), Intact::Foreign);
        std::fs::remove_file(stamp_path(&path)).unwrap();
        assert_eq!(check(&path, None), Intact::Corrupt);
    }

    #[test]
    fn options_stay_with_the_code_that_they_are_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let notes = Notes {
            maker: Some("one".to_owned()),
            options: None,
        };
        write_stamped(&path, b"code", notes).unwrap();
        assert_eq!(check_with_options(&path, Some("one")), (Intact::Yes, None));
        let none = Declared::new(Vec::new()).unwrap();
        note_options(&path, none.clone()).unwrap();
        let expected = (Intact::Yes, Some(none));
        assert_eq!(check_with_options(&path, Some("one")), expected);
        // A restored file keeps them, and one that is another's has none.
        rewrite(&path, b"code");
        assert_eq!(check_with_options(&path, Some("one")), expected);
        assert_eq!(
            check_with_options(&path, Some("two")),
            (Intact::Foreign, None)
        );
        rewrite(&path, b"evil");
        let corrupt = (Intact::Corrupt, None);
        assert_eq!(check_with_options(&path, Some("one")), corrupt);
        // Whoever notes options hasn't looked at the code.
        note_options(&path, Declared::default()).unwrap();
        assert_eq!(check_with_options(&path, Some("one")), corrupt);
    }
}
