//! The effects of the calls of `neighbours`: the destinations of packets, and the
//! answers to requests for a neighbour.

use std::fs;
use std::net::UdpSocket;

use wasmvark_tests::capture::Capture;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::poll;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("neighbours::{name}"), NEEDS, test);
    test("a-permanent-one-is-used", permanent);
    test("proxies-answer-on-the-wire", proxies);
    test("all-of-them-are-listed", list);
    test("one-that-is-there-is-not-own", there);
    test("what-was-learnt-makes-place", learnt);
    test("remove-is-for-own-ones", remove_own);
    test("remove-gives-back-what-was-there", remove_other);
    test("what-others-set-since-stays", set_since);
    test("on-a-shared-link-they-go-with-the-container", shared);
    test("what-a-changed-link-forgets-comes-back", changed_link);
    test("a-moved-link-has-them-again", moved_link);
    test("proxies-outlive-a-lost-carrier", lost_carrier);
    test("the-ndp-proxy-of-the-user-answers-for-ipv6", ndp_proxy);
    test("wrong-ones-are-refused", wrong);
}

const CALLS: [&str; 4] = [
    "neighbours.add",
    "neighbours.remove",
    "neighbours.add-proxy",
    "neighbours.remove-proxy",
];

fn with(reach: &str) -> Grant {
    let grant = Grant::of(&[
        "addresses.add",
        "links.create-bridge",
        "links.create-macvlan",
        "links.get",
        "links.move-to-container",
        "links.set-up",
        "log.write",
        "neighbours.list",
    ]);
    let calls = CALLS.iter();
    calls.fold(grant, |grant, call| grant.call(call, reach))
}

fn own() -> Grant {
    with("{}")
}

