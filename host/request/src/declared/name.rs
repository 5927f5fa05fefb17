//! The names of declared options.

use serde::{Deserialize, Serialize};

/// The longest name, in bytes.
const LENGTH_MAX: usize = 64;

/// The name of a declared option. A part of it in capital letters, between dots, stands
/// for any text: `peer.NAME.key`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OptionName(String);

impl OptionName {
    /// Checks a name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if text.is_empty() || text.len() > LENGTH_MAX || !text.bytes().all(is_plain) {
            return Err(format!(
                "a name has 1 to {LENGTH_MAX} letters, digits, '.', '-' and '_'"
            ));
        }
        let places = text.split('.').filter(|part| is_place(part)).count();
        let has_others = text
            .split('.')
            .any(|part| !part.is_empty() && !is_place(part));
        match (places, has_others) {
            (0, _) | (1, true) => Ok(Self(text.to_owned())),
            (1, false) => Err(
                "it would stand for every option: a part in capital letters stands \
                               for any text"
                    .to_owned(),
            ),
            _ => Err(
                "it has more than one part in capital letters, which stands for any text"
                    .to_owned(),
            ),
        }
    }

    /// Returns the name as the manifest has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text before and after the part that stands for any text.
    fn around(&self) -> Option<(&str, &str)> {
        let place = self.0.split('.').find(|part| is_place(part))?;
        // Parts are between dots, so that the part isn't found within another one.
        let mut at = 0;
        for part in self.0.split('.') {
            if part == place {
                break;
            }
            at += part.len() + 1;
        }
        Some((self.0.get(..at)?, self.0.get(at + place.len()..)?))
    }

    /// Returns how many bytes of an option's name it says, if it stands for several
    /// options.
    pub(super) fn said(&self) -> Option<usize> {
        let (before, after) = self.around()?;
        Some(before.len() + after.len())
    }

    /// Whether two names stand for the same options.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self.around(), other.around()) {
            (None, None) => self == other,
            (one, other) => one == other,
        }
    }

    /// Whether an option has this name.
    pub(super) fn is_of(&self, key: &str) -> bool {
        match self.around() {
            None => self.0 == key,
            Some((before, after)) => {
                key.len() > before.len() + after.len()
                    && key.starts_with(before)
                    && key.ends_with(after)
            }
        }
    }
}

/// Whether a part of a name stands for any text.
fn is_place(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_in_capital_letters_stands_for_any_text() {
        let name = |text| OptionName::parse(text).unwrap();
        let peer = name("peer.NAME.key");
        for key in ["peer.a.key", "peer.a.b.key", "peer.NAME.key", "peer.é.key"] {
            assert!(peer.is_of(key), "{key}");
        }
        for key in [
            "peer..key",
            "peer.key",
            "peer.a.keys",
            "Peer.a.key",
            "peer.a.Key",
            "",
        ] {
            assert!(!peer.is_of(key), "{key}");
        }
        assert!(name("sysctl.KEY").is_of("sysctl.net.ipv4.conf.IFNAME.x"));
        assert!(name("mtu").is_of("mtu"));
        for key in ["MTU", "mtu ", "мtu", "mt", "mtuu"] {
            assert!(!name("mtu").is_of(key), "{key}");
        }
    }

    #[test]
    fn what_can_be_no_name_is_refused() {
        let long = "a".repeat(65);
        for text in [
            "", "a b", "é", "мtu", "a=b", "NAME", "a.X.Y", ".X", &long, "a\n",
        ] {
            assert!(OptionName::parse(text).is_err(), "{text}");
        }
    }
}
