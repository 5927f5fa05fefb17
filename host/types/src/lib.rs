//! Plain values that the other crates share: names, addresses, routes, rules, ports,
//! ids, digests, and text for people. The crate reads and writes nothing, except facts
//! about its own process.

#![deny(unsafe_code)]

mod device;
mod digest;
mod host_place;
mod id;
mod kernel_interface;
mod link_property;
pub mod nearest;
mod number_range;
mod port;
mod rule;
mod setting_key;
pub mod text;
pub mod user;
mod vf;
mod wireguard_key;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use device::{DevicePath, InvalidDevicePath, InvalidPciAddress, PciAddress};
pub use digest::{Digest, InvalidDigest};
pub use host_place::HostPlace;
pub use id::{ContainerId, InvalidId, Key, NetworkId, is_secret_name, plain};
pub use kernel_interface::KernelInterface;
pub use link_property::LinkProperty;
pub use number_range::{NumberRange, VLAN_MAX};
pub use port::{Port, PortRange, Protocol};
pub use rule::{IpVersion, Mark, Rule};
pub use setting_key::{InvalidSettingKey, SettingKey, is_part};
pub use vf::{VfChange, VfLinkState, VfVlan, VfWish, WishedVf};
pub use wireguard_key::{InvalidKey, WireguardKey};

/// The longest name of a link, in bytes: IFNAMSIZ without the final NUL
/// (`linux/if.h`).
const LINK_NAME_MAX: usize = 15;

/// One of the two network namespaces that a run works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Namespace {
    /// The namespace that Podman runs in.
    Host,
    /// The container's namespace.
    Container,
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Container => "container",
        })
    }
}

/// A name that the kernel accepts for a link (`dev_valid_name` in `net/core/dev.c`).
/// It has no `%`, which would make it a pattern, and no character that could confuse
/// a path or a terminal. It is neither `all` nor `default`, which name no link in
/// kernel settings (`sysctl_dev_name_is_allowed`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LinkName(String);

/// A text that can't be the name of a link.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error(
    "{name:?} can't be the name of a network interface: use 1 to 15 visible characters without \
     '/', ':' and '%', and none of \".\", \"..\", \"all\" and \"default\""
)]
pub struct InvalidLinkName {
    name: String,
}

impl LinkName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the temporary name of a link that can't get this name yet. It is always
    /// the same, so that another process finds the link.
    pub fn temporary(&self) -> Self {
        Self(format!("wv{:013x}", hash(&self.0) >> 12))
    }

    /// Returns a name for a link of a kind for which the user gave no name. It is
    /// always the same for the same owner.
    pub fn chosen(kind: &str, owner: &[&str]) -> Self {
        let kind: String = kind
            .chars()
            .filter(char::is_ascii_lowercase)
            .take(4)
            .collect();
        Self(format!("{kind}{:011x}", hash(&owner.join(" ")) >> 20))
    }
}

/// Hashes a text with FNV-1a. Names only have to differ from each other.
fn hash(text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    text.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl TryFrom<String> for LinkName {
    type Error = InvalidLinkName;

    fn try_from(name: String) -> Result<Self, InvalidLinkName> {
        let fits = (1..=LINK_NAME_MAX).contains(&name.len());
        let plain = name
            .chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '/' | ':' | '%'));
        let special = matches!(&*name, "." | ".." | "all" | "default");
        if fits && plain && !special {
            return Ok(Self(name));
        }
        Err(InvalidLinkName { name })
    }
}

impl FromStr for LinkName {
    type Err = InvalidLinkName;

    fn from_str(name: &str) -> Result<Self, InvalidLinkName> {
        name.to_owned().try_into()
    }
}

impl From<LinkName> for String {
    fn from(name: LinkName) -> Self {
        name.0
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac([u8; 6]);

/// A text that isn't a MAC address. The errors have netavark's words.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum InvalidMac {
    /// The address doesn't have six bytes.
    #[error("invalid mac length for address: {0}")]
    Length(String),
    /// A part isn't a hexadecimal byte.
    #[error("unable to parse mac address {0}: {1}")]
    Digit(String, std::num::ParseIntError),
}

impl Mac {
    /// The address of all zeros, which stands for no address.
    pub const NONE: Self = Self([0; 6]);

    /// Returns a locally administered address in place of an unknown one. It is the
    /// same for the same number.
    pub fn stand_in(number: u8) -> Self {
        Self([0x02, 0, 0, 0, 0xff, number])
    }

    /// Returns the six bytes.
    pub fn bytes(self) -> [u8; 6] {
        self.0
    }
}

impl TryFrom<&[u8]> for Mac {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl FromStr for Mac {
    type Err = InvalidMac;

    fn from_str(text: &str) -> Result<Self, InvalidMac> {
        let bytes: Result<Vec<u8>, _> = text
            .split([':', '-'])
            .map(|byte| u8::from_str_radix(byte, 16))
            .collect();
        let bytes = bytes.map_err(|error| InvalidMac::Digit(text.to_owned(), error))?;
        Self::try_from(bytes.as_slice()).map_err(|_| InvalidMac::Length(text.to_owned()))
    }
}

impl TryFrom<String> for Mac {
    type Error = InvalidMac;

    fn try_from(text: String) -> Result<Self, InvalidMac> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// The kind of a route, which decides about matching packets (RTN_* in
/// `linux/rtnetlink.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteKind {
    /// Packets go to the gateway.
    Unicast,
    /// Packets are dropped silently.
    Blackhole,
    /// Packets are answered with "host unreachable".
    Unreachable,
    /// Packets are answered with "administratively prohibited".
    Prohibit,
}

/// The metric of a route that names none. It is netavark's
/// (`constants::DEFAULT_METRIC`).
pub const DEFAULT_METRIC: u32 = 100;

/// A route of the main table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The destination, without host bits.
    pub destination: IpNet,
    /// The gateway. Only unicast routes have one.
    pub gateway: Option<IpAddr>,
    /// The metric (RTA_PRIORITY). It is [`DEFAULT_METRIC`] if absent.
    pub metric: Option<u32>,
    /// The kind.
    pub kind: RouteKind,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RouteKind::Unicast => {}
            RouteKind::Blackhole => f.write_str("blackhole ")?,
            RouteKind::Unreachable => f.write_str("unreachable ")?,
            RouteKind::Prohibit => f.write_str("prohibit ")?,
        }
        write!(f, "{}", self.destination)?;
        match self.gateway {
            Some(gateway) => write!(f, " via {gateway}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_kernel_or_a_path_can_not_take_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "../x",
            "a b",
            "a\0b",
            "eth%d",
            "a:b",
            "sixteen-letters-",
            "\u{1b}[2J",
        ] {
            assert!(name.parse::<LinkName>().is_err(), "{name:?}");
        }
        for name in ["eth0", "fifteen-letters", "a.b", "wlp0s20f3", "ü"] {
            assert_eq!(name.parse::<LinkName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn mac_addresses_are_read_as_netavark_reads_them() {
        assert_eq!(
            "aa-BB:cc:dd:ee:01".parse::<Mac>().unwrap().to_string(),
            "aa:bb:cc:dd:ee:01"
        );
        assert_eq!(
            "aa:bb".parse::<Mac>().unwrap_err().to_string(),
            "invalid mac length for address: aa:bb"
        );
        assert_eq!(
            "aa:bb:cc:dd:ee:fg".parse::<Mac>().unwrap_err().to_string(),
            "unable to parse mac address aa:bb:cc:dd:ee:fg: invalid digit found in string"
        );
    }
}
