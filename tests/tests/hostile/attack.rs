//! An attack with its world, and the check that it had no effect.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::{Wasmvark, answer_of, error_of};
use wasmvark_tests::world::{Before, World};

use crate::stamp::Scripts;

/// The name of the driver, whoever it is.
pub(crate) const NAME: &str = "hostile";

/// A link of the host that no request names, and its address.
const STRANGER: &str = "x0";
/// The secret that requests name, and another one.
const SECRETS: [&str; 2] = ["users-key", "others-key"];
/// More than an honest driver's run could need: host memory that a driver makes
/// the program take counts.
const MEMORY: u64 = 512 << 20;

/// An attack by a driver.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// What it may.
    pub(crate) grant: Granted,
    /// What the user asked for.
    pub(crate) asked: fn(Connection) -> Connection,
    /// What it does.
    pub(crate) does: Does,
    /// What the error says, or what a teardown tells.
    pub(crate) says: &'static [&'static str],
}

/// A grant.
#[derive(Clone, Copy)]
pub(crate) enum Granted {
    /// That of an example driver, as it's shipped.
    Shipped(&'static str),
    /// Calls with their reach.
    Calls(&'static [(&'static str, &'static str)]),
    /// The same with a limit.
    Limited(&'static [(&'static str, &'static str)], &'static str, u64),
}

/// When a driver attacks, and with which script. What comes before in `setup`
/// is what an honest driver would do.
#[derive(Clone, Copy)]
pub(crate) enum Does {
    /// `create` must fail.
    Create(&'static str),
    /// `setup` must fail.
    Setup(&'static str),
    /// `setup` succeeds, and `teardown` leaves nothing.
    Teardown {
        /// What `setup` does.
        setup: &'static str,
        /// What `teardown` tries.
        teardown: &'static str,
    },
}

impl Granted {
    fn grant(self) -> Grant {
        let of = |calls: &[(&str, &str)]| {
            let nothing = Grant::nothing();
            let calls = calls.iter();
            calls.fold(nothing, |grant, (call, reach)| grant.call(call, reach))
        };
        match self {
            Self::Shipped(driver) => Grant::example(driver),
            Self::Calls(calls) => of(calls),
            Self::Limited(calls, limit, value) => of(calls).limit(limit, value),
        }
    }
}

/// How many attacks were tried, and of how many nothing came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Count(Arc<[AtomicUsize; 2]>);

impl Count {
    /// Counts a test: a failing one isn't contained.
    pub(crate) fn attack(&self, attack: impl FnOnce()) {
        self.0[0].fetch_add(1, Ordering::SeqCst);
        attack();
        self.0[1].fetch_add(1, Ordering::SeqCst);
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [tried, contained] = &*self.0;
        let (tried, contained) = (
            tried.load(Ordering::SeqCst),
            contained.load(Ordering::SeqCst),
        );
        write!(f, "hostile drivers: {tried} tried, {contained} contained")
    }
}

pub(crate) fn register(suite: &mut Suite, count: &Count, class: &str, attacks: &'static [Attack]) {
    for attack in attacks {
        let count = count.clone();
        let name = format!("{class}/{}", attack.name);
        suite.test(name, &[Need::Root, Need::Macvlan], move || {
            count.attack(|| attack.is_contained());
        });
    }
}

impl Attack {
    fn is_contained(&self) {
        let scripts = match self.does {
            Does::Create(create) => Scripts {
                create,
                ..Scripts::default()
            },
            Does::Setup(setup) => Scripts {
                setup,
                ..Scripts::default()
            },
            Does::Teardown { setup, teardown } => Scripts {
                setup,
                teardown,
                ..Scripts::default()
            },
        };
        let world = world();
        let component = scripts.component(&world);
        let scene = Scene::new(&world, &component, &self.grant.grant());
        let asked = (self.asked)(Connection::v4(NAME));
        match self.does {
            Does::Create(_) => scene.create_fails(&asked, self.says),
            Does::Setup(_) => scene.setup_fails(&asked, self.says),
            Does::Teardown { .. } => scene.teardown_clears(&asked, self.says),
        }
    }
}

/// A host with an address, a default route, and a link of somebody else's.
pub(crate) fn world() -> World {
    let world = World::new();
    world.give_host_a_default_route();
    world.host.ip_batch(
        &[],
        &format!(
            "link add {STRANGER} address 02:00:00:00:00:f0 type veth peer {STRANGER}-peer\n\
             addr add 192.168.7.1/24 dev {STRANGER}\nlink set {STRANGER} up\n\
             link set {STRANGER}-peer up"
        ),
    );
    world
}

/// An installed hostile driver.
pub(crate) struct Scene<'a> {
    wasmvark: Wasmvark<'a>,
    before: Before,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(world: &'a World, component: &Path, grant: &Grant) -> Self {
        let wasmvark = Wasmvark::new(world);
        for secret in SECRETS {
            let key = "GCYSgu0E3f4zz0yCEwWVWgKkFEsRJzoyFmYQmSpLQlA=";
            wasmvark.keep_secret(secret, key);
        }
        wasmvark.install_file(component, NAME, grant);
        Self {
            wasmvark,
            before: world.dump(),
        }
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut plugin = self.wasmvark.plugin_command(NAME);
        plugin.args(arguments);
        process::limit_data(&mut plugin, MEMORY);
        process::run(&mut plugin, input.as_bytes())
    }

    fn with_netns(&self, command: &str, asked: &Connection) -> Output {
        let netns = self.wasmvark.world().container.path();
        let arguments = [command, &netns.to_string_lossy()];
        self.run(&arguments, &asked.for_plugin())
    }

    #[track_caller]
    fn nothing_is_left(&self) {
        self.wasmvark.world().assert_unchanged(&self.before);
        assert!(self.wasmvark.run_files().is_empty(), "nothing is held");
    }

    #[track_caller]
    pub(crate) fn create_fails(&self, asked: &Connection, says: &[&str]) {
        let error = error_of(&self.run(&["create"], &asked.for_create()));
        has(&error, says);
        self.nothing_is_left();
    }

    /// Also the teardown after it finds nothing to do.
    #[track_caller]
    pub(crate) fn setup_fails(&self, asked: &Connection, says: &[&str]) {
        let error = error_of(&self.with_netns("setup", asked));
        has(&error, says);
        self.nothing_is_left();
        let output = self.with_netns("teardown", asked);
        assert_eq!(output.code, Some(0), "{output:?}");
        self.nothing_is_left();
    }

    #[track_caller]
    pub(crate) fn teardown_clears(&self, asked: &Connection, tells: &[&str]) {
        answer_of(&self.with_netns("setup", asked));
        let output = self.with_netns("teardown", asked);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(output.stdout, "", "a teardown has no answer");
        has(&output.stderr, tells);
        self.nothing_is_left();
    }
}

#[track_caller]
fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

/// The request as it is.
pub(crate) fn plain(connection: Connection) -> Connection {
    connection
}

/// The request without a parent: the user named none.
pub(crate) fn without_parent(connection: Connection) -> Connection {
    connection.without_network("network_interface")
}
