//! What links can be found by.

use std::fmt;

use super::{DevicePath, Mac, PciAddress};

/// What a link can be found by instead of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkProperty {
    /// Its index.
    Index(u32),
    /// Its MAC address, first the one that hardware keeps.
    Mac(Mac),
    /// The PCI device that it's on.
    Pci(PciAddress),
    /// The device that it's on, whatever its bus.
    Path(DevicePath),
}

impl fmt::Display for LinkProperty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "the index {index}"),
            Self::Mac(mac) => write!(f, "the MAC address {mac}"),
            Self::Pci(address) => write!(f, "the PCI address {address}"),
            Self::Path(path) => write!(f, "the device {path}"),
        }
    }
}
