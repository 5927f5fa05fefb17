//! Announcements, as a neighbour receives them.

use std::fs;

use wasmvark_tests::capture::Capture;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::poll;
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
const BROADCAST: [u8; 6] = [0xff; 6];
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 7];
/// 33:33 and the end of ff02::1 (RFC 2464, section 7).
const ALL_NODES_MAC: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("announce::{name}"), NEEDS, test);
    test("a-stale-neighbour-learns-by-arp", arp);
    test("a-stale-neighbour-learns-by-advertisement", advertisement);
    test("a-router-says-that-it-is-one", router);
    test("what-cannot-be-announced-is-said", refused);
    test("an-address-in-doubt-is-not-announced", in_doubt);
}

fn grant() -> Grant {
    Grant::of(&[
        "links.get",
        "links.create-macvlan",
        "links.set-up",
        "addresses.add",
        "announce.gratuitous-arp",
        "announce.neighbour-advertisement",
    ])
}

fn dual() -> Connection {
    Connection::dual(NAME)
}

/// A link with both addresses, and then something else.
fn connect_and(then: &str) -> String {
    format!(
        "links.get host p0; links.create-macvlan container eth0 0 bridge mac=02:00:00:00:00:07; \
         addresses.add 1 10.88.0.2/16; addresses.add 1 fd88::2/64; links.set-up 1; {then}"
    )
}

/// Has the neighbour know another MAC address for an address, and checks that
/// it's the announcement that tells it the new one.
fn learns(address: &str, announce: &str) -> Capture {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let stale = format!("neigh replace {address} lladdr 02:00:00:00:00:99 dev n0 nud stale");
    world.neighbour.ip(&stale);
    let known = || {
        let entry = format!("neigh show {address} dev n0");
        world.neighbour.ip_batch(&[], &entry)
    };
    answer_of(&probe.setup(dual(), &connect_and("")));
    assert!(known().contains("02:00:00:00:00:99"), "{}", known());
    probe.teardown(&dual());
    let capture = Capture::start(&world.neighbour);
    answer_of(&probe.setup(dual(), &connect_and(announce)));
    let new = poll::until(known, |entry| entry.contains("02:00:00:00:00:07"));
    assert!(new.contains("02:00:00:00:00:07"), "{new}");
    probe.teardown(&dual());
    capture
}

fn arp() {
    let mut capture = learns("10.88.0.2", "announce.gratuitous-arp 1 10.88.0.2");
    let frame = capture.expect("ARP", |frame| frame.get(12..14) == Some(&[8, 6]));
    let request = [0, 1, 8, 0, 6, 4, 0, 1];
    let address = [10, 88, 0, 2];
    let fields: [&[u8]; 8] = [
        &BROADCAST,
        &MAC,
        &[8, 6],
        &request,
        &MAC,
        &address,
        &[0; 6],
        &address,
    ];
    // Short frames may be filled up.
    assert!(frame.starts_with(&fields.concat()), "{frame:02x?}");
}

fn is_advertisement(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.get(54) == Some(&136)
}

fn advertisement() {
    let announce = "announce.neighbour-advertisement 1 fd88::2";
    let frame = learns("fd88::2", announce).expect("advertisement", is_advertisement);
    assert_eq!(frame[..6], ALL_NODES_MAC);
    assert_eq!(frame[6..12], MAC);
    let address = [0xfd, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    let all_nodes = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(frame[18..22], [0, 32, 58, 255], "length, ICMPv6, hops");
    assert_eq!(frame[22..38], address, "the sender");
    assert_eq!(frame[38..54], all_nodes, "the receiver");
    assert_ne!(frame[56..58], [0, 0], "the checksum");
    assert_eq!(frame[58..62], [0x20, 0, 0, 0], "the override flag alone");
    assert_eq!(frame[62..78], address, "the target");
    assert_eq!(frame[78..86], [2, 1, 2, 0, 0, 0, 0, 7], "its MAC address");
}

fn router() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let forwarding = "/proc/sys/net/ipv6/conf/all/forwarding";
    let set = |value: &str| world.container.run(|| fs::write(forwarding, value));
    if set("1").is_err() {
        return;
    }
    let mut capture = Capture::start(&world.neighbour);
    let announce = "announce.neighbour-advertisement 1 fd88::2";
    answer_of(&probe.setup(dual(), &connect_and(announce)));
    let frame = capture.expect("advertisement", is_advertisement);
    assert_eq!(frame[58..62], [0xa0, 0, 0, 0]);
    set("0").unwrap();
    probe.teardown(&dual());
}

fn refused() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let make = "links.get host p0; links.create-macvlan container eth0 0 bridge";
    for (script, text) in [
        (
            format!("{make}; addresses.add 1 10.88.0.2/16; announce.gratuitous-arp 1 10.88.0.2"),
            "eth0 is down: set it up first (ENETDOWN)",
        ),
        (
            format!("{make}; links.set-up 1; announce.gratuitous-arp 1 10.88.0.2"),
            "10.88.0.2 is no address of eth0: add it first",
        ),
        (
            format!("{make}; links.set-up 1; announce.neighbour-advertisement 1 fd88::2"),
            "fd88::2 is no address of eth0: add it first",
        ),
        (
            connect_and("announce.gratuitous-arp 1 fd88::2"),
            "announce.gratuitous-arp: \"fd88::2\" is no IPv4 address",
        ),
        (
            connect_and("announce.neighbour-advertisement 1 10.88.0.2"),
            "announce.neighbour-advertisement: \"10.88.0.2\" is no IPv6 address",
        ),
    ] {
        let error = probe.setup_fails(dual(), &script);
        assert!(error.contains(text), "{error}");
    }
}

/// With duplicate address detection the address is announced when it's sure,
/// and not at all when the neighbour has it.
fn in_doubt() {
    let world = World::new();
    let check = |value: &str| {
        world.container.run(|| {
            let settings = ["all", "default"].map(|link| {
                let file = format!("/proc/sys/net/ipv6/conf/{link}/accept_dad");
                fs::write(file, value)
            });
            settings.into_iter().all(|written| written.is_ok())
        })
    };
    if !check("1") {
        return;
    }
    let probe = Probe::new(&world, &grant());
    let announce = "announce.neighbour-advertisement 1 fd88::2";
    answer_of(&probe.setup(dual(), &connect_and(announce)));
    probe.teardown(&dual());
    world.neighbour.ip("addr add fd88::2/64 dev n0");
    let error = probe.setup_fails(dual(), &connect_and(announce));
    assert!(error.contains("(EBUSY)"), "{error}");
    assert!(error.contains("duplicate address detection"), "{error}");
}
