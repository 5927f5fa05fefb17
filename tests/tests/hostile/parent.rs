//! Attacks on the user's parent, and on links that the user didn't name.

use wasmvark_tests::connection::Connection;

use crate::attack::{Attack, Does, Granted, plain, without_parent};

const fn attack(
    name: &'static str,
    driver: &'static str,
    script: &'static str,
    says: &'static [&'static str],
) -> Attack {
    Attack {
        name,
        grant: Granted::Shipped(driver),
        asked: plain,
        does: Does::Setup(script),
        says,
    }
}

const fn granted(
    name: &'static str,
    calls: &'static [(&'static str, &'static str)],
    script: &'static str,
    says: &'static [&'static str],
) -> Attack {
    Attack {
        name,
        grant: Granted::Calls(calls),
        asked: plain,
        does: Does::Setup(script),
        says,
    }
}

fn strangers_parent(connection: Connection) -> Connection {
    connection.network("network_interface", "x0")
}

pub(crate) const ATTACKS: &[Attack] = &[
    attack(
        "is taken over by passthru",
        "macvlan",
        "links.get host p0; links.create-macvlan container eth0 0 passthru",
        &["links.create-macvlan", "denied"],
    ),
    attack(
        "is readdressed",
        "macvlan",
        "links.get host p0; addresses.add 0 10.88.0.2/16",
        &["addresses.add", "denied"],
    ),
    attack(
        "is set up by who may only lie on it",
        "macvlan",
        "links.get host p0; links.set-up 0",
        &["links.set-up", "denied"],
    ),
    attack(
        "is made promiscuous",
        "macvlan",
        "links.get host p0; links.set-promiscuous 0 on",
        &["links.set-promiscuous", "denied"],
    ),
    attack(
        "gets all multicast",
        "vlan",
        "links.get host p0; links.set-all-multicast 0 on",
        &["links.set-all-multicast", "denied"],
    ),
    attack(
        "gets another queue",
        "ipvlan",
        "links.get host p0; links.set-tx-queue-length 0 1",
        &["links.set-tx-queue-length", "denied"],
    ),
    attack(
        "is throttled",
        "macvlan",
        "links.get host p0; traffic.set-tbf 0 8000 1500 10",
        &["traffic.set-tbf", "denied"],
    ),
    attack(
        "is listened to",
        "macvlan",
        "links.get host p0; links.create-ifb container -; traffic.redirect-ingress 0 1",
        &["traffic.redirect-ingress"],
    ),
    attack(
        "announces for the driver",
        "macvlan",
        "links.get host p0; sysctl.set-arp-notify 0 on",
        &["sysctl.set-arp-notify", "denied"],
    ),
    attack(
        "gets another MAC address before it moves",
        "host-device",
        "links.get host p0; links.set-mac 0 02:00:00:00:00:77",
        &["links.set-mac", "denied"],
    ),
    attack(
        "gets another MTU before it moves",
        "host-device",
        "links.get host p0; links.set-mtu 0 1280",
        &["links.set-mtu", "denied"],
    ),
    attack(
        "another one is looked at",
        "host-device",
        "links.get host x0; links.move-to-container 0 eth0",
        &["links.get", "denied"],
    ),
    attack(
        "another one is found by its MAC address",
        "host-device",
        "links.get-by-mac 02:00:00:00:00:f0; links.move-to-container 0 eth0",
        &["links.get-by-mac"],
    ),
    Attack {
        name: "the default route's is moved where none is named",
        grant: Granted::Calls(&[
            ("links.get-default", "{}"),
            ("links.move-to-container", "{}"),
        ]),
        asked: without_parent,
        does: Does::Setup("links.get-default; links.move-to-container 0 eth0"),
        says: &["links.move-to-container", "denied"],
    },
    Attack {
        name: "the default route's is moved in place of the named one",
        grant: Granted::Calls(&[
            ("links.get-default", "{}"),
            ("links.move-to-container", "{}"),
        ]),
        asked: strangers_parent,
        does: Does::Setup("links.get-default; links.move-to-container 0 eth0"),
        says: &["denied"],
    },
    granted(
        "is renamed",
        &[("links.get", "{}"), ("links.rename", "{}")],
        "links.get host p0; links.rename 0 evil",
        &["links.rename", "denied"],
    ),
    granted(
        "is deleted",
        &[("links.get", "{}"), ("links.delete", "{}")],
        "links.get host p0; links.delete 0",
        &["links.delete"],
    ),
    granted(
        "is taken down",
        &[("links.get", "{}"), ("links.set-down", "{}")],
        "links.get host p0; links.set-down 0",
        &["links.set-down", "denied"],
    ),
    granted(
        "gets another name of its own",
        &[("links.get", "{}"), ("links.set-alias", "{}")],
        "links.get host p0; links.set-alias 0 evil",
        &["links.set-alias", "denied"],
    ),
    granted(
        "becomes a port of the driver's bridge",
        &[
            ("links.get", "{}"),
            (
                "links.create-bridge",
                r#"{ link = "br7", place = ["host", "shared"] }"#,
            ),
            ("links.set-master", "{}"),
        ],
        "links.get host p0; links.create-bridge host br7; links.set-master 0 1",
        &["links.set-master", "denied"],
    ),
];
