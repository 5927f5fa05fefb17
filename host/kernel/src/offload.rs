//! Features of links (`ethtool --show-features`).

use super::{KernelError, LinkId};

/// The state of a link's feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// The kernel's name for it.
    pub name: String,
    /// Whether the feature is on.
    pub on: bool,
    /// Whether the feature was requested. The kernel turns it on as soon as
    /// nothing prevents that.
    pub wanted: bool,
    /// Whether the link lets the feature be changed.
    pub changeable: bool,
}

/// Reading the features of links.
pub trait OffloadsRead {
    /// Lists the features of a link. Equivalent to `ethtool --show-features NAME`.
    fn features(&mut self, link: LinkId) -> Result<Vec<Feature>, KernelError>;
    /// Returns the feature with this name.
    fn feature(&mut self, link: LinkId, name: &str) -> Result<Feature, KernelError>;
}

/// Changing the features of links.
pub trait Offloads {
    /// Turns a feature on or off. Equivalent to `ethtool --features NAME`.
    fn set_feature(&mut self, link: LinkId, name: &str, on: bool) -> Result<(), KernelError>;
    /// Requests that a feature is on or off, even if the kernel can't change it
    /// now.
    fn want_feature(&mut self, link: LinkId, name: &str, on: bool) -> Result<(), KernelError>;
}
