//! The folder of all journals: one folder a network, one file a container.

use std::path::{Path, PathBuf};

use types::{ContainerId, Key, NetworkId};

/// What is behind the name of a journal.
const SUFFIX: &str = ".jsonl";

/// The file of a journal.
pub(super) fn path(folder: &Path, key: &Key) -> PathBuf {
    folder
        .join(key.network.as_str())
        .join(format!("{}{SUFFIX}", key.container))
}

/// All journals that there are, in the order of their names. What can't be
/// read isn't there, and what isn't a journal is passed over.
pub fn all(folder: &Path) -> Vec<Key> {
    let networks = networks(folder).into_iter();
    networks
        .flat_map(|network| of_network(folder, &network))
        .collect()
}

/// All networks of which anything is kept.
pub fn networks(folder: &Path) -> Vec<NetworkId> {
    let names = names(folder).into_iter();
    names
        .filter_map(|network| NetworkId::try_from(network).ok())
        .collect()
}

/// The journals of one network, in the same way.
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
