//! The conversion of each kind of link from the WIT's options to the kernel's types.
//! Each kind has a file.

mod bridge;
mod dummy;
mod ifb;
mod ipvlan;
mod macvlan;
mod macvtap;
mod tap;
mod veth;
mod vlan;
mod vrf;
mod vxlan;
mod wireguard;

use std::fmt::Display;
use std::net::IpAddr;

use policy::Call;

pub(super) use self::vrf::check_table;
use super::{LinkHandle, make};
use crate::gate::call::{CallError, invalid};

fn address(call: Call, text: Option<String>) -> Result<Option<IpAddr>, CallError> {
    let parse = |text: String| {
        text.parse()
            .map_err(|_| invalid(call, &format!("{text:?} is no IP address")))
    };
    text.map(parse).transpose()
}

fn above_max(call: Call, what: &str, number: impl Display, max: impl Display) -> CallError {
    let text = format!("there is no {what} {number}: the highest is {max}");
    invalid(call, &text)
}
