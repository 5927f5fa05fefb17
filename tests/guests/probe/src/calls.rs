//! The calls: `interface.function ARGUMENT…`, as the WIT has them. `build` makes
//! the code out of it.
//!
//! | parameter | in the line |
//! |---|---|
//! | a handle | its number, from 0 |
//! | a number, a text, a case of an enum, `on` or `off` | a word |
//! | an optional one | a word; `-` stands for none, and so does the end of the line |
//! | the last one, a `string` of a call that tells nothing, or bytes | all that's left; `*N` stands for N zero bytes |
//! | a list | all words that are left when the other parameters have theirs |
//! | a record | a word for each field that it must have, in order; `KEY=VALUE` for the others at the end of the line, for a list as often as wanted; `KEY` for `KEY=on` |
//! | a record in a word | its fields in order with commas between them, `-` for none |
//!
//! Handles that a call returns join the others, in the order of the record that
//! has them. What else it returns becomes a message where `tell` stands at the end.
//!
//! These are exceptions:
//!
//! - `links.get-by-index NAMESPACE @HANDLE` reads the index with `links.info`: no
//!   script can know it.
//! - `links.create-veth` has the name of the container's end as a word, as other calls
//!   that make links.
//! - A port is `[HOST-ADDRESS@]HOST-PORT[-LAST]:CONTAINER-PORT/PROTOCOL`: a line has
//!   no room for thousands of them.

use wasmvark_guest::links::{self, Link, VethOptions};
use wasmvark_guest::log::{self, Level};
use wasmvark_guest::types::{Error, Port, Protocol};

use crate::arguments::{Arguments, Read, invalid, not_of, number};
use crate::describe;

#[allow(
    unused_qualifications,
    clippy::too_many_lines,
    reason = "what `build` makes of the WIT"
)]
mod generated {
    use super::*;

    include!(concat!(env!("OUT_DIR"), "/calls.rs"));
}
pub(crate) use generated::run;

/// The next handle.
pub(crate) fn handle<'a>(
    arguments: &mut Arguments<'_>,
    handles: &'a [Link],
) -> Result<&'a Link, Error> {
    numbered(handles, arguments.word()?)
}

/// The next handle, which may be left out.
fn optional_handle<'a>(
    arguments: &mut Arguments<'_>,
    handles: &'a [Link],
) -> Result<Option<&'a Link>, Error> {
    let word = arguments.optional();
    word.map(|word| numbered(handles, word)).transpose()
}

fn numbered<'a>(handles: &'a [Link], word: &str) -> Result<&'a Link, Error> {
    let at: usize = number(word)?;
    handles
        .get(at)
        .ok_or_else(|| invalid(&format!("no handle {at}")))
}

/// An index, or that of a handle.
fn index(arguments: &mut Arguments<'_>, handles: &[Link]) -> Result<u32, Error> {
    let word = arguments.word()?;
    match word.strip_prefix('@') {
        Some(at) => Ok(links::info(numbered(handles, at)?)?.index),
        None => number(word),
    }
}

/// Both ends of a veth. The first one's name is a word.
fn veth(arguments: &mut Arguments<'_>) -> Result<VethOptions, Error> {
    Ok(VethOptions {
        name: arguments.optional().map(str::to_owned),
        host_name: arguments.field("host-name")?,
        mac: arguments.field("mac")?,
        host_mac: arguments.field("host-mac")?,
        mtu: arguments.field("mtu")?,
    })
}

/// Says what a call read, if asked to.
pub(crate) fn tell(arguments: &mut Arguments<'_>, what: &str, text: &str) -> Result<(), Error> {
    match arguments.next() {
        None => Ok(()),
        Some("tell") => log::write(Level::Warn, &format!("{what}: {text}")),
        Some(word) => Err(not_of("tell", word)),
    }
}

/// The ports of all words that are left.
fn ports(arguments: &mut Arguments<'_>) -> Result<Vec<Port>, Error> {
    let mut ports = Vec::new();
    while let Some(word) = arguments.next() {
        ports.extend(ports_of(word)?);
    }
    Ok(ports)
}

fn ports_of(word: &str) -> Result<impl Iterator<Item = Port>, Error> {
    let wrong = || invalid(&format!("no port: {word}"));
    let (host_address, rest) = match word.split_once('@') {
        Some((address, rest)) => (Some(address.to_owned()), rest),
        None => (None, word),
    };
    let (numbers, protocol) = rest.split_once('/').ok_or_else(wrong)?;
    let (host, container) = numbers.split_once(':').ok_or_else(wrong)?;
    let (first, last) = host.split_once('-').unwrap_or((host, host));
    let (first, last): (u16, u16) = (number(first)?, number(last)?);
    let container: u16 = number(container)?;
    let protocol = Protocol::read(&mut Arguments::new(protocol))?;
    let pairs = (first..=last).zip(container..);
    Ok(pairs.map(move |(host_port, container_port)| Port {
        host_address: host_address.clone(),
        host_port,
        container_port,
        protocol,
    }))
}
