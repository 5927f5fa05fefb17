//! The names of calls.

use std::fmt;
use std::str::FromStr;

use types::nearest;

use super::Call;

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No call has this name.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("there is no call {name:?}{}", nearest::did_you_mean(*near))]
pub struct UnknownCall {
    name: String,
    near: Option<&'static str>,
}

impl FromStr for Call {
    type Err = UnknownCall;

    fn from_str(name: &str) -> Result<Self, UnknownCall> {
        let mut calls = Call::ALL.iter().copied();
        let found = calls.find(|call| call.name() == name);
        found.ok_or_else(|| UnknownCall {
            name: name.to_owned(),
            near: nearest::name(name, Call::ALL.iter().map(|call| call.name())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expect(unknown: &str, near: Option<&str>) {
        let error = unknown.parse::<Call>().unwrap_err();
        assert_eq!(error.near, near, "{unknown}");
    }

    #[test]
    fn the_nearest_call_is_proposed() {
        expect("links.gett", Some("links.get"));
        expect("link.get", Some("links.get"));
        expect("links.create_macvlan", Some("links.create-macvlan"));
        expect("create-macvlan", Some("links.create-macvlan"));
        expect("links.destory", Some("links.delete"));
        expect("adresses.add", Some("addresses.add"));
        expect("sysctl.write", Some("sysctl.set"));
        expect("unheard", None);
        expect("", None);
    }
}
