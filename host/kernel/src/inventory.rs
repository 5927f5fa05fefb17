//! The inventory of a namespace: its links and its routes.

use types::{DevicePath, Namespace, PciAddress};

use super::{FoundRoute, KernelError, LinkInfo};

/// The links and routes of a namespace.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The links whose names are plain.
    pub links: Vec<SurveyedLink>,
    /// The routes of all tables.
    pub routes: Vec<FoundRoute>,
}

/// A link with its parent or peer, and its device.
#[derive(Debug, Clone)]
pub struct SurveyedLink {
    /// The link's state, kind and carrier.
    pub info: LinkInfo,
    /// The parent or the peer.
    pub tie: Option<Tie>,
    /// The routing table of a VRF.
    pub table: Option<u32>,
    /// The address of the link's PCI device.
    pub pci: Option<PciAddress>,
    /// The path of the link's device.
    pub device: Option<DevicePath>,
}

/// The parent or the peer of a link (IFLA_LINK).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tie {
    /// Whether the other link is the peer, as of veth links. Otherwise it's the
    /// parent.
    pub is_pair: bool,
    /// The other link's index.
    pub index: u32,
    /// Whether the other link is in another namespace.
    pub elsewhere: bool,
}

/// Reading a whole namespace.
pub trait InventoryRead {
    /// Lists all links and routes of a namespace.
    fn survey(&mut self, namespace: Namespace) -> Result<Survey, KernelError>;
    /// Lists the links of a namespace with their parents and peers.
    fn tied_links(&mut self, namespace: Namespace) -> Result<Vec<SurveyedLink>, KernelError>;
}
