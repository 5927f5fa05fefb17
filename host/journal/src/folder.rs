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
    let mut keys: Vec<Key> = some_of_network(folder, network).collect();
    keys.sort_by(|one, other| one.container.as_str().cmp(other.container.as_str()));
    keys
}

/// Lists the journals of one network in any order, for who needs only some of them.
pub fn some_of_network(folder: &Path, network: &NetworkId) -> impl Iterator<Item = Key> + use<> {
    let network = network.clone();
    let files = unsorted(&folder.join(network.as_str()));
    let ids =
        files.filter_map(|name| ContainerId::try_from(name.strip_suffix(SUFFIX)?.to_owned()).ok());
    ids.map(move |container| Key {
        network: network.clone(),
        container,
    })
}

/// Lists the networks on which a container has a journal, in the order of their names.
pub fn networks_of(folder: &Path, container: &ContainerId) -> Vec<NetworkId> {
    let mut networks = networks(folder);
    networks.retain(|network| {
        let key = Key {
            network: network.clone(),
            container: container.clone(),
        };
        path(folder, &key).exists()
    });
    networks
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = unsorted(folder).collect();
    names.sort();
    names
}

fn unsorted(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}
