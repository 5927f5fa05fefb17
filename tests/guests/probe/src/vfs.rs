//! The calls of `links` for the virtual functions of a card.
//!
//! - `links.vfs HANDLE [tell]`
//! - `links.set-vf-mac HANDLE VF MAC|-`
//! - `links.set-vf-vlan HANDLE VF ID|- [PRIORITY dot1q|dot1ad]`
//! - `links.set-vf-spoof-check HANDLE VF on|off`, `links.set-vf-trust …`
//! - `links.set-vf-link-state HANDLE VF auto|enable|disable`
//! - `links.set-vf-rate HANDLE VF MIN MAX`: Mbit/s

use wasmvark_guest::links::{self, Link, VfLinkState, VfVlan};
use wasmvark_guest::types::Error;

use crate::arguments::{Arguments, invalid, number};
use crate::calls::{handle, tell};
use crate::create::vlan_protocol;

/// What changes one begins with.
pub(crate) const CHANGE: &str = "links.set-vf-";

pub(crate) fn list(arguments: &mut Arguments<'_>, handles: &[Link]) -> Result<(), Error> {
    let vfs = links::vfs(handle(arguments, handles)?)?;
    tell(arguments, "vfs", &format!("{vfs:?}"))
}

pub(crate) fn change(
    what: &str,
    arguments: &mut Arguments<'_>,
    handles: &[Link],
) -> Result<(), Error> {
    let link = handle(arguments, handles)?;
    let vf = arguments.number()?;
    match what {
        "mac" => links::set_vf_mac(link, vf, arguments.optional()?),
        "vlan" => links::set_vf_vlan(link, vf, vlan(arguments)?),
        "spoof-check" => links::set_vf_spoof_check(link, vf, arguments.switch()?),
        "trust" => links::set_vf_trust(link, vf, arguments.switch()?),
        "link-state" => links::set_vf_link_state(link, vf, link_state(arguments.word()?)?),
        "rate" => links::set_vf_rate(link, vf, arguments.number()?, arguments.number()?),
        word => Err(invalid(&format!("unknown word {CHANGE}{word}"))),
    }
}

fn vlan(arguments: &mut Arguments<'_>) -> Result<Option<VfVlan>, Error> {
    let Some(id) = arguments.optional()? else {
        return Ok(None);
    };
    Ok(Some(VfVlan {
        id: number(id)?,
        qos: arguments.number()?,
        protocol: vlan_protocol(arguments.word()?)?,
    }))
}

fn link_state(word: &str) -> Result<VfLinkState, Error> {
    match word {
        "auto" => Ok(VfLinkState::Auto),
        "enable" => Ok(VfLinkState::Enable),
        "disable" => Ok(VfLinkState::Disable),
        word => Err(invalid(&format!("no such state: {word}"))),
    }
}
