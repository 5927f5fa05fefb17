//! The places for a new link on the host.

use std::fmt;

/// A place for a new link on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostPlace {
    /// The host's namespace, for one container.
    Host,
    /// The host's namespace, for all containers of the network.
    Shared,
}

impl HostPlace {
    /// All places.
    pub const ALL: [Self; 2] = [Self::Host, Self::Shared];

    /// Returns the place's name in grants and in the WIT.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Shared => "shared",
        }
    }
}

impl fmt::Display for HostPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
