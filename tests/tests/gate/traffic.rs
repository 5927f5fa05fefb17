//! The effects of queueing disciplines on packets and on links of the host.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::process;
use wasmvark_tests::rate;
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

/// Bits per second, and the bytes that may go at once: a tenth of a second, so
/// that it does no harm when the machine is busy that long.
const RATE: u32 = 4_000_000;
const BURST: usize = 50_000;
const BYTES: usize = 800_000;

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("traffic::{name}"), NEEDS, test);
    test("tbf-limits-what-is-sent", sent);
    test("an-ifb-limits-what-is-received", received);
    test("htb-shares-between-classes", shared);
    test("htb-filters-lead-past-the-limit", filtered);
    test("an-htb-queue-is-short", short_queue);
    test("the-hosts-link-gets-its-queue-back", put_back);
    test("nobodys-queue-is-replaced", foreign);
    test("clear", clear);
    test("mistakes", mistakes);
}

fn grant() -> Grant {
    let grant = Grant::of(&[
        "addresses.add",
        "links.create-macvlan",
        "links.get",
        "links.set-up",
    ]);
    let calls = [
        "traffic.set-tbf",
        "traffic.set-htb",
        "traffic.add-htb-class",
        "traffic.add-htb-filter",
        "traffic.redirect-ingress",
        "traffic.clear",
    ];
    let parent = r#"{ link = "p0" }"#;
    let grant = calls
        .iter()
        .fold(grant, |grant, call| grant.call(call, parent));
    grant
        .call("links.create-ifb", r#"{ link = "container:ifb0" }"#)
        .on_host()
}

fn dual() -> Connection {
    Connection::dual(NAME)
}

const MAKE: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge; \
    addresses.add 1 10.88.0.2/16; addresses.add 1 fd88::2/64; links.set-up 1";

fn sent() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = world.dump();
    let script = format!("{MAKE}; traffic.set-tbf 1 {RATE} {BURST} 200");
    answer_of(&probe.setup_as_planned(dual(), &script));
    for (inside, outside) in [("10.88.0.2", "10.88.0.1"), ("fd88::2", "fd88::1")] {
        let from = (&world.container, inside);
        let to = (&world.neighbour, outside);
        rate::assert_limited(RATE, from, to, BURST, BYTES);
    }
    probe.teardown(&dual());
    world.assert_unchanged(&before);
}

fn received() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = world.dump();
    let script = format!(
        "{MAKE}; links.create-ifb container ifb0; links.set-up 2; \
         traffic.redirect-ingress 1 2; traffic.set-tbf 2 {RATE} {BURST} 200"
    );
    answer_of(&probe.setup_as_planned(dual(), &script));
    let from = (&world.neighbour, "10.88.0.1");
    let to = (&world.container, "10.88.0.2");
    rate::assert_limited(RATE, from, to, BURST, BYTES);
    probe.teardown(&dual());
    world.assert_unchanged(&before);
}

/// Checks that what the container sends over IPv4 is limited, and over IPv6 far less.
/// Returns the rate of the latter.
#[track_caller]
fn only_v4_is_limited(world: &World) -> f64 {
    let from = (&world.container, "10.88.0.2");
    let to = (&world.neighbour, "10.88.0.1");
    rate::assert_limited(RATE, from, to, BURST, BYTES);
    let from = (&world.container, "fd88::2");
    let to = (&world.neighbour, "fd88::1");
    let rest = rate::measure(from, to, BURST, BYTES);
    assert!(rest > f64::from(RATE) * 3.0, "{rest}");
    rest
}

/// A class has its limit, and what belongs to none has the rest.
fn shared() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = world.dump();
    let whole = RATE * 10;
    let script = format!(
        "{MAKE}; traffic.set-htb 1 {whole} {BURST}; \
         traffic.add-htb-class 1 {RATE} {BURST} ceiling={RATE},{BURST} destination=10.88.0.1/32; \
         traffic.add-htb-class 1 {RATE} {BURST} ceiling={whole},{BURST} destination=fd99::/64"
    );
    answer_of(&probe.setup_as_planned(dual(), &script));
    let rest = only_v4_is_limited(&world);
    assert!(rest < f64::from(whole) * (1.0 + rate::TOLERANCE), "{rest}");
    probe.teardown(&dual());
    world.assert_unchanged(&before);
}

/// The first filter that matches decides.
fn filtered() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = world.dump();
    let script = format!(
        "{MAKE}; traffic.set-htb 1 {RATE} {BURST}; \
         traffic.add-htb-filter 1 - 10.88.0.1/32 rest; \
         traffic.add-htb-filter 1 10.88.0.2/32 - direct; \
         traffic.add-htb-filter 1 - fd88::1/128 direct; \
         traffic.add-htb-filter 1 - ::/0 rest"
    );
    answer_of(&probe.setup_as_planned(dual(), &script));
    only_v4_is_limited(&world);
    probe.teardown(&dual());
    world.assert_unchanged(&before);
}

