//! A link of the host that answers for the containers' IPv6 addresses.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::echo;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::poll;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark];
/// The host's address on the wire, in whose network the containers are.
const HOST: &str = "fd89::250/64";
const NEIGHBOUR: &str = "fd89::1";
const SUBNET: [&str; 2] = ["fd89:0:0:0:8::/80", "fd89::8:0:0:1"];
const CONTAINERS: [&str; 2] = ["fd89::8:0:0:2", "fd89::8:0:0:3"];
const SETTING: &str = "ipv6/conf/p0/proxy_ndp";

pub(crate) fn register(suite: &mut Suite) {
    for driver in ["bridge", "ptp"] {
        suite
            .test(format!("ndp-proxy/{driver}"), NEEDS, move || {
                answers(driver);
            })
            .proves(driver, &["ndp_proxy"]);
        let name = format!("ndp-proxy/{driver}: refused");
        suite.test(name, NEEDS, move || refused(driver));
    }
}

fn connection(driver: &str) -> Connection {
    in_subnet(driver, SUBNET)
}

fn in_subnet(driver: &str, [subnet, gateway]: [&str; 2]) -> Connection {
    let connection = match driver {
        "bridge" => Connection::new("wasm-bridge").network("network_interface", "br0"),
        _ => Connection::new("wasm-ptp").without_network("network_interface"),
    };
    connection
        .network("ipv6_enabled", true)
        .subnet(subnet, gateway)
        .option("ndp_proxy", PARENT)
        .option("masquerade", "false")
}

/// The neighbour takes the containers for machines on its wire. The end of one container
/// leaves the other's address with its proxy.
fn answers(driver: &str) {
    let world = World::forwarding();
    world
        .host
        .ip_batch(&[], &format!("addr add {HOST} dev {PARENT} nodad"));
    let installed = Installed::example(&world, driver);
    let before = world.dump();
    let other = Netns::new();
    let other_before = Dump::of(&other);
    let one = connection(driver).ip(CONTAINERS[0]);
    let two = connection(driver)
        .ip(CONTAINERS[1])
        .container("0123456789abcdef");
    installed.connect(&one);
    let up = installed.netavark.setup_at(&two, &other.path());
    up.expect("setup succeeds");
    assert_eq!(proxied(&world), CONTAINERS);
    installed.reaches(CONTAINERS[0], NEIGHBOUR);
    installed.disconnect(&one);
    assert_eq!(proxied(&world), CONTAINERS[1..]);
    let neighbour = (&world.neighbour, NEIGHBOUR);
    echo::exchange(neighbour, (&other, CONTAINERS[1]));
    let down = installed.netavark.teardown_at(&two, &other.path());
    down.expect("teardown succeeds");
    // This stays on, as forwarding does.
    assert_eq!(Dump::of(&world.host).setting(SETTING), Some("1"));
    world.host.set(SETTING, "0");
    world.assert_unchanged(&before);
    assert_unchanged(&other, &other_before, "the other container");
}

/// The addresses that the host's link answers for.
fn proxied(world: &World) -> Vec<String> {
    let neighbours = world
        .host
        .ip_batch(&["-6"], &format!("neigh show proxy dev {PARENT}"));
    let lines = neighbours.lines();
    let mut addresses: Vec<String> = lines
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect();
    addresses.sort();
    addresses
}

fn refused(driver: &str) {
    let world = World::forwarding();
    let installed = Installed::example(&world, driver);
    let internal = connection(driver).network("internal", true);
    installed.refuses(&internal, "ndp_proxy is not possible with --internal");
    installed.refuses(
        &connection(driver).option("ndp_proxy", ""),
        "ndp_proxy needs the name of an interface",
    );
    // The host keeps its network: it's only for parts of that of the named link.
    world
        .host
        .ip_batch(&[], &format!("addr add {HOST} dev {PARENT} nodad"));
    // The kernel adds the network's anycast route by itself, a little later
    // (`addrconf_dad_work`).
    let routes = || {
        world
            .host
            .ip_batch(&["-6"], "route show table local type anycast")
    };
    let anycast = format!("anycast fd89:: dev {PARENT}");
    let routes = poll::until(routes, |routes| routes.contains(&anycast));
    assert!(routes.contains(&anycast), "{routes}");
    let before = world.dump();
    for connection in [
        connection(driver).option("ndp_proxy", "lo"),
        in_subnet(driver, ["fd89::/64", "fd89::7"]),
    ] {
        let setup = installed.netavark.setup(&connection.ip(CONTAINERS[0]));
        let error = setup.unwrap_err();
        assert!(
            error.contains("the host is connected to fd89::/64"),
            "{error}"
        );
    }
    world.assert_unchanged(&before);
}
