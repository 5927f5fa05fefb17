//! Teardowns that are late, early or repeated, and the next setup.

use serde_json::json;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::world::World;

use crate::driver::{Driver, NEEDS};

pub(crate) fn register(suite: &mut Suite, driver: Driver) {
    let mut case = |name: &str, test: fn(Driver)| {
        suite.test(format!("{}/{name}", driver.title), NEEDS, move || {
            test(driver);
        });
    };
    case("setup again after teardown", setup_again);
    case("teardown after the container is gone", container_gone);
    // What netavark's own driver doesn't do.
    if driver.is_ours() {
        case("a route that can't be made undoes all", failing_route);
        case("teardown when the link is gone already", link_gone);
        case("teardown twice", teardown_twice);
        case("teardown without setup", teardown_without_setup);
        case("teardown after a failed setup", teardown_after_failure);
    }
}

fn setup_again(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = Connection::dual(driver.name);
    for _ in 0..3 {
        installed.connect(&connection);
        installed.disconnect(&connection);
        world.assert_unchanged(&before);
    }
}

fn failing_route(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let error = installed
        .netavark
        .setup(&with_lost_gateway(driver.name))
        .unwrap_err();
    assert!(
        error.contains("203.0.113.1"),
        "the error names the gateway: {error}"
    );
    world.assert_unchanged(&before);
}

/// A connection whose last route can't be made: nothing leads to its gateway.
fn with_lost_gateway(driver: &str) -> Connection {
    Connection::dual(driver)
        .option("no_default_route", "true")
        .route(json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.3"}))
        .route(json!({"destination": "10.91.0.0/24", "gateway": "203.0.113.1"}))
}

fn container_gone(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = Connection::dual(driver.name);
    let container = Netns::new();
    installed
        .netavark
        .setup_at(&connection, &container.path())
        .expect("setup succeeds");
    drop(container);
    let gone = world.file("no/such/namespace");
    installed
        .netavark
        .teardown_at(&connection, &gone)
        .expect("teardown succeeds");
    world.assert_unchanged(&before);
}

fn link_gone(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = Connection::v4(driver.name);
    installed.connect(&connection);
    world.container.ip("link del eth0");
    let result = installed.netavark.teardown(&connection);
    assert!(result.is_ok(), "{result:?}");
    world.assert_unchanged(&before);
}

fn teardown_twice(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = Connection::dual(driver.name);
    installed.connect(&connection);
    installed.disconnect(&connection);
    installed.disconnect(&connection);
    world.assert_unchanged(&before);
}

fn teardown_without_setup(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    // A link that isn't the driver's, under the name that the driver's would
    // have: it must stay.
    world.container.ip("link add eth0 type veth peer name v1");
    let before = world.dump();
    installed.disconnect(&Connection::dual(driver.name));
    world.assert_unchanged(&before);
}

fn teardown_after_failure(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = with_lost_gateway(driver.name);
    installed.netavark.setup(&connection).unwrap_err();
    installed.disconnect(&connection);
    world.assert_unchanged(&before);
}
