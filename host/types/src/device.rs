//! Devices behind links, as the kernel names hardware.

use std::fmt;
use std::str::FromStr;

/// The folder in which sysfs keeps all devices
/// (`Documentation/filesystems/sysfs.rst` in the kernel's source).
const DEVICES: &str = "/sys/devices/";

/// The longest path that the kernel takes, in bytes (PATH_MAX in `linux/limits.h`).
const PATH_MAX: usize = 4096;

/// The number of digits of a PCI domain. It is four, or more if a bus controller makes
/// domains of its own.
const DOMAIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;

/// The address of a PCI device as sysfs writes it: domain, bus, device and
/// function (`Documentation/PCI/sysfs-pci.rst`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PciAddress(String);

/// A text that isn't a PCI address.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is not a PCI address: write it as `lspci -D` shows it, as 0000:00:1f.6")]
pub struct InvalidPciAddress {
    text: String,
}

impl FromStr for PciAddress {
    type Err = InvalidPciAddress;

    /// Parses an address. The domain is 0000 if absent, as for lspci(8).
    fn from_str(text: &str) -> Result<Self, InvalidPciAddress> {
        let address = parse_pci(text).ok_or_else(|| InvalidPciAddress {
            text: text.to_owned(),
        })?;
        Ok(Self(address))
    }
}

fn parse_pci(text: &str) -> Option<String> {
    let (slot, function) = text.rsplit_once('.')?;
    let (bus, device) = slot.rsplit_once(':')?;
    let (domain, bus) = bus.rsplit_once(':').unwrap_or(("0000", bus));
    let function = hexadecimal(function, 1..=1).filter(|function| *function < 8)?;
    let device = hexadecimal(device, 2..=2).filter(|device| *device < 32)?;
    let bus = hexadecimal(bus, 2..=2)?;
    let domain = hexadecimal(domain, DOMAIN_DIGITS)?;
    Some(format!("{domain:04x}:{bus:02x}:{device:02x}.{function:x}"))
}

fn hexadecimal(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(text, 16).ok()?;
    (plain && digits.contains(&text.len())).then_some(number)
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of a device in sysfs, without links and dots. It is only compared, never
/// opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePath(String);

/// A text that isn't the path of a device.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error(
    "{text:?} is not the path of a device: such a path begins with /sys/devices/ and has neither \
     links nor dots, as `readlink -f /sys/class/net/eth1/device` shows it"
)]
pub struct InvalidDevicePath {
    text: String,
}

impl DevicePath {
    /// Returns the name of the device that this device is part of.
    pub fn parent(&self) -> Option<&str> {
        let above = self.0.rsplit('/').nth(1)?;
        let is_device = self.0.split('/').count() > DEVICES.split('/').count();
        is_device.then_some(above)
    }
}

impl FromStr for DevicePath {
    type Err = InvalidDevicePath;

    fn from_str(text: &str) -> Result<Self, InvalidDevicePath> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let below = path.strip_prefix(DEVICES).unwrap_or_default();
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        let readable = !path.chars().any(|c| c.is_whitespace() || c.is_control());
        if below.split('/').all(is_plain) && readable && path.len() < PATH_MAX {
            return Ok(Self(path.to_owned()));
        }
        Err(InvalidDevicePath {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for DevicePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pci_addresses_are_read_as_lspci_reads_them() {
        for (text, address) in [
            ("0000:00:1f.6", "0000:00:1f.6"),
            ("00:1F.6", "0000:00:1f.6"),
            ("10000:e1:00.0", "10000:e1:00.0"),
        ] {
            assert_eq!(text.parse::<PciAddress>().unwrap().to_string(), address);
        }
        for text in [
            "",
            "0000:00:1f",
            "0000:00:1f.8",
            "0000:00:20.0",
            "000:00:1f.6",
            "0000:0:1f.6",
            "0000:00:+f.6",
            "0000:00:1f.6/../x",
            "eth0",
        ] {
            assert!(text.parse::<PciAddress>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn paths_of_devices_make_no_detours() {
        let path: DevicePath = "/sys/devices/pci0000:00/0000:00:1f.6/".parse().unwrap();
        assert_eq!(path.to_string(), "/sys/devices/pci0000:00/0000:00:1f.6");
        for text in [
            "",
            "/sys/devices",
            "/sys/devices/",
            "/sys/class/net/eth0",
            "sys/devices/x",
            "/sys/devices/../../etc",
            "/sys/devices/a//b",
            "/sys/devices/a/./b",
            "/sys/devices/a b",
            "/sys/devices/a\n",
        ] {
            assert!(text.parse::<DevicePath>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn devices_are_parts_of_devices() {
        let parent = |path: &str| {
            let path: DevicePath = path.parse().unwrap();
            path.parent().map(str::to_owned)
        };
        let virtio = parent("/sys/devices/pci0000:00/0000:00:05.0/virtio3");
        assert_eq!(virtio.as_deref(), Some("0000:00:05.0"));
        assert_eq!(parent("/sys/devices/netdevsim1"), None);
    }
}
