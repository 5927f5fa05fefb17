//! Changes of the network at `create`.
//!
//! - `change network-interface NAME`
//! - `change dns-enabled on|off`
//! - `change ipam-driver NAME`
//! - `change set-option KEY VALUE…`
//! - `change remove-option KEY`
//! - `change merge-patch JSON…`, or `change {…}` for short

use wasmvark_guest::types::{Error, NetworkChange, OptionValue};

use crate::arguments::{Arguments, invalid};

/// What follows the word `change`.
pub(crate) fn parse(arguments: &mut Arguments<'_>) -> Result<NetworkChange, Error> {
    if arguments.peek('{') {
        return Ok(NetworkChange::MergePatch(arguments.rest().to_owned()));
    }
    Ok(match arguments.word()? {
        "network-interface" => NetworkChange::NetworkInterface(arguments.word()?.to_owned()),
        "dns-enabled" => NetworkChange::DnsEnabled(arguments.read()?),
        "ipam-driver" => NetworkChange::IpamDriver(arguments.word()?.to_owned()),
        "set-option" => NetworkChange::SetOption(OptionValue {
            key: arguments.word()?.to_owned(),
            value: arguments.rest().to_owned(),
        }),
        "remove-option" => NetworkChange::RemoveOption(arguments.word()?.to_owned()),
        "merge-patch" => NetworkChange::MergePatch(arguments.rest().to_owned()),
        word => return Err(invalid(&format!("no such change: {word}"))),
    })
}
