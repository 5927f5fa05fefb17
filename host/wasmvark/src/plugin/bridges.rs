//! The bridges of other networks. No network may use one as its own.

use std::time::{Duration, Instant};

use kernel::{LinksRead, Netlink, NetnsId, Timed};
use policy::{Call, Grant, RequestReach};
use request::{Network, protocol};
use types::{LinkName, Namespace, NetworkId};

use super::load::Loaded;
use crate::podman::networks as podman_networks;
use crate::store::{DriverName, KeptNetworks, Layout, Store};

/// Podman's own bridge driver.
const BUILT_IN: &str = "bridge";
/// The value of the option `mode` of networks on a bridge that somebody else manages.
const UNMANAGED: &str = "unmanaged";

/// The time that a look at the link may take.
const LOOK_TIME: Duration = Duration::from_secs(10);

/// Notes the network that has the bridge or the VLAN of a request's name, if the driver
/// could use it and a link has that name.
pub(super) fn note(
    reach: &mut RequestReach,
    loaded: &Loaded,
    network: &NetworkId,
    (host, kernel): (NetnsId, &mut Netlink),
) {
    let Some(bridge) = reach.parent.clone() else {
        return;
    };
    if !makes_bridges(&loaded.grant) && reach.vlan_parent().is_none() {
        return;
    }
    kernel.set_deadline(Instant::now() + LOOK_TIME);
    let there = kernel.link_by_name(Namespace::Host, &bridge);
    if there.is_err_and(|error| error.is_not_found()) {
        return;
    }
    reach.bridge_of = in_use(loaded.store.layout(), &bridge, host, network);
}

/// Whether a driver can make or use a bridge of the host.
pub(super) fn makes_bridges(grant: &Grant) -> bool {
    let calls = [Call::LinksUseBridge, Call::LinksCreateBridge];
    calls.iter().any(|call| grant.calls().contains_key(call))
}

/// Returns the name of another network that has a bridge of the host: its containers
/// made it or use it, or it is of Podman's own driver.
fn in_use(
    layout: &Layout,
    bridge: &LinkName,
    host: NetnsId,
    network: &NetworkId,
) -> Option<String> {
    let maker = journal::maker_of(&layout.journals(), bridge, host, network);
    match maker {
        Some(maker) if maker == *network => None,
        Some(maker) => Some(name_of(layout, &maker)),
        None => planned(bridge, network, |driver| driver == BUILT_IN),
    }
}

/// Returns the name of another network of Podman's that is to have a bridge.
pub(super) fn wanted(store: &Store, network: &Network) -> Option<String> {
    let bridge = network.parent_name()?;
    planned(bridge, &network.id, |driver| {
        driver == BUILT_IN || is_of_bridges(store, driver)
    })
}

/// Returns the name of another network, by Podman's files. None can be told if one of
/// them can't be read.
fn planned(
    bridge: &LinkName,
    except: &NetworkId,
    has_bridges: impl Fn(&str) -> bool,
) -> Option<String> {
    let folder = podman_networks::folder(None)?;
    let networks = podman_networks::all(&folder).ok()?.into_iter();
    let mut networks = networks.map(|found| found.network);
    let is_it = |other: &protocol::Network| {
        let is_managed = other
            .options
            .get("mode")
            .is_none_or(|mode| mode != UNMANAGED);
        other.network_interface.as_deref() == Some(bridge.as_str())
            && other.id != except.as_str()
            && is_managed
            && has_bridges(&other.driver)
    };
    networks.find(is_it).map(|other| other.name)
}

/// Whether a driver of this installation makes bridges.
fn is_of_bridges(store: &Store, driver: &str) -> bool {
    let Ok(name) = driver.parse::<DriverName>() else {
        return false;
    };
    let Ok(Some(text)) = store.grant_text(&name) else {
        return false;
    };
    let path = store.layout().grant(&name);
    Grant::parse(name.as_str(), &path, &text).is_ok_and(|grant| makes_bridges(&grant))
}

/// Returns a network's name, or else its id.
fn name_of(layout: &Layout, id: &NetworkId) -> String {
    match KeptNetworks::new(layout).find(id) {
        Ok(Some(kept)) => kept.network.name,
        _ => id.to_string(),
    }
}
