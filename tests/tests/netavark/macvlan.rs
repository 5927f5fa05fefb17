//! Addresses, modes and options of macvlan links.

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::world::World;

use crate::driver::{Driver, Installed, NEEDS, Tried};

const MODES: [&str; 5] = ["bridge", "private", "vepa", "passthru", "source"];
const MAC: &str = "aa:bb:cc:dd:ee:ff";

pub(crate) fn register(suite: &mut Suite, driver: Driver) {
    let mut cases = Cases { suite, driver };
    let v4 = || Connection::v4(driver.name);
    cases.add("IPv4", v4(), has_v4_and_reaches_out);
    cases.add("IPv6", Connection::v6(driver.name), has_v6_and_reaches_out);
    cases.add(
        "dual stack",
        Connection::dual(driver.name),
        |installed, container| {
            assert_eq!(container.cidrs(INTERFACE), ["10.88.0.2/16", "fd88::2/64"]);
            reaches_out_v4(installed);
            reaches_out_v6(installed);
        },
    );
    for mode in MODES {
        let connection = v4().option("mode", mode);
        let tried = cases.add(
            &format!("mode {mode}"),
            connection,
            move |installed, container| {
                assert_eq!(container.kind_data(INTERFACE, "mode"), mode);
                // Nobody is on the list of a source link.
                if mode == "source" {
                    let world = installed.world;
                    echo::silence(
                        (&world.neighbour, "10.88.0.1"),
                        (&world.container, "10.88.0.2"),
                    );
                } else {
                    reaches_out_v4(installed);
                }
            },
        );
        tried.proves(&["mode"]);
    }
    cases.add("mode empty", v4().option("mode", ""), |_, container| {
        assert_eq!(container.kind_data(INTERFACE, "mode"), "bridge");
    });
    let tried = cases.add("mtu", v4().option("mtu", "1400"), |_, container| {
        assert_eq!(container.mtu(INTERFACE), 1400);
    });
    tried.proves(&["mtu"]);
    cases.add("bclim", v4().option("bclim", "7"), |_, _| ());
    cases.add("bclim -1", v4().option("bclim", "-1"), |_, _| ());
    if driver.is_ours() {
        let length = v4().option("bcqueuelen", "77");
        cases.add("bcqueuelen", length, |_, container| {
            assert_eq!(*container.kind_data(INTERFACE, "bcqueuelen"), 77);
        });
    }
    cases.add("static MAC", v4().join("static_mac", MAC), has_mac);
    let dashes = v4().join("static_mac", "AA-BB-CC-DD-EE-FF");
    cases.add("static MAC with dashes", dashes, has_mac);
    let several = v4().ip("10.88.0.10").ip("10.88.0.5");
    cases.add("several addresses", several, |installed, container| {
        let expected = ["10.88.0.10/16", "10.88.0.2/16", "10.88.0.5/16"];
        assert_eq!(container.cidrs(INTERFACE), expected);
        reaches("10.88.0.10", "10.88.0.1", installed);
    });
    cases.add(
        "several subnets",
        several_subnets(driver.name),
        |installed, container| {
            let expected = ["10.88.0.2/16", "10.89.0.9/16", "fd88::2/64", "fd89::9/64"];
            assert_eq!(container.cidrs(INTERFACE), expected);
            reaches("10.89.0.9", "10.89.0.1", installed);
            reaches("fd89::9", "fd89::1", installed);
            reaches_out_v4(installed);
            reaches_out_v6(installed);
        },
    );
    cases.add("ipam none", ipam_none(driver.name), |_, container| {
        assert!(container.cidrs(INTERFACE).is_empty());
        assert!(container.made_routes().is_empty());
    });
    if driver.is_ours() {
        register_ours(&mut cases);
    }
}

/// What netavark's own driver doesn't have, or what nothing shows of it.
fn register_ours(cases: &mut Cases<'_>) {
    let driver = cases.driver;
    let v4 = || Connection::v4(driver.name);
    let length = v4().option("bcqueuelen", "2000");
    let tried = cases.add("bcqueuelen", length, |_, container| {
        assert_eq!(container.kind_data(INTERFACE, "bcqueuelen"), 2000);
    });
    tried.proves(&["bcqueuelen"]);
    let tried = driver.test(cases.suite, "two containers", move || {
        two_containers(driver);
    });
    tried.proves(&["mode"]);
    // Not below the driver's name: the virtual machine leaves one of them out.
    let name = format!("macvlan bclim shown/{}", driver.title);
    let needs = [NEEDS, &[Need::RecentIp]].concat();
    let added = cases.suite.test(name, &needs, move || {
        let world = World::new();
        let installed = driver.in_world(&world);
        for (value, shown) in [("7", 7), ("-1", -1)] {
            installed.try_out(&v4().option("bclim", value), |container| {
                assert_eq!(container.kind_data(INTERFACE, "bclim"), shown);
            });
        }
    });
    added.proves(driver.title, &["bclim"]);
}

