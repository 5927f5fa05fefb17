//! The network's bridge.

use wasmvark_guest::links::{self, BridgeOptions, Link};
use wasmvark_guest::types::{Error, Namespace, Network, NetworkChange, Place};
use wasmvark_guest::{addresses, move_parent_option};

use crate::options::Mode;

/// How many characters of the network's id go into a bridge's name, which has
/// at most 15.
const ID_CHARACTERS: usize = 12;

/// At `create`: the name that the user gave, or for a managed bridge one that
/// follows from the network's id.
pub(crate) fn choose_name(network: &Network, mode: Mode) -> Result<Vec<NetworkChange>, Error> {
    match (&network.parent, mode) {
        (Some(_), Mode::Managed) => Ok(move_parent_option(network)),
        (Some(name), Mode::Unmanaged) => {
            links::get(Namespace::Host, name)?;
            Ok(move_parent_option(network))
        }
        (None, Mode::Managed) => {
            let id: String = network.id.chars().take(ID_CHARACTERS).collect();
            Ok(vec![NetworkChange::NetworkInterface(format!("wv-{id}"))])
        }
        (None, Mode::Unmanaged) => Err(no_bridge()),
    }
}

/// At `setup`: the bridge, made and with the gateways' addresses where it's
/// managed.
pub(crate) fn find(network: &Network, mode: Mode) -> Result<Link, Error> {
    let name = network.parent.as_deref().ok_or_else(no_bridge)?;
    if mode == Mode::Unmanaged {
        return links::get(Namespace::Host, name);
    }
    let options = BridgeOptions {
        vlan_filtering: false,
        mac: None,
        mtu: network.mtu,
    };
    let bridge = links::create_bridge(Place::Shared, None, &options)?;
    for address in gateways(network) {
        match addresses::add(&bridge, &address, None) {
            // From the network's first container.
            Err(Error::Exists(_)) => {}
            result => result?,
        }
    }
    links::set_up(&bridge)?;
    Ok(bridge)
}

fn no_bridge() -> Error {
    Error::Invalid(
        "no bridge is specified: give --interface-name NAME or -o parent=NAME".to_owned(),
    )
}

/// The gateways of the subnets with their prefix lengths.
fn gateways(network: &Network) -> impl Iterator<Item = String> {
    network.subnets.iter().filter_map(|subnet| {
        let (_, prefix) = subnet.subnet.split_once('/')?;
        let gateway = subnet.gateway.as_deref()?;
        Some(format!("{gateway}/{prefix}"))
    })
}
