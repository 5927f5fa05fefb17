//! Changes of the host's links that the kernel doesn't take back.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;

use super::{v4, world};
use crate::probe::Probe;

const MOVE: &str = "links.get host p0; links.move-to-container 0 eth0";
const ON_PARENT: &str = r#"{ link = "p0" }"#;

pub(super) fn register(suite: &mut Suite) {
    let plain = &[Need::Root, Need::Macvlan];
    let vlan = &[Need::Root, Need::Macvlan, Need::Link(Kind::Vlan)];
    let mut test = |name: &str, needs: &[Need], test: fn()| {
        suite.test(format!("promise::kept::{name}"), needs, test);
    };
    test("a-link-that-others-lie-on-stays", plain, below_others);
    test("a-link-that-own-links-lie-on-moves", plain, below_own);
    test("a-link-with-vlans-stays-up", vlan, below_vlans);
    test("a-link-with-a-queue-stays", plain, queues);
    test("links-keep-their-mtu", plain, mtu);
    test("ipv6-comes-back", plain, ipv6);
}

/// Also where the grant names the link.
fn moves() -> Grant {
    Grant::of(&["links.get"]).call("links.move-to-container", ON_PARENT)
}

#[track_caller]
fn is_busy(probe: &Probe<'_>, connection: Connection, script: &str, text: &str) {
    let error = probe.setup_fails(connection, script);
    assert!(error.contains("(EBUSY)") && error.contains(text), "{error}");
}

fn below_others() {
    let world = world();
    world.host.ip_batch(
        &[],
        "link add m9 link p0 type macvlan mode bridge\nlink set m9 up\n\
         addr add 198.51.100.9/24 dev m9\nroute add 10.101.0.0/16 via 198.51.100.1",
    );
    let probe = Probe::new(&world, &moves());
    is_busy(&probe, v4(), MOVE, "m9 lies on it");
}

/// What the driver put there itself goes with it.
fn below_own() {
    let world = world();
    let grant = moves()
        .call("links.create-macvlan", r#"{ link = "own0" }"#)
        .on_host();
    let probe = Probe::new(&world, &grant);
    let own = "links.get host p0; links.create-macvlan host own0 0 bridge; \
        links.move-to-container 0 eth0";
    answer_of(&probe.setup(v4(), own));
    probe.teardown(&v4());
}

fn below_vlans() {
    let world = world();
    world.host.ip_batch(
        &[],
        "link add p0.9 link p0 type vlan id 9\nlink set p0.9 up\n\
         addr add 198.51.100.9/24 dev p0.9\nroute add 10.101.0.0/16 via 198.51.100.1",
    );
    let grant = moves().call("links.set-down", ON_PARENT);
    let probe = Probe::new(&world, &grant);
    is_busy(&probe, v4(), MOVE, "p0.9 lies on it");
    let down = "links.get host p0; links.set-down 0";
    is_busy(&probe, v4(), down, "p0.9 lies on it");
}

fn queues() {
    for (qdisc, place) in [
        (
            "add dev p0 root tbf rate 1mbit burst 5000 latency 1s",
            "at its root",
        ),
        ("add dev p0 ingress", "where it receives"),
    ] {
        let world = world();
        tc(&world, qdisc);
        let probe = Probe::new(&world, &moves());
        is_busy(&probe, v4(), MOVE, place);
    }
}

fn tc(world: &World, qdisc: &str) {
    let mut tc = world.host.command("tc");
    let output = process::run(tc.arg("qdisc").args(qdisc.split(' ')), &[]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn mtu() {
    let world = world();
    world
        .host
        .ip("link add m9 link p0 mtu 1450 type macvlan mode bridge");
    let grant = Grant::of(&["links.get"]).call("links.set-mtu", ON_PARENT);
    let probe = Probe::new(&world, &grant);
    let set = |mtu: u32| format!("links.get host p0; links.set-mtu 0 {mtu}");
    is_busy(
        &probe,
        v4(),
        &set(1449),
        "m9 lies on it and has an MTU of 1450",
    );
    is_busy(&probe, v4(), &set(1279), "IPv6 needs an MTU of 1280");
    answer_of(&probe.setup_as_planned(v4(), &set(1450)));
    assert_eq!(Dump::of(&world.host).mtu("p0"), 1450);
    probe.teardown(&v4());
}

/// Addresses and routes of a link that has IPv6 turned off.
fn ipv6() {
    let world = world();
    world.host.ip("route add 2001:db8:9::/64 via fd88::1");
    let grant = Grant::of(&["links.get"])
        .call("sysctl.set-disable-ipv6", ON_PARENT)
        .call("sysctl.set", r#"{ key = "net.ipv6.conf.*.disable_ipv6" }"#);
    let probe = Probe::new(&world, &grant);
    let all = "sysctl.set host net.ipv6.conf.all.disable_ipv6 1";
    is_busy(&probe, v4(), all, "set it for one link");
    for script in [
        "links.get host p0; sysctl.set-disable-ipv6 0 on",
        "sysctl.set host net.ipv6.conf.p0.disable_ipv6 1",
    ] {
        goes_and_comes(&probe, script);
    }
}

fn goes_and_comes(probe: &Probe<'_>, script: &str) {
    answer_of(&probe.setup_as_planned(v4(), script));
    assert!(
        !Dump::of(&probe.world.host)
            .cidrs("p0")
            .contains(&"fd88::250/64".to_owned())
    );
    probe.teardown(&v4());
}
