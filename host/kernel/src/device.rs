//! The devices of links, as sysfs shows them below `/sys/bus`. That view is the
//! same in all namespaces. `/sys/class/net` shows only the links of the
//! namespace in which sysfs was mounted.

use std::path::{Path, PathBuf};

use types::{DevicePath, PciAddress};

/// The device of a link, as the kernel reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Device {
    /// The bus (IFLA_PARENT_DEV_BUS_NAME, since Linux 5.14).
    pub(super) bus: Option<String>,
    /// The device's name on the bus (IFLA_PARENT_DEV_NAME).
    pub(super) name: Option<String>,
}

impl Device {
    /// Returns the device's path, if it's on a bus and sysfs can be read. Reads
    /// only the kernel's symbolic link to the device, and opens nothing.
    pub(super) fn path(&self) -> Option<DevicePath> {
        let (bus, name) = (self.bus.as_deref()?, self.name.as_deref()?);
        if bus.contains('/') || name.contains('/') {
            return None;
        }
        let link = Path::new("/sys/bus").join(bus).join("devices").join(name);
        let target = std::fs::read_link(link).ok()?;
        resolve(target.to_str()?)
    }

    /// Whether the device is a VF of a PCI device.
    pub(super) fn is_vf(&self) -> bool {
        let pci = self.pci_itself();
        pci.is_some_and(|pci| pci_folder(&pci).join("physfn").is_symlink())
    }

    /// Returns the device of a VF of this PCI device. Reads only the kernel's symbolic
    /// link to it (`Documentation/ABI/testing/sysfs-bus-pci` in the kernel's source).
    pub(super) fn vf(&self, number: u32) -> Option<PciAddress> {
        let link = pci_folder(&self.pci_itself()?).join(format!("virtfn{number}"));
        let target = std::fs::read_link(link).ok()?;
        target.file_name()?.to_str()?.parse().ok()
    }

    /// Returns the address of the PCI device that this device is.
    fn pci_itself(&self) -> Option<PciAddress> {
        match self.bus.as_deref()? {
            "pci" => self.name.as_deref()?.parse().ok(),
            _ => None,
        }
    }

    /// Returns the device's PCI address. A virtio device has that of its
    /// parent.
    pub(super) fn pci(&self) -> Option<PciAddress> {
        match self.bus.as_deref()? {
            "pci" => self.pci_itself(),
            "virtio" => self.path()?.parent()?.parse().ok(),
            _ => None,
        }
    }
}

fn pci_folder(address: &PciAddress) -> PathBuf {
    Path::new("/sys/bus/pci/devices").join(address.to_string())
}

/// Returns the path that a symbolic link in `/sys/bus/BUS/devices` leads to.
fn resolve(target: &str) -> Option<DevicePath> {
    let path = target.strip_prefix("../../../")?;
    format!("/sys/{path}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_buses_lead_to_devices() {
        let resolved = |target| resolve(target).map(|path| path.to_string());
        assert_eq!(
            resolved("../../../devices/pci0000:00/0000:00:1f.6").as_deref(),
            Some("/sys/devices/pci0000:00/0000:00:1f.6")
        );
        for target in [
            "/sys/devices/x",
            "../../../devices/../x",
            "../../../class/x",
        ] {
            assert_eq!(resolved(target), None, "{target}");
        }
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        let device = |bus: &str, name: &str| Device {
            bus: Some(bus.to_owned()),
            name: Some(name.to_owned()),
        };
        assert_eq!(device("../bus/pci", "x").path(), None);
        assert_eq!(device("pci", "../x").path(), None);
        assert_eq!(device("usb", "0000:00:1f.6").pci(), None);
        assert_eq!(device("pci", "../x").vf(0), None);
        assert!(!device("pci", "../x").is_vf());
        let pci = device("pci", "0000:00:1f.6").pci();
        assert_eq!(pci, Some("0000:00:1f.6".parse().unwrap()));
    }
}
