//! The network's bridge.

use wasmvark_guest::links::{self, BridgeOptions, Link};
use wasmvark_guest::types::{Error, Namespace, Network, NetworkChange, Place, Request};
use wasmvark_guest::{addresses, gateways, ignore_router_advertisements, move_parent_option};

use crate::options::{Mode, Options};

/// The bridge that a container's link is plugged into.
pub(crate) struct Bridge {
    pub(crate) link: Link,
    /// The MTU of its containers' links, where it's known.
    pub(crate) mtu: Option<u32>,
}

/// At `create`: the name that the user gave, or for a managed bridge one that
/// the host chooses. What must be there already is looked for.
pub(crate) fn choose_name(
    network: &Network,
    options: &Options,
) -> Result<Vec<NetworkChange>, Error> {
    if let Some(vrf) = &options.vrf {
        find_vrf(vrf)?;
    }
    match (&network.parent, options.mode) {
        (Some(_), Mode::Managed) => Ok(move_parent_option(network)),
        (Some(name), Mode::Unmanaged) => {
            find_others(name, options)?;
            Ok(move_parent_option(network))
        }
        // A free name that the host chooses.
        (None, Mode::Managed) => Ok(vec![NetworkChange::NetworkInterface(String::new())]),
        (None, Mode::Unmanaged) => Err(no_bridge()),
    }
}

/// At `setup`.
pub(crate) fn find(request: &Request, options: &Options) -> Result<Bridge, Error> {
    let network = &request.network;
    let name = network.parent.as_deref().ok_or_else(no_bridge)?;
    let bridge = match options.mode {
        Mode::Managed => make(request, options)?,
        Mode::Unmanaged => find_others(name, options)?,
    };
    // 0 stands for the default, as with netavark's drivers.
    let given = network.mtu.filter(|mtu| *mtu != 0);
    Ok(Bridge {
        mtu: given.or(bridge.mtu),
        ..bridge
    })
}

/// The network's own bridge with the gateways' addresses: made for the first
/// container, and the same for the others.
fn make(request: &Request, options: &Options) -> Result<Bridge, Error> {
    let network = &request.network;
    let how = BridgeOptions {
        mac: stable_mac(&request.container_id),
        mtu: network.mtu,
        vlan_filtering: options.vlans.is_some(),
    };
    let link = links::create_bridge(Place::Shared, None, &how)?;
    // Before the addresses: the kernel drops IPv6 ones on the way to a VRF.
    if let Some(vrf) = &options.vrf {
        links::set_master(&link, Some(&find_vrf(vrf)?))?;
    }
    if let Some(vlans) = &options.vlans {
        vlans.reach_bridge(&link)?;
    }
    if options.promiscuous {
        links::set_promiscuous(&link, true)?;
    }
    ignore_router_advertisements(&link)?;
    for address in gateways(network) {
        match addresses::add(&link, &address, None) {
            // From the network's first container.
            Err(Error::Exists(_)) => {}
            result => result?,
        }
    }
    links::set_up(&link)?;
    Ok(Bridge { link, mtu: None })
}

/// A bridge that is there already. A port with a smaller MTU than its own could
/// make that smaller.
fn find_others(name: &str, options: &Options) -> Result<Bridge, Error> {
    let link = links::get(Namespace::Host, name)?;
    let info = links::info(&link)?;
    match info.vlan_filtering {
        None => Err(Error::Invalid(format!("{name} is no bridge"))),
        Some(false) if options.vlans.is_some() => Err(Error::Invalid(format!(
            "bridge {name} doesn't filter VLANs, so its ports can't be in some of them: `ip link \
             set {name} type bridge vlan_filtering 1` turns that on"
        ))),
        Some(_) => Ok(Bridge {
            link,
            mtu: Some(info.mtu),
        }),
    }
}

fn find_vrf(name: &str) -> Result<Link, Error> {
    let link = links::get(Namespace::Host, name)?;
    match links::info(&link)?.kind.as_deref() {
        Some("vrf") => Ok(link),
        _ => Err(Error::Invalid(format!("{name} is no VRF"))),
    }
}

/// A MAC address that stays. One of the kernel's choice changes with the ports,
/// and whoever knew the old one sends to nowhere for a while
/// (containers/netavark#843). The container's id is random.
fn stable_mac(container_id: &str) -> Option<String> {
    let octet = |at: usize| {
        let digits = container_id.get(2 * at..2 * at + 2)?;
        let is_hex = digits.chars().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then_some(digits)
    };
    let octets: Option<Vec<&str>> = (0..5).map(octet).collect();
    // 02 stands for an address that nobody was assigned.
    Some(format!("02:{}", octets?.join(":")))
}

fn no_bridge() -> Error {
    Error::Invalid(
        "no bridge is specified: give --interface-name NAME or -o parent=NAME".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stable_mac_comes_from_an_id_of_hexadecimal_digits() {
        assert_eq!(
            stable_mac("c0ffee9a8e8f6092"),
            Some("02:c0:ff:ee:9a:8e".to_owned())
        );
        for other in ["c0ffee9a8", "", "my-container", "ünïcödé-öäü"] {
            assert_eq!(stable_mac(other), None, "{other}");
        }
    }
}
