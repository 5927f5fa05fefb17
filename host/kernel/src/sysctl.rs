//! Kernel settings below `/proc/sys/net`. Paths are built from checked names of
//! links. A thread inside the namespace reads and writes the files.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use types::{LinkName, SettingKey};

use super::enter_netns::in_netns;
use super::{KernelError, LinkSetting, Netns};

/// The address families with settings for links.
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
    in_netns(netns, || write(&path, value))
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
    in_netns(netns, || write(&path, value))
}

/// Reads all settings of a link, by `FAMILY/KEY`. Leaves out settings that
/// can't be read, such as `stable_secret` before it's set.
pub(super) fn all(netns: &Netns, link: &LinkName) -> Result<BTreeMap<String, String>, KernelError> {
    in_netns(netns, || {
        let mut settings = BTreeMap::new();
        for family in FAMILIES {
            let folder = fs::read_dir(format!("/proc/sys/net/{family}/conf/{link}"));
            // A link whose MTU is too small for IPv6 has no IPv6 settings.
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

/// Restores the settings of a link that differ. A setting that the kernel no
/// longer takes stays as it is, since nothing depends on it.
pub(super) fn restore(
    netns: &Netns,
    link: &LinkName,
    settings: &BTreeMap<String, String>,
) -> Result<(), KernelError> {
    in_netns(netns, || {
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
    let text = in_netns(netns, || fs::read_to_string(path))?;
    Ok(text.trim().to_owned())
}

/// Writes a value unless the file has it already, since `/proc/sys` may be
/// read-only.
fn write(path: &str, value: &str) -> io::Result<()> {
    if fs::read_to_string(path)?.trim() == value {
        return Ok(());
    }
    fs::write(path, value)
}
