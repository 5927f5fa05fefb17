//! One container more beside a thousand.

use std::fmt::Write as _;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::Need;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use super::{Line, Row, Target, installed, name};
use crate::contender::Pair;
use crate::options::Options;
use crate::run::Run;
use crate::series::{Part, Series};

/// The containers of the network. A bridge has at most 1,024 ports (BR_MAX_PORTS of
/// `net/bridge/br_private.h`).
const MANY: usize = 1_000;
/// The lines in the trail.
const LINES: usize = 10_000;
const TARGET: Target = Target::Ratio(1.1);

pub(super) const ROW: Row = Row {
    name: "many",
    what: "one container more : the first",
    needs: &[Need::Root, Need::Macvlan],
    released: &[],
    measure,
};

/// A host with containers on a bridge.
struct Site<'a> {
    wasmvark: Wasmvark<'a>,
    _containers: Vec<Netns>,
}

fn measure(options: &Options) -> Vec<Line> {
    allow_files();
    let worlds = [(); 2].map(|()| World::forwarding());
    let crowded = Site::new(&worlds[0], MANY);
    let empty = Site::new(&worlds[1], 1);
    fill(&crowded.wasmvark.audit_file());
    // The container's own, beside those that are there.
    let another = |driver: &str| Connection::v4(&name(driver)).container(&"f".repeat(64));
    let bridge = on_bridge(another("bridge"));
    let elsewhere = another("macvlan")
        .network("name", "elsewhere")
        .network("id", "e".repeat(64));
    let mut lines = Vec::new();
    for (driver, connection, title) in [
        ("bridge", bridge, "bridge with 1,000 containers : with 1"),
        (
            "macvlan",
            elsewhere,
            "macvlan with 1,000 other journals, 10,000 lines : with 1",
        ),
    ] {
        let [mut ours, mut theirs] = [&crowded, &empty].map(|site| {
            let program = site.wasmvark.plugins().join(name(driver));
            let root = site.wasmvark.root();
            Pair::plugin(site.wasmvark.world(), &program, root, &connection)
        });
        let series = Series::run(options.rounds(40), &mut ours, &mut theirs);
        for (part, verb) in [(Part::Setup, "setup"), (Part::Both, "setup + teardown")] {
            let what = format!("{title}, {verb}");
            lines.push(Line::of(what, &series, part).at_most(TARGET));
        }
    }
    lines
}

impl<'a> Site<'a> {
    fn new(world: &'a World, containers: usize) -> Self {
        let wasmvark = installed(world, &["bridge", "macvlan"]);
        let program = wasmvark.plugins().join(name("bridge"));
        let connect = |number: usize| {
            let netns = Netns::empty();
            let address = format!("10.88.{}.{}", 1 + number / 250, 1 + number % 250);
            let connection = on_bridge(Connection::v4(&name("bridge")))
                .container(&format!("{number:064x}"))
                .join("static_ips", vec![address]);
            Run::driver(&program, wasmvark.root())
                .arg("setup")
                .arg(netns.path())
                .input(connection.for_plugin())
                .time(&world.host);
            netns
        };
        let containers = (0..containers).map(connect).collect();
        Self {
            wasmvark,
            _containers: containers,
        }
    }
}

fn on_bridge(connection: Connection) -> Connection {
    connection.network("network_interface", "br0")
}

/// Repeats the trail's lines until there are as many as are asked for.
fn fill(trail: &Path) {
    let text = std::fs::read_to_string(trail).expect("there is a trail");
    let lines = text.lines().cycle();
    let missing = LINES.saturating_sub(text.lines().count());
    let mut more = String::new();
    for line in lines.take(missing) {
        writeln!(more, "{line}").expect("a string can grow");
    }
    let mut file = std::fs::OpenOptions::new().append(true).open(trail);
    let file = file.as_mut().expect("it can be opened");
    std::io::Write::write_all(file, more.as_bytes()).expect("it can be written");
}

/// Allows as many open files as there are containers.
fn allow_files() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("there is a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("it can be raised");
}
