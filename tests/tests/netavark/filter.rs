//! Filters in the container's namespace, for links whose packets don't pass the host's
//! firewall.

use std::io::Write as _;
use std::process::{Child, Stdio};

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::Transport::{self, Tcp, Udp};
use wasmvark_tests::flow::{From, cannot_connect, connect, from};
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::sriov;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;
use wasmvark_tests::{places, poll, process};

use crate::driver::Installed;
use crate::ipvlan::behind_host;
use crate::nat::at;
use crate::vlan::lay_vlan;

/// A driver, and the kind of its links.
#[derive(Debug, Clone, Copy)]
struct Case {
    driver: &'static str,
    need: Need,
    options: &'static [(&'static str, &'static str)],
}

const fn case(
    driver: &'static str,
    need: Need,
    options: &'static [(&'static str, &'static str)],
) -> Case {
    Case {
        driver,
        need,
        options,
    }
}

const CASES: [Case; 5] = [
    case("macvlan", Need::Macvlan, &[]),
    case("ipvlan", Need::Link(Kind::Ipvlan), &[("mode", "l2")]),
    case("vlan", Need::Link(Kind::Vlan), &[("vlan", "7")]),
    case("host-device", Need::Macvlan, &[]),
    case("sriov", Need::Vfs, &[]),
];

/// The container's addresses, and the neighbour's.
const CONTAINER: [&str; 2] = ["10.88.0.2", "fd88::2"];
const NEIGHBOUR: [&str; 2] = ["10.88.0.1", "fd88::1"];

/// The table in the container.
const TABLE: &str = "wasmvark-wasm-macvlan";

/// Rules of the container's own.
const OWN: &str = "add table inet own\nadd chain inet own input { type filter hook input priority 5; }\n\
    add rule inet own input tcp dport 9999 drop";

pub(crate) fn register(suite: &mut Suite) {
    for one in CASES {
        let needs = [Need::Root, Need::Netavark, one.need];
        let mut test = |name: &str, test: fn(Case)| {
            suite.test(format!("filter/{} {name}", one.driver), &needs, move || {
                test(one);
            })
        };
        test("lists", lists).proves(one.driver, &["incoming", "outgoing"]);
        test("left alone", left_alone);
    }
    let needs = [Need::Root, Need::Netavark, Need::Link(Kind::Ipvlan)];
    for mode in ["l3", "l3s"] {
        suite
            .test(format!("filter/ipvlan {mode}"), &needs, move || {
                routed(mode);
            })
            .proves("ipvlan", &["incoming", "outgoing"]);
    }
    let needs = [Need::Root, Need::Netavark, Need::Macvlan, Need::Nft];
    let mut test = |name: &str, test: fn()| suite.test(format!("filter/{name}"), &needs, test);
    test("two networks", two_networks);
    test("removed by the container", removed_by_container);
    test("taken over by the container", taken_over_by_container);
    test("at the link-local address", at_link_local_address);
}

fn world(one: Case) -> World {
    match one.driver {
        "sriov" => sriov::world(1),
        _ => World::new(),
    }
}

fn dual(one: Case) -> Connection {
    let mut connection = Connection::dual(&format!("wasm-{}", one.driver));
    for (key, value) in one.options {
        connection = connection.option(key, value);
    }
    connection
}

/// Has the tool `nft` change a namespace's firewall.
#[track_caller]
fn nft(netns: &Netns, commands: &str) {
    let mut nft = netns.command(places::NFT);
    let output = process::run(nft.args(["-f", "-"]), commands.as_bytes());
    assert_eq!(output.code, Some(0), "nft {commands}: {}", output.stderr);
}

/// Has the neighbour forget the MAC addresses of links that were there before. Nothing
/// that the container sends tells it the new ones.
fn forget_links(world: &World) {
    world.neighbour.ip("neigh flush all");
}

/// Checks whether the neighbour reaches a port of the container, from one of its own
/// addresses.
#[track_caller]
fn comes_in(world: &World, transport: Transport, (own, to): (&str, String), does: bool) {
    let client = From {
        netns: &world.neighbour,
        address: Some(own),
    };
    let server = (&world.container, to.as_str());
    match does {
        true => drop(connect(transport, client, &to, server)),
        false => cannot_connect(transport, client, &to, server),
    }
}

