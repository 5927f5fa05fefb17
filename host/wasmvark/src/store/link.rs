//! The symbolic links in netavark's plugin directory.

use std::path::{Path, PathBuf};

use trust::{self, Above};

use super::{DriverName, StoreError, files};

/// Makes the link of a driver to this program, and returns its path.
pub(super) fn make(
    folder: &Path,
    name: &DriverName,
    program: &Path,
) -> Result<PathBuf, StoreError> {
    let path = folder.join(name.as_str());
    // netavark runs the plugins of this folder. It doesn't check who can write there.
    trust::make_folder(folder, files::FOLDER_MODE, Above::Anybody)?;
    check(&path, program)?;
    if std::fs::read_link(&path).is_ok_and(|target| target == program) {
        return Ok(path);
    }
    files::remove(&path)?;
    std::os::unix::fs::symlink(program, &path).map_err(StoreError::io("make the link", &path))?;
    Ok(path)
}

/// Refuses to replace a file that isn't a link to this program.
pub(super) fn check(path: &Path, program: &Path) -> Result<(), StoreError> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() && is_ours(path, program) => Ok(()),
        Ok(_) => Err(StoreError::LinkTaken {
            path: path.to_owned(),
        }),
        Err(_) => Ok(()),
    }
}

/// Removes the link of a driver, unless it's a foreign file.
pub(super) fn remove(path: &Path, program: &Path) -> Result<(), StoreError> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() && is_ours(path, program) => files::remove(path),
        _ => Ok(()),
    }
}

/// The state of a driver's link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// It is a link to this program.
    Ours,
    /// Another file has its name.
    Foreign,
    /// It doesn't exist.
    Missing,
}

/// Returns the state of a link in a plugin directory.
pub(crate) fn link_state(path: &Path, program: &Path) -> LinkState {
    match std::fs::symlink_metadata(path) {
        Err(_) => LinkState::Missing,
        Ok(metadata) if metadata.is_symlink() && is_ours(path, program) => LinkState::Ours,
        Ok(_) => LinkState::Foreign,
    }
}

/// Whether a link leads to this program, or to a file of the program's name, which may
/// not exist any more.
fn is_ours(path: &Path, program: &Path) -> bool {
    let Ok(target) = std::fs::read_link(path) else {
        return false;
    };
    let same_file = std::fs::canonicalize(path)
        .is_ok_and(|target| std::fs::canonicalize(program).is_ok_and(|own| own == target));
    same_file || target.file_name() == program.file_name()
}
