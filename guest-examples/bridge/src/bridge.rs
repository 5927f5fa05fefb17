//! The network's bridge.

use wasmvark_guest::links::{self, BridgeOptions, Link};
use wasmvark_guest::types::{
    CreateRequest, Error, Namespace, Network, NetworkChange, Place, Request,
};
use wasmvark_guest::{
    addresses, close_internal, firewall, gateways, ignore_router_advertisements,
    loosen_reverse_path, move_parent_option, routed_mtu, stable_mac,
};

use crate::options::{Mode, Options};

/// The bridge that a container's link is a port of.
pub(crate) struct Bridge {
    pub(crate) link: Link,
    /// The MTU for the containers' links.
    pub(crate) mtu: Option<u32>,
    /// Whether it is an existing bridge of the host.
    pub(crate) is_hosts: bool,
}

/// Returns the changes that set the bridge's name at `create`: the user's name, or for
/// a managed bridge one that the host chooses. Checks that an unmanaged bridge and the
/// VRF exist.
pub(crate) fn choose_name(
    request: &CreateRequest,
    options: &Options,
) -> Result<Vec<NetworkChange>, Error> {
    if let Some(vrf) = &options.vrf {
        find_vrf(vrf)?;
    }
    match (&request.network.parent, options.mode) {
        (Some(_), Mode::Managed) => {
            // Another network may have it, or it's no bridge.
            links::use_bridge(false)?;
            Ok(move_parent_option(&request.options))
        }
        (Some(name), Mode::Unmanaged) => {
            find_existing(name, options)?;
            Ok(move_parent_option(&request.options))
        }
        // With an empty name, the host chooses a free one.
        (None, Mode::Managed) => Ok(vec![NetworkChange::NetworkInterface(String::new())]),
        (None, Mode::Unmanaged) => Err(no_bridge()),
    }
}

/// Finds or makes the bridge at `setup`.
pub(crate) fn find(request: &Request, options: &Options) -> Result<Bridge, Error> {
    let network = &request.network;
    let name = network.parent.as_deref().ok_or_else(no_bridge)?;
    let bridge = match options.mode {
        Mode::Managed => use_or_make(request, options)?,
        Mode::Unmanaged => find_existing(name, options)?,
    };
    // 0 means the default, as in netavark's drivers.
    let given = network.mtu.filter(|mtu| *mtu != 0);
    Ok(Bridge {
        mtu: given.or(bridge.mtu),
        ..bridge
    })
}

/// Uses the existing bridge that the user named, or makes the network's own.
fn use_or_make(request: &Request, options: &Options) -> Result<Bridge, Error> {
    match links::use_bridge(options.vlans.is_some())? {
        Some(link) => use_existing(link, request, options),
        None => make(request, options),
    }
}

/// Prepares an existing bridge. It gets the gateways' addresses only if no other machine
/// can have them: if the bridge has neither other ports nor an address in the subnet.
///
/// Its MTU, its VRF and its own VLANs stay as they are.
fn use_existing(link: Link, request: &Request, options: &Options) -> Result<Bridge, Error> {
    let info = links::info(&link)?;
    if let Some(vrf) = &options.vrf {
        check_master(&info.name, vrf)?;
    }
    keep_apart(&link, &request.network, options)?;
    if options.promiscuous {
        links::set_promiscuous(&link, true)?;
    }
    if links::ports(&link)?.is_empty() {
        ignore_router_advertisements(&link)?;
    }
    add_gateways(&link, request, options)?;
    links::set_up(&link)?;
    Ok(Bridge {
        link,
        mtu: Some(info.mtu),
        is_hosts: true,
    })
}

/// Checks that an existing bridge is in the VRF.
fn check_master(bridge: &str, vrf: &str) -> Result<(), Error> {
    let ports = links::ports(&find_vrf(vrf)?)?;
    match ports.iter().any(|port| port == bridge) {
        true => Ok(()),
        false => Err(Error::Invalid(format!(
            "bridge {bridge} is there already and isn't in VRF {vrf}: put it there (`ip link set \
             {bridge} master {vrf}`), or leave the option vrf out"
        ))),
    }
}

/// Gives the bridge the gateways' addresses.
fn add_gateways(link: &Link, request: &Request, options: &Options) -> Result<(), Error> {
    for address in gateways(&request.network) {
        match addresses::add(link, &address, Some(options.dad.address_options())) {
            // An earlier container of the network added it, or another machine may have
            // it.
            Err(Error::Exists(_)) => {}
            result => result?,
        }
    }
    Ok(())
}

/// Makes the network's bridge with the gateways' addresses. The network's containers
/// share it.
fn make(request: &Request, options: &Options) -> Result<Bridge, Error> {
    let network = &request.network;
    let vrf = options.vrf.as_deref().map(find_vrf).transpose()?;
    let how = BridgeOptions {
        mac: Some(stable_mac(request)),
        mtu: routed_mtu(network, vrf.as_ref())?,
        vlan_filtering: options.vlans.is_some(),
    };
    let link = links::create_bridge(Place::Shared, None, &how)?;
    keep_apart(&link, network, options)?;
    loosen_reverse_path(&link)?;
    // This comes before the addresses, because the kernel removes IPv6 addresses of a
    // link that joins a VRF.
    if let Some(vrf) = &vrf {
        links::set_master(&link, Some(vrf))?;
    }
    if let Some(vlans) = &options.vlans {
        vlans.set_on_bridge(&link)?;
    }
    if options.promiscuous {
        links::set_promiscuous(&link, true)?;
    }
    ignore_router_advertisements(&link)?;
    match options.dad.set(&link, network) {
        // An earlier version made the bridge, and other containers have it.
        Err(Error::Busy(_)) => {}
        result => result?,
    }
    add_gateways(&link, request, options)?;
    links::set_up(&link)?;
    // An earlier container may have made it, when the default route was another one.
    let mtu = Some(links::info(&link)?.mtu);
    Ok(Bridge {
        link,
        mtu,
        is_hosts: false,
    })
}

/// Keeps the network apart from others, before anything can pass the bridge.
fn keep_apart(bridge: &Link, network: &Network, options: &Options) -> Result<(), Error> {
    match network.internal {
        true => close_internal(bridge, network),
        false => firewall::isolate(bridge, options.isolation),
    }
}

/// Finds an existing bridge, with its MTU. A port with a smaller MTU could reduce the
/// bridge's.
fn find_existing(name: &str, options: &Options) -> Result<Bridge, Error> {
    let missing = "in unmanaged mode, the bridge must already exist on the host";
    let link = find_link(name, missing)?;
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
            is_hosts: true,
        }),
    }
}

/// Finds a link of the host. If it's missing, the error begins with netavark's.
fn find_link(name: &str, missing: &str) -> Result<Link, Error> {
    match links::get(Namespace::Host, name) {
        Err(Error::NotFound(why)) => Err(Error::NotFound(format!(
            "{missing}: Netlink error: No such device (os error 19); {why}"
        ))),
        result => result,
    }
}

fn find_vrf(name: &str) -> Result<Link, Error> {
    let link = find_link(name, "get vrf to set up bridge interface")?;
    match links::info(&link)?.kind.as_deref() {
        Some("vrf") => Ok(link),
        _ => Err(Error::Invalid(format!("{name} is no VRF"))),
    }
}

fn no_bridge() -> Error {
    Error::Invalid(
        "no bridge is specified: give --interface-name NAME or -o parent=NAME".to_owned(),
    )
}
