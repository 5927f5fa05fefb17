//! Names and numbers in options, grants and calls.

use std::fmt::Debug;
use std::str::FromStr;

use services::dns::DnsName;
use types::{
    ContainerId, DevicePath, LinkName, Mac, NetworkId, NumberRange, PciAddress, SettingKey,
};

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let lines = text.lines();
    lines.for_each(one);
}

fn one(text: &str) {
    if let Ok(name) = LinkName::try_from(text.to_owned()) {
        let name = name.as_str();
        assert!((1..16).contains(&name.len()), "{name:?}");
        let is_forbidden = |letter: char| letter == '/' || letter == ':' || letter.is_whitespace();
        assert!(
            !name.contains(is_forbidden) && ![".", ".."].contains(&name),
            "{name:?}"
        );
    }
    for id in [
        ContainerId::try_from(text.to_owned()).map(|id| id.to_string()),
        NetworkId::try_from(text.to_owned()).map(|id| id.to_string()),
    ] {
        assert!(id.is_err() || !text.contains(['/', '\0', '\n']), "{text:?}");
    }
    if let Ok(key) = text.parse::<SettingKey>() {
        let path = key.to_string();
        assert!(!path.contains("..") && !path.contains('\0'), "{path:?}");
    }
    // aardvark-dns separates names by commas, and columns by spaces.
    let is_separator = |letter: char| letter == ',' || letter.is_whitespace();
    assert!(
        DnsName::parse(text).is_err() || !text.contains(is_separator),
        "{text:?}"
    );
    if let Some(range) = NumberRange::parse(text) {
        assert_eq!(NumberRange::parse(&range.to_string()), Some(range));
    }
    stays::<Mac>(text);
    stays::<PciAddress>(text);
    stays::<DevicePath>(text);
}

/// A value is read from its own text again.
fn stays<T: FromStr + ToString + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let again = value.to_string().parse::<T>();
        assert_eq!(again.ok(), Some(value));
    }
}
