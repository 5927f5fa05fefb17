//! Drivers against netavark's native example plugin. Both are called directly.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::Need;
use wasmvark_tests::places;
use wasmvark_tests::world::{PARENT, World};

use super::{Line, Row, Target, installed, lines, name};
use crate::contender::Pair;
use crate::options::Options;
use crate::run::Run;
use crate::series::{Part, Series};

/// netavark's example that moves a link into the container.
pub(super) const NATIVE: &str = "host-device-plugin";

pub(super) const CREATE: Row = Row {
    name: "create",
    what: "create of host-device : netavark's example",
    needs: &[Need::Root],
    released: &[NATIVE],
    measure: create,
};

pub(super) const HOST_DEVICE: Row = Row {
    name: "host-device",
    what: "host-device : netavark's example",
    needs: &[Need::Root, Need::Macvlan],
    released: &[NATIVE],
    measure: host_device,
};

fn create(options: &Options) -> Vec<Line> {
    let world = World::new();
    let wasmvark = installed(&world, &["host-device"]);
    let driver = name("host-device");
    let document = moved(PARENT).for_create();
    let create = |program| {
        let run = Run::driver(program, wasmvark.root())
            .arg("create")
            .input(document.clone());
        let host = &world.host;
        move || run.time(host)
    };
    let mut ours = create(wasmvark.plugins().join(&driver));
    let mut theirs = create(places::fast_tool(NATIVE));
    let series = Series::run(options.rounds(200), &mut ours, &mut theirs);
    vec![Line::of(CREATE.what, &series, Part::Setup).at_most(Target::Ratio(1.0))]
}

/// The request that both can serve: the native plugin keeps the link's name, and adds no
/// addresses.
pub(super) fn moved(link: &str) -> Connection {
    Connection::new(&name("host-device"))
        .ipam("none")
        .network("network_interface", link)
        .join("interface_name", link)
}

fn host_device(options: &Options) -> Vec<Line> {
    let world = World::new();
    let wasmvark = installed(&world, &["host-device"]);
    let ours = wasmvark.plugins().join(name("host-device"));
    let theirs = places::fast_tool(NATIVE);
    let [mut ours, mut theirs] = [ours, theirs].map(|program| {
        let pair = Pair::plugin(&world, &program, wasmvark.root(), &moved(PARENT));
        // The native plugin leaves the link down.
        pair.then(&format!("link set {PARENT} up"))
    });
    let series = Series::run(options.rounds(150), &mut ours, &mut theirs);
    lines(HOST_DEVICE.what, &series, None, 1.0)
}
