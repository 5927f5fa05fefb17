//! CNI documents as networks of this project's drivers. A document of CNI's reference
//! plugins becomes a [`Plan`]. The module runs nothing, and doesn't know which drivers
//! are installed.
//!
//! Each key of a document is converted or noted: `Keys` has the ones that no function
//! took. If CNI's documentation leaves a question open, the plugins' sources
//! (`containernetworking/plugins`) answer it.

mod bridge;
mod chained;
mod device;
mod document;
mod error;
mod ipam;
mod keys;
mod on_parent;
mod plain;
mod plan;
mod ptp;
mod quote;
mod routes;
mod shared;

pub(crate) use error::ConvertError;
pub(crate) use plan::{NoteKind, Plan};
pub(crate) use quote::quoted;
pub(crate) use shared::part_bridges;

use document::{Document, Plugin};
use ipam::Ipam;

/// The plugins that make a link, each with the function that plans its network.
const MAIN: &[(&str, Convert)] = &[
    ("bridge", bridge::convert),
    ("dummy", plain::dummy),
    ("host-device", device::convert),
    ("ipvlan", on_parent::ipvlan),
    ("macvlan", on_parent::macvlan),
    ("ptp", ptp::convert),
    ("tap", plain::tap),
    ("vlan", on_parent::vlan),
];

type Convert = fn(&mut keys::Keys, &Ipam, &mut Plan) -> Result<(), ConvertError>;

/// Plans the network of a CNI document: a list of plugins (`.conflist`) or one
/// plugin (`.conf`).
pub(crate) fn plan(text: &str) -> Result<Plan, ConvertError> {
    let document = Document::parse(text)?;
    let mut plan = Plan::new(document.name);
    plan.notes = document.notes;
    let mut plugins = document.plugins.into_iter();
    match plugins.next() {
        Some(first) => make(first, &mut plan)?,
        None => return Err(ConvertError::NoPlugins),
    }
    for plugin in plugins {
        chain(plugin, &mut plan)?;
    }
    plan.check()?;
    Ok(plan)
}

/// Converts the plugin that makes the link.
fn make(mut plugin: Plugin, plan: &mut Plan) -> Result<(), ConvertError> {
    let kind = plugin.kind.as_str();
    let Some((_, convert)) = MAIN.iter().find(|(name, _)| *name == kind) else {
        return Err(match kind {
            "loopback" => ConvertError::Loopback,
            kind if chained::is_known(kind) => ConvertError::NothingToChange(plugin.kind),
            _ => ConvertError::UnknownPlugin(plugin.kind),
        });
    };
    let keys = &mut plugin.keys;
    let ipam = Ipam::take(keys, plan)?;
    document::common(keys, plan)?;
    convert(keys, &ipam, plan)?;
    plan.unknown(&plugin.kind, &plugin.keys);
    Ok(())
}

/// Converts a plugin that changes the link.
fn chain(mut plugin: Plugin, plan: &mut Plan) -> Result<(), ConvertError> {
    let kind = plugin.kind.as_str();
    if !chained::is_known(kind) {
        return Err(match kind {
            "loopback" => ConvertError::Loopback,
            kind if MAIN.iter().any(|(name, _)| *name == kind) => {
                ConvertError::SecondLink(plugin.kind)
            }
            _ => ConvertError::UnknownPlugin(plugin.kind),
        });
    }
    document::common(&mut plugin.keys, plan)?;
    chained::apply(kind, &mut plugin.keys, plan)?;
    plan.unknown(&plugin.kind, &plugin.keys);
    Ok(())
}

#[cfg(test)]
mod tests;
