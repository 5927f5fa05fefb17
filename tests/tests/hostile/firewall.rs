//! Source addresses, published ports and filters for addresses and ports that aren't
//! the container's.

use wasmvark_tests::connection::{Connection, mapping};

use crate::attack::{Attack, Does, Granted, plain};

const fn by_ptp(name: &'static str, script: &'static str) -> Attack {
    Attack {
        name,
        grant: Granted::Shipped("ptp"),
        asked: plain,
        does: Does::Setup(script),
        says: &["firewall."],
    }
}

const fn by_bridge(name: &'static str, script: &'static str) -> Attack {
    Attack {
        name,
        grant: Granted::Shipped("bridge"),
        asked: plain,
        does: Does::Setup(script),
        says: &["denied"],
    }
}

fn published(connection: Connection) -> Connection {
    connection.port(mapping("", 8080, 80, 1, "tcp"))
}

const fn of_published(name: &'static str, script: &'static str) -> Attack {
    Attack {
        name,
        grant: Granted::Shipped("ptp"),
        asked: published,
        does: Does::Setup(script),
        says: &["firewall."],
    }
}

pub(crate) const ATTACKS: &[Attack] = &[
    by_ptp("all is masqueraded", "firewall.masquerade 0.0.0.0/0"),
    by_ptp("the host itself is", "firewall.masquerade 10.88.0.250/32"),
    by_ptp("a neighbour is", "firewall.masquerade 10.88.0.5/32"),
    by_ptp(
        "all of a subnet that isn't shared is",
        "firewall.masquerade 10.88.0.0/16",
    ),
    by_ptp("another's subnet is", "firewall.masquerade 192.168.7.0/24"),
    by_ptp(
        "an address of the host's that nobody named",
        "firewall.source-address 10.88.0.2/32 192.168.7.1",
    ),
    by_ptp(
        "an address that nobody has",
        "firewall.source-address 10.88.0.2/32 198.51.100.9",
    ),
    by_ptp(
        "a port that nobody published",
        "links.create-veth -; firewall.publish 1 10.88.0.2 22:22/tcp",
    ),
    of_published(
        "more ports than were published",
        "links.create-veth -; firewall.publish 1 10.88.0.2 8080-8081:80/tcp",
    ),
    of_published(
        "all ports with the published one",
        "links.create-veth -; firewall.publish 1 10.88.0.2 8080:80/tcp 1-1000:1/tcp",
    ),
    of_published(
        "the port by another protocol",
        "links.create-veth -; firewall.publish 1 10.88.0.2 8080:80/udp",
    ),
    of_published(
        "the port to a neighbour",
        "links.create-veth -; firewall.publish 1 10.88.0.5 8080:80/tcp",
    ),
    of_published(
        "the port to the host itself",
        "links.create-veth -; firewall.publish 1 127.0.0.1 8080:80/tcp",
    ),
    by_ptp(
        "a neighbour's packets are dropped",
        "firewall.drop incoming 10.88.0.5",
    ),
    by_ptp(
        "the host's packets are dropped",
        "firewall.drop outgoing 10.88.0.250",
    ),
    by_ptp(
        "a neighbour's packets are let through",
        "firewall.accept incoming 10.88.0.5",
    ),
    by_bridge(
        "the parent is isolated",
        "links.get host p0; firewall.isolate 0 strict",
    ),
    by_bridge(
        "the parent's senders are checked",
        "links.get host p0; firewall.spoof-check 0 02:00:00:00:00:77",
    ),
];
