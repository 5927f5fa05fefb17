//! The driver's options.

use wasmvark_guest::types::{Error, RequestOption};
use wasmvark_guest::{find, parse, parse_bool};

/// The options that the host doesn't parse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options<'a> {
    /// The name of a bridge in the container.
    pub(crate) bridge: Option<&'a str>,
    pub(crate) owner: Option<u32>,
    pub(crate) group: Option<u32>,
    pub(crate) multi_queue: bool,
}

impl<'a> Options<'a> {
    pub(crate) fn parse(options: &'a [RequestOption]) -> Result<Self, Error> {
        Ok(Self {
            bridge: find(options, "bridge").filter(|name| !name.is_empty()),
            owner: parse(options, "owner")?,
            group: parse(options, "group")?,
            multi_queue: parse_bool(options, "multi_queue", false)?,
        })
    }
}
