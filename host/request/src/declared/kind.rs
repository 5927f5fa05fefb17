//! The types of options' values.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use types::{DevicePath, LinkName, Mac, PciAddress, is_secret_name};

use crate::options::truth;

/// The type of an option's value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Any text. It's the type of an option for which the manifest names none.
    #[default]
    String,
    /// One of Go's words for truth values (`strconv.ParseBool`).
    Bool,
    /// A whole number.
    Integer,
    /// A whole number, or two of them with `-` between them.
    IntegerRange,
    /// A number of bits per second, which may end with k, m or g (of 1000).
    Rate,
    /// A number of bytes, which may end with k, m or g (of 1024).
    Size,
    /// A MAC address.
    Mac,
    /// An IPv4 or IPv6 address.
    IpAddress,
    /// An IPv4 address.
    Ipv4Address,
    /// An IPv6 address.
    Ipv6Address,
    /// An address with its prefix length.
    Subnet,
    /// An address with a port.
    SocketAddress,
    /// The name of a link.
    Link,
    /// The address of a PCI device.
    PciAddress,
    /// The path of a device in `/sys/devices`.
    DevicePath,
    /// The name of a secret of the host.
    Secret,
}

/// The first and the last number that is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) min: i64,
    pub(super) max: i64,
}

/// The factors of the letters at the end of a number.
const DECIMAL: i64 = 1000;
const BINARY: i64 = 1024;

impl Kind {
    /// Returns the bounds of a number without bounds in the manifest.
    pub(super) fn bounds(self) -> Bounds {
        let max = match self {
            Self::Rate | Self::Size => i64::MAX,
            _ => u32::MAX.into(),
        };
        Bounds { min: 0, max }
    }

    /// Whether values are numbers.
    pub(super) fn is_number(self) -> bool {
        matches!(
            self,
            Self::Integer | Self::IntegerRange | Self::Rate | Self::Size
        )
    }

    /// Whether an empty value stands for none.
    pub(super) fn may_be_empty(self) -> bool {
        matches!(
            self,
            Self::String
                | Self::Mac
                | Self::Link
                | Self::PciAddress
                | Self::DevicePath
                | Self::Secret
        )
    }

    /// Whether a text is a value of this type.
    pub(super) fn accepts(self, text: &str, bounds: Bounds) -> bool {
        match self {
            Self::String => true,
            Self::Bool => truth(text).is_some(),
            Self::Integer => integer(text).is_some_and(|number| bounds.contains(number)),
            Self::IntegerRange => is_range(text, bounds),
            Self::Rate => with_unit(text, DECIMAL).is_some_and(|number| bounds.contains(number)),
            Self::Size => with_unit(text, BINARY).is_some_and(|number| bounds.contains(number)),
            Self::Mac => is::<Mac>(text),
            Self::IpAddress => is::<IpAddr>(text),
            Self::Ipv4Address => is::<Ipv4Addr>(text),
            Self::Ipv6Address => is::<Ipv6Addr>(text),
            Self::Subnet => is::<IpNet>(text),
            Self::SocketAddress => is::<SocketAddr>(text),
            Self::Link => is::<LinkName>(text),
            Self::PciAddress => is::<PciAddress>(text),
            Self::DevicePath => is::<DevicePath>(text),
            Self::Secret => is_secret_name(text),
        }
    }

    /// Returns the normal form of a value, if the type has one. Podman stores that of its
    /// own drivers' options, too.
    pub(super) fn normal(self, text: &str) -> Option<String> {
        match self {
            Self::Bool => truth(text).map(|on| on.to_string()),
            Self::Integer => integer(text).map(|number| number.to_string()),
            _ => None,
        }
    }

    /// Returns the values that are possible, for one and for several.
    pub(super) fn expected(self, bounds: Bounds) -> (String, String) {
        let Bounds { min, max } = bounds;
        let (one, several) = match self {
            Self::String => ("a text", "texts"),
            Self::Bool => ("true or false", "truth values"),
            Self::Integer => {
                let one = format!("a whole number from {min} to {max}");
                return (one, format!("whole numbers from {min} to {max}"));
            }
            Self::IntegerRange => {
                let one = format!("a number from {min} to {max} or a range of them, as 10-20,");
                return (
                    one,
                    format!("numbers from {min} to {max} or ranges of them"),
                );
            }
            Self::Rate | Self::Size => {
                let within = within_units(bounds);
                let one = format!("a whole number{within}, which may end with k, m or g");
                return (
                    one,
                    format!("numbers{within}, which may end with k, m or g"),
                );
            }
            Self::Mac => ("a MAC address", "MAC addresses"),
            Self::IpAddress => ("an IP address", "IP addresses"),
            Self::Ipv4Address => ("an IPv4 address", "IPv4 addresses"),
            Self::Ipv6Address => ("an IPv6 address", "IPv6 addresses"),
            Self::Subnet => ("a subnet", "subnets"),
            Self::SocketAddress => (
                "ADDRESS:PORT or [ADDRESS]:PORT",
                "addresses with their ports",
            ),
            Self::Link => ("the name of an interface", "names of interfaces"),
            Self::PciAddress => ("a PCI address", "PCI addresses"),
            Self::DevicePath => ("the path of a device", "paths of devices"),
            Self::Secret => ("the name of a secret", "names of secrets"),
        };
        (one.to_owned(), several.to_owned())
    }
}

