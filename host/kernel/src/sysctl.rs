//! Kernel settings below `/proc/sys/net`. Keys are built here, from a checked
//! name of a link, and are read and written by a thread inside the namespace.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use types::{LinkName, SettingKey};

use super::enter_netns::inside;
use super::{KernelError, LinkSetting, Netns};

/// The address families that have settings of links.
const FAMILIES: [&str; 2] = ["ipv4", "ipv6"];

/// Reads a setting of a link.
#[track_caller]
pub(super) fn link_setting(
    netns: &Netns,
    link: &LinkName,
    setting: LinkSetting,
) -> Result<String, KernelError> {
    read(netns, &setting.path(link))
}

/// Sets a setting of a link.
#[track_caller]
pub(super) fn set_link_setting(
    netns: &Netns,
    link: &LinkName,
    setting: LinkSetting,
    value: &str,
) -> Result<(), KernelError> {
    let path = setting.path(link);
    inside(netns, || write(&path, value))
}

/// Reads a setting by its key.
#[track_caller]
pub(super) fn setting(netns: &Netns, key: &SettingKey) -> Result<String, KernelError> {
    read(netns, &key.path())
}

/// Sets a setting by its key.
#[track_caller]
pub(super) fn set_setting(netns: &Netns, key: &SettingKey, value: &str) -> Result<(), KernelError> {
    let path = key.path();
    inside(netns, || write(&path, value))
}

/// Reads all settings of a link, by `FAMILY/KEY`. Those that can't be read
/// (`stable_secret` before it's set) are left out.
pub(super) fn all(netns: &Netns, link: &LinkName) -> Result<BTreeMap<String, String>, KernelError> {
    inside(netns, || {
        let mut settings = BTreeMap::new();
        for family in FAMILIES {
            let folder = fs::read_dir(format!("/proc/sys/net/{family}/conf/{link}"));
            // A link that is too small for IPv6 has none.
            for entry in folder.into_iter().flatten().flatten() {
                let key = entry.file_name().into_string();
                let (Ok(key), Ok(value)) = (key, fs::read_to_string(entry.path())) else {
                    continue;
                };
                settings.insert(format!("{family}/{key}"), value.trim().to_owned());
            }
        }
        Ok(settings)
    })
}

/// Gives a link its old settings, where they differ. What the kernel doesn't
/// take back any more stays as it is: nothing depends on it.
pub(super) fn put_back(
    netns: &Netns,
    link: &LinkName,
    settings: &BTreeMap<String, String>,
) -> Result<(), KernelError> {
    inside(netns, || {
        for (key, value) in settings {
            let Some((family, key)) = key.split_once('/').filter(|(_, key)| !key.contains('/'))
            else {
                continue;
            };
            if FAMILIES.contains(&family) {
                let _ = write(&format!("/proc/sys/net/{family}/conf/{link}/{key}"), value);
            }
        }
        Ok(())
    })
}

#[track_caller]
fn read(netns: &Netns, path: &str) -> Result<String, KernelError> {
    let text = inside(netns, || fs::read_to_string(path))?;
    Ok(text.trim().to_owned())
}

/// Writes a value unless it's there already: `/proc/sys` may be read-only.
fn write(path: &str, value: &str) -> io::Result<()> {
    if fs::read_to_string(path)?.trim() == value {
        return Ok(());
    }
    fs::write(path, value)
}
