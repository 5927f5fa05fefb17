//! The host's link beside containers on macvlan links.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::world::{PARENT, World};

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark, Need::Macvlan];
const HOST: [&str; 2] = ["10.88.0.5", "fd88::5"];
const ONE: [&str; 2] = ["10.88.0.2", "fd88::2"];
const TWO: [&str; 2] = ["10.88.0.3", "fd88::3"];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| {
        let name = format!("host_address/{name}");
        suite
            .test(name, NEEDS, test)
            .proves("macvlan", &["host_address"]);
    };
    test("packets between the host and its containers", packets);
    test("one family", one_family);
    test("refused", refused);
}

/// A host with addresses of its own in the containers' network.
fn world() -> World {
    let world = World::new();
    let addresses =
        format!("addr add 10.88.0.250/16 dev {PARENT}\naddr add fd88::250/64 dev {PARENT} nodad");
    world.host.ip_batch(&[], &addresses);
    world
}

/// The host's link has a line of its own.
fn grant() -> Grant {
    let call = "links.create-macvlan";
    let grant = Grant::example("macvlan").without(call);
    grant
        .call(call, r#"{ place = "shared" }"#)
        .call("sysctl.set-arp-ignore", "{}")
}

fn connection() -> Connection {
    Connection::dual("wasm-macvlan").option("host_address", &HOST.join(" "))
}

/// The second container goes on when the first is gone, and the last takes all with it.
fn packets() {
    let world = world();
    let installed = Installed::with(&world, "macvlan", &grant());
    let before = world.dump();
    let other = Netns::new();
    let other_before = Dump::of(&other);
    let two = connection()
        .container("0123456789abcdef")
        .join("static_ips", TWO.to_vec());
    installed.connect(&connection());
    let up = installed.netavark.setup_at(&two, &other.path());
    up.expect("setup succeeds");
    for family in 0..2 {
        let host = (&world.host, HOST[family]);
        for container in [(&world.container, ONE[family]), (&other, TWO[family])] {
            echo::exchange(host, container);
            echo::exchange(container, host);
        }
        // The rest of the network is where it was.
        let neighbour = ["10.88.0.1", "fd88::1"][family];
        let own = ["10.88.0.250", "fd88::250"][family];
        echo::exchange((&world.host, own), (&world.neighbour, neighbour));
    }
    installed.disconnect(&connection());
    for family in 0..2 {
        echo::exchange((&world.host, HOST[family]), (&other, TWO[family]));
    }
    let down = installed.netavark.teardown_at(&two, &other.path());
    down.expect("teardown succeeds");
    world.assert_unchanged(&before);
    assert_unchanged(&other, &other_before, "the other container");
}

/// An IPv4 address of the host leads to no IPv6 routes. Its link answers for nothing else.
fn one_family() {
    let world = world();
    let installed = Installed::with(&world, "macvlan", &grant());
    let connection = Connection::dual("wasm-macvlan").option("host_address", HOST[0]);
    installed.try_out(&connection, |_| {
        let host = Dump::of(&world.host);
        let [link] = host.links_of_kind("macvlan")[..] else {
            panic!("one link: {:?}", host.link_names());
        };
        assert!(host.cidrs(link).contains(&format!("{}/32", HOST[0])));
        let routes = host.made_routes().into_iter();
        let through: Vec<String> = routes.filter(|route| route.contains(link)).collect();
        assert_eq!(through, [format!("10.88.0.2 dev {link} metric 100")]);
        let setting = format!("ipv4/conf/{link}/arp_ignore");
        assert_eq!(host.setting(&setting), Some("1"));
    });
}

fn refused() {
    let world = world();
    let installed = Installed::with(&world, "macvlan", &grant());
    let before = world.dump();
    for (value, why) in [
        (
            "10.88.0.5 10.88.0.6",
            "is not an IP address, or one of each version",
        ),
        ("10.88.0.5/16", "is not a list of at most 2 IP addresses"),
        ("", "is not an IP address"),
    ] {
        let wish = Connection::dual("wasm-macvlan").option("host_address", value);
        installed.refuses(&wish, why);
    }
    installed.refuses(
        &connection().option("mode", "private"),
        "host_address needs mode bridge",
    );
    installed.refuses(
        &connection().without_network("network_interface"),
        "host_address needs a parent",
    );
    for (connection, why) in [
        (
            connection().join("static_ips", vec![HOST[0]]),
            "is the host's by the option host_address",
        ),
        (
            connection().option("host_address", "10.88.0.250"),
            "10.88.0.250",
        ),
    ] {
        let error = installed.netavark.setup(&connection).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    let installed = Installed::example(&world, "macvlan");
    let error = installed.netavark.setup(&connection()).unwrap_err();
    assert!(
        error.contains(r#""links.create-macvlan" = { place = "shared" }"#),
        "{error}"
    );
    world.assert_unchanged(&before);
}
