//! All that a namespace has of links and routes, for whoever pictures it.

use types::{DevicePath, Namespace, PciAddress};

use super::{FoundRoute, KernelError, LinkInfo};

/// The links and routes of a namespace.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The links that have plain names.
    pub links: Vec<SurveyedLink>,
    /// The routes of all tables.
    pub routes: Vec<FoundRoute>,
}

/// A link with what ties it to others.
#[derive(Debug, Clone)]
pub struct SurveyedLink {
    /// What else there is to know of it.
    pub info: LinkInfo,
    /// What it lies on, or its other end.
    pub tie: Option<Tie>,
    /// The routing table of a VRF.
    pub table: Option<u32>,
    /// The PCI device that it's on.
    pub pci: Option<PciAddress>,
    /// The device that it's on.
    pub device: Option<DevicePath>,
}

/// A link's tie to another one (IFLA_LINK).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tie {
    /// Whether that is its other end, as of a veth pair; else it lies on it.
    pub is_pair: bool,
    /// The other's index.
    pub index: u32,
    /// Whether the other is in another namespace.
    pub elsewhere: bool,
}

/// Reading a whole namespace.
pub trait InventoryRead {
    /// Lists all links and routes of a namespace.
    fn survey(&mut self, namespace: Namespace) -> Result<Survey, KernelError>;
    /// Lists the links of a namespace with the links that they are tied to.
    fn tied_links(&mut self, namespace: Namespace) -> Result<Vec<SurveyedLink>, KernelError>;
}