/// What isn't on a list doesn't pass, in either direction; answers do.
fn lists(one: Case) {
    let world = world(one);
    if one.driver == "vlan" {
        lay_vlan(&world, "802.1Q");
    }
    let installed = Installed::example(&world, one.driver);
    let incoming = "tcp/80-81@10.88.0.0/16 udp/53 any@2001:db8::/32";
    let connection = dual(one).option("incoming", incoming);
    let [v4, v6] = CONTAINER;
    let [own4, own6] = NEIGHBOUR;
    let (inside, outside) = (&world.container, &world.neighbour);
    installed.try_out(&connection, |_| {
        for (transport, own, to, does) in [
            (Tcp, own4, at(v4, 80), true),
            (Tcp, own4, at(v4, 81), true),
            (Udp, own4, at(v4, 53), true),
            (Udp, own6, at(v6, 53), true),
            (Tcp, "2001:db8::1", at(v6, 82), true),
            (Tcp, own4, at(v4, 82), false),
            (Tcp, "192.0.2.1", at(v4, 80), false),
            (Udp, own4, at(v4, 80), false),
            (Tcp, own6, at(v6, 80), false),
        ] {
            comes_in(&world, transport, (own, to), does);
        }
        for (own, to) in CONTAINER.iter().zip(NEIGHBOUR) {
            let out = at(to, 82);
            for transport in [Tcp, Udp] {
                connect(transport, from(inside), &out, (outside, &out));
            }
            // The container's own connections don't pass the link.
            let itself = at(own, 82);
            connect(Tcp, from(inside), &itself, (inside, &itself));
        }
    });
    is_before_anything_passes(&installed);
    let none = connection.join("options", json!({"outgoing": "none"}));
    installed.try_out(&none, |_| {
        forget_links(&world);
        comes_in(&world, Tcp, (own4, at(v4, 80)), true);
        for to in NEIGHBOUR {
            let out = at(to, 80);
            for transport in [Tcp, Udp] {
                cannot_connect(transport, from(inside), &out, (outside, &out));
            }
        }
    });
    let wrong = dual(one).option("incoming", "http");
    installed.refuses(&wrong, "\"http\" is not like tcp/443");
}

/// The host's routes lead to the container, in modes with a filter in the container and
/// on the host.
fn routed(mode: &str) {
    let world = World::new();
    let connection = behind_host(&world, mode).option("incoming", "tcp/80");
    let installed = Installed::example(&world, "ipvlan");
    let (inside, outside) = (&world.container, &world.neighbour);
    let check = |goes_out: bool| {
        for (own, to) in ["10.77.0.2", "fd77::2"].iter().zip(NEIGHBOUR) {
            comes_in(&world, Tcp, (to, at(own, 80)), true);
            comes_in(&world, Tcp, (to, at(own, 81)), false);
            comes_in(&world, Udp, (to, at(own, 80)), false);
            let out = at(to, 82);
            for transport in [Tcp, Udp] {
                match goes_out {
                    true => drop(connect(transport, from(inside), &out, (outside, &out))),
                    false => cannot_connect(transport, from(inside), &out, (outside, &out)),
                }
            }
        }
    };
    installed.try_out(&connection, |_| check(true));
    let none = connection.join("options", json!({"outgoing": "none"}));
    installed.try_out(&none, |_| check(false));
}

#[track_caller]
fn is_before_anything_passes(installed: &Installed<'_>) {
    let trail = installed.wasmvark.audit();
    let calls: Vec<String> = trail.iter().filter_map(|line| line.call.clone()).collect();
    let first = |call: &str| calls.iter().position(|it| it == call);
    let dropped = first("firewall.drop-in-container");
    assert!(
        dropped.is_some() && dropped < first("links.set-up"),
        "{calls:?}"
    );
}

/// With `firewall_driver = "none"` in containers.conf.
fn left_alone(one: Case) {
    let world = world(one);
    let installed = Installed::example(&world, one.driver);
    let before = world.dump();
    let run = |command: &str, connection: &Connection| {
        let mut plugin = installed.wasmvark.plugin_command(connection.driver());
        plugin.env("NETAVARK_FW", "none").arg(command);
        plugin.arg(world.container.path());
        process::run(&mut plugin, connection.for_plugin().as_bytes())
    };
    let filtered = dual(one).option("outgoing", "none");
    let error = error_of(&run("setup", &filtered));
    assert!(error.contains("the firewall is left alone"), "{error}");
    world.assert_unchanged(&before);
    answer_of(&run("setup", &dual(one)));
    let output = run("teardown", &dual(one));
    assert_eq!(output.code, Some(0), "{output:?}");
    world.assert_unchanged(&before);
}