/// What is set on the parent, too.
fn wide() -> Grant {
    with(r#"{ link = "p0", address = "*" }"#)
}

fn dual() -> Connection {
    Connection::dual(NAME)
}

/// A link with both addresses.
const MAKE: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge; \
    addresses.add 1 10.88.0.2/16; addresses.add 1 fd88::2/64; links.set-up 1; ";

/// What somebody has set on the parent.
const FOREIGN: &str = "neigh add 10.88.0.7 lladdr 02:00:00:00:00:77 dev p0 protocol dhcp\n\
    neigh add fd88::7 lladdr 02:00:00:00:00:77 dev p0 router\n\
    neigh add proxy 10.88.0.8 dev p0\nneigh add proxy fd88::8 dev p0 protocol static\n";

/// The entries of a namespace's link that were set, as `ip` shows them, in
/// order: the kernel's own follows from a number that it chooses at random.
fn neighbours(netns: &Netns, link: &str) -> Vec<String> {
    let questions =
        ["nud permanent", "proxy"].map(|which| format!("neigh show {which} dev {link}"));
    let questions = questions.join("\n");
    let shown = ["-4", "-6"].map(|family| netns.ip_batch(&[family], &questions));
    let lines = shown.iter().flat_map(|text| text.lines());
    let mut lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    lines.sort();
    lines
}

/// The neighbour of 10.88.0.1 answers no ARP; fd88::9 isn't there at all.
fn permanent() {
    let world = World::new();
    let mac = Dump::of(&world.neighbour).mac("n0");
    world
        .neighbour
        .run(|| fs::write("/proc/sys/net/ipv4/conf/n0/arp_ignore", "8").unwrap());
    let probe = Probe::new(&world, &own());
    let script = format!(
        "{MAKE} neighbours.add 1 10.88.0.1 {mac}; neighbours.add 1 fd88::9 02:00:00:00:00:99"
    );
    answer_of(&probe.setup_as_planned(dual(), &script));
    assert_eq!(
        neighbours(&world.container, "eth0"),
        [
            format!("10.88.0.1 lladdr {mac} PERMANENT proto static"),
            "fd88::9 lladdr 02:00:00:00:00:99 PERMANENT proto static".to_owned(),
        ]
    );
    let seen = format!("{:?}", Dump::of(&world.container));
    assert!(seen.contains("02:00:00:00:00:99"), "{seen}");
    echo::exchange(
        (&world.container, "10.88.0.2"),
        (&world.neighbour, "10.88.0.1"),
    );
    let mut capture = Capture::start(&world.neighbour);
    let bind = || world.container.run(|| UdpSocket::bind("[fd88::2]:0"));
    let socket = poll::until(bind, Result::is_ok).unwrap();
    socket.send_to(b"there", "[fd88::9]:9").unwrap();
    capture.expect("packet", |frame| {
        frame.starts_with(&[2, 0, 0, 0, 0, 0x99]) && frame.get(12..14) == Some(&[0x86, 0xdd])
    });
    probe.teardown(&dual());
}

/// By the user's word alone: only for the container, on that link, and for IPv6.
fn ndp_proxy() {
    let world = World::new();
    let probe = Probe::new(&world, &own().call("sysctl.set-proxy-ndp", "{}"));
    let named = || dual().option("ndp_proxy", "p0");
    let get = "links.get host p0; ";
    let script = format!("{get} sysctl.set-proxy-ndp 0 on; neighbours.add-proxy 0 fd88::2");
    answer_of(&probe.setup(named(), &script));
    assert_eq!(
        neighbours(&world.host, "p0"),
        ["fd88::2 proxy proto static"]
    );
    let setting = "ipv6/conf/p0/proxy_ndp";
    assert_eq!(Dump::of(&world.host).setting(setting), Some("1"));
    // That is for others, too, so that it stays on.
    world.host.set(setting, "0");
    probe.teardown(&named());
    for (connection, step, why) in [
        (named(), "neighbours.add-proxy 0 10.88.0.2", "for IPv6 only"),
        (named(), "neighbours.add-proxy 0 fd88::3", "is denied"),
        (
            named(),
            "neighbours.add 0 fd88::2 02:00:00:00:00:01",
            "is denied",
        ),
        (named(), "sysctl.set-proxy-ndp 0 off", "it stays on"),
        (named(), "sysctl.set-proxy-arp 0 on", "is denied"),
        (dual(), "neighbours.add-proxy 0 fd88::2", "is denied"),
        (dual(), "sysctl.set-proxy-ndp 0 on", "is denied"),
        (
            dual().option("ndp_proxy", "lo"),
            "neighbours.add-proxy 0 fd88::2",
            "is denied",
        ),
    ] {
        let grant = own()
            .call("sysctl.set-proxy-ndp", "{}")
            .call("sysctl.set-proxy-arp", "{}");
        probe.grant(&grant);
        let error = probe.setup_fails(connection, &format!("{get} {step}"));
        assert!(error.contains(why), "{step}: {error}");
    }
}

/// A container behind the host, in the network on the host's wire, which the
/// host itself isn't connected to: the parent answers for the container there,
/// and its own end for the gateway here.
fn proxies() {
    let world = World::new();
    world.host.forward();
    let addresses = "addr add 198.51.100.9/24 dev p0\naddr add 2001:db8:9::9/64 dev p0\n\
        route add 10.88.0.1/32 dev p0\nroute add fd88::1/128 dev p0";
    world.host.ip_batch(&[], addresses);
    let link = r#"{ link = ["p0", "end0"] }"#;
    let grant = Grant::of(&["addresses.add", "links.get", "links.set-up"])
        .call("links.create-veth", link)
        .on_host()
        .call(
            "neighbours.add-proxy",
            r#"{ link = "p0", address = ["10.88.0.1/32", "fd88::1/128"] }"#,
        )
        .call("routes.add", "{}")
        .call("sysctl.set-proxy-ndp", link);
    let probe = Probe::new(&world, &grant);
    let script = "links.get host p0; links.create-veth - host-name=end0; \
        links.set-up 1; links.set-up 2; addresses.add 1 10.88.0.2/16; addresses.add 1 fd88::2/64; \
        routes.add host 10.88.0.2/32 unicast link=end0; \
        routes.add host fd88::2/128 unicast link=end0; \
        sysctl.set-proxy-ndp 0 on; sysctl.set-proxy-ndp 2 on; \
        neighbours.add-proxy 0 10.88.0.2; neighbours.add-proxy 0 fd88::2; \
        neighbours.add-proxy 2 10.88.0.1; neighbours.add-proxy 2 fd88::1";
    answer_of(&probe.setup_as_planned(dual(), script));
    for (link, proxied) in [("p0", "2"), ("end0", "1")] {
        let shown = ["10.88.0.", "fd88::"].map(|net| format!("{net}{proxied} proxy proto static"));
        assert_eq!(neighbours(&world.host, link), shown);
    }
    let seen = format!("{:?}", Dump::of(&world.host));
    assert_eq!(seen.matches("\"proxy\":null").count(), 4, "{seen}");
    let dump = Dump::of(&world.host);
    for (address, other) in [("10.88.0.2", "10.88.0.1"), ("fd88::2", "fd88::1")] {
        echo::exchange((&world.container, address), (&world.neighbour, other));
        let known = |netns: &Netns, question: String| netns.ip_batch(&[], &question);
        let outside = known(&world.neighbour, format!("neigh show {address} dev n0"));
        assert!(outside.contains(&dump.mac("p0")), "{outside}");
        let inside = known(&world.container, format!("neigh show {other} dev eth0"));
        assert!(inside.contains(&dump.mac("end0")), "{inside}");
    }
    probe.teardown(&dual());
}

fn list() {
    let world = World::new();
    let learnt = "neigh add 10.88.0.9 lladdr 02:00:00:00:00:99 dev p0 nud stale";
    world.host.ip_batch(&[], &format!("{FOREIGN}{learnt}"));
    let probe = Probe::new(&world, &own());
    let output = probe.setup_as_planned(dual(), "links.get host p0; neighbours.list 0 tell");
    answer_of(&output);
    let told = |address: &str, mac: &str, permanent, proxy| {
        format!(
            "NeighbourInfo {{ address: \"{address}\", mac: {mac}, permanent: {permanent}, \
             proxy: {proxy} }}"
        )
    };
    for text in [
        told("10.88.0.7", "Some(\"02:00:00:00:00:77\")", true, false),
        told("fd88::7", "Some(\"02:00:00:00:00:77\")", true, false),
        told("10.88.0.9", "Some(\"02:00:00:00:00:99\")", false, false),
        told("10.88.0.8", "None", false, true),
        told("fd88::8", "None", false, true),
    ] {
        assert!(output.stderr.contains(&text), "{text}: {}", output.stderr);
    }
    probe.teardown(&dual());
}

/// Whoever set it, and whether or not it says the same.
fn there() {
    let world = World::new();
    world.host.ip_batch(&[], FOREIGN);
    let probe = Probe::new(&world, &wide());
    let script = format!(
        "{MAKE} ?neighbours.add 0 10.88.0.7 02:00:00:00:00:77; \
         ?neighbours.add 0 fd88::7 02:00:00:00:00:78; \
         ?neighbours.add-proxy 0 10.88.0.8; ?neighbours.add-proxy 0 fd88::8; \
         neighbours.add 1 10.88.0.1 02:00:00:00:00:01; neighbours.add-proxy 1 10.88.0.1; \
         ?neighbours.add 1 10.88.0.1 02:00:00:00:00:01; ?neighbours.add-proxy 1 10.88.0.1; \
         neighbours.remove 1 10.88.0.1; neighbours.remove-proxy 1 10.88.0.1; \
         ?neighbours.remove 1 10.88.0.1; ?neighbours.remove-proxy 1 10.88.0.1"
    );
    let answer = answer_of(&probe.setup_as_planned(dual(), &script));
    let results = [
        "neighbours.add.exists",
        "neighbours.add.exists",
        "neighbours.add-proxy.exists",
        "neighbours.add-proxy.exists",
        "neighbours.add.exists",
        "neighbours.add-proxy.exists",
        "neighbours.remove.not-found",
        "neighbours.remove-proxy.not-found",
    ];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(results));
    probe.teardown(&dual());
}

