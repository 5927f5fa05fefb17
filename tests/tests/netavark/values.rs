//! The values of options. Podman's words for them are taken, their normal form is
//! stored, and a wrong one has one wording.

use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::world::World;

use crate::driver::Installed;

/// What a whole number of 32 bits is, in errors.
const WHOLE: &str = "a whole number from 0 to 4294967295";
const TRUTH: &str = "true or false";

/// A driver, the options without which its networks aren't made, and values of options
/// with their normal forms.
type Row = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str, &'static str)],
);

const ROWS: &[Row] = &[
    (
        "bridge",
        &[],
        &[
            ("accept_dad", "t", "true"),
            ("announce", "1", "true"),
            ("hairpin", "T", "true"),
            ("isolate", "1", "true"),
            ("mac_spoof_check", "f", "false"),
            ("masquerade", "FALSE", "false"),
            ("port_isolation", "True", "true"),
            ("promiscuous", "0", "false"),
            ("vlan", " 7", "7"),
        ],
    ),
    (
        "dummy",
        &[],
        &[("promisc", "t", "true"), ("txqlen", "0100 ", "100")],
    ),
    ("host-device", &[], &[("allmulti", "TRUE", "true")]),
    ("ipvlan", &[], &[("announce", "F", "false")]),
    (
        "macvlan",
        &[],
        &[
            ("announce", "t", "true"),
            ("bclim", " -1 ", "-1"),
            ("bcqueuelen", "+9", "9"),
            ("source_routing", "1", "true"),
            ("source_table", " 7", "7"),
        ],
    ),
    (
        "macvlan-c",
        &[],
        &[
            ("announce", "t", "true"),
            ("bclim", " -1 ", "-1"),
            ("bcqueuelen", "+9", "9"),
            ("wait_dad", "True", "true"),
        ],
    ),
    (
        "ptp",
        &[],
        &[("accept_dad", "F", "false"), ("masquerade", "1", "true")],
    ),
    (
        "sriov",
        &[],
        &[
            ("max_tx_rate", " 0100", "100"),
            ("min_tx_rate", "0 ", "0"),
            ("spoof_check", "T", "true"),
            ("trust", "0", "false"),
            ("vf", " 03", "3"),
            ("vlan", "07", "7"),
        ],
    ),
    (
        "tap",
        &[],
        &[
            ("group", " 7", "7"),
            ("multi_queue", "T", "true"),
            ("owner", "08", "8"),
        ],
    ),
    ("vlan", &[("vlan", "7")], &[("vlan", " 9 ", "9")]),
    (
        "vrf",
        &[("vrf_name", "blue")],
        &[("table", " 1007", "1007")],
    ),
    (
        "vxlan",
        &[("id", "7")],
        &[
            ("id", " 9", "9"),
            ("learning", "0", "false"),
            ("port", " 4790", "4790"),
            ("ttl", "8 ", "8"),
        ],
    ),
    (
        "wireguard",
        &[("peer.a.key", "KEY")],
        &[
            ("listen_port", " 1000", "1000"),
            ("peer.a.keepalive", "25 ", "25"),
        ],
    ),
];

/// What each driver has by the host.
const OF_THE_HOST: &[(&str, &str, &str)] = &[
    ("metric", " 7", "7"),
    ("mtu", "01400 ", "1400"),
    ("no_default_route", "f", "false"),
];