/// Each network has a filter of its own, which goes with it.
fn two_networks() {
    let world = World::new();
    nft(&world.container, OWN);
    let installed = Installed::example(&world, "macvlan");
    // Both links are on one wire. Each answers for its own address only.
    let own_only = ("sysctl.net.ipv4.conf.IFNAME.arp_ignore", "1");
    let first = Connection::v4("wasm-macvlan")
        .option(own_only.0, own_only.1)
        .option("incoming", "none");
    let second = Connection::new("wasm-macvlan")
        .subnet("10.89.0.0/16", "10.89.0.1")
        .ip("10.89.0.2")
        .network("id", "b".repeat(64))
        .join("interface_name", "eth1")
        .option(own_only.0, own_only.1)
        .option("source_routing", "true")
        .option("incoming", "tcp/80");
    let before = world.dump();
    let check = |address: &str, port: u16, does: bool| {
        let own = address.replace(".0.2", ".0.1");
        comes_in(&world, Tcp, (&own, at(address, port)), does);
    };
    installed.connect(&first);
    let only_first = Dump::of(&world.container);
    installed.netavark.setup(&second).expect("setup");
    check("10.88.0.2", 80, false);
    check("10.89.0.2", 80, true);
    check("10.89.0.2", 81, false);
    installed.netavark.teardown(&second).expect("teardown");
    let now = Dump::of(&world.container);
    assert_eq!(now.table(TABLE), only_first.table(TABLE));
    check("10.88.0.2", 80, false);
    installed.netavark.setup(&second).expect("setup");
    forget_links(&world);
    installed.disconnect(&first);
    check("10.89.0.2", 80, true);
    check("10.89.0.2", 81, false);
    let now = Dump::of(&world.container);
    assert_eq!(now.table("own"), before.container.table("own"));
    // The host's firewall has none of it.
    assert!(Dump::of(&world.host).table(TABLE).is_empty());
    nft(&world.host, "flush ruleset");
    let output = installed.wasmvark.administer(&["reload"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    check("10.89.0.2", 81, false);
    installed.netavark.teardown(&second).expect("teardown");
    world.assert_unchanged(&before);
}

fn removed_by_container() {
    let world = World::new();
    let installed = Installed::example(&world, "macvlan");
    let connection = Connection::dual("wasm-macvlan").option("incoming", "none");
    installed.try_out(&connection, |_| {
        nft(&world.container, "flush ruleset");
        comes_in(&world, Tcp, (NEIGHBOUR[0], at(CONTAINER[0], 80)), true);
    });
}

/// Nobody else can change a table that belongs to a program.
fn taken_over_by_container() {
    let world = World::new();
    let installed = Installed::example(&world, "macvlan");
    let connection = Connection::dual("wasm-macvlan").option("incoming", "none");
    installed.connect(&connection);
    nft(&world.container, &format!("delete table inet {TABLE}"));
    let table = format!("add table inet {TABLE} {{ flags owner; }}");
    let chain = format!("add chain inet {TABLE} incoming");
    let mut owner = keep_nft(&world.container, &format!("{table}\n{chain}\n"));
    // A `nft` that goes on running, as that of a dump, doesn't list such a table.
    let is_there = || {
        let mut nft = world.container.command(places::NFT);
        let listed = process::run(nft.args(["list", "table", "inet", TABLE]), b"");
        listed.stdout.contains("flags owner") && listed.stdout.contains("chain incoming")
    };
    assert!(poll::until(is_there, |there| *there), "the table is there");
    installed.disconnect(&connection);
    let links = world.container.ip_batch(&["-o"], "link show");
    assert!(!links.contains(INTERFACE), "{links}");
    assert!(is_there(), "it stays");
    owner.kill().expect("it can be killed");
    owner.wait().expect("it can be waited for");
}

/// Runs `nft` with commands, and leaves it running.
fn keep_nft(netns: &Netns, commands: &str) -> Child {
    let mut nft = netns.command(places::NFT);
    let nft = nft.arg("-i").stdin(Stdio::piped()).stdout(Stdio::null());
    let child = nft.spawn().expect("nft starts");
    let mut input = child.stdin.as_ref().expect("it has a standard input");
    input.write_all(commands.as_bytes()).expect("nft reads");
    child
}

/// Neighbours know an address that nobody gave the container.
fn at_link_local_address() {
    let world = World::new();
    let installed = Installed::example(&world, "macvlan");
    let connection = Connection::dual("wasm-macvlan").option("incoming", "tcp/80");
    let before = world.dump();
    installed.connect(&connection);
    let address = poll::until(|| link_local(&world.container), Option::is_some);
    let address = address.expect("there is a link-local address");
    let scoped = |netns: &Netns, link: &str, port: u16| {
        let index = index_of(netns, link);
        format!("[{address}%{index}]:{port}")
    };
    for (port, does) in [(80, true), (81, false)] {
        let to = scoped(&world.neighbour, "n0", port);
        let server = scoped(&world.container, INTERFACE, port);
        let server = (&world.container, server.as_str());
        match does {
            true => drop(connect(Tcp, from(&world.neighbour), &to, server)),
            false => cannot_connect(Tcp, from(&world.neighbour), &to, server),
        }
    }
    installed.disconnect(&connection);
    world.assert_unchanged(&before);
}

/// Returns the link-local address of the container's interface once it can be used.
fn link_local(netns: &Netns) -> Option<String> {
    let lines = netns.ip_batch(&["-6", "-o"], "addr show dev eth0 scope link -tentative");
    let mut words = lines.split_whitespace();
    let address = words.find(|word| word.starts_with("fe80::"))?;
    address.split('/').next().map(str::to_owned)
}

fn index_of(netns: &Netns, link: &str) -> String {
    let line = netns.ip_batch(&["-o"], &format!("link show {link}"));
    line.split(':').next().unwrap_or_default().to_owned()
}
