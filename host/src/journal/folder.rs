//! The folder of all journals: one folder a network, one file a container.

use std::path::{Path, PathBuf};

use crate::request::{ContainerId, Key, NetworkId};

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
    let mut keys = Vec::new();
    for network in names(folder) {
        let files = names(&folder.join(&network));
        let Ok(network) = NetworkId::try_from(network) else {
            continue;
        };
        let containers = files
            .into_iter()
            .filter_map(|name| name.strip_suffix(SUFFIX).map(str::to_owned))
            .filter_map(|id| ContainerId::try_from(id).ok());
        keys.extend(containers.map(|container| Key {
            network: network.clone(),
            container,
        }));
    }
    keys
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
