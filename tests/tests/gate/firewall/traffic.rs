//! `firewall.accept` and `firewall.drop`.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::Duration;

use wasmvark_tests::connection::mapping;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::Transport::{self, Tcp, Udp};
use wasmvark_tests::flow::{From, cannot_connect, connect, from};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::wasmvark::error_of;
use wasmvark_tests::world::World;
use wasmvark_tests::{patience, poll};

use super::NEEDS;
use super::ports::{publish, publishing};
use super::site::{Container, HOST, NEIGHBOUR, TABLE, assert_clean, at, nft, world};
use crate::probe::Probe;

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, test: fn()| suite.test(format!("firewall::traffic-{name}"), NEEDS, test);
    test("incoming-is-dropped-and-answers-pass", incoming);
    test("outgoing-is-dropped-and-answers-pass", outgoing);
    test("the-first-rule-that-fits-decides", first_decides);
    test("is-filtered-by-port-of-the-container", published);
    test("of-one-container-is-no-others", others);
    test("icmp-errors-about-accepted-connections-pass", icmp_errors);
    test("takes-many-ranges", many_ranges);
    test("wrong-arguments-are-refused", wrong_arguments);
}

pub(super) fn filtering() -> Grant {
    let grant = publishing().call("firewall.accept", "{}");
    grant.call("firewall.drop", "{}")
}

/// The same line for both addresses of a container, which `{}` stands for.
pub(super) fn both(container: &Container, line: &str) -> String {
    let lines = container.addresses().map(|own| line.replace("{}", &own));
    lines.join("; ")
}

/// Who connects, and from which addresses, where those that the kernel would
/// choose aren't known to the host.
#[derive(Clone, Copy)]
struct Client<'a> {
    netns: &'a Netns,
    addresses: [Option<&'a str>; 2],
}

fn client(netns: &Netns) -> Client<'_> {
    let addresses = [None, None];
    Client { netns, addresses }
}

fn neighbour(world: &World) -> Client<'_> {
    Client {
        netns: &world.neighbour,
        addresses: NEIGHBOUR.map(Some),
    }
}

/// Whether a client reaches a port at each of these addresses, which are the
/// server's own.
#[track_caller]
fn assert_reaches(
    transport: Transport,
    client: Client<'_>,
    (server, addresses): (&Netns, &[String; 2]),
    port: u16,
    does: bool,
) {
    for (address, own) in addresses.iter().zip(client.addresses) {
        let to = at(address, port);
        let client = From {
            netns: client.netns,
            address: own,
        };
        if does {
            connect(transport, client, &to, (server, &to));
        } else {
            cannot_connect(transport, client, &to, (server, &to));
        }
    }
}

fn incoming() {
    let world = world();
    let probe = Probe::new(&world, &filtering());
    let before = Dump::of(&world.host);
    let (one, open) = (Container::new(1, 2), Container::new(2, 2));
    one.up(&probe, &both(&one, "firewall.drop incoming {}"));
    open.up(&probe, "");
    for transport in [Tcp, Udp] {
        for client in [client(&world.host), neighbour(&world), client(&open.netns)] {
            let server = (&one.netns, &one.addresses());
            assert_reaches(transport, client, server, 7, false);
        }
        for (netns, addresses) in [
            (&open.netns, open.addresses()),
            (&world.neighbour, NEIGHBOUR.map(str::to_owned)),
            (&world.host, HOST.map(str::to_owned)),
        ] {
            let own = client(&one.netns);
            assert_reaches(transport, own, (netns, &addresses), 7, true);
        }
    }
    one.down(&probe);
    open.down(&probe);
    assert_clean(&probe, &before);
}

fn outgoing() {
    let world = world();
    let probe = Probe::new(&world, &filtering());
    let before = Dump::of(&world.host);
    let one = Container::new(1, 2);
    one.up(&probe, &both(&one, "firewall.drop outgoing {}"));
    let others = [(client(&world.host), HOST), (neighbour(&world), NEIGHBOUR)];
    for (other, addresses) in others {
        let addresses = addresses.map(str::to_owned);
        for transport in [Tcp, Udp] {
            let server = (other.netns, &addresses);
            assert_reaches(transport, client(&one.netns), server, 7, false);
            let server = (&one.netns, &one.addresses());
            assert_reaches(transport, other, server, 7, true);
        }
    }
    one.down(&probe);
    assert_clean(&probe, &before);
}

fn first_decides() {
    let world = world();
    let probe = Probe::new(&world, &filtering());
    let before = Dump::of(&world.host);
    let one = Container::new(1, 2);
    let [v4, v6] = one.addresses();
    let script = format!(
        "firewall.accept incoming {v4} peer={}/32 protocol=tcp ports=80,80 ports=8000,8002; firewall.drop incoming {v4}; \
         firewall.accept incoming {v4} protocol=udp; \
         firewall.accept incoming {v6} peer={}/128 protocol=tcp ports=80,80 ports=8000,8002; firewall.drop incoming {v6}; \
         firewall.accept incoming {v6} protocol=udp",
        NEIGHBOUR[0], NEIGHBOUR[1]
    );
    one.up(&probe, &script);
    let addresses = one.addresses();
    let server = (&one.netns, &addresses);
    for (port, does) in [(80, true), (81, false), (7999, false), (8000, true)] {
        assert_reaches(Tcp, neighbour(&world), server, port, does);
    }
    for (port, does) in [(8002, true), (8003, false)] {
        assert_reaches(Tcp, neighbour(&world), server, port, does);
    }
    assert_reaches(Udp, neighbour(&world), server, 80, false);
    assert_reaches(Tcp, client(&world.host), server, 80, false);
    one.down(&probe);
    assert_clean(&probe, &before);
}

