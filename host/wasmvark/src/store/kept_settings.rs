//! Files for sysctl.d(5) with the settings of the host that containers need, so that
//! `sysctl --system` doesn't take them back. netavark does the same.
//!
//! Each container on a network has a file of its own. It goes with the journal.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use types::{ContainerId, Key, NetworkId};

use super::{Layout, StoreError, files};

/// The start of the files' names. Files are read in the order of their names, and the
/// last one wins.
const PREFIX: &str = "99-wasmvark-";
const SUFFIX: &str = ".conf";

/// The beginning of the paths of all settings.
const SETTINGS: &str = "/proc/sys/";

/// The characters that sysctl.d(5) reads otherwise than as a part of a name.
const SPECIAL: [char; 5] = ['*', '?', '[', '=', '\\'];

/// Keeps settings for a container, by their paths. An ordinary user's `sysctl` doesn't
/// change any, so nothing is written for one.
pub(crate) fn keep(
    layout: &Layout,
    key: &Key,
    settings: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    let Some(folder) = &layout.sysctl else {
        return Ok(());
    };
    let mut text = String::new();
    for (path, value) in settings {
        let name = path.strip_prefix(SETTINGS).unwrap_or(path);
        if !name.contains(SPECIAL) {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{name} = {value}");
        }
    }
    match text.is_empty() {
        true => forget(layout, key),
        false => files::write_for_all(&path(folder, key), text.as_bytes()),
    }
}

/// Whether settings are kept for a container.
pub(crate) fn has(layout: &Layout, key: &Key) -> bool {
    let mut folder = layout.sysctl.iter();
    folder.any(|folder| path(folder, key).exists())
}

/// Removes the settings that were kept for a container.
pub(crate) fn forget(layout: &Layout, key: &Key) -> Result<(), StoreError> {
    match &layout.sysctl {
        Some(folder) => files::remove(&path(folder, key)),
        None => Ok(()),
    }
}

/// Removes the settings that were kept for containers without a journal.
pub(crate) fn prune(layout: &Layout) -> Result<(), StoreError> {
    let Some(folder) = &layout.sysctl else {
        return Ok(());
    };
    let used = journal::all(&layout.journals());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    for key in names.filter_map(|name| key_of(&name)) {
        if !used.contains(&key) {
            files::remove(&path(folder, &key))?;
        }
    }
    Ok(())
}

fn path(folder: &Path, key: &Key) -> PathBuf {
    let Key { network, container } = key;
    folder.join(format!("{PREFIX}{network}@{container}{SUFFIX}"))
}

/// Returns whose settings a file has. `@` is in no id.
fn key_of(name: &str) -> Option<Key> {
    let ids = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let (network, container) = ids.split_once('@')?;
    Some(Key {
        network: NetworkId::try_from(network.to_owned()).ok()?,
        container: ContainerId::try_from(container.to_owned()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key {
            network: NetworkId::try_from("n1".to_owned()).unwrap(),
            container: ContainerId::try_from("c1".to_owned()).unwrap(),
        }
    }

    #[test]
    fn settings_are_kept_until_they_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::choose(Some(folder.path())).unwrap();
        let settings = |path: &str| BTreeMap::from([(path.to_owned(), "2".to_owned())]);
        let file = path(layout.sysctl.as_deref().unwrap(), &key());
        keep(
            &layout,
            &key(),
            &settings("/proc/sys/net/ipv4/conf/br0/rp_filter"),
        )
        .unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, "net/ipv4/conf/br0/rp_filter = 2\n");
        // What would be a pattern for others' links isn't kept.
        keep(
            &layout,
            &key(),
            &settings("/proc/sys/net/ipv4/conf/br*/rp_filter"),
        )
        .unwrap();
        assert!(!file.exists());
        forget(&layout, &key()).unwrap();
        assert!(!has(&layout, &key()));
        keep(&layout, &key(), &settings("/proc/sys/net/x")).unwrap();
        assert!(has(&layout, &key()));
    }

    #[test]
    fn files_without_a_journal_go() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::choose(Some(folder.path())).unwrap();
        let settings = BTreeMap::from([("/proc/sys/net/x".to_owned(), "1".to_owned())]);
        keep(&layout, &key(), &settings).unwrap();
        let others = layout.sysctl.clone().unwrap().join("99-mine.conf");
        std::fs::write(&others, "").unwrap();
        prune(&layout).unwrap();
        assert!(!path(layout.sysctl.as_deref().unwrap(), &key()).exists());
        assert!(others.exists());
    }
}
