//! The options that the host reads itself, whichever driver a network has.

use super::kind::Kind;

/// Those that every network and container can have.
const ALWAYS: [(&str, Kind); 3] = [
    ("metric", Kind::Integer),
    ("mtu", Kind::Integer),
    ("no_default_route", Kind::Bool),
];

/// Those that a driver may take. The host refuses other values of them before it knows
/// which driver it is for.
const TYPED: [(&str, Kind); 8] = [
    ("host_interface_name", Kind::Link),
    ("hwaddr", Kind::Mac),
    ("kernelpath", Kind::DevicePath),
    ("parent", Kind::Link),
    ("pci", Kind::PciAddress),
    ("publish_interface", Kind::Link),
    ("vrf", Kind::Link),
    ("vrf_name", Kind::Link),
];

/// Returns the type of an option that the host reads.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let mut all = ALWAYS.iter().chain(&TYPED);
    all.find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// Returns the options that every network and container can have.
pub(super) fn always() -> impl Iterator<Item = (&'static str, Kind)> {
    ALWAYS.into_iter()
}
