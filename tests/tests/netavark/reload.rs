//! Firewall rules that somebody removes and `wasmvark reload` restores.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use wasmvark_tests::connection::{Connection, mapping};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::Transport::{Tcp, Udp};
use wasmvark_tests::flow::{cannot_connect, connect, from};
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::poll;
use wasmvark_tests::process::Output;
use wasmvark_tests::world::World;
use wasmvark_tests::{places, process};

use crate::driver::Installed;
use crate::nat::{CONTAINER, HOST, NEEDS, NEIGHBOUR, at, dual, seen, world};

/// The table of the bridge driver.
const TABLE: &str = "wasmvark-wasm-bridge";
/// The id of another container.
const OTHER: &str = "0123456789abcdef";

pub(crate) fn register(suite: &mut Suite) {
    let needs = [NEEDS, &[Need::Nft]].concat();
    for driver in ["bridge", "ptp"] {
        suite.test(
            format!("reload/{driver} after a flush"),
            &needs,
            move || {
                after_flush(driver);
            },
        );
    }
    let mut test = |name: &str, test: fn()| suite.test(format!("reload/{name}"), &needs, test);
    test("parts", parts);
    test("isolated networks", isolated);
    test("one of two containers is gone", one_is_gone);
    test("only what is in use", only_in_use);
    test("beside netavark's own rules", beside_netavark);
}

#[track_caller]
fn nft(netns: &Netns, command: &str) -> String {
    let mut nft = netns.command(places::NFT);
    let output = process::run(nft.args(["-f", "-"]), command.as_bytes());
    assert_eq!(output.code, Some(0), "{command}: {output:?}");
    output.stdout
}

#[track_caller]
fn flush(world: &World) {
    nft(&world.host, "flush ruleset");
}

