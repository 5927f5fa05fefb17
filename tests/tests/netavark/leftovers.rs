//! The leftovers of failures, with native drivers and plugins and with this project's
//! drivers. `docs/recovery.md` has the results as a table, which is compared cell by
//! cell.

use std::fs;
use std::time::{Duration, Instant};

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netavark::{Killed, Moment, Netavark};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::places;
use wasmvark_tests::poll;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::{Before, PARENT, World};

/// The page with the table.
const PAGE: &str = "docs/recovery.md";

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan, Need::Netavark, Need::Strace];

/// More messages than any run sends.
const MANY: u32 = 200;

/// How long what is left may take to go by itself.
const PATIENCE: Duration = Duration::from_millis(500);

/// A component's name, and what it may do.
type Guest = (&'static str, fn() -> Grant);

/// A column: a driver that netavark calls.
#[derive(Clone, Copy)]
struct Column {
    title: &'static str,
    driver: &'static str,
    /// A component of this project, with its grant.
    guest: Option<Guest>,
}

const COLUMNS: [Column; 4] = [
    Column {
        title: "netavark's `macvlan`",
        driver: "macvlan",
        guest: None,
    },
    Column {
        title: "netavark's `host-device-plugin`",
        driver: "host-device-plugin",
        guest: None,
    },
    Column {
        title: "wasmvark's `macvlan`",
        driver: "wasm-macvlan",
        guest: Some(("macvlan", Grant::macvlan)),
    },
    Column {
        title: "wasmvark's `host-device`",
        driver: "wasm-host-device",
        guest: Some(("host-device", Grant::host_device)),
    },
];

/// A row: what happens, and what it comes to.
type Case = (&'static str, fn(&Place<'_>) -> String);

const CASES: [Case; 9] = [
    ("setup, teardown", plain),
    ("setup fails halfway", setup_fails),
    (
        "setup killed after its first change, teardown",
        killed_setup_teardown,
    ),
    (
        "setup killed after its first change, setup",
        killed_setup_setup,
    ),
    (
        "teardown killed after its first change, teardown",
        killed_teardown,
    ),
    ("teardown twice", teardown_twice),
    ("teardown without setup", teardown_without_setup),
    ("teardown, link gone", link_gone),
    ("teardown, namespace gone", namespace_gone),
];

pub(crate) fn register(suite: &mut Suite) {
    for (number, (title, _)) in CASES.iter().enumerate() {
        suite.test(format!("leftovers/{title}"), NEEDS, move || row(number));
    }
    suite.test("leftovers/the page has these rows", &[], has_these_rows);
}

fn row(number: usize) {
    let (title, case) = CASES[number];
    let seen = COLUMNS.map(|column| {
        let world = World::new();
        case(&Place::new(&world, column))
    });
    let shown = &table()[number + 1];
    assert_eq!(shown[0], title, "the row of {PAGE}");
    assert_eq!(seen, shown[1..], "{title}");
}

fn has_these_rows() {
    let table = table();
    assert_eq!(table[0][1..], COLUMNS.map(|column| column.title));
    let rows: Vec<&str> = table[1..].iter().map(|row| &*row[0]).collect();
    assert_eq!(rows, CASES.map(|(title, _)| title));
}

/// The cells of the table on the page, without the line below its head.
fn table() -> Vec<Vec<String>> {
    let page = fs::read_to_string(places::workspace().join(PAGE)).unwrap();
    let (_, section) = page
        .split_once("\n## Leftovers of each driver\n")
        .expect("the page has the section");
    let lines = section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    let mut table: Vec<Vec<String>> = lines.map(cells).collect();
    table.remove(1);
    table
}

/// A driver in a world, whose parent has a state of its own.
struct Place<'a> {
    world: &'a World,
    netavark: Netavark<'a>,
    connection: Connection,
    column: Column,
    before: Before,
}

impl<'a> Place<'a> {
    fn new(world: &'a World, column: Column) -> Self {
        dress_parent(world);
        let wasmvark = Wasmvark::new(world);
        let netavark = match column.guest {
            Some((guest, grant)) => {
                wasmvark.install(guest, column.driver, &grant());
                wasmvark.netavark()
            }
            None => {
                let tools = places::tool("netavark");
                Netavark::new(world, tools.parent().unwrap(), wasmvark.root())
            }
        };
        Self {
            world,
            netavark,
            connection: Connection::dual(column.driver),
            column,
            before: world.dump(),
        }
    }

    fn setup(&self) {
        let result = self.netavark.setup(&self.connection);
        result.expect("setup succeeds");
    }

    /// Tears the container down: what came of it, and what is left.
    fn teardown(&self, before: &Before) -> String {
        let result = self.netavark.teardown(&self.connection);
        told(result.is_ok(), &left(before, self.world))
    }

    /// Kills a run right after the first change that it makes.
    fn kill(&self, command: &str) {
        let world = self.world;
        let before = world.dump();
        let moments = (1..=self.messages(command)).map(Moment::BeforeMessage);
        for moment in moments.chain([Moment::End]) {
            let killed = self.netavark.kill(command, &self.connection, moment);
            assert_eq!(killed, Killed::There, "{command} at {moment:?}");
            if world.dump() != before {
                return;
            }
        }
        panic!("{command} changes nothing");
    }

