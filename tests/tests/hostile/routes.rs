//! Routes and rules of the host, and those of the container beyond the request.

use crate::attack::{Attack, Does, Granted, plain};

const fn shipped(name: &'static str, script: &'static str) -> Attack {
    Attack {
        name,
        grant: Granted::Shipped("macvlan"),
        asked: plain,
        does: Does::Setup(script),
        says: &["denied"],
    }
}

const fn by_ptp(name: &'static str, script: &'static str) -> Attack {
    Attack {
        name,
        grant: Granted::Shipped("ptp"),
        asked: plain,
        does: Does::Setup(script),
        says: &["routes.add"],
    }
}

const fn granted(
    name: &'static str,
    calls: &'static [(&'static str, &'static str)],
    script: &'static str,
) -> Attack {
    Attack {
        name,
        grant: Granted::Calls(calls),
        asked: plain,
        does: Does::Setup(script),
        says: &["routes."],
    }
}

pub(crate) const ATTACKS: &[Attack] = &[
    shipped(
        "a neighbour vanishes",
        "routes.add host 10.88.0.5/32 blackhole",
    ),
    shipped(
        "the asked subnet vanishes",
        "routes.add host 10.88.0.0/16 unreachable",
    ),
    shipped(
        "the host has another router",
        "routes.add host 0.0.0.0/0 unicast gateway=10.88.0.200",
    ),
    shipped(
        "half of the Internet has",
        "routes.add host 0.0.0.0/1 unicast gateway=10.88.0.200",
    ),
    shipped(
        "through the parent",
        "routes.add host 198.51.100.0/24 unicast link=p0",
    ),
    shipped(
        "in another table of the host",
        "routes.add host 10.88.0.2/32 unicast gateway=10.88.0.1 table=100",
    ),
    shipped(
        "of several hops",
        "routes.add host 198.51.100.0/24 unicast next-hops=10.88.0.200,p0,1 next-hops=10.88.0.201,p0,1",
    ),
    shipped(
        "the container leads elsewhere",
        "links.get host p0; links.create-macvlan container eth0 0 bridge; \
         addresses.add 1 10.88.0.2/16; links.set-up 1; \
         routes.add container 198.51.100.0/24 unicast gateway=10.88.0.66",
    ),
    shipped(
        "the container has another router",
        "links.get host p0; links.create-macvlan container eth0 0 bridge; \
         addresses.add 1 10.88.0.2/16; links.set-up 1; \
         routes.add container 0.0.0.0/0 unicast gateway=10.88.0.66",
    ),
    shipped(
        "a rule for all of the host",
        "rules.add host 50 100 version=ipv4",
    ),
    shipped(
        "a rule for a neighbour",
        "rules.add host 50 100 source=10.88.0.5/32",
    ),
    by_ptp(
        "the host's own address",
        "links.create-veth -; links.set-up 0; links.set-up 1; \
         routes.add host 10.88.0.250/32 unicast gateway=10.88.0.2",
    ),
    by_ptp(
        "the container's, as a hole",
        "links.create-veth -; links.set-up 1; routes.add host 10.88.0.2/32 blackhole",
    ),
    by_ptp(
        "the container's, through the parent",
        "links.create-veth -; links.set-up 1; \
         routes.add host 10.88.0.2/32 unicast link=p0",
    ),
    by_ptp(
        "the subnet that the host is connected to",
        "links.create-veth -; links.set-up 0; links.set-up 1; \
         routes.add host 10.88.0.0/16 unicast gateway=10.88.0.2",
    ),
    granted(
        "the connected one is replaced",
        &[("routes.replace", "{}")],
        "routes.replace host 10.88.0.0/16 unicast gateway=10.88.0.200",
    ),
    granted(
        "the default one is replaced",
        &[("routes.replace", r#"{ destination = "0.0.0.0/0" }"#)],
        "routes.replace host 0.0.0.0/0 unicast gateway=10.88.0.200",
    ),
    granted(
        "the default one is removed",
        &[("routes.remove", "{}")],
        "routes.remove host 0.0.0.0/0 unicast gateway=10.88.0.1",
    ),
];