impl Bounds {
    fn contains(self, number: i64) -> bool {
        (self.min..=self.max).contains(&number)
    }
}

fn is<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

fn integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

fn is_range(text: &str, bounds: Bounds) -> bool {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (integer(first), integer(last)) {
        (Some(first), Some(last)) => {
            bounds.contains(first) && bounds.contains(last) && first <= last
        }
        _ => false,
    }
}

/// Parses a number that may end with `k`, `m` or `g`. `step` is the factor of `k`.
fn with_unit(text: &str, step: i64) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let units = [("k", 1), ("m", 2), ("g", 3), ("", 0)];
    let (digits, power) = units
        .iter()
        .find_map(|(unit, power)| Some((lower.strip_suffix(unit)?, *power)))?;
    digits.parse::<i64>().ok()?.checked_mul(step.pow(power))
}

fn within_units(bounds: Bounds) -> String {
    match (bounds.min, bounds.max) {
        (0, i64::MAX) => String::new(),
        (min, i64::MAX) => format!(" of at least {min}"),
        (min, max) => format!(" from {min} to {max}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(kind: Kind, text: &str) -> bool {
        kind.accepts(text, kind.bounds())
    }

    #[test]
    fn each_type_has_values_and_refuses_others() {
        for (kind, good, wrong) in [
            (
                Kind::Bool,
                &["true", " F ", "1"][..],
                &["yes", "", "tRUE"][..],
            ),
            (
                Kind::Integer,
                &["0", " 07 ", "+9", "4294967295"],
                &["", "-1", "4294967296", "0x7", "1.5", "٣", "1_0"],
            ),
            (
                Kind::IntegerRange,
                &["7", "10-20", " 7 - 7 "],
                &["", "9-8", "1-2-3", "-1", "x"],
            ),
            (
                Kind::Rate,
                &["8", "500k", "2G"],
                &[
                    "",
                    "k",
                    "1t",
                    "-1",
                    "99999999999999999999",
                    "9999999999999g",
                ],
            ),
            (Kind::Size, &["10K", "1m"], &["", "1.5m"]),
            (Kind::Mac, &["02:00:00:00:00:01"], &["02:00", "x", ""]),
            (
                Kind::IpAddress,
                &["10.0.0.1", "fd00::1"],
                &["", "10.0.0.1/8"],
            ),
            (Kind::Ipv4Address, &["10.0.0.1"], &["fd00::1", ""]),
            (Kind::Ipv6Address, &["fd00::1"], &["10.0.0.1", ""]),
            (
                Kind::Subnet,
                &["10.0.0.0/8", "fd00::/64"],
                &["10.0.0.0", "10.0.0.0/33", ""],
            ),
            (
                Kind::SocketAddress,
                &["10.0.0.1:7", "[fd00::1]:7"],
                &["10.0.0.1", "fd00::1:7x", ""],
            ),
            (Kind::Link, &["eth0.7"], &["a/b", "sixteen-letters-", ""]),
            (Kind::PciAddress, &["0000:00:1f.6"], &["eth0", ""]),
            (
                Kind::DevicePath,
                &["/sys/devices/pci0000:00/0000:00:1f.6"],
                &["/sys/class", ""],
            ),
            (Kind::Secret, &["vpn-key"], &["../x", "a b", ""]),
        ] {
            for text in good {
                assert!(accepts(kind, text), "{kind:?} {text:?}");
            }
            for text in wrong {
                assert!(!accepts(kind, text), "{kind:?} {text:?}");
            }
        }
    }

    #[test]
    fn a_normal_form_is_accepted_and_is_its_own() {
        for (kind, text) in [
            (Kind::Bool, " T "),
            (Kind::Integer, " +007 "),
            (Kind::Integer, "4294967295"),
        ] {
            let normal = kind.normal(text).unwrap();
            assert!(accepts(kind, &normal), "{text:?}");
            assert_eq!(kind.normal(&normal).as_ref(), Some(&normal));
        }
        assert_eq!(Kind::Rate.normal("01k"), None);
    }

    #[test]
    fn bounds_are_shown_in_words() {
        let rate = Kind::Rate;
        let bounds = Bounds {
            min: 8,
            ..rate.bounds()
        };
        assert!(!rate.accepts("7", bounds) && rate.accepts("8", bounds));
        let (one, _) = rate.expected(bounds);
        assert_eq!(
            one,
            "a whole number of at least 8, which may end with k, m or g"
        );
    }
}
