//! The bridge driver. Containers are neighbours on a bridge of the host.

mod bridge;
mod options;
mod vlans;

use bridge::Bridge;
use options::{Mode, Options};
use wasmvark_guest::links::{self, Link, VethOptions, VethPair};
use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Request, SetupAnswer};
use wasmvark_guest::{
    Behaviours, Dad, Guest, announce_over_bridge, bridge_ports, check_ipam, check_outside_links,
    dns, export, firewall, forward, has_no_addresses, is_v6, lease, loosen_reverse_path,
    no_name_servers, no_names, proxy_ndp, publish, serve_names, trust, uses_dhcp,
};

struct Driver;
export!(Driver);

impl Guest for Driver {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        Behaviours::parse(&request.options)?;
        let mut changes = Vec::new();
        let options = Options::parse(&request.options)?;
        options::check_addresses(network, &options)?;
        check_outside_links(&request)?;
        changes.extend(bridge::choose_name(&request, &options)?);
        let ipam = options::choose_ipam(network, &options)?;
        if has_no_addresses(network, ipam.as_ref()) {
            changes.push(no_names());
        }
        changes.extend(ipam);
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let options = Options::parse(&request.options)?;
        match uses_dhcp(&request.network) {
            true => options::check_dhcp_mode(&request.network, &options)?,
            false => check_ipam(&request.network)?,
        }
        let behaviours = Behaviours::parse(&request.options)?;
        // It's in place before anything can pass.
        options.filter.apply(&request)?;
        let bridge = bridge::find(&request, &options)?;
        let pair = make_veth(&request, &bridge)?;
        links::set_master(&pair.host, Some(&bridge.link))?;
        configure_port(&pair.host, &options)?;
        if options.spoof_check {
            enable_spoof_check(&pair)?;
        }
        links::set_up(&pair.host)?;
        options.dad.set(&pair.container, &request.network)?;
        behaviours.accept_ra(&pair.container)?;
        behaviours.configure_with(&pair.container, &request, None, options.dad)?;
        behaviours.limit_port(&pair.host)?;
        behaviours.wait_dad(&pair.container)?;
        lease(&pair.container, &bridge.link, &request.network)?;
        if options.mode == Mode::Managed {
            connect(&bridge, &request, &options)?;
        }
        match options.mode {
            Mode::Managed => serve_names(&bridge.link, &request.network)?,
            Mode::Unmanaged if request.network.dns => dns::register(&bridge.link)?,
            Mode::Unmanaged => {}
        }
        // By now the bridge passes on what the container sends, unless STP holds the port.
        match behaviours.announces() {
            Some(true) => announce_over_bridge(&pair, &request.addresses)?,
            None if options.mode == Mode::Managed => {
                announce_if_possible(&pair, &request, &options)?;
            }
            None | Some(false) => {}
        }
        Ok(no_name_servers())
    }

    /// Does nothing. The host removes the links and the container's firewall rules.
    /// With the last container it also removes the bridge and the network's rules.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}

fn make_veth(request: &Request, bridge: &Bridge) -> Result<VethPair, Error> {
    let options = VethOptions {
        name: None,
        host_name: None,
        mac: request.mac.clone(),
        host_mac: None,
        mtu: bridge.mtu,
    };
    let pair = links::create_veth(&options)?;
    loosen_reverse_path(&pair.container)?;
    Ok(pair)
}

/// Announces the addresses that can be used, where no other machine has them. The host
/// and the other containers may still know the MAC address of a container that is gone.
fn announce_if_possible(
    pair: &VethPair,
    request: &Request,
    options: &Options,
) -> Result<(), Error> {
    let addresses = request.addresses.iter();
    let usable = addresses.filter(|address| options.dad == Dad::Off || !is_v6(address));
    let usable: Vec<String> = usable.cloned().collect();
    match announce_over_bridge(pair, &usable) {
        Err(Error::Denied(text)) => Err(Error::Denied(text)),
        // Neighbours find the container without it, after a while.
        _ => Ok(()),
    }
}

/// Connects the network to other networks, and publishes the container's ports.
fn connect(bridge: &Bridge, request: &Request, options: &Options) -> Result<(), Error> {
    forward(request)?;
    proxy_ndp(request)?;
    trust(request, bridge.is_hosts)?;
    match bridge.is_hosts {
        // Others may be in the subnets, too.
        true => options.nat.translate_container(request)?,
        false => options.nat.translate(&request.network)?,
    }
    publish(&bridge.link, request)
}

/// Turns the spoof check on. It's done before the port is up, so that no frame with
/// another MAC address passes.
fn enable_spoof_check(pair: &VethPair) -> Result<(), Error> {
    match links::info(&pair.container)?.mac {
        Some(mac) => firewall::spoof_check(&pair.host, &mac),
        None => Err(Error::Other("a veth without a MAC address".to_owned())),
    }
}

fn configure_port(port: &Link, options: &Options) -> Result<(), Error> {
    if options.hairpin {
        bridge_ports::set_hairpin(port, true)?;
    }
    if options.port_isolation {
        bridge_ports::set_isolated(port, true)?;
    }
    match &options.vlans {
        Some(vlans) => vlans.set_on_port(port),
        None => Ok(()),
    }
}
