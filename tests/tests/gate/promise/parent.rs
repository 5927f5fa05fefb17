//! Attacks on the parent of the container's link.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::wasmvark::answer_of;

use super::{Attack, fails_with, shipped, v4, world};
use crate::probe::Probe;

const PARENT: &str = "links.get host p0";

/// The user wants a link that has all of the parent.
fn passthru() -> Connection {
    v4().option("mode", "passthru")
}

fn unnamed() -> Connection {
    passthru().without_network("network_interface")
}

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        grant: "macvlan",
        needs: &[],
        connection: v4,
        before: PARENT,
        call: "links.create-macvlan container eth0 0 passthru",
        error: "denied",
    },
    // The parent must be the user's word too.
    Attack {
        grant: "macvlan",
        needs: &[],
        connection: unnamed,
        before: "links.get-default",
        call: "links.create-macvlan container - 0 passthru",
        error: "denied",
    },
    Attack {
        grant: "ipvlan",
        needs: &[Need::Link(Kind::Ipvlan)],
        connection: v4,
        before: PARENT,
        call: "links.create-ipvlan container - 0 l3 bridge",
        error: "denied",
    },
    Attack {
        grant: "ipvlan",
        needs: &[Need::Link(Kind::Ipvlan)],
        connection: v4,
        before: PARENT,
        call: "links.create-ipvlan container - 0 l2 private",
        error: "denied",
    },
];

pub(super) fn register(suite: &mut Suite) {
    let plain = &[Need::Root, Need::Macvlan];
    let ipvlan = &[Need::Root, Need::Macvlan, Need::Link(Kind::Ipvlan)];
    let mut test = |name: &str, needs: &[Need], test: fn()| {
        suite.test(format!("promise::parent::{name}"), needs, test);
    };
    test(
        "its-other-ipvlan-links-keep-their-mode",
        ipvlan,
        others_mode,
    );
    test("a-users-passthru-link-leaves-its-mac", plain, its_mac);
    test("a-default-routes-link-stays", plain, stays);
}

/// Also where the user wants another mode than that of the links that are there.
fn others_mode() {
    let world = world();
    world
        .host
        .ip("link add iv9 link p0 type ipvlan mode l2 bridge");
    let probe = Probe::new(&world, &shipped("ipvlan"));
    let attack = Attack {
        grant: "ipvlan",
        needs: &[],
        connection: v4,
        before: PARENT,
        call: "links.create-ipvlan container - 0 l3 bridge",
        error: "denied",
    };
    fails_with(&probe, v4().option("mode", "l3"), &attack);
    let same = "links.get host p0; links.create-ipvlan container - 0 l2 bridge";
    answer_of(&probe.setup_as_planned(v4(), same));
    probe.teardown(&v4());
    let wider = Grant::of(&["links.get"]).call("links.create-ipvlan", r#"{ link = "p0" }"#);
    probe.grant(&wider);
    let script = format!("{PARENT}; {}", attack.call);
    // The word for the parent isn't one for the links of others on it.
    let error = probe.setup_fails(v4().option("mode", "l3"), &script);
    assert!(error.contains("iv9 lies on p0 too"), "{error}");
    world.host.ip("link del iv9");
    answer_of(&probe.setup(v4().option("mode", "l3"), &script));
}

/// The link is the user's wish; the parent's MAC address isn't in it.
fn its_mac() {
    let world = world();
    let grant = shipped("macvlan").call("links.set-mac", "{}");
    let probe = Probe::new(&world, &grant);
    let make = "links.get host p0; links.create-macvlan container eth0 0 passthru";
    answer_of(&probe.setup_as_planned(passthru(), make));
    probe.teardown(&passthru());
    let attack = Attack {
        grant: "macvlan",
        needs: &[],
        connection: passthru,
        before: make,
        call: "links.set-mac 1 02:00:00:00:00:07",
        error: "denied",
    };
    fails_with(&probe, passthru(), &attack);
    let script = format!("{make}; {}", attack.call);
    let error = probe.setup_fails(passthru(), &script);
    assert!(
        error.contains(r#""links.set-mac" = { link = "p0" }"#),
        "{error}"
    );
    // The MAC address of a link with one of its own is its own.
    let other = "links.get host p0; links.create-macvlan container eth0 0 bridge; \
        links.set-mac 1 02:00:00:00:00:07";
    answer_of(&probe.setup_as_planned(v4(), other));
    probe.teardown(&v4());
}

fn stays() {
    let world = world();
    let calls = ["links.get-default", "links.move-to-container", "links.info"];
    let probe = Probe::new(&world, &Grant::of(&calls));
    let attack = Attack {
        grant: "host-device",
        needs: &[],
        connection: unnamed,
        before: "links.get-default; links.info 0",
        call: "links.move-to-container 0 eth0",
        error: "denied",
    };
    fails_with(&probe, v4().without_network("network_interface"), &attack);
}