fn published() {
    let world = world();
    let probe = Probe::new(&world, &filtering());
    let before = Dump::of(&world.host);
    let mut one = Container::new(1, 2);
    for (host_port, port) in [(8080, 80), (8081, 81)] {
        let mapping = mapping("", host_port, port, 1, "tcp");
        one.connection = one.connection.port(mapping);
    }
    let ports = publish(&one, "8080:80/tcp 8081:81/tcp");
    let drop = both(&one, "firewall.drop incoming {} protocol=tcp ports=81,81");
    one.up(&probe, &format!("{ports}; {drop}"));
    for (own, address) in one.addresses().iter().zip(HOST) {
        for client in [&world.neighbour, &world.host] {
            let inside = (&one.netns, &*at(own, 80));
            connect(Tcp, from(client), &at(address, 8080), inside);
            let inside = (&one.netns, &*at(own, 81));
            cannot_connect(Tcp, from(client), &at(address, 8081), inside);
        }
    }
    one.down(&probe);
    assert_clean(&probe, &before);
}

/// The neighbour's error about what the container answers belongs to the connection that
/// the neighbour has opened.
fn icmp_errors() {
    let world = world();
    let probe = Probe::new(&world, &filtering());
    let before = Dump::of(&world.host);
    let one = Container::new(1, 2);
    let lines = [
        "firewall.accept incoming {} protocol=udp ports=53,53",
        "firewall.drop incoming {}",
    ];
    one.up(&probe, &lines.map(|line| both(&one, line)).join("; "));
    for (own, theirs) in one.addresses().iter().zip(NEIGHBOUR) {
        let server = one.netns.run(|| UdpSocket::bind(at(own, 53))).unwrap();
        server
            .set_read_timeout(Some(patience::of(Duration::from_secs(5))))
            .unwrap();
        let client = world
            .neighbour
            .run(|| UdpSocket::bind(at(theirs, 5353)))
            .unwrap();
        let mut question = [0; 1];
        client.send_to(&question, at(own, 53)).unwrap();
        let (_, peer) = server.recv_from(&mut question).unwrap();
        drop(client);
        server.connect(peer).unwrap();
        // The neighbour limits how many errors it sends.
        let refused = || {
            let _ = server.send(b"answer");
            server.recv(&mut [0; 1]).unwrap_err().kind()
        };
        let kind = poll::until(refused, |kind| *kind == ErrorKind::ConnectionRefused);
        assert_eq!(kind, ErrorKind::ConnectionRefused, "{own}");
    }
    one.down(&probe);
    assert_clean(&probe, &before);
}

/// What a container lets out, another may keep off; and rules go with their
/// container only.
fn others() {
    let world = world();
    let probe = Probe::new(&world, &filtering());
    let before = Dump::of(&world.host);
    let (one, two) = (Container::new(1, 2), Container::new(2, 2));
    one.up(&probe, &both(&one, "firewall.accept outgoing {}"));
    two.up(&probe, &both(&two, "firewall.drop incoming {}"));
    let addresses = [one.addresses(), two.addresses()];
    assert_reaches(
        Tcp,
        client(&one.netns),
        (&two.netns, &addresses[1]),
        7,
        false,
    );
    assert_reaches(
        Tcp,
        client(&two.netns),
        (&one.netns, &addresses[0]),
        7,
        true,
    );
    one.down(&probe);
    assert_reaches(
        Tcp,
        client(&world.host),
        (&two.netns, &addresses[1]),
        7,
        false,
    );
    two.down(&probe);
    assert_clean(&probe, &before);
}

/// As many rules as a range of ports with gaps takes, which come back, too.
fn many_ranges() {
    let world = world();
    let probe = Probe::new(&world, &filtering());
    let before = Dump::of(&world.host);
    let one = Container::new(1, 2);
    let odd: Vec<String> = (1..1200)
        .step_by(2)
        .map(|port| format!("ports={port},{port}"))
        .collect();
    let accept = format!(
        "firewall.accept incoming {{}} protocol=tcp {}",
        odd.join(" ")
    );
    let script =
        [accept.as_str(), "firewall.drop incoming {} protocol=tcp"].map(|line| both(&one, line));
    one.up(&probe, &script.join("; "));
    let connected = Dump::of(&world.host);
    let works = || {
        let addresses = one.addresses();
        for (port, does) in [(1, true), (1199, true), (1198, false)] {
            let server = (&one.netns, &addresses);
            assert_reaches(Tcp, client(&world.host), server, port, does);
        }
    };
    works();
    nft(&world.host, "flush ruleset");
    let output = probe.wasmvark.administer(&["reload"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(Dump::of(&world.host).table(TABLE), connected.table(TABLE));
    works();
    one.down(&probe);
    assert_clean(&probe, &before);
}

fn wrong_arguments() {
    let world = world();
    let probe = Probe::new(&world, &filtering());
    for (line, error) in [
        ("accept incoming here", "\"here\" is no IP address"),
        (
            "accept incoming 10.97.0.2 peer=there",
            "\"there\" is no network",
        ),
        (
            "drop outgoing 10.97.0.2 peer=fd00::/8",
            "are of two families",
        ),
        (
            "drop outgoing 10.97.0.2 ports=80,80",
            "ports need a protocol",
        ),
        (
            "drop outgoing 10.97.0.2 protocol=tcp ports=81,80",
            "the last is below",
        ),
    ] {
        let output = Container::new(1, 2).try_up(&probe, &format!("firewall.{line}"));
        let seen = error_of(&output);
        assert!(seen.contains(error), "{line}: {seen}");
    }
}
