//! Tests that each line of the grants of `just install` is needed.

use serde_json::json;
use wasmvark_tests::connection::{Connection, mapping};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::manifest::Manifest;
use wasmvark_tests::sriov::world as sriov_world;
use wasmvark_tests::world::{PARENT, World};

use crate::dhcp;
use crate::driver::Installed;
use crate::{sriov, wireguard};

/// A driver, with requests that need all of its grant between them.
struct Case {
    driver: &'static str,
    need: Need,
    requests: fn(Connection) -> Vec<Connection>,
}

const CASES: &[Case] = &[
    Case {
        driver: "macvlan",
        need: Need::Macvlan,
        requests: |connection| {
            named_and_found(
                connection
                    .option("announce", "true")
                    .option("incoming", "tcp/80"),
            )
        },
    },
    Case {
        driver: "ipvlan",
        need: Need::Link(Kind::Ipvlan),
        requests: |connection| {
            let filtered = connection
                .option("announce", "true")
                .option("incoming", "tcp/80");
            let mut requests = named_and_found(filtered.clone());
            requests.push(filtered.option("mode", "l3s"));
            requests
        },
    },
    Case {
        driver: "vlan",
        need: Need::Link(Kind::Vlan),
        requests: |connection| {
            named_and_found(
                connection
                    .option("vlan", "7")
                    .option("announce", "true")
                    .option("incoming", "tcp/80"),
            )
        },
    },
    Case {
        driver: "vrf",
        need: Need::Link(Kind::Vrf),
        requests: |connection| {
            named_and_found(
                connection
                    .option("vrf_name", "blue")
                    .option("announce", "true"),
            )
        },
    },
    Case {
        driver: "bridge",
        need: Need::Link(Kind::VlanBridge),
        requests: |connection| {
            let managed = connection.clone().network("network_interface", "br0");
            let managed = managed.network("dns_enabled", true);
            let port = managed
                .clone()
                .option("vlan", "7")
                .option("hairpin", "true")
                .option("mac_spoof_check", "true")
                .option("port_isolation", "true")
                .option("announce", "true");
            let without_subnets = managed
                .clone()
                .network("routes", json!([]))
                .network("subnets", json!([]));
            let unmanaged = connection.network("network_interface", "somebodys");
            vec![
                port,
                managed.clone().network("internal", true),
                managed
                    .clone()
                    .option("promiscuous", "true")
                    .option("ndp_proxy", PARENT),
                published(managed.option("mtu", "0")),
                unmanaged.clone(),
                unmanaged.option("mode", "unmanaged"),
                without_subnets,
            ]
        },
    },
    Case {
        driver: "host-device",
        need: Need::Root,
        requests: |connection| {
            let connection = connection
                .option("announce", "true")
                .option("incoming", "tcp/80");
            let unnamed = connection.clone().without_network("network_interface");
            let by = |option, value| unnamed.clone().option(option, value);
            vec![
                connection,
                by("hwaddr", MAC),
                by("pci", "0000:00:1f.6"),
                by("kernelpath", "/sys/devices/pci0000:00/0000:00:1f.6"),
            ]
        },
    },
    Case {
        driver: "sriov",
        need: Need::Vfs,
        requests: |connection| {
            let connection = connection
                .option("announce", "true")
                .option("incoming", "tcp/80");
            vec![sriov::with_all_that_cards_take(connection)]
        },
    },
    Case {
        driver: "ptp",
        need: Need::Root,
        requests: |connection| {
            let route = json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.1"});
            let connection = connection
                .network("routes", json!([route]))
                .network("dns_enabled", true);
            vec![
                connection.clone().network("internal", true),
                connection
                    .clone()
                    .option("mtu", "0")
                    .option("ndp_proxy", PARENT),
                published(connection.clone().option("masquerade", "true")),
                connection
                    .network("routes", json!([]))
                    .network("subnets", json!([])),
            ]
        },
    },
    Case {
        driver: "dummy",
        need: Need::Link(Kind::Dummy),
        requests: |connection| vec![connection.option("no_default_route", "false")],
    },
    Case {
        driver: "vxlan",
        need: Need::Link(Kind::Vxlan),
        requests: |connection| vec![connection.option("id", "7").option("announce", "true")],
    },
    Case {
        driver: "tap",
        need: Need::Root,
        requests: |connection| vec![connection],
    },
    Case {
        driver: "wireguard",
        need: Need::Link(Kind::Wireguard),
        requests: |connection| vec![wireguard::in_a_tunnel(connection)],
    },
];

/// The parent's.
const MAC: &str = "02:00:00:00:00:77";

pub(crate) fn register(suite: &mut Suite) {
    for case in CASES {
        let needs = [Need::Root, Need::Netavark, case.need];
        let name = format!("grant/{}", case.driver);
        suite.test(name, &needs, move || every_line_is_needed(case));
    }
    suite.test(
        "grant/every driver has a case",
        &[],
        every_driver_has_a_case,
    );
}