/// Puts rules back; so many containers lacked some.
#[track_caller]
fn reload(installed: &Installed<'_>, summary: &str) -> Output {
    let output = installed.wasmvark.administer(&["reload"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let last = output.stdout.lines().last().unwrap_or_default();
    assert_eq!(last, summary, "{output:?}");
    output
}

fn published(driver: &str) -> Connection {
    let connection = dual(driver)
        .option("masquerade", "true")
        .port(mapping("", 8080, 80, 2, "tcp,udp"));
    match driver {
        "bridge" => connection.option("hairpin", "true"),
        _ => connection,
    }
}

/// The container's ports lead there, from the neighbour and from the host.
#[track_caller]
fn ports_lead(world: &World) {
    for (own, host) in CONTAINER.iter().zip(HOST) {
        for (port, to) in [(8080, 80), (8081, 81)] {
            let server = (&world.container, &*at(own, to));
            for client in [&world.neighbour, &world.host, &world.container] {
                connect(Tcp, from(client), &at(host, port), server);
            }
        }
        let server = (&world.container, &*at(own, 80));
        connect(Udp, from(&world.neighbour), &at(host, 8080), server);
    }
    let server = (&world.container, &*at(CONTAINER[0], 80));
    connect(Tcp, from(&world.host), "127.0.0.1:8080", server);
}

fn after_flush(driver: &'static str) {
    let world = world();
    let installed = Installed::example(&world, driver);
    let before = world.dump();
    installed.connect(&published(driver));
    let connected = world.dump();
    let runs = installed.wasmvark.audit().len();
    reload(&installed, "0 put back, 1 whole, 0 passed over.");
    assert_eq!(installed.wasmvark.audit().len(), runs);
    flush(&world);
    let server = (&world.container, &*at(CONTAINER[0], 80));
    cannot_connect(Tcp, from(&world.neighbour), &at(HOST[0], 8080), server);
    let output = reload(&installed, "1 put back, 0 whole, 0 passed over.");
    // A network without a bridge has nothing in common but its containers.
    let line = match driver {
        "ptp" => "10.77.0.2/32 masqueraded",
        _ => "10.77.0.0/24 masqueraded",
    };
    assert!(output.stdout.contains(line), "{output:?}");
    world.assert_unchanged(&connected);
    ports_lead(&world);
    seen(&world, HOST);
    let audit = installed.wasmvark.audit();
    let put_back = audit.iter().filter(|line| line.event == "restore");
    let is_reload = |what: &str| {
        let mut lines = put_back.clone();
        lines.any(|line| {
            line.command.as_deref() == Some("reload") && line.object.as_deref() == Some(what)
        })
    };
    assert!(is_reload(line), "{audit:?}");
    reload(&installed, "0 put back, 1 whole, 0 passed over.");
    installed.disconnect(&published(driver));
    world.assert_unchanged(&before);
    reload(&installed, "0 put back, 0 whole, 0 passed over.");
    world.assert_unchanged(&before);
}

/// A command in which the place of a rule in its chain stands for its handle.
fn with_handle(netns: &Netns, command: &str) -> String {
    let Some((start, place)) = command.rsplit_once(" handle ") else {
        return command.to_owned();
    };
    let chain = start.rsplit(' ').next().unwrap();
    let mut nft = netns.command(places::NFT);
    let list = ["--json", "list", "chain", "inet", TABLE, chain];
    let output = process::run(nft.args(list), b"");
    let answer: Value = serde_json::from_str(&output.stdout).unwrap();
    let rules = answer["nftables"].as_array().unwrap().iter();
    let mut handles = rules.filter_map(|entry| entry["rule"]["handle"].as_u64());
    let handle = handles.nth(place.parse().unwrap()).unwrap();
    format!("{start} handle {handle}")
}

/// Parts of the table go, fixed ones too, and nothing else changes.
fn parts() {
    let world = world();
    let installed = Installed::example(&world, "bridge");
    let before = world.dump();
    installed.connect(&published("bridge"));
    nft(&world.host, "add table inet another");
    let connected = Dump::of(&world.host);
    for command in [
        "delete table inet TABLE",
        "delete rule inet TABLE sources handle 0",
        "delete rule inet TABLE dropped handle 1",
        "delete rule inet TABLE forward handle 1",
        "delete rule inet TABLE published handle 3",
        "flush chain inet TABLE sources",
        "flush chain inet TABLE postrouting",
        "delete element inet TABLE published4 { tcp . 8081 }",
        "flush set inet TABLE hairpins",
    ] {
        let command = with_handle(&world.host, &command.replace("TABLE", TABLE));
        nft(&world.host, &command);
        let table = |dump: &Dump| dump.table(TABLE).into_iter().cloned().collect::<Vec<_>>();
        assert_ne!(
            table(&Dump::of(&world.host)),
            table(&connected),
            "{command}"
        );
        reload(&installed, "1 put back, 0 whole, 0 passed over.");
        let now = Dump::of(&world.host);
        assert_eq!(table(&now), table(&connected), "{command}");
        assert_eq!(connected.differences(&now), "", "{command}");
        reload(&installed, "0 put back, 1 whole, 0 passed over.");
    }
    ports_lead(&world);
    seen(&world, HOST);
    nft(&world.host, "delete table inet another");
    installed.disconnect(&published("bridge"));
    world.assert_unchanged(&before);
}

/// A container on another network of the driver.
fn on_another_network() -> Connection {
    Connection::new("wasm-bridge")
        .network("id", "1".repeat(64))
        .network("network_interface", "br1")
        .subnet("10.78.0.0/24", "10.78.0.1")
        .option("isolate", "true")
        .container(OTHER)
        .join("static_ips", json!(["10.78.0.2"]))
}

fn isolated() {
    let world = world();
    let installed = Installed::example(&world, "bridge");
    let other = Netns::new();
    let one = dual("bridge").option("isolate", "true");
    let two = on_another_network();
    let server = (&other, "10.78.0.2:80");
    let before = world.dump();
    installed.connect(&one);
    let netavark = &installed.netavark;
    netavark.setup_at(&two, &other.path()).unwrap();
    let connected = world.dump();
    flush(&world);
    connect(Tcp, from(&world.container), server.1, server);
    reload(&installed, "2 put back, 0 whole, 0 passed over.");
    assert_eq!(
        Dump::of(&world.host).table(TABLE).len(),
        connected.host.table(TABLE).len()
    );
    cannot_connect(Tcp, from(&world.container), server.1, server);
    for netns in [&world.container, &other] {
        let outside = at(NEIGHBOUR[0], 80);
        let seen = connect(Tcp, from(netns), &outside, (&world.neighbour, &outside));
        assert_eq!(seen.to_string(), HOST[0]);
    }
    installed.disconnect(&one);
    netavark.teardown_at(&two, &other.path()).unwrap();
    world.assert_unchanged(&before);
}

/// Another container on the same network.
fn beside() -> Connection {
    dual("bridge")
        .container(OTHER)
        .join("static_ips", json!(["10.77.0.3", "fd77::3"]))
        .port(mapping("", 9090, 90, 1, "tcp"))
}

fn one_is_gone() {
    let world = world();
    let installed = Installed::example(&world, "bridge");
    let other = Netns::new();
    let before = world.dump();
    installed.connect(&published("bridge"));
    let connected = world.dump();
    let netavark = &installed.netavark;
    netavark.setup_at(&beside(), &other.path()).unwrap();
    let both = world.dump();
    flush(&world);
    let output = reload(&installed, "2 put back, 0 whole, 0 passed over.");
    // What they share comes back once.
    assert_eq!(output.stdout.matches("10.77.0.0/24 masqueraded").count(), 1);
    world.assert_unchanged(&both);
    flush(&world);
    // The teardown restores what the other one lacks.
    netavark.teardown_at(&beside(), &other.path()).unwrap();
    reload(&installed, "0 put back, 1 whole, 0 passed over.");
    world.assert_unchanged(&connected);
    ports_lead(&world);
    // Nobody leads it elsewhere: it gets to the host itself.
    let to = at(HOST[0], 9090);
    connect(Tcp, from(&world.neighbour), &to, (&world.host, &to));
    installed.disconnect(&published("bridge"));
    world.assert_unchanged(&before);
}

/// A container whose namespace is gone gets nothing back, and is cleared later.
fn only_in_use() {
    let world = world();
    let installed = Installed::example(&world, "bridge");
    let other = Netns::new();
    let before = world.dump();
    installed.connect(&published("bridge"));
    let connected = world.dump();
    let netavark = &installed.netavark;
    netavark.setup_at(&beside(), &other.path()).unwrap();
    drop(other);
    // Programs of other tests inherit its file descriptor for a moment.
    let held = poll::until(
        || installed.wasmvark.administer(&["journal"]).stdout,
        |held| held.contains("namespace gone"),
    );
    assert!(held.contains("namespace gone"), "{held}");
    // Another test's namespace may have the number of the one that is gone, which counts as
    // alive for as long.
    let expected = "1 put back, 0 whole, 1 passed over.";
    let output = poll::until_within(
        Duration::from_secs(60),
        || {
            flush(&world);
            installed.wasmvark.administer(&["reload"])
        },
        |output| output.stdout.contains(expected),
    );
    assert!(output.stdout.contains(expected), "{output:?}");
    assert!(output.stdout.contains(OTHER), "{output:?}");
    assert!(!output.stdout.contains("9090"), "{output:?}");
    installed.wasmvark.gc_until("1 cleared");
    world.assert_unchanged(&connected);
    ports_lead(&world);
    installed.disconnect(&published("bridge"));
    world.assert_unchanged(&before);
}

/// netavark's own bridge network and ours, and each program puts its own rules
/// back: ours stay while netavark does, and netavark's while ours come back.
fn beside_netavark() {
    let world = world();
    let installed = Installed::example(&world, "bridge");
    let other = Netns::new();
    let theirs = Connection::new("bridge")
        .network("id", "2".repeat(64))
        .network("network_interface", "podman9")
        .subnet("10.79.0.0/24", "10.79.0.1")
        .container(OTHER)
        .join("static_ips", json!(["10.79.0.2"]))
        .port(mapping("", 9090, 90, 1, "tcp"));
    let netavark = |command: &str, netns: Option<&Netns>, input: &str| {
        let config = world.file("netavark");
        fs::create_dir_all(&config).unwrap();
        let mut netavark = world.host.command(places::tool("netavark"));
        netavark
            .args(["--rootless=false", "--firewall-driver=nftables", "--config"])
            .arg(&config)
            .arg(command);
        netavark.args(netns.map(Netns::path));
        let output = process::run(&mut netavark, input.as_bytes());
        assert_eq!(output.code, Some(0), "{command}: {output:?}");
    };
    netavark("setup", Some(&other), &theirs.for_netavark());
    installed.connect(&published("bridge"));
    let ours_work = || {
        ports_lead(&world);
        seen(&world, HOST);
    };
    let theirs_work = || {
        let outside = at(NEIGHBOUR[0], 80);
        let seen = connect(Tcp, from(&other), &outside, (&world.neighbour, &outside));
        assert_eq!(seen.to_string(), HOST[0]);
        let server = (&other, "10.79.0.2:90");
        connect(Tcp, from(&world.neighbour), &at(HOST[0], 9090), server);
    };
    ours_work();
    theirs_work();
    let connected = world.dump();
    netavark("firewall-reload", None, "");
    assert_eq!(
        Dump::of(&world.host).table(TABLE),
        connected.host.table(TABLE)
    );
    ours_work();
    theirs_work();
    flush(&world);
    netavark("firewall-reload", None, "");
    theirs_work();
    reload(&installed, "1 put back, 0 whole, 0 passed over.");
    ours_work();
    theirs_work();
    installed.disconnect(&published("bridge"));
    assert!(Dump::of(&world.host).table(TABLE).is_empty());
    netavark("teardown", Some(&other), &theirs.for_netavark());
}
