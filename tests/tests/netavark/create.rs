//! The creation of networks. netavark makes them for Podman 6, and Podman 5 makes them
//! itself.

use serde_json::{Value, json};
use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::driver::{Driver, NEEDS};

pub(crate) fn register(suite: &mut Suite, driver: Driver) {
    let mut case = |name: &str, test: fn(Driver)| {
        let name = format!("{}/create: {name}", driver.title);
        suite.test(name, NEEDS, move || test(driver));
    };
    case("by netavark", by_netavark);
    case("by Podman 5", by_podman_5);
    case("as netavark's own", as_built_in);
    case("wrong options are refused", wrong_options_are_refused);
}

/// A network as the user asked for it, before gateways are chosen.
fn network(driver: &str) -> Connection {
    Connection::new(driver)
        .subnet("10.88.0.0/24", "")
        .option("mode", "private")
        .option("mtu", "1400")
        .network("labels", json!({"a": "b"}))
}

fn by_netavark(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let network = installed
        .netavark
        .create(&network(driver.name))
        .expect("create succeeds");
    assert_eq!(network["driver"], driver.name);
    assert_eq!(
        network["options"],
        json!({"mode": "private", "mtu": "1400"})
    );
    assert_eq!(network["labels"], json!({"a": "b"}));
    assert_eq!(network["subnets"][0]["gateway"], "10.88.0.1");
}

fn by_podman_5(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let request = network(driver.name)
        .network("created", "0001-01-01T00:00:00Z")
        .network(
            "a_field_of_tomorrow",
            json!({"deep": [1, null, {"x": 1.5}]}),
        );
    let document: Value = serde_json::from_str(&request.for_create()).unwrap();
    let output = installed
        .wasmvark
        .plugin(driver.name, &["create"], request.for_create());
    let answer = answer_of(&output);
    for field in [
        "name",
        "id",
        "driver",
        "created",
        "subnets",
        "labels",
        "a_field_of_tomorrow",
    ] {
        assert_eq!(answer[field], document[field], "{field}");
    }
    world.assert_unchanged(&before);
}

/// But for the driver's name, and the time.
fn as_built_in(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    for request in [
        network(driver.name),
        Connection::new(driver.name).ipam("none"),
    ] {
        let create = |name: &str| {
            let network = installed.netavark.create(&request.clone().for_driver(name));
            let mut network = network.expect("create succeeds");
            let fields = network.as_object_mut().expect("a network is an object");
            fields.remove("driver");
            fields.remove("created");
            network
        };
        assert_eq!(create("macvlan"), create(driver.name));
    }
}

fn wrong_options_are_refused(driver: Driver) {
    let world = World::new();
    let installed = driver.in_world(&world);
    for (option, value) in [
        ("mode", "bridged"),
        ("mtu", "x"),
        ("metric", "-1"),
        ("bclim", "x"),
        ("no_default_route", "yes"),
        ("mood", "good"),
    ] {
        let request = network(driver.name).option(option, value);
        let theirs = installed
            .netavark
            .create(&request.clone().for_driver("macvlan"));
        let theirs = theirs.expect_err("netavark refuses it");
        // It doesn't name the value and what is expected, or not in the one wording of
        // drivers' options.
        let theirs = match theirs.split_once(": ") {
            Some(_) if theirs.contains("unsupported") => {
                format!("unsupported {} network option: {option}", driver.name)
            }
            _ => format!("unable to parse \"{option}\": {value:?} is not "),
        };
        let ours = installed
            .netavark
            .create(&request)
            .expect_err("the driver refuses it");
        assert!(
            ours.contains(&theirs),
            "{option}={value}: {theirs:?}, {ours:?}"
        );
        let output = installed
            .wasmvark
            .plugin(driver.name, &["create"], request.for_create());
        assert!(
            error_of(&output).contains(&theirs),
            "{option}={value}: {output:?}"
        );
    }
}
