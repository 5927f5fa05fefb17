//! The systems on which the cases are run.

use std::path::PathBuf;

use wasmvark_tests::places;

/// A version of Podman with a version of netavark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edition {
    /// The name in the tests' names.
    pub(crate) title: &'static str,
    /// The Debian release whose packages are used.
    suite: &'static str,
    /// The oldest version of Podman that it has, major and minor.
    pub(crate) podman: (u32, u32),
    /// The oldest version of netavark that it has.
    pub(crate) netavark: (u32, u32),
    /// Whether netavark is the one that the set-up script builds.
    pub(crate) built_netavark: bool,
}

/// Where a built netavark goes: into the first folder that Podman looks into.
pub(crate) const BUILT_NETAVARK: &str = "/usr/local/libexec/podman/netavark";

/// All of them.
pub(crate) const ALL: [Edition; 3] = [
    Edition {
        title: "podman-5.4",
        suite: "trixie",
        podman: (5, 4),
        netavark: (1, 14),
        built_netavark: false,
    },
    Edition {
        title: "podman-5.8",
        suite: "forky",
        podman: (5, 8),
        netavark: (1, 17),
        built_netavark: false,
    },
    Edition {
        title: "podman-5.8-netavark-2.1",
        suite: "forky",
        podman: (5, 8),
        netavark: (2, 1),
        built_netavark: true,
    },
];

impl Edition {
    /// The unpacked system.
    pub(crate) fn tree(self) -> PathBuf {
        places::cache().join("podman").join(self.suite)
    }

    /// The netavark that Podman runs, in the machine.
    pub(crate) fn netavark_program(self) -> &'static str {
        match self.built_netavark {
            true => BUILT_NETAVARK,
            false => "/usr/lib/podman/netavark",
        }
    }
}
