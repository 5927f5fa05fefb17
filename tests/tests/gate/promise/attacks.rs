//! Attacks on the host.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::Need;
use wasmvark_tests::kind::Kind;

use super::{Attack, v4, with_end};
use crate::probe::NAME;

/// The user names a network that the host has a route for, and a quarter
/// of the internet.
fn wide() -> Connection {
    with_end(
        Connection::new(NAME)
            .subnet("203.0.113.0/24", "203.0.113.254")
            .subnet("64.0.0.0/2", "64.0.0.1")
            .ip("203.0.113.2")
            .ip("64.0.0.2"),
    )
}

/// The container's address is the host's.
fn twin() -> Connection {
    with_end(
        Connection::new(NAME)
            .subnet("10.88.0.0/16", "10.88.0.1")
            .ip("10.88.0.250"),
    )
}

/// A network that nobody has.
fn free() -> Connection {
    with_end(
        Connection::new(NAME)
            .network("network_interface", "br0")
            .subnet("10.99.0.0/24", "10.99.0.1")
            .ip("10.99.0.2"),
    )
}

fn bridge() -> Connection {
    Connection::dual(NAME).network("network_interface", "br0")
}

const fn denied(
    grant: &'static str,
    connection: fn() -> Connection,
    before: &'static str,
    call: &'static str,
) -> Attack {
    Attack {
        grant,
        needs: &[],
        connection,
        before,
        call,
        error: "denied",
    }
}

const fn busy(
    grant: &'static str,
    connection: fn() -> Connection,
    before: &'static str,
    call: &'static str,
) -> Attack {
    Attack {
        error: "busy",
        ..denied(grant, connection, before, call)
    }
}

const PARENT: &str = "links.get host p0";
const MAKE: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge";
const PAIR: &str = "links.create-veth -; links.set-up 0; links.set-up 1";
const BRIDGE: &str = "links.create-bridge shared -; links.set-up 0";
const GATEWAY: &str = "links.create-bridge shared -; addresses.add 0 10.99.0.1/24; links.set-up 0";

