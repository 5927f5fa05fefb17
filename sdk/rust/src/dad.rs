//! Duplicate address detection.

use crate::addresses::AddressOptions;
use crate::links::Link;
use crate::sysctl;
use crate::types::{Error, Network, RequestOption};
use crate::{is_v6, parse_bool};

/// The option that turns duplicate address detection on or off. It's named after the
/// kernel's setting.
const ACCEPT_DAD: &str = "accept_dad";

/// The duplicate address detection of a link (RFC 4862, section 5.4): whether its IPv6
/// addresses can be used only when no other machine is known to have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dad {
    /// Addresses can be used after a second or two.
    On,
    /// Addresses can be used at once.
    Off,
}

impl Dad {
    /// Parses the option `accept_dad`. `self` is the default: off where Podman alone
    /// gives addresses, as with netavark, and on where other machines may have them.
    pub fn or_given(self, options: &[RequestOption]) -> Result<Self, Error> {
        match parse_bool(options, ACCEPT_DAD, self == Self::On)? {
            true => Ok(Self::On),
            false => Ok(Self::Off),
        }
    }

    /// Turns the detection off for a link of a network with IPv6, also of its
    /// link-local address. It's called before the link is up.
    ///
    /// The host asks for a container's MAC address from its link-local address, so
    /// published ports need this one, too. A kernel without IPv6 has no detection. With
    /// a read-only `/proc/sys` the addresses that [`Dad::address_options`] is for can be
    /// used at once all the same.
    pub fn set(self, link: &Link, network: &Network) -> Result<(), Error> {
        let mut subnets = network.subnets.iter();
        if self == Self::On || !subnets.any(|subnet| is_v6(&subnet.subnet)) {
            return Ok(());
        }
        match sysctl::set_accept_dad(link, false) {
            Err(Error::NotFound(_) | Error::ReadOnly(_)) => Ok(()),
            result => result,
        }
    }

    /// Returns the options of an address.
    pub fn address_options(self) -> AddressOptions {
        AddressOptions {
            no_dad: self == Self::Off,
            no_prefix_route: false,
        }
    }
}
