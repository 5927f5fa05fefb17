//! The names of calls.

use std::fmt;
use std::str::FromStr;

use super::Call;
use crate::nearest;

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No call has this name.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("there is no call {name:?}{}", nearest::did_you_mean(near))]
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
