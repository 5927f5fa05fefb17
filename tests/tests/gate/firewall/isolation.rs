//! `firewall.isolate`.

use wasmvark_tests::connection::mapping;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::Transport::{Tcp, Udp};
use wasmvark_tests::flow::{From, cannot_connect, connect, from};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::wasmvark::error_of;

use super::NEEDS;
use super::ports::{publish, publishing};
use super::site::{Container, HOST, NEIGHBOUR, TABLE, assert_clean, at, grant, world};
use crate::probe::Probe;

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, test: fn()| suite.test(format!("firewall::isolate-{name}"), NEEDS, test);
    test("keeps-networks-apart-as-netavark-does", matrix);
    test("leaves-all-else-as-it-is", all_else);
    test("leaves-published-ports-open", published);
    test("goes-with-the-last-container", shared);
    test("is-one-for-a-link", one_for_a_link);
}

fn isolating() -> Grant {
    grant().call("firewall.isolate", "{}")
}

/// A container of a network, isolated in this way if any.
fn isolated(probe: &Probe<'_>, network: u8, isolation: Option<&str>) -> Container {
    let container = Container::new(network, 2);
    let script = isolation.map(|isolation| format!("firewall.isolate 0 {isolation}"));
    container.up(probe, script.as_deref().unwrap_or_default());
    container
}

/// Whether a client reaches a container, over either family: with TCP over the
/// one, and with UDP over the other, as waiting in vain takes its time.
#[track_caller]
fn assert_reaches(client: &Netns, container: &Container, does: bool) {
    for (address, transport) in container.addresses().iter().zip([Tcp, Udp]) {
        let server = at(address, 7);
        let inside = (&container.netns, &*server);
        if does {
            connect(transport, from(client), &server, inside);
        } else {
            cannot_connect(transport, from(client), &server, inside);
        }
    }
}

fn matrix() {
    let world = world();
    let probe = Probe::new(&world, &isolating());
    let before = Dump::of(&world.host);
    let ways = [
        None,
        Some("never"),
        Some("normal"),
        Some("normal"),
        Some("strict"),
        Some("strict"),
    ];
    let networks: Vec<_> = ways
        .iter()
        .zip(1..)
        .map(|(way, network)| (*way, isolated(&probe, network, *way)))
        .collect();
    for (one, (from_way, client)) in networks.iter().enumerate() {
        for (other, (to_way, server)) in networks.iter().enumerate() {
            let together = match (from_way, to_way) {
                _ if one == other => continue,
                (None, _) | (_, None) => true,
                (Some("strict"), _) | (_, Some("strict")) => false,
                (from_way, to_way) => (from_way, to_way) != (&Some("normal"), &Some("normal")),
            };
            assert_reaches(&client.netns, server, together);
        }
    }
    for (_, container) in &networks {
        container.down(&probe);
    }
    assert_clean(&probe, &before);
}

/// The members of the network, the host and its neighbours.
fn all_else() {
    let world = world();
    let probe = Probe::new(&world, &isolating());
    let before = Dump::of(&world.host);
    let one = isolated(&probe, 1, Some("strict"));
    let two = Container::new(1, 3);
    two.up(&probe, "firewall.isolate 0 strict");
    for client in [&two.netns, &world.host] {
        assert_reaches(client, &one, true);
    }
    for (own, address) in one.addresses().iter().zip(NEIGHBOUR) {
        let neighbour = From {
            netns: &world.neighbour,
            address: Some(address),
        };
        let server = at(own, 7);
        connect(Tcp, neighbour, &server, (&one.netns, &server));
    }
    for (netns, addresses) in [(&world.host, HOST), (&world.neighbour, NEIGHBOUR)] {
        for address in addresses {
            let server = at(address, 7);
            connect(Tcp, from(&one.netns), &server, (netns, &server));
        }
    }
    one.down(&probe);
    two.down(&probe);
    assert_clean(&probe, &before);
}

fn published() {
    let world = world();
    let probe = Probe::new(&world, &publishing().call("firewall.isolate", "{}"));
    let before = Dump::of(&world.host);
    let mut server = Container::new(1, 2);
    server.connection = server.connection.port(mapping("", 8080, 80, 1, "tcp"));
    let script = publish(&server, "8080:80/tcp");
    // Inside a bridge whose packets are filtered, those to oneself leave where they
    // came in.
    let hairpin = "bridge-ports.set-hairpin 2 on";
    server.up(
        &probe,
        &format!("firewall.isolate 0 normal; {hairpin}; {script}"),
    );
    let open = isolated(&probe, 2, Some("never"));
    let apart = isolated(&probe, 3, Some("normal"));
    for (own, address) in server.addresses().iter().zip(HOST) {
        let (own, address) = (at(own, 80), at(address, 8080));
        let inside = (&server.netns, &*own);
        for client in [&open.netns, &apart.netns, &server.netns, &world.neighbour] {
            connect(Tcp, from(client), &address, inside);
        }
        // Direct ways are closed, also for those who found the port.
        cannot_connect(Tcp, from(&apart.netns), &own, inside);
    }
    for container in [&server, &open, &apart] {
        container.down(&probe);
    }
    assert_clean(&probe, &before);
}

fn shared() {
    let world = world();
    let probe = Probe::new(&world, &isolating());
    let before = Dump::of(&world.host);
    let one = isolated(&probe, 1, Some("normal"));
    let other = isolated(&probe, 2, Some("normal"));
    let with_one = Dump::of(&world.host);
    let two = Container::new(1, 3);
    two.up(&probe, "firewall.isolate 0 normal");
    assert_eq!(Dump::of(&world.host).table(TABLE), with_one.table(TABLE));
    one.down(&probe);
    assert_reaches(&other.netns, &two, false);
    two.down(&probe);
    assert_ne!(Dump::of(&world.host).table(TABLE), with_one.table(TABLE));
    other.down(&probe);
    assert_clean(&probe, &before);
}

fn one_for_a_link() {
    let world = world();
    let probe = Probe::new(&world, &isolating());
    let before = Dump::of(&world.host);
    let one = isolated(&probe, 1, Some("normal"));
    let with_one = Dump::of(&world.host);
    let other_way = Container::new(1, 3).try_up(&probe, "firewall.isolate 0 strict");
    let error = error_of(&other_way);
    assert!(error.contains("br1 is taken"), "{error}");
    assert_eq!(Dump::of(&world.host).table(TABLE), with_one.table(TABLE));
    let inside = Container::new(1, 4).try_up(&probe, "firewall.isolate 1 strict");
    let error = error_of(&inside);
    assert!(error.contains("isn't in the host's namespace"), "{error}");
    one.down(&probe);
    assert_clean(&probe, &before);
}
