//! The comparison of errors with those of netavark's own driver. The same mistake has
//! the same error text, and changes nothing.

use serde_json::json;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::world::World;

use crate::driver::{BUILT_IN, Driver, NEEDS};

pub(crate) fn register(suite: &mut Suite, driver: Driver) {
    register_values(suite, driver);
    let mut case = |name: &str, connection: Connection| {
        let name = format!("{}/mistake: {name}", driver.title);
        suite.test(name, NEEDS, move || {
            fails_like_built_in(driver, &connection);
        });
    };
    let new = || Connection::new(driver.name);
    let v4 = || Connection::v4(driver.name);
    case(
        "overlapping subnets",
        v4().subnet("10.88.3.0/24", "10.88.3.1"),
    );
    case("overlapping subnets, the wider last", {
        new()
            .subnet("10.88.3.0/24", "")
            .subnet("10.88.0.0/16", "")
            .ip("10.88.3.4")
    });
    case(
        "overlapping IPv6 subnets",
        Connection::v6(driver.name).subnet("fd88::/48", ""),
    );
    case("duplicate subnets", v4().subnet("10.88.0.0/16", ""));
    case("an address outside the subnets", v4().ip("10.99.0.2"));
    case("an address of the other family", v4().ip("fd88::2"));
    case("no addresses", v4().without_join("static_ips"));
    case("no interface name", v4().join("interface_name", ""));
    for mac in [
        "zz:bb:cc:dd:ee:ff",
        "aa:bb:cc:dd:ee",
        "aa:bb:cc:dd:ee:ff:00",
        "aabbccddeeff",
    ] {
        case(&format!("MAC {mac:?}"), v4().join("static_mac", mac));
    }
    case(
        "multicast MAC",
        v4().join("static_mac", "01:00:5e:00:00:01"),
    );
    case("mtu above the parent's", v4().option("mtu", "9000"));
    case("unknown ipam driver", v4().ipam("other"));
    case("no such parent", v4().network("network_interface", "nope"));
    let route = |route| v4().route(route);
    case(
        "route without gateway",
        route(json!({"destination": "10.90.0.0/24"})),
    );
    case("route of an unknown type", {
        route(json!({"destination": "10.90.0.0/24", "route_type": "throw"}))
    });
    case("IPv4 route with IPv6 gateway", {
        route(json!({"destination": "10.90.0.0/24", "gateway": "fd88::3"}))
    });
    case("IPv6 route with IPv4 gateway", {
        route(json!({"destination": "fd90::/64", "gateway": "10.88.0.3"}))
    });
    for kind in ["blackhole", "unreachable", "prohibit"] {
        case(&format!("{kind} route with gateway"), {
            route(
                json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.3", "route_type": kind}),
            )
        });
    }
}

/// Values that netavark's own driver refuses, too. Its text names neither the value nor
/// what is expected, or not in the one wording of drivers' options.
fn register_values(suite: &mut Suite, driver: Driver) {
    for value in ["bridged", "Bridge"] {
        let name = format!("{}/mistake: mode={value:?}", driver.title);
        suite.test(name, NEEDS, move || {
            let connection = Connection::v4(driver.name).option("mode", value);
            let theirs = failure(BUILT_IN, &connection);
            let text = format!("invalid macvlan mode {value:?}");
            assert!(theirs.contains(&text), "{theirs}");
            let ours = failure(driver, &connection);
            let text = format!("unable to parse \"mode\": {value:?} is not bridge, private");
            assert!(ours.contains(&text), "{ours}");
        });
    }
    // netavark's own driver passes over it.
    let name = format!("{}/mistake: an option that nobody knows", driver.title);
    suite.test(name, NEEDS, move || {
        let connection = Connection::v4(driver.name).option("com.example.what", "x");
        let ours = failure(driver, &connection);
        let text = format!(
            "unsupported {} network option: com.example.what",
            driver.name
        );
        assert!(ours.contains(&text), "{ours}");
        assert!(
            ours.contains("create it again without the option"),
            "{ours}"
        );
    });
    let whole = "a whole number from 0 to 4294967295";
    let signed = "a whole number from -2147483648 to 2147483647";
    for (option, values, expected) in [
        ("mtu", &["", "abc", "-1", "4294967296"][..], whole),
        ("metric", &["", "x", "-1", "1.5"][..], whole),
        ("bclim", &["", "x", "2147483648"][..], signed),
        ("no_default_route", &["", "yes"][..], "true or false"),
    ] {
        for value in values {
            let name = format!("{}/mistake: {option}={value:?}", driver.title);
            suite.test(name, NEEDS, move || {
                let connection = Connection::v4(driver.name).option(option, value);
                let theirs = failure(BUILT_IN, &connection);
                let beginning = format!("unable to parse \"{option}\": ");
                assert!(theirs.contains(&beginning), "{theirs}");
                let ours = failure(driver, &connection);
                let text = format!("{beginning}{value:?} is not {expected}");
                assert!(ours.contains(&text), "{ours}");
            });
        }
    }
}

fn fails_like_built_in(driver: Driver, connection: &Connection) {
    let theirs = failure(BUILT_IN, connection);
    let ours = failure(driver, connection);
    let expected = format!("plugin {:?} failed: exit code 1, message: ", driver.name);
    let message = ours
        .strip_prefix(&expected)
        .unwrap_or_else(|| panic!("not an error of the plugin: {ours}"));
    let expected = cause(&theirs);
    assert!(
        message.contains(expected),
        "netavark says {theirs:?}, the driver {message:?}"
    );
}

/// The cause as both must name it: what the kernel says without what netavark
/// puts around it, else the whole text.
fn cause(error: &str) -> &str {
    match error.split_once("Netlink error: ") {
        Some((_, kernel)) => kernel.split(" (os error").next().unwrap_or(kernel),
        None => error,
    }
}

fn failure(driver: Driver, connection: &Connection) -> String {
    let world = World::new();
    let installed = driver.in_world(&world);
    let before = world.dump();
    let connection = connection.clone().for_driver(driver.name);
    match installed.netavark.setup(&connection) {
        Ok(status) => panic!("{} accepts it: {status:?}", driver.title),
        Err(error) => {
            world.assert_unchanged(&before);
            error
        }
    }
}