pub(crate) fn register(suite: &mut Suite) {
    for (driver, needed, values) in ROWS {
        let needs = [Need::Root, Need::Netavark];
        suite.test(format!("values/normal-form/{driver}"), &needs, || {
            stored(driver, needed, values);
        });
    }
    for (driver, key, wrong, expected) in [
        ("bridge", "hairpin", &["yes", "", "tRUE", "2"][..], TRUTH),
        (
            "bridge",
            "isolate",
            &["yes", "Strict"],
            "true, false or strict",
        ),
        (
            "bridge",
            "vlan",
            &["", "0", "0x7", "-1", "4095"],
            "a whole number from 1 to 4094",
        ),
        (
            "bridge",
            "outbound_addr4",
            &["", "fd88::1"],
            "an IPv4 address",
        ),
        ("bridge", "mtu", &["", "0x5dc", "-1", "4294967296"], WHOLE),
        ("macvlan", "metric", &["", "x", "1.5"], WHOLE),
        ("macvlan", "no_default_route", &["", "yes"], TRUTH),
        ("macvlan", "bcqueuelen", &["", "-1"], WHOLE),
        ("macvlan", "txqlen", &["many"], WHOLE),
        ("macvlan-c", "mtu", &["", "0x5dc"], WHOLE),
        ("macvlan-c", "announce", &["", "yes"], TRUTH),
        ("macvlan-c", "bcqueuelen", &["", "-1", "4294967296"], WHOLE),
    ] {
        let needs = [Need::Root, Need::Netavark, Need::Macvlan];
        suite.test(
            format!("values/refused/{driver}/{key}"),
            &needs,
            move || {
                refused(driver, key, wrong, expected);
            },
        );
    }
    let needs = [Need::Root, Need::Netavark];
    suite.test("values/of-a-container", &needs, of_a_container);
}

fn installed<'a>(world: &'a World, driver: &str) -> Installed<'a> {
    match driver {
        // It has the grant of the one in Rust.
        "macvlan-c" => Installed::with(world, driver, &Grant::example("macvlan")),
        driver => Installed::example(world, driver),
    }
}

fn wish(driver: &str) -> Connection {
    let connection = Connection::dual(&format!("wasm-{driver}"));
    match driver {
        "bridge" | "ptp" | "dummy" | "tap" | "vxlan" | "wireguard" => {
            connection.without_network("network_interface")
        }
        _ => connection,
    }
}

/// Also one by one, because an option that is wrong beside others would hide them.
fn stored(driver: &str, needed: &[(&str, &str)], values: &[(&str, &str, &str)]) {
    let world = World::new();
    let installed = installed(&world, driver);
    for (key, value, normal) in values.iter().chain(OF_THE_HOST) {
        let needed = needed.iter().filter(|(name, _)| name != key);
        let connection = needed.fold(wish(driver), |it, (key, value)| it.option(key, value));
        // An option that goes only with others.
        let connection = match *key {
            "source_table" => connection.option("source_routing", "1"),
            _ => connection,
        };
        let network = installed.netavark.create(&connection.option(key, value));
        let network = network.unwrap_or_else(|error| panic!("{key}={value:?}: {error}"));
        assert_eq!(network["options"][key], *normal, "{network}");
    }
}

/// In `create`, and by `setup` where only one container has it.
fn refused(driver: &str, key: &str, wrong: &[&str], expected: &str) {
    let world = World::new();
    let installed = installed(&world, driver);
    for value in wrong {
        let text = format!("unable to parse \"{key}\": {value:?} is not {expected}");
        installed.refuses(&wish(driver).option(key, value), &text);
        let before = world.dump();
        let own = serde_json::json!({ key: value });
        let error = installed
            .netavark
            .setup(&wish(driver).option(key, value))
            .unwrap_err();
        assert!(error.contains(&text), "{error}");
        // macvlan's own options are those of the network.
        if ["metric", "mtu", "no_default_route", "txqlen"].contains(&key) {
            let error = installed
                .netavark
                .setup(&wish(driver).join("options", own))
                .unwrap_err();
            assert!(error.contains(&text), "{error}");
        }
        world.assert_unchanged(&before);
    }
}

/// What a container has of its own is in no document that is stored.
fn of_a_container() {
    let world = World::forwarding();
    let installed = Installed::example(&world, "ptp");
    let own = serde_json::json!({
        "mtu": " 1400 ", "metric": "07", "promisc": "T", "no_default_route": "0"
    });
    let connection = wish("ptp").join("options", own);
    installed.try_out(&connection, |container| {
        assert_eq!(container.mtu(INTERFACE), 1400);
        assert!(container.has_flag(INTERFACE, "PROMISC"));
        let routes = container.made_routes();
        let default = routes.iter().find(|route| route.starts_with("default"));
        let default = default.unwrap_or_else(|| panic!("{routes:?}"));
        assert!(default.contains("metric 7"), "{default}");
    });
}
