//! `firewall.spoof-check`.

use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::wasmvark::error_of;

use super::NEEDS;
use super::site::{Container, TABLE, assert_clean, grant, world};
use crate::probe::Probe;

const MAC: &str = "02:00:00:00:00:02";
const OTHER_MAC: &str = "02:00:00:00:00:03";

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, test: fn()| suite.test(format!("firewall::spoof-check-{name}"), NEEDS, test);
    test("lets-each-given-address-through", several);
    test("is-one-containers", one_containers);
    test("refuses-wrong-arguments", wrong_arguments);
}

fn checking() -> Grant {
    grant().call("firewall.spoof-check", "{}")
}

/// The container's link gets a MAC address, and reaches the host or not.
#[track_caller]
fn reaches(probe: &Probe<'_>, one: &Container, mac: &str, does: bool) {
    one.netns.ip(&format!("link set eth0 address {mac}"));
    for (netns, link) in [(&one.netns, "eth0"), (&probe.world.host, "br1")] {
        netns.ip(&format!("neigh flush dev {link}"));
    }
    let ends = ((&one.netns, "10.97.0.2"), (&probe.world.host, "10.97.0.1"));
    match does {
        true => echo::exchange(ends.0, ends.1),
        false => echo::silence(ends.0, ends.1),
    }
}

fn several() {
    let world = world();
    let probe = Probe::new(&world, &checking());
    let before = Dump::of(&world.host);
    let one = Container::new(1, 2);
    one.up(&probe, &format!("firewall.spoof-check 2 {MAC}"));
    reaches(&probe, &one, MAC, true);
    reaches(&probe, &one, OTHER_MAC, false);
    one.down(&probe);
    assert_clean(&probe, &before);
    let both = [MAC, OTHER_MAC].map(|mac| format!("firewall.spoof-check 2 {mac}"));
    one.up(&probe, &both.join("; "));
    for (mac, does) in [(MAC, true), (OTHER_MAC, true), ("02:00:00:00:00:04", false)] {
        reaches(&probe, &one, mac, does);
    }
    let connected = Dump::of(&world.host);
    super::site::nft(&world.host, "flush ruleset");
    let output = probe.wasmvark.administer(&["reload"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(Dump::of(&world.host).table(TABLE), connected.table(TABLE));
    one.down(&probe);
    assert_clean(&probe, &before);
}

/// Another container can neither loosen nor end it.
fn one_containers() {
    let world = world();
    let grant = checking()
        .without("firewall.spoof-check")
        .call("firewall.spoof-check", r#"{ link = "end0" }"#)
        .without("links.create-veth")
        .call("links.create-veth", r#"{ link = "end0", place = "host" }"#);
    let grant = grant.call("links.get", r#"{ link = "end0" }"#);
    let probe = Probe::new(&world, &grant);
    let before = Dump::of(&world.host);
    let (one, two) = (Container::new(1, 2), Container::new(2, 2));
    let script = format!("links.create-veth - host-name=end0; firewall.spoof-check 1 {MAC}");
    one.up_with(&probe, &script);
    let with_one = Dump::of(&world.host);
    let loosen = format!("links.get host end0; firewall.spoof-check 0 {OTHER_MAC}");
    let error = error_of(&two.try_up_with(&probe, &loosen));
    assert!(error.contains("end0 is taken"), "{error}");
    assert_eq!(Dump::of(&world.host).table(TABLE), with_one.table(TABLE));
    one.down(&probe);
    assert_clean(&probe, &before);
}

fn wrong_arguments() {
    let world = world();
    let probe = Probe::new(&world, &checking());
    for (line, error) in [
        ("2 here", "unable to parse mac address here"),
        ("1 02:00:00:00:00:02", "isn't in the host's namespace"),
    ] {
        let output = Container::new(1, 2).try_up(&probe, &format!("firewall.spoof-check {line}"));
        let seen = error_of(&output);
        assert!(seen.contains(error), "{line}: {seen}");
    }
}
