//! Macvlan links that take frames from listed MAC addresses only.

use serde_json::json;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::world::World;

use crate::driver::{Installed, NEEDS};

const CONTAINER: &str = "10.88.0.2";
const NEIGHBOUR: &str = "10.88.0.1";
/// A MAC address that nobody has.
const NOBODY: &str = "02:00:00:00:00:99";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("sources/{name}"), NEEDS, test);
    test("listed", listed).proves("macvlan", &["macaddr"]);
    test("of a container", of_container);
    test("refused", refused);
}

fn source(list: &str) -> Connection {
    let connection = Connection::v4("wasm-macvlan").option("mode", "source");
    match list {
        "" => connection,
        list => connection.option("macaddr", list),
    }
}

fn neighbours_mac(world: &World) -> String {
    Dump::of(&world.neighbour).mac("n0")
}

/// Checks whether the neighbour's frames come in.
fn comes_in(world: &World, does: bool) {
    let (from, to) = ((&world.neighbour, NEIGHBOUR), (&world.container, CONTAINER));
    match does {
        true => echo::exchange(from, to),
        false => echo::silence(from, to),
    }
}

fn listed() {
    let world = World::new();
    let installed = Installed::example(&world, "macvlan");
    let both = format!("{NOBODY}, {}", neighbours_mac(&world));
    for (list, does) in [(both.as_str(), true), (NOBODY, false)] {
        installed.try_out(&source(list), |_| comes_in(&world, does));
    }
}

/// Its own list goes before the network's.
fn of_container() {
    let world = World::new();
    let installed = Installed::example(&world, "macvlan");
    let mac = neighbours_mac(&world);
    for (networks, own, does) in [(NOBODY, mac.as_str(), true), (&mac, NOBODY, false)] {
        let connection = source(networks).join("options", json!({"macaddr": own}));
        installed.try_out(&connection, |_| comes_in(&world, does));
    }
}

fn refused() {
    let world = World::new();
    let installed = Installed::example(&world, "macvlan");
    for (connection, why) in [
        (
            source("02:00:00:00:00"),
            "is not a list of at most 128 MAC addresses",
        ),
        (
            source("01:00:5e:00:00:01"),
            "is not a list of MAC addresses that frames can come from",
        ),
        (
            source(NOBODY).option("mode", "bridge"),
            "macaddr needs mode source",
        ),
    ] {
        installed.refuses(&connection, why);
    }
}
