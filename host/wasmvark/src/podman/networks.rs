//! Podman's networks, read from its files.

use std::path::{Path, PathBuf};

use request::protocol;

use super::CliError;
use super::doctor::podman_network_dir;

/// The largest file of a network, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// A network in a file of Podman's.
#[derive(Debug)]
pub(crate) struct PodmanNetwork {
    /// The file.
    pub(crate) path: PathBuf,
    /// The network.
    pub(crate) network: protocol::Network,
}

/// Returns the folder of the files: the given one, or Podman's own.
pub(crate) fn folder(given: Option<&Path>) -> Option<PathBuf> {
    given.map_or_else(podman_network_dir, |given| Some(given.to_owned()))
}

/// Reads all networks, in the order of their files' names. A file that can't be read is
/// an error, because any network may be in it.
pub(crate) fn all(folder: &Path) -> Result<Vec<PodmanNetwork>, CliError> {
    let failed = |error| CliError::Read {
        path: folder.to_owned(),
        error,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|end| end == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(read).collect()
}

/// Reads a network from a file that no other user could have written.
fn read(path: PathBuf) -> Result<PodmanNetwork, CliError> {
    let failed = |error| CliError::Read {
        path: path.clone(),
        error,
    };
    let text = trust::read(&path, SIZE_MAX).map_err(failed)?;
    let network = serde_json::from_slice(&text).map_err(|error| failed(error.into()))?;
    Ok(PodmanNetwork { path, network })
}
