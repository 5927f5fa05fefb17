//! The documented configurations that are converted.

use std::fs;

use wasmvark_tests::harness::Need;
use wasmvark_tests::kind::Kind;
use wasmvark_tests::places;
use wasmvark_tests::world::PARENT;

use super::Case;
use super::cases::case;
use super::compare::Meant;
use super::meant::*;

/// A documented configuration, on the world's interface.
fn file(name: &'static str) -> Case {
    let path = places::documents().join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let text = text.replace("eth0", PARENT).replace("enp0s1", PARENT);
    let stem = path.file_stem().unwrap().to_string_lossy();
    let document = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    case(&format!("documented {stem}"), document)
}

/// Those that are converted.
pub(crate) fn all() -> Vec<Case> {
    let l2: &[&[Meant]] = &[AUTOCONF, QUEUES, HOST_QUEUES, LOOSE, LOOSE_ON_HOST];
    let on_parent: &[&[Meant]] = &[AUTOCONF, QUEUES, NDISC];
    let device: &[&[Meant]] = &[AUTOCONF, ALIAS];
    vec![
        file("bridge.conf").meant(ON_BRIDGE),
        file("bridge-l2.conf").meant(l2).meant(&[BRIDGE_MAC]),
        file("bridge-vlan.conf")
            .needs(Need::Link(Kind::VlanBridge))
            .meant(l2)
            .meant(&[VLAN]),
        file("ptp.conf").meant(ON_LINK),
        file("ipvlan.conf")
            .needs(Need::Link(Kind::Ipvlan))
            .meant(on_parent),
        file("vlan.conf")
            .needs(Need::Link(Kind::Vlan))
            .meant(&[AUTOCONF, QUEUES]),
        file("dummy.conf")
            .needs(Need::Link(Kind::Dummy))
            .meant(&[AUTOCONF]),
        file("tap.conf").meant(&[AUTOCONF]),
        file("bandwidth.conflist").meant(&[
            QUEUES,
            POINT_TO_POINT,
            LOOSE,
            LOOSE_ON_HOST,
            SLOW_RATES,
        ]),
        file("firewall.conflist").meant(ON_BRIDGE),
        file("firewall-iptables.conflist").meant(ON_BRIDGE),
        file("completed/macvlan.conf").meant(on_parent),
        file("completed/host-device.conf").meant(device),
        file("completed/host-local.conf")
            .meant(ON_BRIDGE)
            .meant(&[BRIDGE_DAD]),
        file("completed/host-local-single.conf")
            .meant(ON_BRIDGE)
            .meant(&[BRIDGE_DAD]),
        file("completed/host-local-two.conf")
            .meant(ON_BRIDGE)
            .meant(&[BRIDGE_DAD]),
        file("completed/static.conf").meant(on_parent),
        file("completed/tuning.conflist").meant(ON_BRIDGE),
        file("completed/tuning-interface.conflist")
            .meant(&[AUTOCONF, HOST_QUEUES, BRIDGE_NOTIFIES, LOOSE, LOOSE_ON_HOST])
            .meant(&[QUEUE_LENGTH, BOTH_ENDS]),
        file("completed/portmap.conflist").meant(ON_LINK),
        // With portmap-iptables CNI fails.
        file("completed/firewall-chain.conflist").meant(ON_BRIDGE),
        file("completed/firewall-same-bridge.conflist").meant(ON_BRIDGE),
        file("completed/sbr.conflist")
            .meant(on_parent)
            .meant(&[SOURCE_ROUTING]),
        file("completed/vrf.conflist")
            .needs(Need::Link(Kind::Vrf))
            .meant(on_parent)
            .meant(&[VRF]),
    ]
}
