//! Kernel settings below `/proc/sys/net`. Paths are built from checked names of
//! links. A thread inside the namespace reads and writes the files.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use nix::errno::Errno;
use types::{LinkName, Namespace, SettingKey};

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
    namespace: Namespace,
    link: &LinkName,
    setting: LinkSetting,
    value: &str,
) -> Result<(), KernelError> {
    let path = setting.path(link);
    let wanted = value.to_owned();
    let written = in_netns(netns, move || write(&path, &wanted));
    written.map_err(|error| unwritable(error, namespace, &setting.key(link), value))
}

/// Reads a setting by its key.
#[track_caller]
pub(super) fn setting(netns: &Netns, key: &SettingKey) -> Result<String, KernelError> {
    read(netns, &key.path())
}

/// Sets a setting by its key.
#[track_caller]
pub(super) fn set_setting(
    netns: &Netns,
    namespace: Namespace,
    key: &SettingKey,
    value: &str,
) -> Result<(), KernelError> {
    let path = key.path();
    let wanted = value.to_owned();
    let written = in_netns(netns, move || write(&path, &wanted));
    written.map_err(|error| unwritable(error, namespace, &key.to_string(), value))
}

/// Reads all settings of a link, by `FAMILY/KEY`. Leaves out settings that
/// can't be read, such as `stable_secret` before it's set.
pub(super) fn all(netns: &Netns, link: &LinkName) -> Result<BTreeMap<String, String>, KernelError> {
    let link = link.clone();
    in_netns(netns, move || {
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
    let (link, settings) = (link.clone(), settings.clone());
    in_netns(netns, move || {
        for (key, value) in &settings {
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
    let path = path.to_owned();
    let text = in_netns(netns, move || fs::read_to_string(path))?;
    Ok(text.trim().to_owned())
}

/// Writes a value unless the file has it already, since `/proc/sys` may be
/// read-only.
fn write(path: &str, value: &str) -> io::Result<()> {
    if is_same(&fs::read_to_string(path)?, value) {
        return Ok(());
    }
    fs::write(path, value)
}

/// Whether two texts are one value. The kernel writes tabs between the numbers of a
/// list.
fn is_same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

/// Returns the error of a setting that has another value and can't be written. It says
/// who can set it.
fn unwritable(error: KernelError, namespace: Namespace, key: &str, value: &str) -> KernelError {
    let Some(errno @ (Errno::EROFS | Errno::EACCES | Errno::EPERM)) = error.errno() else {
        return error;
    };
    let who = match namespace {
        Namespace::Host => "root must set it on the host",
        Namespace::Container => "whoever starts the container must set it (--sysctl)",
    };
    let default = of_new_links(key);
    let default = default.map(|key| format!("; a new link has the value of {key}"));
    KernelError::Refused {
        errno,
        text: format!(
            "{key} must be {value} and can't be written here: {who}{}",
            default.unwrap_or_default()
        ),
    }
}

/// Returns the setting that gives new links a setting of a link.
fn of_new_links(key: &str) -> Option<String> {
    let parts: Vec<&str> = key.split('.').collect();
    match parts.as_slice() {
        [_, _, _, "all" | "default", _] => None,
        [net, family, group @ ("conf" | "neigh"), _, name] => {
            Some(format!("{net}.{family}.{group}.default.{name}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_the_same_with_tabs_and_spaces() {
        assert!(is_same("4096\t131072\t6291456\n", "4096 131072 6291456"));
        assert!(is_same("1\n", "1") && is_same("\n", ""));
        assert!(!is_same("1\n", "0") && !is_same("1 2", "12"));
    }

    #[test]
    fn an_error_says_what_must_be_set_and_by_whom() {
        let text = |errno: Errno, namespace, key| {
            unwritable(errno.into(), namespace, key, "1").to_string()
        };
        assert_eq!(
            text(Errno::EROFS, Namespace::Host, "net.ipv4.ip_forward"),
            "net.ipv4.ip_forward must be 1 and can't be written here: root must set it on the \
             host (EROFS)"
        );
        assert_eq!(
            text(
                Errno::EACCES,
                Namespace::Container,
                "net.ipv4.conf.eth0.arp_notify"
            ),
            "net.ipv4.conf.eth0.arp_notify must be 1 and can't be written here: whoever starts \
             the container must set it (--sysctl); a new link has the value of \
             net.ipv4.conf.default.arp_notify (EACCES)"
        );
        let other = text(Errno::EINVAL, Namespace::Host, "net.core.somaxconn");
        assert!(
            other.contains("EINVAL") && !other.contains("must be"),
            "{other}"
        );
        assert_eq!(of_new_links("net.ipv6.conf.all.forwarding"), None);
    }
}