    /// How many messages a run sends, found out in another world.
    fn messages(&self, command: &str) -> u32 {
        let world = World::new();
        let place = Place::new(&world, self.column);
        if command == "teardown" {
            place.setup();
        }
        let never = Moment::BeforeMessage(MANY);
        match place.netavark.kill(command, &place.connection, never) {
            Killed::Never { messages } => messages,
            Killed::There => panic!("{command} sends {MANY} messages"),
        }
    }
}

/// The parent has addresses, a route, a MAC address and an MTU of its own.
fn dress_parent(world: &World) {
    let commands = [
        format!("link set {PARENT} address 02:00:00:00:00:77 mtu 1470 up"),
        format!("addr add 10.88.0.200/16 broadcast + dev {PARENT}"),
        "route add 198.51.100.0/24 via 10.88.0.1 metric 5".to_owned(),
    ];
    world.neighbour.ip("link set n0 down");
    world.host.ip_batch(&[], &commands.join("\n"));
}

fn told(success: bool, left: &str) -> String {
    match (success, left) {
        (true, left) => left.to_owned(),
        (false, "nothing") => "error".to_owned(),
        (false, left) => format!("error, {left}"),
    }
}

/// What is other than before, in a few words.
fn left(before: &Before, world: &World) -> String {
    // What the kernel does a little later is given its time.
    let start = Instant::now();
    let after = poll::until(
        || world.dump(),
        |after| after == before || start.elapsed() > PATIENCE,
    );
    if after == *before {
        return "nothing".to_owned();
    }
    let mut words = Vec::new();
    if after.container.link_names() != before.container.link_names() {
        words.push("link in the container");
    } else if before.host.has_link(PARENT) {
        words.extend(parent_changes(&before.host, &after.host));
    }
    if words.is_empty() {
        let host = before.host.differences(&after.host);
        let container = before.container.differences(&after.container);
        panic!("there is no word for:\n{host}{container}");
    }
    words.join(", ")
}

/// How the parent differs.
fn parent_changes(before: &Dump, after: &Dump) -> Vec<&'static str> {
    if !after.has_link(PARENT) {
        return vec!["parent missing"];
    }
    let differs = [
        ("MAC address", before.mac(PARENT) != after.mac(PARENT)),
        ("MTU", before.mtu(PARENT) != after.mtu(PARENT)),
        (
            "addresses",
            before.addresses(PARENT) != after.addresses(PARENT),
        ),
        ("routes", before.made_routes() != after.made_routes()),
        ("up state", before.is_up(PARENT) != after.is_up(PARENT)),
    ];
    let differs = differs.into_iter().filter(|(_, differs)| *differs);
    differs.map(|(word, _)| word).collect()
}

fn plain(place: &Place<'_>) -> String {
    place.setup();
    place.teardown(&place.before)
}

/// The container has no IPv6, so that the second address can't be added.
fn setup_fails(place: &Place<'_>) -> String {
    place.world.container.run(|| {
        for device in ["all", "default"] {
            let file = format!("/proc/sys/net/ipv6/conf/{device}/disable_ipv6");
            fs::write(file, "1").unwrap();
        }
    });
    let before = place.world.dump();
    match place.netavark.setup(&place.connection) {
        Ok(_) => "doesn't fail".to_owned(),
        Err(_) => left(&before, place.world),
    }
}

fn killed_setup_teardown(place: &Place<'_>) -> String {
    place.kill("setup");
    place.teardown(&place.before)
}

fn killed_setup_setup(place: &Place<'_>) -> String {
    place.kill("setup");
    match place.netavark.setup(&place.connection) {
        Ok(_) => "works".to_owned(),
        Err(_) => told(false, &left(&place.before, place.world)),
    }
}

fn killed_teardown(place: &Place<'_>) -> String {
    place.setup();
    place.kill("teardown");
    place.teardown(&place.before)
}

fn teardown_twice(place: &Place<'_>) -> String {
    place.setup();
    let result = place.netavark.teardown(&place.connection);
    result.expect("teardown succeeds");
    let before = place.world.dump();
    place.teardown(&before)
}

fn teardown_without_setup(place: &Place<'_>) -> String {
    place.teardown(&place.before)
}

fn link_gone(place: &Place<'_>) -> String {
    place.setup();
    let names = place.world.dump().container;
    let own = names.link_names().into_iter().find(|name| *name != "lo");
    let own = own.expect("a link is in the container");
    place.world.container.ip(&format!("link del {own}"));
    let before = place.world.dump();
    place.teardown(&before)
}

/// A link that the kernel destroys with its namespace can't come back, so what
/// counts is what is there after that.
fn namespace_gone(place: &Place<'_>) -> String {
    let container = Netns::new();
    let result = place
        .netavark
        .setup_at(&place.connection, &container.path());
    result.expect("setup succeeds");
    drop(container);
    let before = poll::until(
        || place.world.dump(),
        |now| *now == place.before || !now.host.has_link(PARENT),
    );
    let gone = place.world.file("gone");
    let result = place.netavark.teardown_at(&place.connection, &gone);
    told(result.is_ok(), &left(&before, place.world))
}
