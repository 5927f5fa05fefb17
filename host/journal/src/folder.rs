//! The folder of all journals. It has a folder for each network, and in that a file
//! for each container.

use std::path::{Path, PathBuf};

use types::{ContainerId, Key, NetworkId};

/// The suffix of a journal's file.
const SUFFIX: &str = ".jsonl";

/// Returns the path of a journal's file.
pub(super) fn path(folder: &Path, key: &Key) -> PathBuf {
    folder
        .join(key.network.as_str())
        .join(format!("{}{SUFFIX}", key.container))
}

/// Lists all journals in the order of their names. Folders that can't be read and
/// files that aren't journals are left out.
pub fn all(folder: &Path) -> Vec<Key> {
    let networks = networks(folder).into_iter();
    networks
        .flat_map(|network| of_network(folder, &network))
        .collect()
}

/// Lists all networks that have a folder, in the order of their names.
pub fn networks(folder: &Path) -> Vec<NetworkId> {
    let names = names(folder).into_iter();
    names
        .filter_map(|network| NetworkId::try_from(network).ok())
        .collect()
}

/// Lists the journals of one network in the order of their names.
pub fn of_network(folder: &Path, network: &NetworkId) -> Vec<Key> {
    let files = names(&folder.join(network.as_str())).into_iter();
    files
        .filter_map(|name| name.strip_suffix(SUFFIX).map(str::to_owned))
        .filter_map(|id| ContainerId::try_from(id).ok())
        .map(|container| Key {
            network: network.clone(),
            container,
        })
        .collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