fn learnt() {
    let world = World::new();
    world.host.ip_batch(
        &[],
        "neigh add 10.88.0.2 lladdr 02:00:00:00:00:99 dev p0 nud stale\n\
         neigh add fd88::2 lladdr 02:00:00:00:00:99 dev p0 nud reachable\n\
         neigh add 10.88.0.9 lladdr 02:00:00:00:00:99 dev p0 nud stale",
    );
    let probe = Probe::new(&world, &with(r#"{ link = "p0" }"#));
    let script = "links.get host p0; neighbours.add 0 10.88.0.2 02:00:00:00:00:07; \
        neighbours.add 0 fd88::2 02:00:00:00:00:07";
    answer_of(&probe.setup_as_planned(dual(), script));
    assert_eq!(
        neighbours(&world.host, "p0"),
        ["10.88.0.2", "fd88::2"]
            .map(|address| format!("{address} lladdr 02:00:00:00:00:07 PERMANENT proto static"))
    );
    probe.teardown(&dual());
    probe.grant(&wide());
    let error = probe.setup_fails(dual(), "links.get host p0; neighbours.remove 0 10.88.0.9");
    assert!(error.contains("(ENOENT)"), "{error}");
}

fn remove_own() {
    let world = World::new();
    world.host.ip_batch(&[], FOREIGN);
    let grant = with(r#"{ link = "p0" }"#)
        .without("neighbours.remove")
        .without("neighbours.remove-proxy")
        .call("neighbours.remove", "{}")
        .call("neighbours.remove-proxy", "{}");
    let probe = Probe::new(&world, &grant);
    let add = "links.get host p0; neighbours.add 0 10.88.0.2 02:00:00:00:00:07; \
        neighbours.add-proxy 0 fd88::2";
    let remove = "neighbours.remove 0 10.88.0.2; neighbours.remove-proxy 0 fd88::2";
    let again = "?neighbours.remove 0 10.88.0.2; ?neighbours.remove-proxy 0 fd88::2";
    let answer = answer_of(&probe.setup_as_planned(dual(), &format!("{add}; {remove}; {again}")));
    let denied = ["neighbours.remove.denied", "neighbours.remove-proxy.denied"];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(denied));
    probe.teardown(&dual());
    for call in ["remove 0 10.88.0.7", "remove-proxy 0 fd88::8"] {
        let error = probe.setup_fails(dual(), &format!("links.get host p0; neighbours.{call}"));
        assert!(error.contains("denied"), "{error}");
    }
    probe.removes_in_teardown(&dual(), add, &format!("links.get host p0; {remove}"));
}

/// With all that they had, also where the driver sets others in their place.
fn remove_other() {
    let world = World::new();
    world.host.ip_batch(&[], FOREIGN);
    let probe = Probe::new(&world, &wide());
    let script = "links.get host p0; neighbours.remove 0 10.88.0.7; neighbours.remove 0 fd88::7; \
        neighbours.remove-proxy 0 10.88.0.8; neighbours.remove-proxy 0 fd88::8; \
        neighbours.add 0 fd88::7 02:00:00:00:00:07; neighbours.add-proxy 0 10.88.0.8";
    answer_of(&probe.setup_as_planned(dual(), script));
    let expected = [
        "10.88.0.8 proxy proto static",
        "fd88::7 lladdr 02:00:00:00:00:07 PERMANENT proto static",
    ];
    assert_eq!(neighbours(&world.host, "p0"), expected);
    probe.teardown(&dual());
}

fn set_since() {
    let world = World::new();
    let probe = Probe::new(&world, &with(r#"{ link = "p0" }"#));
    let script = "links.get host p0; neighbours.add 0 10.88.0.2 02:00:00:00:00:07; \
        neighbours.add-proxy 0 fd88::2";
    answer_of(&probe.setup_as_planned(dual(), script));
    world.host.ip_batch(
        &[],
        "neigh del 10.88.0.2 dev p0\nneigh del proxy fd88::2 dev p0\n\
         neigh add 10.88.0.2 lladdr 02:00:00:00:00:07 dev p0\nneigh add proxy fd88::2 dev p0",
    );
    let before = Dump::of(&world.host);
    let output = probe.wasmvark.teardown(NAME, dual().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(Dump::of(&world.host) == before);
    assert!(probe.wasmvark.run_files().is_empty());
}

fn shared() {
    let world = World::new();
    let grant = own().without("links.create-bridge");
    let probe = Probe::new(
        &world,
        &grant.call(
            "links.create-bridge",
            r#"{ link = "br0", place = "shared" }"#,
        ),
    );
    let container = |number: u32| {
        let container = Connection::new(NAME).container(&format!("{number:064x}"));
        container
            .subnet("10.88.0.0/16", "10.88.0.9")
            .ip(&format!("10.88.0.{number}"))
            .ip(&format!("10.88.1.{number}"))
    };
    let up = |number: u32| {
        let script = format!(
            "links.create-bridge shared br0; neighbours.add 0 10.88.0.{number} 02:00:00:00:00:07; \
             neighbours.add 0 10.88.1.{number} 02:00:00:00:00:07; neighbours.remove 0 10.88.1.{number}"
        );
        answer_of(&probe.setup_as_planned(container(number), &script));
    };
    let entry =
        |number| format!("10.88.0.{number} lladdr 02:00:00:00:00:07 PERMANENT proto static");
    up(1);
    up(2);
    assert_eq!(neighbours(&world.host, "br0"), [1, 2].map(entry));
    let output = probe.wasmvark.teardown(NAME, container(1).for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(neighbours(&world.host, "br0"), [entry(2)]);
    // Another one may have its address now.
    up(1);
    let output = probe.wasmvark.teardown(NAME, container(2).for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    probe.teardown(&container(1));
}

/// A link that is set down forgets all, one that gets another MAC address its
/// neighbours.
fn changed_link() {
    let world = World::new();
    let routes = "addr add 10.88.0.250/16 dev p0\nroute add 198.51.100.0/24 via 10.88.0.1";
    world.host.ip_batch(&[], &format!("{FOREIGN}{routes}"));
    let reach = r#"{ link = "p0" }"#;
    let changes = ["links.set-down", "links.set-mac", "links.set-up"];
    let grant = wide().without("links.set-up");
    let grant = changes
        .iter()
        .fold(grant, |grant, call| grant.call(call, reach));
    let probe = Probe::new(&world, &grant);
    for change in [
        "links.set-mac 0 02:00:00:00:00:42",
        "links.set-down 0; links.set-up 0",
        "neighbours.remove 0 fd88::7; links.set-mac 0 02:00:00:00:00:42; links.set-down 0",
    ] {
        let script =
            format!("links.get host p0; neighbours.add 0 10.88.0.2 02:00:00:00:00:07; {change}");
        answer_of(&probe.setup_as_planned(dual(), &script));
        let left = neighbours(&world.host, "p0").join(" ");
        assert!(!left.contains("PERMANENT"), "{change}: {left}");
        probe.teardown(&dual());
    }
}

fn moved_link() {
    let world = World::new();
    world.host.ip_batch(&[], FOREIGN);
    let probe = Probe::new(&world, &own());
    let script = "links.get host p0; links.move-to-container 0 eth0; links.set-up 0; \
        neighbours.add 0 10.88.0.7 02:00:00:00:00:07";
    answer_of(&probe.setup_as_planned(dual(), script));
    assert_eq!(
        neighbours(&world.container, "eth0"),
        ["10.88.0.7 lladdr 02:00:00:00:00:07 PERMANENT proto static"]
    );
    probe.teardown(&dual());
    // Those that the host has again outlive what those that it had would.
    let back = neighbours(&world.host, "p0");
    world.neighbour.ip("link set n0 down");
    world.host.ip("link set p0 alias mine");
    assert_eq!(neighbours(&world.host, "p0"), back);
}

/// The kernel would forget them at the next change of the link.
fn lost_carrier() {
    let world = World::new();
    let probe = Probe::new(&world, &wide());
    let script = "links.get host p0; neighbours.add-proxy 0 10.88.0.2; neighbours.add-proxy 0 fd88::2; \
        neighbours.add-proxy 0 fd88::3";
    answer_of(&probe.setup_as_planned(dual(), script));
    let set = neighbours(&world.host, "p0");
    assert_eq!(set.len(), 3, "{set:?}");
    world.neighbour.ip("link set n0 down");
    world.host.ip("link set p0 alias mine");
    assert_eq!(neighbours(&world.host, "p0"), set);
    let output = probe.wasmvark.teardown(NAME, dual().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(neighbours(&world.host, "p0").is_empty());
}

fn wrong() {
    let world = World::new();
    let probe = Probe::new(&world, &own());
    for (call, text) in [
        ("add 1 10.88.0.0/16 02:00:00:00:00:07", "is no IP address"),
        ("add 1 10.88.0.2 02:00:00:00:07", "invalid mac length"),
        ("remove 1 there", "\"there\" is no IP address"),
        ("add-proxy 1 fd88::g", "\"fd88::g\" is no IP address"),
        ("remove-proxy 1 \"\"", "\"\" is no IP address"),
    ] {
        let script = format!("{MAKE} neighbours.{call}");
        let error = error_of(&probe.setup_as_planned(dual(), &script));
        assert!(error.contains(text), "{call}: {error}");
    }
    // On the wire of the parent the gateway is another one.
    let script = "links.get host p0; neighbours.add-proxy 0 10.88.0.1";
    let error = probe.setup_fails(dual(), script);
    let line = r#"{ link = "p0", address = "10.88.0.1/32" }"#;
    assert!(error.contains(line), "{error}");
}
