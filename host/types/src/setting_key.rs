//! Names of kernel settings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::LinkName;

/// The longest name of a setting, in bytes. No kernel has a longer one, and a driver
/// can't fill the audit trail with it.
const MAX: usize = 256;

/// The name of a kernel setting below `net`, as sysctl(8) writes it: parts separated
/// by dots. A dot inside a part is written `/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SettingKey(String);

/// A text that can't be the name of a kernel setting.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error(
    "{text:?} can't be the name of a kernel setting: such a name starts with \"net.\" and has \
     parts of letters, digits, '_' and '-', separated by dots ('/' for a dot inside a part), at \
     most {MAX} bytes in all"
)]
pub struct InvalidSettingKey {
    text: String,
}

impl SettingKey {
    /// Returns `net.ipv4.ip_forward`.
    pub fn ip_forward4() -> Self {
        Self("net.ipv4.ip_forward".to_owned())
    }

    /// Returns `net.ipv6.conf.all.forwarding`.
    pub fn ip_forward6() -> Self {
        Self("net.ipv6.conf.all.forwarding".to_owned())
    }

    /// Returns the link that the setting belongs to, as in
    /// `net.ipv4.conf.LINK.forwarding`, unless a link can't have that name.
    pub fn link(&self) -> Option<LinkName> {
        let parts: Vec<_> = self.parts().collect();
        match parts.as_slice() {
            ["net", "ipv4" | "ipv6", "conf" | "neigh", link, _] => file_name(link).parse().ok(),
            _ => None,
        }
    }

    /// Returns the parts between the dots.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }

    /// Returns the path of the setting's file.
    pub fn path(&self) -> String {
        let parts: Vec<_> = self.parts().map(file_name).collect();
        format!("/proc/sys/{}", parts.join("/"))
    }
}

/// Returns the file or folder that a part of a key names.
fn file_name(part: &str) -> String {
    part.replace('/', ".")
}

/// Whether a part of a key names a file or folder, and leads nowhere else.
pub fn is_part(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/');
    let file = file_name(part);
    !part.is_empty() && part.chars().all(plain) && file != "." && file != ".."
}

impl FromStr for SettingKey {
    type Err = InvalidSettingKey;

    fn from_str(text: &str) -> Result<Self, InvalidSettingKey> {
        let below_net = text.strip_prefix("net.").filter(|_| text.len() <= MAX);
        if below_net.is_some_and(|rest| rest.split('.').all(is_part)) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidSettingKey {
            text: text.to_owned(),
        })
    }
}

impl TryFrom<String> for SettingKey {
    type Error = InvalidSettingKey;

    fn try_from(text: String) -> Result<Self, InvalidSettingKey> {
        text.parse()
    }
}

impl From<SettingKey> for String {
    fn from(key: SettingKey) -> Self {
        key.0
    }
}

impl fmt::Display for SettingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_longer_than_any_that_there_is() {
        let key = |length: usize| format!("net.{}", "a".repeat(length - 4));
        assert!(key(MAX).parse::<SettingKey>().is_ok());
        assert!(key(MAX + 1).parse::<SettingKey>().is_err());
    }

    #[test]
    fn keys_name_files_below_net() {
        let path = |key: &str| key.parse::<SettingKey>().map(|key| key.path());
        assert_eq!(
            path("net.core.somaxconn").unwrap(),
            "/proc/sys/net/core/somaxconn"
        );
        assert_eq!(
            path("net.ipv4.conf.eth0/100.rp_filter").unwrap(),
            "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"
        );
    }

    #[test]
    fn keys_of_links_name_the_link() {
        let link = |key: &str| key.parse::<SettingKey>().unwrap().link();
        let of_link = link("net.ipv4.conf.eth0/100.rp_filter").unwrap();
        assert_eq!(of_link.as_str(), "eth0.100");
        for key in [
            "net.ipv4.conf.all.rp_filter",
            "net.ipv6.conf.default.forwarding",
            "net.ipv4.ip_forward",
            "net.core.conf.eth0.x",
            "net.ipv4.conf.eth0.x.y",
        ] {
            assert_eq!(link(key), None, "{key}");
        }
    }

    #[test]
    fn keys_lead_nowhere_else() {
        for text in [
            "",
            "net",
            "net.",
            "kernel.panic",
            "net.//.//.kernel.panic",
            "net./.x",
            "net..ipv4",
            "net.ipv4.",
            "net.ipv4.a b",
            "net.ipv4.\n",
            "net.ipv4.*",
            "net.ipv4.é",
        ] {
            assert!(text.parse::<SettingKey>().is_err(), "{text:?}");
        }
    }
}
