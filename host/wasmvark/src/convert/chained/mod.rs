//! Plugins that change the link of the plugin before them.

mod bandwidth;
mod firewall;
mod portmap;
mod sbr;
mod tuning;
mod vrf;

use super::ConvertError;
use super::keys::Keys;
use super::plan::Plan;

type Apply = fn(&mut Keys, &mut Plan) -> Result<(), ConvertError>;

/// The plugins, each with its function.
const CHAINED: &[(&str, Apply)] = &[
    ("bandwidth", bandwidth::apply),
    ("firewall", firewall::apply),
    ("portmap", portmap::apply),
    ("sbr", sbr::apply),
    ("tuning", tuning::apply),
    ("vrf", vrf::apply),
];

/// Whether a plugin is a chained one.
pub(super) fn is_known(kind: &str) -> bool {
    CHAINED.iter().any(|(name, _)| *name == kind)
}

/// Changes the plan as the plugin changes the link.
pub(super) fn apply(kind: &str, keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    match CHAINED.iter().find(|(name, _)| *name == kind) {
        Some((_, apply)) => apply(keys, plan),
        None => Err(ConvertError::UnknownPlugin(kind.to_owned())),
    }
}
