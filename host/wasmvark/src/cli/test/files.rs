//! The files of cases.

use std::path::{Path, PathBuf};

use super::CliError;

/// The ending of a case's file.
const ENDING: &str = "toml";

/// Returns the files of a folder and those below it, sorted, or the file itself.
///
/// # Errors
///
/// A folder can't be read, or there is no case.
pub(in crate::cli) fn find(path: &Path, filter: Option<&str>) -> Result<Vec<PathBuf>, CliError> {
    let mut found = Vec::new();
    match path.is_dir() {
        true => collect(path, &mut found)?,
        false => found.push(path.to_owned()),
    }
    found.retain(|file| filter.is_none_or(|text| file.to_string_lossy().contains(text)));
    found.sort();
    match found.is_empty() {
        true => Err(CliError::NoCases(path.to_owned())),
        false => Ok(found),
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let failed = |error| CliError::Read {
        path: folder.to_owned(),
        error,
    };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        // A link to a folder could lead around in a circle.
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == ENDING) {
            found.push(path);
        }
    }
    Ok(())
}
