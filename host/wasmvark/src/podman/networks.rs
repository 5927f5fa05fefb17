//! Podman's networks, read from its files.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use request::protocol;
use serde::Deserialize;
use types::user::rootless_user;

use super::{ContainersConf, System, storage};

/// The folder of root's networks, unless a file sets another (containers.conf(5)).
const NETWORKS: &str = "/etc/containers/networks";

/// The largest file of a network, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// The reason why a file or the folder can't be read.
#[derive(Debug, thiserror::Error)]
#[error("can't read {}: {error}", path.display())]
pub(crate) struct ReadError {
    pub(crate) path: PathBuf,
    pub(crate) error: io::Error,
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
    let system = System::new(Path::new("/"));
    let conf = ContainersConf::read(&system).ok()?;
    folder_of(&conf, &system)
}

fn folder_of(conf: &ContainersConf, system: &System) -> Option<PathBuf> {
    let named = conf.network_config_dir.clone();
    let named = named.filter(|dir| !dir.as_os_str().is_empty());
    named.or_else(|| match rootless_user() {
        None => Some(NETWORKS.into()),
        Some(uid) => Some(storage::graph_root(system, uid)?.join("networks")),
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

/// The subnets of a network, whatever else is in its file.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct NetworkSubnets {
    /// The network's id.
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default)]
    subnets: Option<Vec<OneSubnet>>,
}

#[derive(Debug, Deserialize)]
struct OneSubnet {
    subnet: IpNet,
}

impl NetworkSubnets {
    /// Returns the subnets.
    pub(crate) fn subnets(&self) -> impl Iterator<Item = IpNet> {
        let subnets = self.subnets.iter().flatten();
        subnets.map(|subnet| subnet.subnet)
    }
}

/// Reads the subnets of all networks. Podman passes over what is no JSON, and so does
/// this. Subnets that can't be read are an error, because any may be in use. If there is
/// no folder, there are none.
///
/// The files aren't checked for who could have written them, so their subnets may only be
/// avoided.
pub(crate) fn all_subnets(conf: &ContainersConf) -> Result<Vec<NetworkSubnets>, ReadError> {
    let system = System::new(Path::new("/"));
    let folder = folder_of(conf, &system).ok_or_else(|| ReadError {
        path: "the folder of Podman's networks".into(),
        error: io::Error::other("HOME isn't set"),
    })?;
    let failed = |error| ReadError {
        path: folder.clone(),
        error,
    };
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut networks = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|end| end == "json") {
            let read = subnets_in(&path).map_err(|error| ReadError { path, error })?;
            networks.extend(read);
        }
    }
    Ok(networks)
}

/// Reads the subnets of one network, or returns `None` for a file of something else.
fn subnets_in(path: &Path) -> io::Result<Option<NetworkSubnets>> {
    let file = match std::fs::File::open(path) {
        // Podman has removed it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    if metadata.len() > SIZE_MAX {
        return Err(io::Error::other(format!(
            "it has more than {SIZE_MAX} bytes"
        )));
    }
    let mut text = Vec::new();
    file.take(SIZE_MAX).read_to_end(&mut text)?;
    match serde_json::from_slice::<serde_json::Value>(&text) {
        Err(_) => Ok(None),
        Ok(value) => Ok(Some(serde_json::from_value(value)?)),
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
