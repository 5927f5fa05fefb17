//! `firewall.internal`.

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
use super::site::{Container, HOST, NEIGHBOUR, assert_clean, at, world};
use crate::probe::Probe;

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, test: fn()| suite.test(format!("firewall::internal-{name}"), NEEDS, test);
    test("lets-nothing-in-or-out", closed);
    test("holds-for-existing-connections-and-ports", published);
    test("keeps-the-host-out-without-a-gateway", without_host);
    test("is-one-for-a-link", one_for_a_link);
}

fn closing() -> Grant {
    publishing().call("firewall.internal", "{}")
}

/// Whether a client reaches a server's addresses, with TCP over IPv4 and UDP over IPv6.
#[track_caller]
fn assert_reaches(client: From<'_>, server: &Netns, addresses: &[String; 2], does: bool) {
    for (address, transport) in addresses.iter().zip([Tcp, Udp]) {
        let to = at(address, 7);
        match does {
            true => drop(connect(transport, client, &to, (server, &to))),
            false => cannot_connect(transport, client, &to, (server, &to)),
        }
    }
}

fn neighbour() -> [String; 2] {
    NEIGHBOUR.map(str::to_owned)
}

/// Its containers have default routes, as root in a container can give it.
fn closed() {
    let world = world();
    let probe = Probe::new(&world, &closing());
    let before = Dump::of(&world.host);
    let [one, two] = [2, 3].map(|number| {
        let container = Container::new(1, number);
        container.up(&probe, "firewall.internal 0 on");
        container
    });
    let other = Container::new(2, 2);
    other.up(&probe, "");
    for (client, server, does) in [
        (&one, &two, true),
        (&one, &other, false),
        (&other, &one, false),
    ] {
        let addresses = server.addresses();
        assert_reaches(from(&client.netns), &server.netns, &addresses, does);
    }
    assert_reaches(from(&world.host), &one.netns, &one.addresses(), true);
    let host = HOST.map(str::to_owned);
    assert_reaches(from(&one.netns), &world.host, &host, true);
    assert_reaches(from(&one.netns), &world.neighbour, &neighbour(), false);
    assert_reaches(from(&other.netns), &world.neighbour, &neighbour(), true);
    for (own, address) in one.addresses().iter().zip(NEIGHBOUR) {
        let client = From {
            netns: &world.neighbour,
            address: Some(address),
        };
        let to = at(own, 7);
        cannot_connect(Tcp, client, &to, (&one.netns, &to));
    }
    // Whoever is left keeps it closed.
    one.down(&probe);
    assert_reaches(from(&other.netns), &two.netns, &two.addresses(), false);
    two.down(&probe);
    other.down(&probe);
    assert_clean(&probe, &before);
}

/// Neither its own published ports are open to others, nor others' to it.
fn published() {
    let world = world();
    let probe = Probe::new(&world, &closing());
    let before = Dump::of(&world.host);
    let containers = [(1, 8080), (2, 8081)].map(|(network, port)| {
        let mut container = Container::new(network, 2);
        container.connection = container
            .connection
            .port(mapping("", port, 80, 1, "tcp,udp"));
        let ports = publish(&container, &format!("{port}:80/tcp {port}:80/udp"));
        let closed = if network == 1 {
            "firewall.internal 0 on"
        } else {
            ""
        };
        container.up(&probe, &format!("{closed}; {ports}"));
        container
    });
    let [inside, outside] = &containers;
    for (to_port, server, client) in [
        (8080, inside, &world.neighbour),
        (8080, inside, &outside.netns),
        (8081, outside, &inside.netns),
    ] {
        for (own, address) in server.addresses().iter().zip(HOST) {
            let own = at(own, 80);
            for transport in [Tcp, Udp] {
                let to = at(address, to_port);
                cannot_connect(transport, from(client), &to, (&server.netns, &own));
            }
        }
    }
    for (own, address) in inside.addresses().iter().zip(HOST) {
        let (own, to) = (at(own, 80), at(address, 8080));
        connect(Tcp, from(&world.host), &to, (&inside.netns, &own));
    }
    for container in &containers {
        container.down(&probe);
    }
    assert_clean(&probe, &before);
}

/// The bridge has link-local addresses in any case.
fn without_host() {
    let world = world();
    let probe = Probe::new(&world, &closing());
    let before = Dump::of(&world.host);
    let [one, two] = [2, 3].map(|number| {
        let container = Container::new(1, number);
        container.up(&probe, "firewall.internal 0 off");
        container
    });
    assert_reaches(from(&one.netns), &two.netns, &two.addresses(), true);
    assert_reaches(from(&world.host), &one.netns, &one.addresses(), false);
    let gateways = ["10.97.0.1", "fd96:1::1"].map(str::to_owned);
    assert_reaches(from(&one.netns), &world.host, &gateways, false);
    let host = HOST.map(str::to_owned);
    assert_reaches(from(&one.netns), &world.host, &host, false);
    for container in [one, two] {
        container.down(&probe);
    }
    assert_clean(&probe, &before);
}

fn one_for_a_link() {
    let world = world();
    let probe = Probe::new(&world, &closing());
    let before = Dump::of(&world.host);
    let one = Container::new(1, 2);
    one.up(&probe, "firewall.internal 0 on");
    let other_way = Container::new(1, 3).try_up(&probe, "firewall.internal 0 off");
    let error = error_of(&other_way);
    assert!(error.contains("br1 is taken"), "{error}");
    let inside = Container::new(1, 4).try_up(&probe, "firewall.internal 1 on");
    let error = error_of(&inside);
    assert!(error.contains("isn't in the host's namespace"), "{error}");
    one.down(&probe);
    assert_clean(&probe, &before);
}
