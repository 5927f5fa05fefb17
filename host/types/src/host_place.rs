//! Where on the host a new link is.

use std::fmt;

/// Where on the host a new link is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostPlace {
    /// For one container.
    Host,
    /// For all containers of the network.
    Shared,
}

impl HostPlace {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Host, Self::Shared];

    /// The word for it in grants and in the WIT.
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
