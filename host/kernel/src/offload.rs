//! Features of links (`ethtool --show-features`).

use super::{KernelError, LinkId};

/// A feature of a link as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// The kernel's name for it.
    pub name: String,
    /// Whether it's on.
    pub on: bool,
    /// Whether it was asked for: it's on as soon as nothing stands against it.
    pub wanted: bool,
    /// Whether the link lets it be changed.
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
    /// Asks for a feature, whether or not the kernel can turn it on now.
    fn want_feature(&mut self, link: LinkId, name: &str, on: bool) -> Result<(), KernelError>;
}
