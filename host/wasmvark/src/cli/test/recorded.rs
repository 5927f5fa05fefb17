//! The machine of a case that is recorded: what is on the present one.

use std::collections::BTreeMap;

use kernel::{AddressState, FoundRoute, MAIN_TABLE, SurveyedLink};
use types::RouteKind;

use super::machine::{BY_KERNEL, Link, Machine, Namespace, Route};
use crate::plugin::{Seen, SeenNamespace};

/// The index of the loopback link, which each machine has (LOOPBACK_IFINDEX).
const LOOPBACK: u32 = 1;
/// The settings that are recorded, with their files. Drivers turn forwarding on.
const SETTINGS: [(&str, &str); 2] = [
    ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
    (
        "net.ipv6.conf.all.forwarding",
        "/proc/sys/net/ipv6/conf/all/forwarding",
    ),
];

impl Machine {
    /// Returns what was seen, as far as a case can say it.
    pub(in crate::cli) fn of(seen: &Seen) -> Self {
        Self {
            host: Namespace {
                settings: settings(),
                ..namespace(&seen.host)
            },
            container: namespace(&seen.container),
        }
    }
}

fn settings() -> BTreeMap<String, String> {
    let read = SETTINGS.into_iter().filter_map(|(name, file)| {
        // A kernel without IPv6 has no such setting.
        let value = std::fs::read_to_string(file).ok()?;
        Some((name.to_owned(), value.trim().to_owned()))
    });
    read.collect()
}

fn namespace(seen: &SeenNamespace) -> Namespace {
    let names: BTreeMap<u32, String> = seen
        .links
        .iter()
        .map(|(link, _)| &link.info.state)
        .map(|state| (state.index, state.name.to_string()))
        .collect();
    let others = seen.links.iter();
    let others = others.filter(|(link, _)| link.info.state.index != LOOPBACK);
    let routes = seen.routes.iter();
    Namespace {
        links: others
            .map(|(found, addresses)| link(found, addresses, &names))
            .collect(),
        routes: routes.filter_map(|found| route(found, &names)).collect(),
        settings: BTreeMap::new(),
    }
}

fn link(found: &SurveyedLink, addresses: &[AddressState], names: &BTreeMap<u32, String>) -> Link {
    let info = &found.info;
    let state = &info.state;
    let parent = found.tie.filter(|tie| !tie.is_pair && !tie.elsewhere);
    let addresses = addresses.iter().filter(|address| !address.link_scope);
    Link {
        name: state.name.to_string(),
        kind: info.kind.clone(),
        mac: state.mac.map(|mac| mac.to_string()),
        mtu: Some(state.mtu),
        up: state.up,
        carrier: Some(info.carrier),
        addresses: addresses.map(|address| address.address).collect(),
        master: state.master.and_then(|index| names.get(&index).cloned()),
        parent: parent.and_then(|tie| names.get(&tie.index).cloned()),
        vlan_filtering: info.vlan_filtering,
        table: found.table,
        pci: found.pci.as_ref().map(ToString::to_string),
    }
}

/// Returns a route that somebody added. Those that the kernel has for addresses come with
/// these.
fn route(found: &FoundRoute, names: &BTreeMap<u32, String>) -> Option<Route> {
    let (all, route) = (&found.route, &found.route.route);
    let is_plain = route.kind == RouteKind::Unicast && all.next_hops.is_empty();
    if found.protocol == BY_KERNEL || !is_plain {
        return None;
    }
    Some(Route {
        destination: route.destination,
        gateway: route.gateway,
        dev: all.link.and_then(|index| names.get(&index).cloned()),
        metric: route.metric,
        table: Some(all.table).filter(|table| *table != MAIN_TABLE),
    })
}
