//! The ptp driver. Each container has a link of its own to the host, which routes
//! between containers and to other networks.
//!
//! It's like CNI's plugin ptp. The host's end has the gateways' addresses without their
//! networks, and a route to each address of the container. The container reaches the
//! gateways directly, and its subnets through them.

mod container;
mod host;
mod subnets;

use wasmvark_guest::links::{self, VethOptions};
use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Request, SetupAnswer};
use wasmvark_guest::{
    Behaviours, Dad, Filter, Guest, Nat, allocate_subnets, check_ipam, check_outside_links,
    close_internal, export, forward, has_no_addresses, loosen_reverse_path, no_name_servers,
    no_names, proxy_ndp, publish, routed_mtu, serve_names, trust,
};

/// The default of the option `masquerade`, as in CNI.
const MASQUERADE: bool = false;

struct Ptp;
export!(Ptp);

impl Guest for Ptp {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        Behaviours::parse(&request.options)?;
        Nat::parse(&request.options, MASQUERADE)?;
        Filter::parse(&request.options)?;
        check_outside_links(&request)?;
        // Podman adds the gateways of other networks after `create`.
        if network.internal {
            subnets::check_gateways(network)?;
        }
        // The host's end needs the gateway in internal networks, too.
        let ipam = allocate_subnets(network, true)?;
        let mut changes = Vec::new();
        if has_no_addresses(network, ipam.as_ref()) {
            changes.push(no_names());
        }
        changes.extend(ipam);
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let network = &request.network;
        check_ipam(network)?;
        subnets::check_gateways(network)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let dad = Dad::Off.or_given(&request.options)?;
        let veth = VethOptions {
            name: None,
            host_name: None,
            mac: request.mac.clone(),
            host_mac: None,
            mtu: routed_mtu(network, None)?,
        };
        let pair = links::create_veth(&veth)?;
        // These are in place before anything can pass.
        close_internal(&pair.host, network)?;
        Filter::parse(&request.options)?.apply(&request)?;
        for end in [&pair.host, &pair.container] {
            loosen_reverse_path(end)?;
        }
        host::configure(&pair.host, &request, dad)?;
        container::configure(&pair.container, &request, &behaviours, dad)?;
        behaviours.limit_port(&pair.host)?;
        behaviours.wait_dad(&pair.container)?;
        forward(&request)?;
        proxy_ndp(&request)?;
        trust(&request, true)?;
        Nat::parse(&request.options, MASQUERADE)?.translate_container(&request)?;
        publish(&pair.host, &request)?;
        serve_names(&pair.host, network)?;
        Ok(no_name_servers())
    }

    /// Does nothing. The host removes the links with their routes and addresses, and
    /// the firewall rules.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}
