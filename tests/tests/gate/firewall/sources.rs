//! `firewall.masquerade` and `firewall.source-address`.

use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::{Transport, connect, from};
use wasmvark_tests::harness::Suite;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::wasmvark::error_of;

use super::NEEDS;
use super::site::{Container, HOST, NEIGHBOUR, TABLE, assert_clean, at, grant, subnets, world};
use crate::probe::Probe;

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("firewall::{name}"), NEEDS, test);
    test("masquerade-is-seen-by-the-neighbour", masquerade);
    test("masquerade-leaves-other-packets-alone", exceptions);
    test("source-address-is-seen-by-the-neighbour", source_address);
    test("what-containers-share-goes-with-the-last", shared);
    test("a-failed-setup-leaves-no-rules", failed_setup);
    test("wrong-arguments-are-refused", wrong_arguments);
}

/// Whom the neighbour sees, for IPv4 and IPv6.
fn seen_by_neighbour(
    container: &Container,
    neighbour: &Netns,
    addresses: [&str; 2],
) -> Vec<String> {
    let seen = addresses.map(|address| {
        let server = at(address, 7);
        let peers = [Transport::Tcp, Transport::Udp].map(|transport| {
            connect(
                transport,
                from(&container.netns),
                &server,
                (neighbour, &server),
            )
        });
        assert_eq!(peers[0], peers[1]);
        peers[0].to_string()
    });
    seen.into()
}

fn masquerade() {
    let world = world();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let container = Container::new(1, 2);
    let [v4, v6] = subnets(1);
    container.up(&probe, "");
    let seen = seen_by_neighbour(&container, &world.neighbour, NEIGHBOUR);
    assert_eq!(seen, container.addresses());
    container.down(&probe);
    assert_clean(&probe, &before);
    container.up(
        &probe,
        &format!("firewall.masquerade {v4}; firewall.masquerade {v6}"),
    );
    let seen = seen_by_neighbour(&container, &world.neighbour, NEIGHBOUR);
    assert_eq!(seen, HOST);
    container.down(&probe);
    assert_clean(&probe, &before);
}

fn exceptions() {
    let world = world();
    world.neighbour.ip_batch(
        &[],
        "addr add 203.0.113.9/32 dev lo\naddr add 2001:db8:9::9/128 dev lo",
    );
    world.host.ip_batch(
        &[],
        &format!(
            "route add 203.0.113.0/24 via {}\nroute add 2001:db8:9::/64 via {}",
            NEIGHBOUR[0], NEIGHBOUR[1]
        ),
    );
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let container = Container::new(1, 2);
    let [v4, v6] = subnets(1);
    let except = "203.0.113.0/24 2001:db8:9::/64 192.0.2.0/24";
    container.up(
        &probe,
        &format!("firewall.masquerade {v4} {except}; firewall.masquerade {v6} {except}"),
    );
    let seen = seen_by_neighbour(&container, &world.neighbour, NEIGHBOUR);
    assert_eq!(seen, HOST);
    let seen = seen_by_neighbour(
        &container,
        &world.neighbour,
        ["203.0.113.9", "2001:db8:9::9"],
    );
    assert_eq!(seen, container.addresses());
    // Between members of the network nothing is translated.
    let other = Container::new(1, 3);
    other.up(&probe, "");
    for (address, own) in other.addresses().iter().zip(container.addresses()) {
        let server = at(address, 7);
        let client = from(&container.netns);
        let peer = connect(Transport::Tcp, client, &server, (&other.netns, &server));
        assert_eq!(peer.to_string(), own);
    }
    container.down(&probe);
    other.down(&probe);
    assert_clean(&probe, &before);
}

fn source_address() {
    let world = world();
    world.host.ip_batch(
        &[],
        "addr add 198.51.100.77/24 dev p0\naddr add 2001:db8:5::77/64 dev p0 nodad",
    );
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let mut container = Container::new(1, 2);
    let addresses = ["198.51.100.77", "2001:db8:5::77"];
    container.connection = container
        .connection
        .option("outbound_addr4", addresses[0])
        .option("outbound_addr6", addresses[1]);
    let [v4, v6] = subnets(1);
    container.up(
        &probe,
        &format!(
            "firewall.source-address {v4} {}; firewall.source-address {v6} {}",
            addresses[0], addresses[1]
        ),
    );
    let seen = seen_by_neighbour(&container, &world.neighbour, NEIGHBOUR);
    assert_eq!(seen, addresses);
    container.down(&probe);
    assert_clean(&probe, &before);
}

fn shared() {
    let world = world();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let script = format!("firewall.masquerade {}", subnets(1)[0]);
    let containers = [2, 3, 4].map(|number| Container::new(1, number));
    let other_network = Container::new(2, 2);
    let mut tables = Vec::new();
    for container in &containers {
        container.up(&probe, &script);
        tables.push(Dump::of(&world.host).table(TABLE).len());
    }
    assert_eq!(tables[0], tables[1]);
    assert_eq!(tables[0], tables[2]);
    other_network.up(&probe, &format!("firewall.masquerade {}", subnets(2)[0]));
    let two_networks = Dump::of(&world.host).table(TABLE).len();
    assert!(two_networks > tables[0]);
    for container in [&containers[0], &containers[2]] {
        container.down(&probe);
        assert_eq!(Dump::of(&world.host).table(TABLE).len(), two_networks);
    }
    containers[1].down(&probe);
    assert_eq!(Dump::of(&world.host).table(TABLE).len(), tables[0]);
    other_network.down(&probe);
    assert_clean(&probe, &before);
}

fn failed_setup() {
    let world = world();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let (one, two) = (Container::new(1, 2), Container::new(1, 3));
    let script = format!("firewall.masquerade {}", subnets(1)[0]);
    let failing = format!("{script}; fail no more");
    assert_eq!(error_of(&one.try_up(&probe, &failing)), "no more");
    assert_clean(&probe, &before);
    one.up(&probe, &script);
    let with_one = Dump::of(&world.host);
    assert_eq!(error_of(&two.try_up(&probe, &failing)), "no more");
    assert_eq!(Dump::of(&world.host).table(TABLE), with_one.table(TABLE));
    one.down(&probe);
    assert_clean(&probe, &before);
}

fn wrong_arguments() {
    let world = world();
    let mut grant = grant();
    for call in ["firewall.masquerade", "firewall.source-address"] {
        grant = grant.without(call).call(call, r#"{ address = "*" }"#);
    }
    let probe = Probe::new(&world, &grant);
    for (line, error) in [
        ("masquerade here", "\"here\" is no network"),
        ("masquerade 10.0.0.0/8 there", "\"there\" is no network"),
        ("source-address 10.0.0.0/8 x", "\"x\" is no IP address"),
        ("source-address 10.0.0.0/8 fd00::1", "are of two families"),
    ] {
        let output = Container::new(1, 2).try_up(&probe, &format!("firewall.{line}"));
        let seen = error_of(&output);
        assert!(seen.contains(error), "{line}: {seen}");
    }
}
