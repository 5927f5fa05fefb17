//! Names that are in use, and missing names of parents.

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::harness::Suite;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Driver;

pub(crate) fn register(suite: &mut Suite, driver: Driver) {
    let mut case = |name: &str, test: fn(Driver)| driver.test(suite, name, move || test(driver));
    case("parent by the default route", parent_by_default_route);
    if driver.is_ours() {
        case("parent by its option", parent_by_its_option).proves(&["parent"]);
    }
    case("no parent and no default route", no_parent_at_all);
    case("interface name in use on the host", name_in_use_on_the_host);
    case("interface named like its parent", named_like_its_parent);
    case(
        "interface name in use in the container",
        name_in_use_in_the_container,
    );
    case("other interface name", other_interface_name);
}

fn parent_by_default_route(driver: Driver) {
    for connection in [
        Connection::v4(driver.name).without_network("network_interface"),
        Connection::v4(driver.name).network("network_interface", ""),
    ] {
        let world = World::new();
        world.give_host_a_default_route();
        let installed = driver.in_world(&world);
        let before = world.dump();
        let (_, container) = installed.connect(&connection);
        assert_eq!(container.kind(INTERFACE), "macvlan");
        installed.disconnect(&connection);
        world.assert_unchanged(&before);
    }
}

fn parent_by_its_option(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    installed.try_out_parent(Connection::dual(driver.name));
}

fn no_parent_at_all(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = Connection::v4(driver.name).without_network("network_interface");
    let error = installed.netavark.setup(&connection).unwrap_err();
    assert!(error.contains("default route"), "{error}");
    world.assert_unchanged(&before);
}

fn name_in_use_on_the_host(driver: Driver) {
    let world = World::new();
    world
        .host
        .ip(&format!("link add {INTERFACE} type veth peer name v1"));
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = Connection::v4(driver.name);
    let (_, container) = installed.connect(&connection);
    assert_eq!(container.kind(INTERFACE), "macvlan");
    assert_eq!(container.link_names(), [INTERFACE, "lo"]);
    installed.disconnect(&connection);
    world.assert_unchanged(&before);
}

fn named_like_its_parent(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = Connection::v4(driver.name).join("interface_name", PARENT);
    let (_, container) = installed.connect(&connection);
    assert_eq!(container.kind(PARENT), "macvlan");
    installed.disconnect(&connection);
    world.assert_unchanged(&before);
}

fn name_in_use_in_the_container(driver: Driver) {
    let world = World::new();
    world
        .container
        .ip(&format!("link add {INTERFACE} type veth peer name v1"));
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = Connection::v4(driver.name);
    let error = installed.netavark.setup(&connection).unwrap_err();
    assert!(error.contains("exists"), "{error}");
    world.assert_unchanged(&before);
}

fn other_interface_name(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    // The longest name that the kernel takes.
    let name = "if-_.0123456789";
    let connection = Connection::dual(driver.name).join("interface_name", name);
    let (_, container) = installed.connect(&connection);
    assert_eq!(container.link_names(), [name, "lo"]);
    installed.disconnect(&connection);
    world.assert_unchanged(&before);
}