/// It has 100 ms at the rate, but at least 128 KiB.
fn short_queue() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    for (rate, limit) in [(RATE * 10, 550_000), (RATE, 131_072)] {
        let script = format!("{MAKE}; traffic.set-htb 1 {rate} {BURST}");
        answer_of(&probe.setup_as_planned(dual(), &script));
        let mut tc = world.container.command("tc");
        let output = process::run(tc.args(["-j", "qdisc", "show", "dev", "eth0"]), &[]);
        let expected = format!("{{\"limit\":{limit}}}");
        assert!(output.stdout.contains(&expected), "{output:?}");
        probe.teardown(&dual());
    }
}

fn put_back() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = world.dump();
    let script = format!(
        "links.get host p0; links.create-ifb host -; traffic.redirect-ingress 0 1; \
         traffic.set-tbf 0 {RATE} {BURST} 200; traffic.set-htb 0 {RATE} {BURST}; \
         traffic.add-htb-class 0 {RATE} {BURST} ceiling={RATE},{BURST} source=10.88.0.2/32"
    );
    answer_of(&probe.setup_as_planned(dual(), &script));
    assert_ne!(before.host.differences(&Dump::of(&world.host)), "");
    probe.teardown(&dual());
    world.assert_unchanged(&before);
}

/// What somebody else sets.
fn tc(world: &World, arguments: &str) {
    let mut tc = world.host.command("tc");
    let output = process::run(tc.args(arguments.split(' ')), &[]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn foreign() {
    let world = World::new();
    tc(
        &world,
        "qdisc add dev p0 root tbf rate 1mbit burst 5000 latency 1s",
    );
    tc(&world, "qdisc add dev p0 ingress");
    let probe = Probe::new(&world, &grant());
    for call in [
        "traffic.set-tbf 0 1000000 5000 50",
        "traffic.set-htb 0 1000000 5000",
        "links.create-ifb host -; traffic.redirect-ingress 0 1",
    ] {
        let error = probe.setup_fails(dual(), &format!("links.get host p0; {call}"));
        assert!(error.contains("(EEXIST)"), "{error}");
    }
    let error = probe.setup_fails(
        dual(),
        "links.get host p0; traffic.add-htb-class 0 8000 5000 ceiling=8000,5000 source=10.88.0.2/32",
    );
    assert!(error.contains("the driver has set no htb"), "{error}");
    // It clears what it set itself, which is nothing.
    answer_of(&probe.setup_as_planned(dual(), "links.get host p0; traffic.clear 0"));
    probe.teardown(&dual());
}

fn clear() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let script = format!(
        "links.get host p0; traffic.set-htb 0 {RATE} {BURST}; \
         traffic.add-htb-class 0 {RATE} {BURST} ceiling={RATE},{BURST} source=10.88.0.2/32; traffic.clear 0"
    );
    answer_of(&probe.setup_as_planned(dual(), &script));
    assert_eq!(before.differences(&Dump::of(&world.host)), "");
    probe.teardown(&dual());
    // What is cleared can be set again, and is undone then.
    answer_of(&probe.setup_as_planned(
        dual(),
        &format!("{script}; traffic.set-tbf 0 {RATE} {BURST} 9"),
    ));
    assert_ne!(before.differences(&Dump::of(&world.host)), "");
    probe.teardown(&dual());
}

fn mistakes() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    for (call, text) in [
        (
            "traffic.set-tbf 1 7 5000 50",
            "a rate has at least 8 bits per second",
        ),
        (
            "traffic.set-htb 1 8000 0",
            "a rate has at least 8 bits per second",
        ),
        (
            "traffic.set-htb 1 8000 5000; traffic.add-htb-class 1 8000 5000 ceiling=8000,5000",
            "packets are of a source, a destination, or both",
        ),
        (
            "traffic.set-htb 1 8000 5000; traffic.add-htb-class 1 8000 5000 ceiling=8000,5000 source=10.0.0.0/8 destination=fd00::/8",
            "both of one family",
        ),
        (
            "traffic.set-htb 1 8000 5000; traffic.add-htb-class 1 8000 5000 ceiling=8000,5000 source=here",
            "\"here\" is no network",
        ),
        (
            "traffic.add-htb-filter 1 10.0.0.0/8 - direct",
            "the driver has set no htb on this link",
        ),
        (
            "traffic.set-tbf 1 8000 5000 50; traffic.add-htb-filter 1 10.0.0.0/8 - direct",
            "the driver has set no htb on this link",
        ),
        (
            "traffic.set-htb 1 8000 5000; traffic.add-htb-filter 1 - - direct",
            "packets are of a source, a destination, or both",
        ),
        (
            "traffic.set-htb 1 8000 5000; traffic.add-htb-filter 1 10.0.0.0/8 ::/0 rest",
            "both of one family",
        ),
        (
            "links.create-ifb shared -; traffic.set-htb 2 8000 5000; \
             traffic.add-htb-filter 2 10.0.0.0/8 - direct",
            "the network's containers share ",
        ),
        ("traffic.redirect-ingress 1 0", "are in two namespaces"),
        (
            "links.create-ifb shared -; traffic.clear 2",
            "is shared by the network's containers",
        ),
    ] {
        let error = probe.setup_fails(dual(), &format!("{MAKE}; {call}"));
        assert!(error.contains(text), "{error}");
    }
}
