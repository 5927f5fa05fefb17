//! Drivers against netavark's built-in ones, both through netavark.

use wasmvark_tests::connection::{Connection, mapping};
use wasmvark_tests::harness::Need;
use wasmvark_tests::world::World;

use super::{Line, Row, installed, lines, name};
use crate::contender::Pair;
use crate::options::Options;
use crate::series::Series;

/// The program, as its authors release it.
const NETAVARK: &str = "netavark";

pub(super) const MACVLAN: Row = Row {
    name: "netavark-macvlan",
    what: "macvlan through netavark : built in",
    needs: &[Need::Root, Need::Macvlan],
    released: &[NETAVARK],
    measure: macvlan,
};

pub(super) const BRIDGE: Row = Row {
    name: "netavark-bridge",
    what: "bridge with a port through netavark : built in",
    needs: &[Need::Root, Need::Macvlan, Need::Nft],
    released: &[NETAVARK],
    measure: bridge,
};

fn macvlan(options: &Options) -> Vec<Line> {
    let series = compare(options, "macvlan", |connection| connection);
    lines(MACVLAN.what, &series, None, 1.05)
}

fn bridge(options: &Options) -> Vec<Line> {
    let series = compare(options, "bridge", |connection| {
        connection
            .network("network_interface", "br0")
            .port(mapping("", 8080, 80, 1, "tcp"))
    });
    lines(BRIDGE.what, &series, Some(0.7), 0.8)
}

/// Runs a driver of this project's, and the one that netavark has by that name. Each has a
/// host of its own.
fn compare(options: &Options, driver: &str, complete: fn(Connection) -> Connection) -> Series {
    let worlds = [(); 2].map(|()| World::forwarding());
    let wasmvark = installed(&worlds[0], &[driver]);
    let ours = complete(Connection::v4(&name(driver)));
    let theirs = complete(Connection::v4(driver));
    let mut ours = Pair::netavark(&worlds[0], wasmvark.root(), &ours);
    let mut theirs = Pair::netavark(&worlds[1], worlds[1].directory(), &theirs);
    Series::run(options.rounds(40), &mut ours, &mut theirs)
}
