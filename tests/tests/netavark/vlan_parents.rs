//! Parents that are VLANs, as `eth0.10`, which networks make and share.

use wasmvark_tests::connection::{Connection, NETWORK};
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::wire;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;
use crate::vlan;

/// VLAN 7 of the host's link on the wire, as the neighbour has it.
const NAME: &str = "p0.7";

pub(crate) fn register(suite: &mut Suite) {
    for (driver, kind) in [
        ("macvlan", Need::Macvlan),
        ("ipvlan", Need::Link(Kind::Ipvlan)),
    ] {
        let needs = [Need::Root, Need::Netavark, Need::Link(Kind::Vlan), kind];
        let mut test = |name: &str, test: fn(&str)| {
            let name = format!("vlan-parents/{driver}: {name}");
            suite
                .test(name, &needs, move || test(driver))
                .proves(driver, &["parent"]);
        };
        test("made and shared", shared);
        test("there already", there);
        test("another network's", of_another);
    }
}

fn connection(driver: &str) -> Connection {
    Connection::dual(&format!("wasm-{driver}")).network("network_interface", NAME)
}

/// The parent has a line of its own.
fn grant(driver: &str) -> Grant {
    let call = "links.create-vlan";
    let grant = Grant::example(driver).without(call);
    grant.call(call, r#"{ place = "shared" }"#)
}

fn two(driver: &str) -> Connection {
    connection(driver)
        .container("0123456789abcdef")
        .join("static_ips", vec!["10.88.0.3", "fd88::3"])
}

/// It goes with the last container.
fn shared(driver: &str) {
    let world = World::new();
    vlan::lay_vlan(&world, "802.1Q");
    let installed = Installed::with(&world, driver, &grant(driver));
    let made = installed.on_parent(connection(driver), NAME);
    let before = world.dump();
    let other = Netns::new();
    let other_before = Dump::of(&other);
    installed.connect(&made);
    let host = Dump::of(&world.host);
    assert_eq!(host.kind(NAME), "vlan");
    assert_eq!(host.kind_data(NAME, "id"), 7);
    assert_eq!(host.setting("ipv6/conf/p0.7/accept_ra"), Some("0"));
    let two = made
        .clone()
        .container("0123456789abcdef")
        .join("static_ips", vec!["10.88.0.3", "fd88::3"]);
    let up = installed.netavark.setup_at(&two, &other.path());
    up.expect("setup succeeds");
    installed.reaches("10.88.0.2", "10.88.0.1");
    installed.reaches("fd88::2", "fd88::1");
    installed.disconnect(&made);
    echo::exchange((&other, "10.88.0.3"), (&world.neighbour, "10.88.0.1"));
    let down = installed.netavark.teardown_at(&two, &other.path());
    down.expect("teardown succeeds");
    world.assert_unchanged(&before);
    assert_unchanged(&other, &other_before, "the other container");
}

/// Somebody's own one stays, and needs no line of the grant.
fn there(driver: &str) {
    let world = World::new();
    vlan::lay_vlan(&world, "802.1Q");
    let make = format!("link add link {PARENT} name {NAME} up type vlan id 7");
    world.host.ip_batch(&[], &make);
    wire::wait_for_carrier(&world.host, NAME);
    let without = Grant::example(driver).without("links.create-vlan");
    for grant in [grant(driver), Grant::example(driver), without.clone()] {
        let installed = Installed::with(&world, driver, &grant);
        installed.try_out(&connection(driver), |_| {
            installed.reaches("10.88.0.2", "10.88.0.1");
        });
    }
    let gone = format!("link del {NAME}");
    world.host.ip_batch(&[], &gone);
    let installed = Installed::with(&world, driver, &without);
    let error = installed.netavark.setup(&connection(driver)).unwrap_err();
    assert!(error.contains("links.create-vlan"), "{error}");
    let missing = connection(driver).network("network_interface", "gone0.7");
    let error = installed.netavark.create(&missing).unwrap_err();
    assert!(
        error.contains("parent interface gone0.7 does not exist"),
        "{error}"
    );
}

/// What goes with one network's last container is no parent of another network.
fn of_another(driver: &str) {
    let world = World::new();
    vlan::lay_vlan(&world, "802.1Q");
    let installed = Installed::with(&world, driver, &grant(driver));
    let before = world.dump();
    installed.connect(&connection(driver));
    let other = Netns::new();
    let id = "3".repeat(64);
    let error = installed
        .netavark
        .setup_at(
            &two(driver).network("id", id).network("name", "other"),
            &other.path(),
        )
        .unwrap_err();
    assert!(error.contains("p0.7 is there for the network"), "{error}");
    assert!(
        error.contains(NETWORK) || error.contains("2f259bab"),
        "{error}"
    );
    // A driver that doesn't ask for it can't use it either.
    let others = Installed::with(&world, "macvlan-c", &Grant::example("macvlan"));
    let by_another = Connection::dual("wasm-macvlan-c")
        .network("network_interface", NAME)
        .network("id", "4".repeat(64));
    let setup = others.netavark.setup_at(&by_another, &other.path());
    let error = setup.unwrap_err();
    assert!(error.contains("p0.7 is there for the network"), "{error}");
    installed.reaches("10.88.0.2", "10.88.0.1");
    installed.disconnect(&connection(driver));
    world.assert_unchanged(&before);
}
