//! A host, a container and a neighbour on one wire.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::dump::{Dump, assert_unchanged};
use crate::netns::Netns;
use crate::wire;
pub use crate::wire::PARENT;

/// A host whose interface [`PARENT`] leads to a neighbour, an empty
/// container, and a directory for files.
#[derive(Debug)]
pub struct World {
    /// Where netavark and the plugin run.
    pub host: Netns,
    /// Where drivers make interfaces.
    pub container: Netns,
    /// At the other end of the host's wire.
    pub neighbour: Netns,
    directory: TempDir,
}

impl World {
    /// Makes all of it.
    #[expect(clippy::new_without_default, reason = "it asks the kernel")]
    pub fn new() -> Self {
        let world = Self {
            host: Netns::new(),
            container: Netns::new(),
            neighbour: Netns::new(),
            directory: tempfile::Builder::new()
                .prefix("wasmvark-test-")
                .tempdir()
                .expect("a temporary directory can be made"),
        };
        wire::lay(&world.host, &world.neighbour);
        world
    }

    /// The same with a host that forwards packets already: drivers that turn it
    /// on leave it on.
    pub fn forwarding() -> Self {
        let world = Self::new();
        world.host.forward();
        world
    }

    /// The directory for files of this test.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A path in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// The state of the host and the container.
    pub fn dump(&self) -> Before {
        Before {
            host: Dump::of(&self.host),
            container: Dump::of(&self.container),
        }
    }

    /// Checks that host and container are as they were.
    #[track_caller]
    pub fn assert_unchanged(&self, before: &Before) {
        assert_unchanged(&self.host, &before.host, "the host's namespace");
        assert_unchanged(
            &self.container,
            &before.container,
            "the container's namespace",
        );
    }

    /// Gives the host an address and the default route through the neighbour.
    pub fn give_host_a_default_route(&self) {
        self.host.ip_batch(
            &[],
            &format!("addr add 10.88.0.250/16 dev {PARENT}\nroute add default via 10.88.0.1"),
        );
    }
}

/// The state of host and container at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    /// The host's.
    pub host: Dump,
    /// The container's.
    pub container: Dump,
}
