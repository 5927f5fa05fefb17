//! Podman's networks, read from its files.

use std::path::{Path, PathBuf};

use request::protocol;
use types::user::rootless_user;

use super::{ContainersConf, System};

/// The folder of root's networks, unless a file sets another (containers.conf(5)).
const NETWORKS: &str = "/etc/containers/networks";

/// The largest file of a network, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// The reason why a file or the folder can't be read.
#[derive(Debug, thiserror::Error)]
#[error("can't read {}: {error}", path.display())]
pub(crate) struct ReadError {
    pub(crate) path: PathBuf,
    pub(crate) error: std::io::Error,
}

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
    given.map_or_else(default_folder, |given| Some(given.to_owned()))
}

/// Returns the folder of Podman's networks for this user, according to containers.conf.
/// Returns `None` if it can't be determined.
fn default_folder() -> Option<PathBuf> {
    let conf = ContainersConf::read(&System::new(Path::new("/"))).ok()?;
    let named = conf.network_config_dir;
    named
        .filter(|dir| !dir.as_os_str().is_empty())
        .or_else(|| match rootless_user() {
            None => Some(NETWORKS.into()),
            // Podman keeps them below its graph root, which is here by default.
            Some(_) => {
                let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
                let home = || variable("HOME").map(|home| Path::new(&home).join(".local/share"));
                let data = variable("XDG_DATA_HOME").map(PathBuf::from).or_else(home)?;
                Some(data.join("containers/storage/networks"))
            }
        })
}

/// Reads all networks, in the order of their files' names. A file that can't be read is
/// an error, because any network may be in it.
pub(crate) fn all(folder: &Path) -> Result<Vec<PodmanNetwork>, ReadError> {
    let failed = |error| ReadError {
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

/// Reads all networks of this user. If there is no folder, there are none.
pub(crate) fn all_of_user() -> Result<Vec<PodmanNetwork>, ReadError> {
    let unknown = || ReadError {
        path: "the folder of Podman's networks".into(),
        error: std::io::Error::other("containers.conf can't be read, or HOME isn't set"),
    };
    let folder = default_folder().ok_or_else(unknown)?;
    match all(&folder) {
        Err(ReadError { path, error })
            if path == folder && error.kind() == std::io::ErrorKind::NotFound =>
        {
            Ok(Vec::new())
        }
        result => result,
    }
}

/// Reads a network from a file that no other user could have written.
fn read(path: PathBuf) -> Result<PodmanNetwork, ReadError> {
    let failed = |error| ReadError {
        path: path.clone(),
        error,
    };
    let text = trust::read(&path, SIZE_MAX).map_err(failed)?;
    let network = serde_json::from_slice(&text).map_err(|error| failed(error.into()))?;
    Ok(PodmanNetwork { path, network })
}