fn every_driver_has_a_case() {
    let mut drivers: Vec<String> = CASES.iter().map(|case| case.driver.to_owned()).collect();
    // Its grant is that of its twin in Rust.
    drivers.push("macvlan-c".to_owned());
    drivers.sort_unstable();
    let all = Manifest::all().into_iter().map(|manifest| manifest.driver);
    assert_eq!(drivers, all.collect::<Vec<_>>());
}

/// With all that drivers have in common; a VRF has a table of its own.
fn tuned(driver: &str, connection: Connection) -> Connection {
    let tuned = connection
        .option("sysctl.net.ipv4.conf.IFNAME.arp_filter", "1")
        .option("txqlen", "77")
        .option("promisc", "true")
        .option("allmulti", "true")
        .option("ingress_rate", "1m")
        .option("egress_rate", "1m");
    let tuned = match driver {
        "dummy" | "tap" | "wireguard" => tuned,
        "ptp" => tuned.option("wait_dad", "true"),
        _ => tuned.option("wait_dad", "true").option("accept_ra", "true"),
    };
    match driver {
        "vrf" => tuned,
        _ => tuned.option("source_routing", "true"),
    }
}

/// With limits for some packets only.
fn limited(connection: Connection) -> Connection {
    connection
        .option("egress_rate", "1m")
        .option("unshaped_subnets", "192.0.2.0/24")
}

/// With a published port, and an address of the host's for one family of what
/// leaves it.
fn published(connection: Connection) -> Connection {
    connection
        .option("outbound_addr4", "10.89.0.250")
        .option("incoming", "tcp/80")
        .port(mapping("", 8080, 80, 1, "tcp"))
}

/// With a parent that the user named, and with that of the default route.
fn named_and_found(connection: Connection) -> Vec<Connection> {
    let found = connection.clone().without_network("network_interface");
    vec![connection, found]
}

fn every_line_is_needed(case: &Case) {
    let grant = Grant::example(case.driver);
    assert!(grant.calls().count() > 0);
    if let Err(error) = outcome(case, &grant) {
        panic!("with all lines: {error}");
    }
    let is_needed = |call: &&str| !is_of_dhcp(case, call) && !sriov::NOT_EVERYWHERE.contains(call);
    for call in grant.calls().filter(is_needed) {
        let Err(error) = outcome(case, &grant.clone().without(call)) else {
            panic!("{} works without {call}", case.driver);
        };
        let denial = format!("{call} ");
        assert!(error.contains(&denial), "without {call}: {error}");
        assert!(error.contains("denied"), "without {call}: {error}");
    }
}

/// Whether a line is for addresses of a DHCP server: `dhcp` shows that it's needed.
fn is_of_dhcp(case: &Case, call: &str) -> bool {
    let lines = dhcp::LINES.iter();
    let mut lines = lines.filter(|(driver, _)| *driver == case.driver);
    lines.any(|(_, calls)| calls.contains(&call))
}

/// A network on a card that isn't there can only be made. One without subnets has others
/// afterwards.
fn is_only_made(request: &Connection) -> bool {
    let is_on_hardware = ["pci", "kernelpath"]
        .iter()
        .any(|key| request.has_option(key));
    is_on_hardware || request.gateways().is_empty()
}

/// What becomes of the requests, up to the first error.
fn outcome(case: &Case, grant: &Grant) -> Result<(), String> {
    let world = match case.need {
        Need::Vfs => sriov_world(1),
        _ => World::new(),
    };
    // Not connected to the container's network: no driver covers that.
    let lay = format!("addr add 10.89.0.250/16 dev {PARENT}\nroute add default via 10.89.0.1");
    world.host.ip_batch(&[], &lay);
    let bridge = "link add somebodys type bridge\nlink add v0 master somebodys type veth peer v1";
    world.host.ip_batch(&[], bridge);
    world.host.ip(&format!("link set {PARENT} address {MAC}"));
    let installed = Installed::with(&world, case.driver, grant);
    wireguard::keep_secrets(&installed.wasmvark);
    let connection = Connection::dual(&format!("wasm-{}", case.driver))
        .join("static_mac", "02:00:00:00:00:09")
        .option("mtu", "1400")
        .route(json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.3"}));
    let mut requests = (case.requests)(connection);
    // Once is enough for what drivers have in common.
    match requests.as_mut_slice() {
        [first, second, ..] => {
            *first = tuned(case.driver, first.clone());
            *second = limited(second.clone());
        }
        [only] => {
            let second = limited(only.clone());
            *only = tuned(case.driver, only.clone());
            requests.push(second);
        }
        [] => {}
    }
    for request in requests {
        installed.netavark.create(&request)?;
        if is_only_made(&request) {
            continue;
        }
        installed.netavark.setup(&request)?;
        installed.netavark.teardown(&request)?;
    }
    Ok(())
}
