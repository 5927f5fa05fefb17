//! Properties by which a link can be found.

use std::fmt;

use super::{DevicePath, Mac, PciAddress};

/// A property by which a link can be found instead of by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkProperty {
    /// The link's index.
    Index(u32),
    /// The link's MAC address. A permanent address goes before the current one.
    Mac(Mac),
    /// The PCI device that the link belongs to.
    Pci(PciAddress),
    /// The device that the link belongs to, on any bus.
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
