//! The driver's options.

use wasmvark_guest::types::{Error, OptionValue};
use wasmvark_guest::{find, parse, parse_bool};

/// All options; the host parses `metric`, `mtu` and `no_default_route`.
const NAMES: &[&str] = &[
    "bridge",
    "group",
    "metric",
    "mtu",
    "multi_queue",
    "no_default_route",
    "owner",
];

/// What the host doesn't parse for us.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options<'a> {
    /// The name of a bridge in the container.
    pub(crate) bridge: Option<&'a str>,
    pub(crate) owner: Option<u32>,
    pub(crate) group: Option<u32>,
    pub(crate) multi_queue: bool,
}

impl<'a> Options<'a> {
    pub(crate) fn parse(options: &'a [OptionValue]) -> Result<Self, Error> {
        Ok(Self {
            bridge: find(options, "bridge").filter(|name| !name.is_empty()),
            owner: parse(options, "owner")?,
            group: parse(options, "group")?,
            multi_queue: parse_bool(options, "multi_queue", false)?,
        })
    }
}

/// Refuses options that the driver doesn't know.
pub(crate) fn check_names(options: &[OptionValue]) -> Result<(), Error> {
    wasmvark_guest::check_names(options, NAMES, "tap")
}