pub(super) const ATTACKS: &[Attack] = &[
    // What listens on the host's loopback addresses.
    busy("ptp", free, PAIR, "sysctl.set-route-localnet 1 on"),
    busy("bridge", free, BRIDGE, "sysctl.set-route-localnet 0 on"),
    // Which router it believes.
    busy("ptp", free, PAIR, "sysctl.set-accept-ra 1 all"),
    busy(
        "bridge",
        free,
        BRIDGE,
        "sysctl.set-accept-ra 0 unless-forwarding",
    ),
    // A link on the host, where it could take the gateway's address, answer for
    // all of the wire, or open what listens on loopback addresses.
    denied(
        "macvlan",
        v4,
        PARENT,
        "links.create-macvlan host - 0 bridge",
    ),
    denied(
        "macvlan",
        v4,
        PARENT,
        "links.create-macvlan shared - 0 bridge",
    ),
    denied("macvlan", v4, "", "links.create-ifb host -"),
    denied("macvlan", v4, "", "links.create-ifb shared -"),
    denied("tap", v4, "", "links.create-tap host -"),
    denied("bridge", bridge, "", "links.create-bridge host br0"),
    denied("ptp", free, "", "links.create-ifb shared -"),
    Attack {
        needs: &[Need::Link(Kind::Dummy)],
        ..denied("dummy", v4, "", "links.create-dummy host -")
    },
    Attack {
        needs: &[Need::Link(Kind::Wireguard)],
        ..denied("wireguard", v4, "", "links.create-wireguard host -")
    },
    // Its routes.
    denied("macvlan", v4, "", "routes.add host 10.88.0.5/32 blackhole"),
    denied(
        "macvlan",
        v4,
        "",
        "routes.add host 10.88.0.66/32 unicast gateway=10.88.0.200",
    ),
    denied(
        "macvlan",
        v4,
        "",
        "routes.add host 10.88.0.0/24 unicast link=p0",
    ),
    denied(
        "macvlan",
        v4,
        "",
        "routes.add host 0.0.0.0/0 unicast gateway=10.88.0.1",
    ),
    denied(
        "dummy",
        wide,
        "",
        "routes.add host 64.0.0.0/2 unicast gateway=10.88.0.5",
    ),
    denied(
        "dummy",
        wide,
        "",
        "routes.add host 203.0.113.0/24 blackhole",
    ),
    denied("dummy", wide, "", "routes.add host 203.0.113.7/32 prohibit"),
    denied(
        "ptp",
        wide,
        PAIR,
        "routes.add host 203.0.113.0/24 unicast gateway=203.0.113.2",
    ),
    denied(
        "ptp",
        wide,
        PAIR,
        "routes.add host 203.0.113.0/24 unicast link=end0 table=255",
    ),
    busy(
        "ptp",
        wide,
        PAIR,
        "routes.add host 203.0.113.0/24 unicast link=end0",
    ),
    busy(
        "ptp",
        wide,
        PAIR,
        "routes.add host 203.0.113.2/32 unicast link=end0",
    ),
    busy(
        "ptp",
        wide,
        PAIR,
        "routes.add host 64.0.0.0/2 unicast link=end0",
    ),
    busy(
        "ptp",
        twin,
        PAIR,
        "routes.add host 10.88.0.250/32 unicast link=end0",
    ),
    busy(
        "ptp",
        twin,
        PAIR,
        "routes.add host 10.88.0.7/32 unicast link=end0",
    ),
    busy(
        "ptp",
        || with_end(Connection::v6(NAME)),
        PAIR,
        "routes.add host fd88::2/128 unicast link=end0",
    ),
    // The gateway's address, where the gateway is another machine.
    busy("ptp", twin, PAIR, "addresses.add 1 10.88.0.1/16"),
    busy("ptp", twin, PAIR, "addresses.add 1 10.88.0.1/32"),
    busy(
        "ptp",
        || with_end(Connection::v6(NAME)),
        PAIR,
        "addresses.add 1 fd88::1/64",
    ),
    busy("bridge", bridge, BRIDGE, "addresses.add 0 10.88.0.1/16"),
    busy("bridge", bridge, BRIDGE, "addresses.add 0 fd88::1/64"),
    denied("ptp", twin, PAIR, "addresses.add 1 10.88.0.250/16"),
    denied("ptp", free, PAIR, "addresses.add 1 10.99.0.2/24"),
    // Its settings.
    denied(
        "macvlan",
        v4,
        "",
        "sysctl.set host net.ipv4.conf.p0.route_localnet 1",
    ),
    denied(
        "macvlan",
        v4,
        "",
        "sysctl.set host net.ipv4.conf.all.forwarding 1",
    ),
    denied(
        "ptp",
        free,
        PAIR,
        "sysctl.set host net.ipv4.conf.end0.proxy_arp 1",
    ),
    denied(
        "ptp",
        free,
        PAIR,
        "sysctl.set host net.ipv4.conf.end0.route_localnet 1",
    ),
    denied(
        "ptp",
        free,
        PAIR,
        "sysctl.set host net.ipv4.neigh.end0.proxy_delay 0",
    ),
    denied(
        "ptp",
        free,
        PAIR,
        "sysctl.set host net.ipv4.conf.end0.log_martians 1",
    ),
    denied(
        "macvlan",
        v4,
        MAKE,
        "sysctl.set container net.ipv4.conf.eth0.proxy_arp 1",
    ),
    denied(
        "macvlan",
        v4,
        MAKE,
        "sysctl.set container net.ipv4.conf.eth0.route_localnet 1",
    ),
    denied(
        "macvlan",
        v4,
        MAKE,
        "sysctl.set container net.ipv4.conf.eth0.accept_local 1",
    ),
    denied(
        "macvlan",
        v4,
        MAKE,
        "sysctl.set container net.ipv6.conf.eth0.forwarding 1",
    ),
    // Its firewall.
    denied("ptp", free, PAIR, "firewall.masquerade 10.99.0.0/24"),
    denied("ptp", free, PAIR, "firewall.masquerade 10.99.0.3/32"),
    denied("ptp", twin, PAIR, "firewall.masquerade 10.88.0.0/16"),
    busy("ptp", twin, PAIR, "firewall.masquerade 10.88.0.250/32"),
    busy(
        "ptp",
        twin,
        PAIR,
        "firewall.drop incoming 10.88.0.250 protocol=tcp ports=22,22",
    ),
    busy("ptp", twin, PAIR, "firewall.accept incoming 10.88.0.250"),
    denied(
        "ptp",
        free,
        PAIR,
        "firewall.drop incoming 10.88.0.250 protocol=tcp ports=22,22",
    ),
    denied("ptp", free, PAIR, "firewall.drop incoming 10.99.0.1"),
    denied(
        "ptp",
        free,
        PAIR,
        "firewall.source-address 10.99.0.2/32 192.0.2.7",
    ),
    busy("bridge", bridge, BRIDGE, "firewall.masquerade 10.88.0.0/16"),
    denied("bridge", free, GATEWAY, "firewall.masquerade 0.0.0.0/0"),
    denied(
        "bridge",
        free,
        GATEWAY,
        "firewall.masquerade 10.88.0.250/32",
    ),
    denied("bridge", free, GATEWAY, "firewall.drop incoming 10.99.0.1"),
    // Which tables route what.
    denied(
        "macvlan",
        v4,
        "",
        "rules.add host 1 254 source=10.88.0.2/32",
    ),
    denied(
        "macvlan",
        v4,
        "",
        "rules.add host 1 254 source=10.88.0.250/32",
    ),
    denied(
        "bridge",
        free,
        GATEWAY,
        "rules.add host 1 77 source=10.99.0.0/24",
    ),
    // Whom it tells what.
    denied(
        "bridge",
        free,
        GATEWAY,
        "announce.gratuitous-arp 0 10.99.0.1",
    ),
    // Numbers that the user didn't name.
    Attack {
        needs: &[Need::Link(Kind::VlanBridge)],
        ..denied(
            "bridge",
            free,
            "links.create-bridge shared - vlan-filtering=on; links.create-veth -; \
             links.set-master 2 0",
            "bridge-ports.add-vlans 2 7 9",
        )
    },
    Attack {
        needs: &[Need::Link(Kind::Vlan)],
        ..denied(
            "vlan",
            || v4().option("vlan", "7"),
            PARENT,
            "links.create-vlan container - 0 8 dot1q",
        )
    },
    Attack {
        needs: &[Need::Link(Kind::Vxlan)],
        ..denied(
            "vxlan",
            || v4().option("id", "7"),
            PARENT,
            "links.create-vxlan container - 0 8",
        )
    },
    Attack {
        needs: &[Need::Link(Kind::Vrf)],
        ..denied("vrf", bridge, "", "links.create-vrf shared - 77")
    },
    Attack {
        needs: &[Need::Link(Kind::Vrf)],
        error: "invalid",
        ..denied("vrf", bridge, "", "links.create-vrf shared - 254")
    },
];
