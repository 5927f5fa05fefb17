//! Addresses of others on the driver's own links.

use crate::attack::{Attack, Does, Granted, plain};

const MACVLAN: &str = "macvlan";

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

pub(crate) const ATTACKS: &[Attack] = &[
    attack(
        "a neighbour's",
        MACVLAN,
        "links.get host p0; links.create-macvlan container eth0 0 bridge; \
         addresses.add 1 10.88.0.77/16",
        &["addresses.add", "denied"],
    ),
    attack(
        "the host's",
        MACVLAN,
        "links.get host p0; links.create-macvlan container eth0 0 bridge; \
         addresses.add 1 10.88.0.250/16",
        &["addresses.add", "denied"],
    ),
    attack(
        "the asked one with half of the Internet",
        MACVLAN,
        "links.get host p0; links.create-macvlan container eth0 0 bridge; \
         addresses.add 1 10.88.0.2/1",
        &["addresses.add", "denied"],
    ),
    attack(
        "a neighbour's after the asked one",
        MACVLAN,
        "links.get host p0; links.create-macvlan container eth0 0 bridge; \
         addresses.add 1 10.88.0.2/16; addresses.add 1 10.88.0.3/16",
        &["addresses.add", "denied"],
    ),
    attack(
        "the gateway's where the host is connected",
        "ptp",
        "links.create-veth -; addresses.add 1 10.88.0.1/16",
        &["addresses.add"],
    ),
    attack(
        "the gateway's as one of its own",
        "ptp",
        "links.create-veth -; addresses.add 1 10.88.0.1/32",
        &["addresses.add"],
    ),
    attack(
        "the container's on the host",
        "ptp",
        "links.create-veth -; addresses.add 1 10.88.0.2/16",
        &["addresses.add"],
    ),
    Attack {
        name: "announced in the gateway's name",
        grant: Granted::Calls(&[
            ("links.get", "{}"),
            ("links.create-macvlan", "{}"),
            ("links.set-up", "{}"),
            ("announce.gratuitous-arp", "{}"),
        ]),
        asked: plain,
        does: Does::Setup(
            "links.get host p0; links.create-macvlan container eth0 0 bridge; links.set-up 1; \
             announce.gratuitous-arp 1 10.88.0.1",
        ),
        says: &["announce.gratuitous-arp", "denied"],
    },
    Attack {
        name: "announced from the parent",
        grant: Granted::Calls(&[("links.get", "{}"), ("announce.gratuitous-arp", "{}")]),
        asked: plain,
        does: Does::Setup("links.get host p0; announce.gratuitous-arp 0 10.88.0.2"),
        says: &["announce.gratuitous-arp", "denied"],
    },
    Attack {
        name: "a false neighbour on the parent",
        grant: Granted::Calls(&[("links.get", "{}"), ("neighbours.add", "{}")]),
        asked: plain,
        does: Does::Setup("links.get host p0; neighbours.add 0 10.88.0.1 02:00:00:00:00:77"),
        says: &["neighbours.add", "denied"],
    },
    Attack {
        name: "answered for on the parent",
        grant: Granted::Calls(&[("links.get", "{}"), ("neighbours.add-proxy", "{}")]),
        asked: plain,
        does: Does::Setup("links.get host p0; neighbours.add-proxy 0 10.88.0.1"),
        says: &["neighbours.add-proxy", "denied"],
    },
];
