//! The drivers for which the same cases are run.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Added, Need, Suite};
use wasmvark_tests::netavark::{Netavark, Status, assert_status_is_true};
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::{PARENT, World};

/// What all of these tests need.
pub(crate) const NEEDS: &[Need] = &[Need::Root, Need::Macvlan, Need::Netavark];

/// A macvlan driver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Driver {
    /// The name in the tests' names.
    pub(crate) title: &'static str,
    /// The driver's name for netavark.
    pub(crate) name: &'static str,
    /// The component, if it is one.
    guest: Option<&'static str>,
}

/// netavark's own driver. The cases are run for it as well, so that none asks
/// for more than netavark does.
pub(crate) const BUILT_IN: Driver = Driver {
    title: "built-in",
    name: "macvlan",
    guest: None,
};

/// The drivers of this project, in Rust and in C.
pub(crate) const OURS: [Driver; 2] = [
    Driver {
        title: "macvlan",
        name: "wasm-macvlan",
        guest: Some("macvlan"),
    },
    Driver {
        title: "macvlan-c",
        name: "wasm-macvlan-c",
        guest: Some("macvlan-c"),
    },
];

/// All of them.
pub(crate) const ALL: [Driver; 3] = [BUILT_IN, OURS[0], OURS[1]];

/// A test of one of the drivers that was added.
pub(crate) struct Tried {
    added: Added,
    driver: Driver,
}

impl Tried {
    /// Says that it shows what options of this project's drivers do.
    pub(crate) fn proves(self, options: &[&str]) {
        if self.driver.is_ours() {
            self.added.proves(self.driver.title, options);
        }
    }
}

impl Driver {
    /// Adds a test under its name.
    pub(crate) fn test(
        self,
        suite: &mut Suite,
        name: &str,
        test: impl FnOnce() + Send + 'static,
    ) -> Tried {
        Tried {
            added: suite.test(format!("{}/{name}", self.title), NEEDS, test),
            driver: self,
        }
    }

    /// Whether it's a driver of this project.
    pub(crate) fn is_ours(self) -> bool {
        self.guest.is_some()
    }

    /// Makes it available to netavark in a world.
    pub(crate) fn in_world(self, world: &World) -> Installed<'_> {
        let wasmvark = Wasmvark::new(world);
        if let Some(guest) = self.guest {
            wasmvark.install(guest, self.name, &Grant::macvlan());
        }
        Installed {
            netavark: wasmvark.netavark(),
            wasmvark,
            world,
        }
    }
}

/// A driver that netavark can call.
pub(crate) struct Installed<'a> {
    pub(crate) world: &'a World,
    pub(crate) wasmvark: Wasmvark<'a>,
    pub(crate) netavark: Netavark<'a>,
}

impl<'a> Installed<'a> {
    /// One of this project's drivers in a world, with the grant that `just
    /// install` gives it.
    pub(crate) fn example(world: &'a World, driver: &str) -> Self {
        Self::with(world, driver, &Grant::example(driver))
    }

    /// The same with another grant.
    pub(crate) fn with(world: &'a World, driver: &str, grant: &Grant) -> Self {
        let wasmvark = Wasmvark::new(world);
        wasmvark.install(driver, &format!("wasm-{driver}"), grant);
        Self {
            netavark: wasmvark.netavark(),
            wasmvark,
            world,
        }
    }

    /// Connects the container, has its state checked, disconnects it, and
    /// checks that nothing is left.
    #[track_caller]
    pub(crate) fn try_out(&self, connection: &Connection, check: impl FnOnce(&Dump)) {
        let before = self.world.dump();
        let (_, container) = self.connect(connection);
        check(&container);
        self.disconnect(connection);
        self.world.assert_unchanged(&before);
    }

    /// The connection to the network that `create` makes where the option
    /// `parent` names the interface.
    #[track_caller]
    pub(crate) fn on_parent(&self, connection: Connection, parent: &str) -> Connection {
        let wish = connection
            .without_network("network_interface")
            .option("parent", parent);
        match self.netavark.create(&wish) {
            Ok(network) => {
                assert_eq!(network["network_interface"], parent, "{network}");
                wish.to_made(network)
            }
            Err(error) => panic!("create: {error}"),
        }
    }

    /// Checks that a driver finds its parent by the option, and that packets
    /// pass there.
    #[track_caller]
    pub(crate) fn try_out_parent(&self, connection: Connection) {
        let connection = self.on_parent(connection, PARENT);
        self.try_out(&connection, |_| {
            self.reaches("10.88.0.2", "10.88.0.1");
            self.reaches("fd88::2", "fd88::1");
        });
    }

    /// Checks that `create` refuses a network, and says why.
    #[track_caller]
    pub(crate) fn refuses(&self, connection: &Connection, why: &str) {
        match self.netavark.create(connection) {
            Ok(network) => panic!("{network} should be refused: {why}"),
            Err(error) => assert!(error.contains(why), "{error}\nshould contain\n{why}"),
        }
    }

    /// Checks that packets pass between the container and the neighbour.
    #[track_caller]
    pub(crate) fn reaches(&self, inside: &str, outside: &str) {
        let container = (&self.world.container, inside);
        let neighbour = (&self.world.neighbour, outside);
        echo::exchange(container, neighbour);
        echo::exchange(neighbour, container);
    }

    /// Connects the container, checks that the answer is true, and returns it
    /// with the state of the container.
    #[track_caller]
    pub(crate) fn connect(&self, connection: &Connection) -> (Status, Dump) {
        let status = self
            .netavark
            .setup(connection)
            .unwrap_or_else(|error| panic!("setup: {error}"));
        let container = Dump::of(&self.world.container);
        assert_status_is_true(&status, &container, connection);
        (status, container)
    }

    /// Disconnects the container.
    #[track_caller]
    pub(crate) fn disconnect(&self, connection: &Connection) {
        if let Err(error) = self.netavark.teardown(connection) {
            panic!("teardown: {error}");
        }
    }
}
