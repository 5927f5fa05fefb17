//! The driver's options.

use wasmvark_guest::links::MacvlanMode;
use wasmvark_guest::types::{Error, Network, RequestOption};
use wasmvark_guest::{MACVLAN_MODES, choose, find, parse};

/// The tables that every namespace has, and 0, which means none (RT_TABLE_* of
/// `linux/rtnetlink.h`).
const RESERVED: [u32; 4] = [0, 253, 254, 255];

/// The first default table. It's above the numbers that users usually choose.
const FIRST: u32 = 1000;
/// The bits of a default table above the first one.
const BITS: u32 = 0x0fff_ffff;

/// The options that the host doesn't parse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) mode: MacvlanMode,
    /// The VRF's routing table.
    pub(crate) table: u32,
}

impl Options {
    pub(crate) fn parse(network: &Network, options: &[RequestOption]) -> Result<Self, Error> {
        if find(options, "vrf_name").is_none_or(str::is_empty) {
            let text = "no VRF is specified: give -o vrf_name=NAME";
            return Err(Error::Invalid(text.to_owned()));
        }
        Ok(Self {
            mode: choose(options, "mode", MACVLAN_MODES)?,
            table: table(network, options)?,
        })
    }
}

fn table(network: &Network, options: &[RequestOption]) -> Result<u32, Error> {
    match parse(options, "table")? {
        None => Ok(FIRST + (mix(&network.id) & BITS)),
        Some(table) if RESERVED.contains(&table) => Err(Error::Invalid(format!(
            "table {table} is not possible: every namespace has it for other routes"
        ))),
        Some(table) => Ok(table),
    }
}

/// Returns a number that differs between networks.
fn mix(id: &str) -> u32 {
    id.bytes().fold(0, |sum: u32, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_follow_from_an_id_are_never_reserved() {
        let ids = ["", "a", "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b55"];
        for id in ids {
            let table = FIRST + (mix(id) & BITS);
            assert!(table >= FIRST, "{id}");
        }
        assert_ne!(mix(ids[1]), mix(ids[2]));
    }
}
