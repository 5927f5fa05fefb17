//! Links in forbidden places: on the host, shared by all containers of a network, or
//! with a number that the user didn't name.

use crate::attack::{Attack, Does, Granted, plain};

const fn makes(name: &'static str, driver: &'static str, script: &'static str) -> Attack {
    Attack {
        name,
        grant: Granted::Shipped(driver),
        asked: plain,
        does: Does::Setup(script),
        says: &["links.create-", "denied"],
    }
}

pub(crate) const ATTACKS: &[Attack] = &[
    makes(
        "a macvlan on the host",
        "macvlan",
        "links.get host p0; links.create-macvlan host - 0 bridge",
    ),
    makes(
        "a macvlan for all containers",
        "macvlan",
        "links.get host p0; links.create-macvlan shared - 0 bridge",
    ),
    makes(
        "a macvlan on the host after an honest one",
        "macvlan",
        "links.get host p0; links.create-macvlan container eth0 0 bridge; links.set-up 1; \
         links.create-macvlan host - 0 bridge",
    ),
    makes(
        "another kind than the granted one",
        "macvlan",
        "links.get host p0; links.create-macvtap container eth0 0 bridge",
    ),
    makes(
        "an ipvlan on the host",
        "ipvlan",
        "links.get host p0; links.create-ipvlan host - 0 l2 bridge",
    ),
    makes(
        "a VLAN on the host",
        "vlan",
        "links.get host p0; links.create-vlan host - 0 77 dot1q",
    ),
    makes(
        "a VLAN that nobody asked for",
        "vlan",
        "links.get host p0; links.create-vlan container eth0 0 77 dot1q",
    ),
    makes(
        "a VXLAN on the host",
        "vxlan",
        "links.create-vxlan host - - 77",
    ),
    makes(
        "a VXLAN that nobody asked for",
        "vxlan",
        "links.create-vxlan container eth0 - 77",
    ),
    makes("a dummy on the host", "dummy", "links.create-dummy host -"),
    makes(
        "a dummy for all containers",
        "dummy",
        "links.create-dummy shared -",
    ),
    makes("an ifb on the host", "dummy", "links.create-ifb host -"),
    makes("a tap on the host", "tap", "links.create-tap host -"),
    makes("a VRF on the host", "vrf", "links.create-vrf host - 1000"),
    makes(
        "a tunnel on the host",
        "wireguard",
        "links.create-wireguard host -",
    ),
    makes(
        "a bridge by a driver without one",
        "ptp",
        "links.create-bridge shared -",
    ),
    makes(
        "a bridge for one container",
        "bridge",
        "links.create-bridge host -",
    ),
];
