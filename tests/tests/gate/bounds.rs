//! The limits of a driver's arguments, handles and changes, as the WIT states them. A
//! call within its limit is made and undone. A call beyond it gets an error and has no
//! effect.

use std::time::{Duration, Instant};

use wasmvark_tests::connection::{Connection, mapping};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
const TUNNEL: &[Need] = &[Need::Root, Need::Macvlan, Need::Link(Kind::Wireguard)];
/// A link of the driver's own that packets to published ports may leave by.
const LINK: &str = "links.create-veth -";

/// A limit of one call.
struct Case {
    name: &'static str,
    needs: &'static [Need],
    /// The calls that are granted, with their reach.
    calls: &'static [(&'static str, &'static str)],
    /// Lines before.
    before: &'static str,
    /// The line with so much in it.
    line: fn(usize) -> String,
    /// How much there may be.
    max: usize,
    /// What the error says of it.
    unit: &'static str,
}

fn words(word: &str, count: usize) -> String {
    vec![word; count].join(" ")
}

const CASES: &[Case] = &[
    Case {
        name: "exceptions-of-a-masquerade",
        needs: NEEDS,
        calls: &[("firewall.masquerade", "{}")],
        before: "",
        line: |count| format!("pile {count} 1 masquerade 10.88.0.2/32"),
        max: 32,
        unit: "networks",
    },
    Case {
        name: "exceptions-of-a-source-address",
        needs: NEEDS,
        calls: &[("firewall.source-address", r#"{ address = "192.0.2.1/32" }"#)],
        before: "",
        line: |count| {
            let except = words("203.0.113.0/24", count);
            format!("firewall.source-address 10.88.0.2/32 192.0.2.1 {except}")
        },
        max: 32,
        unit: "networks",
    },
    Case {
        name: "ranges-of-a-drop",
        needs: NEEDS,
        calls: &[("firewall.drop", "{}")],
        before: "",
        line: |count| format!("pile {count} 1 drop 10.88.0.2"),
        max: 1024,
        unit: "ranges",
    },
    Case {
        name: "ports-of-a-publication",
        needs: NEEDS,
        calls: &[
            ("links.create-veth", "{}"),
            ("firewall.publish", r#"{ port = "*" }"#),
        ],
        before: LINK,
        line: |count| {
            let last = 10_000 + count - 1;
            format!("firewall.publish 1 10.88.0.2 10000-{last}:10000/tcp")
        },
        max: 4096,
        unit: "ports",
    },
    Case {
        name: "rows-of-a-publication",
        needs: NEEDS,
        calls: &[
            ("links.create-veth", "{}"),
            ("firewall.publish", r#"{ port = "*" }"#),
        ],
        before: LINK,
        line: |count| format!("pile {count} 1 publish 1 10.88.0.2"),
        max: 1024,
        unit: "rows",
    },
    Case {
        name: "next-hops",
        needs: NEEDS,
        calls: &[
            ("links.create-veth", "{}"),
            ("links.set-up", "{}"),
            ("addresses.add", "{}"),
            ("routes.add", "{}"),
        ],
        before: "links.create-veth -; addresses.add 0 10.88.0.2/16; links.set-up 0; links.set-up 1",
        line: |count| {
            let hops = words("next-hops=10.88.0.1,eth0,1", count);
            format!("routes.add container 10.88.9.0/24 unicast {hops}")
        },
        max: 32,
        unit: "hops",
    },
    Case {
        name: "allowed-addresses-of-a-peer",
        needs: TUNNEL,
        calls: &[
            ("links.create-wireguard", "{}"),
            ("wireguard.set-peer", "{}"),
        ],
        before: "links.create-wireguard container -",
        line: |count| {
            let networks: Vec<String> = (0..count)
                .map(|number| format!("allowed-ips=10.{}.{}.0/24", number / 256, number % 256))
                .collect();
            let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
            let networks = networks.join(" ");
            format!("wireguard.set-peer 0 {key} keepalive=0 {networks}")
        },
        max: 256,
        unit: "networks",
    },
    Case {
        name: "the-alias-of-a-link",
        needs: NEEDS,
        calls: &[("links.create-veth", "{}"), ("links.set-alias", "{}")],
        before: LINK,
        line: |count| format!("links.set-alias 0 {}", "x".repeat(count)),
        max: 254,
        unit: "bytes",
    },
    Case {
        name: "a-message",
        needs: NEEDS,
        calls: &[("log.write", "{}")],
        before: "",
        line: |count| format!("log.write debug {}", "x".repeat(count)),
        max: 16_384,
        unit: "bytes",
    },
    Case {
        name: "a-value-of-the-state",
        needs: NEEDS,
        calls: &[("state.set", "{}")],
        before: "",
        line: |count| format!("state.set key *{count}"),
        max: 65_536,
        unit: "bytes",
    },
    Case {
        name: "the-name-of-a-link",
        needs: NEEDS,
        calls: &[("links.create-veth", r#"{ link = "container:*" }"#)],
        before: "",
        line: |count| format!("links.create-veth {}", "x".repeat(count)),
        max: 15,
        unit: "bytes",
    },
];

pub(crate) fn register(suite: &mut Suite) {
    for case in CASES {
        let name = format!("bounds::{}", case.name);
        suite.test(name, case.needs, || at_the_limit_and_beyond(case));
    }
    let mut test = |name: &str, test: fn()| suite.test(format!("bounds::{name}"), NEEDS, test);
    test("texts-that-nobody-could-read", long_texts);
    test("handles", handles);
    test("changes-of-a-container", changes);
    test("changes-of-a-network", shared_changes);
    test("rules-of-a-container", rules);
    test("all-ports-that-a-request-has", all_ports);
    test("what-one-call-passes", one_call);
    test("the-time-of-long-calls", time);
    test("denials-in-the-trail", denials);
    test("long-denials-in-the-trail", long_denials);
}

fn grant(calls: &[(&str, &str)]) -> Grant {
    let grant = Grant::nothing();
    let grant = calls
        .iter()
        .fold(grant, |grant, (call, reach)| grant.call(call, reach));
    grant.on_host()
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

/// What is at the limit reaches the kernel and goes again; what is beyond by one
/// reaches nothing.
fn at_the_limit_and_beyond(case: &Case) {
    let world = World::new();
    let probe = Probe::new(&world, &grant(case.calls));
    let script = |count| format!("{}; {}", case.before, (case.line)(count));
    answer_of(&probe.setup(v4(), &script(case.max)));
    probe.teardown(&v4());
    let error = probe.setup_fails(v4(), &script(case.max + 1));
    let (max, unit) = (case.max, case.unit);
    for part in [format!("at most {max} {unit}"), format!("has {}", max + 1)] {
        assert!(error.contains(&part), "{part:?} is not in: {error}");
    }
    let call = case.calls.last().expect("a call").0;
    assert!(error.contains(call), "{error}");
}

/// Errors don't repeat what they are about.
fn long_texts() {
    let world = World::new();
    let grant = Grant::of(&[
        "links.get",
        "links.get-by-mac",
        "links.get-by-path",
        "links.get-by-pci",
        "sysctl.set",
        "routes.add",
        "rules.add",
        "announce.gratuitous-arp",
        "firewall.masquerade",
        "state.get",
    ]);
    let probe = Probe::new(&world, &grant);
    let long = "x".repeat(100_000);
    for line in [
        "links.get host LONG",
        "links.get-by-mac LONG",
        "links.get-by-path LONG",
        "links.get-by-pci LONG",
        "sysctl.set host LONG 1",
        "sysctl.set host net.ipv4.ip_forward LONG",
        "routes.add host LONG blackhole",
        "routes.add host 10.88.0.0/24 unicast gateway=LONG",
        "firewall.masquerade LONG",
        "firewall.masquerade 10.88.0.0/16 LONG",
    ] {
        let error = probe.setup_fails(v4(), &line.replace("LONG", &long));
        assert!(error.len() < 300, "{line}: {} bytes", error.len());
        assert!(error.contains("has 100000"), "{line}: {error}");
    }
    let error = probe.setup_fails(v4(), &format!("state.get {long}"));
    assert!(error.len() < 300, "{} bytes", error.len());
}

fn handles() {
    let world = World::new();
    let probe = Probe::new(&world, &Grant::of(&["links.get"]));
    answer_of(&probe.setup(v4(), "hoard 1024 p0"));
    probe.teardown(&v4());
    let error = probe.setup_fails(v4(), "hoard 1025 p0");
    assert!(error.contains("at most 1024 handles"), "{error}");
}

/// So many routes that nobody could use them.
fn routes(count: usize) -> String {
    let lines = (0..count).map(|number| {
        let (high, low) = (number / 256, number % 256);
        format!("routes.add container 10.88.{high}.{low}/32 blackhole; ")
    });
    lines.collect()
}

fn changes() {
    let world = World::new();
    let grant = Grant::of(&["routes.add"]).limit("deadline-ms", 60_000);
    let probe = Probe::new(&world, &grant);
    answer_of(&probe.setup(v4(), &routes(1000)));
    probe.teardown(&v4());
    let error = probe.setup_fails(v4(), &routes(1001));
    assert!(error.contains("at most 1000 changes"), "{error}");
}

fn shared_changes() {
    let world = World::new();
    let grant = Grant::nothing()
        .call("firewall.masquerade", r#"{ address = "172.16.0.0/12" }"#)
        .limit("deadline-ms", 60_000);
    let probe = Probe::new(&world, &grant);
    let script = |count: usize| {
        let lines = (0..count).map(|number| format!("firewall.masquerade 172.16.{number}.0/24; "));
        lines.collect::<String>()
    };
    answer_of(&probe.setup(v4(), &script(128)));
    probe.teardown(&v4());
    let error = probe.setup_fails(v4(), &script(129));
    assert!(error.contains("at most 128 changes"), "{error}");
}

/// However many rules a container has, they go, and others come and go meanwhile.
fn rules() {
    let world = World::new();
    let grant = Grant::of(&["firewall.drop"]).limit("deadline-ms", 60_000);
    let probe = Probe::new(&world, &grant);
    let lines = |ranges: &[usize]| {
        let lines = ranges
            .iter()
            .map(|count| format!("pile {count} 1 drop 10.88.0.2; "));
        lines.collect::<String>()
    };
    answer_of(&probe.setup(v4(), &lines(&[1024, 1024])));
    let other = v4()
        .container(&"ab".repeat(32))
        .network("id", "cd".repeat(32));
    answer_of(&probe.setup(other.clone(), &lines(&[7])));
    let output = probe.wasmvark.teardown(NAME, other.for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    probe.teardown(&v4());
    let error = probe.setup_fails(v4(), &lines(&[1024, 1023, 2]));
    assert!(error.contains("at most 2048 rules"), "{error}");
    assert!(error.contains("would have 2049"), "{error}");
}

/// Every port that there is, as `-p 1-65535:1-65535` asks for them.
fn all_ports() {
    let world = World::new();
    let grant = Grant::of(&["links.create-veth", "firewall.publish"])
        .on_host()
        .limit("deadline-ms", 120_000);
    let probe = Probe::new(&world, &grant);
    let connection = v4().port(mapping("", 1, 1, 65_535, "tcp"));
    let script = format!("{LINK}; firewall.publish 1 10.88.0.2 1-65535:1/tcp");
    answer_of(&probe.setup(connection.clone(), &script));
    probe.teardown(&connection);
    let once_more = "firewall.publish 1 10.88.0.2 1-65535:1/tcp 1-1:1/tcp";
    let error = probe.setup_fails(connection, &format!("{LINK}; {once_more}"));
    assert!(error.contains("at most 65535 ports"), "{error}");
}

/// A list whose things are all the same memory takes none of the guest's, and would
/// take gigabytes of the host's.
fn one_call() {
    let world = World::new();
    let grant = Grant::of(&["firewall.masquerade"]).limit("memory", 8 << 20);
    let probe = Probe::new(&world, &grant);
    let error = probe.setup_fails(v4(), "bomb 1024 1024");
    for word in ["8388608 bytes", "`memory`"] {
        assert!(error.contains(word), "{word:?} is not in: {error}");
    }
    let wide = Grant::of(&["firewall.masquerade"]);
    probe.grant(&wide);
    let error = probe.setup_fails(v4(), "bomb 1024 1024");
    assert!(error.contains("16777216 bytes"), "{error}");
    // What passes is looked at, and is too much all the same.
    let error = probe.setup_fails(v4(), "bomb 1024 8");
    assert!(error.contains("at most 32 networks"), "{error}");
}

/// A driver that only ever makes calls is stopped in time, whatever they cost.
fn time() {
    let world = World::new();
    let grant = Grant::of(&["links.create-veth", "links.get"])
        .on_host()
        .limit("deadline-ms", 300)
        .call("firewall.publish", "{}");
    let probe = Probe::new(&world, &grant);
    let start = Instant::now();
    let error = probe.setup_fails(v4(), &format!("{LINK}; pile 1024 9000 publish 1 10.88.0.2"));
    assert!(error.contains("deadline-ms"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// Whoever asks again and again for what it doesn't get fills no trail with it.
fn denials() {
    let world = World::new();
    let probe = Probe::new(&world, &Grant::of(&["links.get"]));
    let script = "?links.get host x0; ".repeat(20) + &"hoard 1 p0; ".repeat(3);
    answer_of(&probe.setup(v4(), &script));
    let all = denied(&probe);
    assert_eq!(all, (20, None));
    probe.teardown(&v4());
    let before = std::fs::metadata(probe.wasmvark.audit_file())
        .unwrap()
        .len();
    let script = "pile 1 3000 masquerade 10.88.0.0/16";
    probe.setup_fails(v4(), script);
    let after = std::fs::metadata(probe.wasmvark.audit_file())
        .unwrap()
        .len();
    let (lines, further) = denied(&probe);
    assert_eq!(lines, 20 + 128);
    assert_eq!(further.as_deref(), Some("2872 further denied calls"));
    assert!(after - before < 128 << 10, "{before} and {after} bytes");
    let log = probe.wasmvark.administer(&["log"]);
    assert!(log.stdout.contains("2872 further denied calls"), "{log:?}");
}

/// A call may be about much, and its denial's line says only some of it.
fn long_denials() {
    let world = World::new();
    let grant = Grant::of(&["links.create-veth", "firewall.publish"]).on_host();
    let probe = Probe::new(&world, &grant);
    let script = format!("{LINK}; pile 1024 1 publish 1 10.88.0.2");
    let error = error_of(&probe.setup(v4(), &script));
    assert!(error.len() < 5000, "{} bytes", error.len());
    let text = std::fs::read_to_string(probe.wasmvark.audit_file()).unwrap();
    let denials = text.lines().filter(|line| line.contains("\"deny\""));
    let longest = denials.map(str::len).max();
    assert!(longest < Some(2000), "{longest:?}");
}

/// The denials with a line each, and how many have none.
fn denied(probe: &Probe<'_>) -> (usize, Option<String>) {
    let lines = probe.wasmvark.audit();
    let denials = lines
        .iter()
        .filter(|line| line.verdict.as_deref() == Some("deny"));
    let further = lines.iter().find(|line| line.event == "unrecorded");
    (
        denials.count(),
        further.and_then(|line| line.object.clone()),
    )
}