/// The mode says whether two on one parent reach each other.
fn two_containers(driver: Driver) {
    for mode in ["bridge", "private", "vepa"] {
        let world = World::new();
        let installed = driver.in_world(&world);
        let other = Netns::new();
        let one = Connection::dual(driver.name).option("mode", mode);
        let another = one
            .clone()
            .container("0123456789abcdef")
            .join("static_ips", vec!["10.88.0.3", "fd88::3"]);
        installed.try_out(&one, |_| {
            let setup = installed.netavark.setup_at(&another, &other.path());
            setup.expect("setup succeeds");
            for (own, others) in [("10.88.0.2", "10.88.0.3"), ("fd88::2", "fd88::3")] {
                // Nobody outside sends frames back, as `vepa` would need.
                let pass = match mode {
                    "bridge" => echo::exchange,
                    _ => echo::silence,
                };
                pass((&world.container, own), (&other, others));
            }
            let teardown = installed.netavark.teardown_at(&another, &other.path());
            teardown.expect("teardown succeeds");
        });
    }
}

/// Each case: what setup made is right, and teardown leaves nothing.
struct Cases<'a> {
    suite: &'a mut Suite,
    driver: Driver,
}

impl Cases<'_> {
    fn add(
        &mut self,
        name: &str,
        connection: Connection,
        check: impl Fn(&Installed, &Dump) + Send + 'static,
    ) -> Tried {
        let driver = self.driver;
        let test = move || {
            let world = World::new();
            let installed = driver.in_world(&world);
            let before = world.dump();
            let (_, container) = installed.connect(&connection);
            assert_eq!(container.link_names(), [INTERFACE, "lo"]);
            assert_eq!(container.kind(INTERFACE), "macvlan");
            assert!(container.is_up(INTERFACE));
            assert_eq!(container.setting("ipv6/conf/eth0/autoconf"), Some("0"));
            check(&installed, &container);
            installed.disconnect(&connection);
            world.assert_unchanged(&before);
        };
        driver.test(self.suite, name, test)
    }
}

fn several_subnets(driver: &str) -> Connection {
    Connection::dual(driver)
        .subnet("10.89.0.0/16", "10.89.0.1")
        .subnet("fd89::/64", "fd89::1")
        .ip("fd89::9")
        .ip("10.89.0.9")
}

fn ipam_none(driver: &str) -> Connection {
    Connection::new(driver)
        .ipam("none")
        .without_join("static_ips")
}

fn has_mac(_: &Installed, container: &Dump) {
    assert_eq!(container.mac(INTERFACE), MAC);
}

fn has_v4_and_reaches_out(installed: &Installed, container: &Dump) {
    let addresses = container.addresses(INTERFACE);
    assert_eq!(addresses.len(), 1);
    assert_eq!(addresses[0].cidr, "10.88.0.2/16");
    assert_eq!(addresses[0].broadcast.as_deref(), Some("10.88.255.255"));
    assert_eq!(container.mtu(INTERFACE), 1500);
    assert_eq!(container.kind_data(INTERFACE, "mode"), "bridge");
    assert_eq!(
        container.made_routes(),
        ["default via 10.88.0.1 dev eth0 metric 99"]
    );
    reaches_out_v4(installed);
}

fn has_v6_and_reaches_out(installed: &Installed, container: &Dump) {
    assert_eq!(container.cidrs(INTERFACE), ["fd88::2/64"]);
    assert_eq!(
        container.made_routes(),
        ["default via fd88::1 dev eth0 metric 99"]
    );
    reaches_out_v6(installed);
}

/// To the gateway, to what lies behind it, and from there back.
fn reaches_out_v4(installed: &Installed) {
    reaches("10.88.0.2", "10.88.0.1", installed);
    reaches("10.88.0.2", "192.0.2.1", installed);
}

fn reaches_out_v6(installed: &Installed) {
    reaches("fd88::2", "fd88::1", installed);
    reaches("fd88::2", "2001:db8::1", installed);
}

fn reaches(inside: &str, outside: &str, installed: &Installed) {
    let container = (&installed.world.container, inside);
    let neighbour = (&installed.world.neighbour, outside);
    echo::exchange(container, neighbour);
    echo::exchange(neighbour, container);
}
