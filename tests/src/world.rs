//! A host with a container, and a neighbour on the host's wire.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::dump::{Dump, assert_unchanged};
use crate::netns::Netns;
use crate::wire;
pub use crate::wire::PARENT;

/// A host whose link [`PARENT`] leads to a neighbour, with an empty container and a
/// directory for files.
#[derive(Debug)]
pub struct World {
    /// The namespace in which netavark and the plugin run.
    pub host: Netns,
    /// The namespace in which drivers make interfaces.
    pub container: Netns,
    /// The namespace at the other end of the host's wire.
    pub neighbour: Netns,
    directory: TempDir,
}

impl World {
    /// Makes the namespaces, the wire and the directory.
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

    /// Makes a world whose host forwards packets already. Drivers that turn forwarding
    /// on leave it on, which would be a difference.
    pub fn forwarding() -> Self {
        let world = Self::new();
        world.host.forward();
        world
    }

    /// Returns the directory for files of this test.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns a path in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// Reads the state of the host and the container.
    pub fn dump(&self) -> Before {
        Before {
            host: Dump::of(&self.host),
            container: Dump::of(&self.container),
        }
    }

    /// Checks that the host and the container have the same state as before.
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

/// The state of the host and the container at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    /// The state of the host.
    pub host: Dump,
    /// The state of the container.
    pub container: Dump,
}
