//! The vrf driver. Each container gets a link of its own on a link of the host. The
//! link is in a VRF, so it has a routing table for itself.

mod options;

use options::Options;
use wasmvark_guest::links::{self, Link, MacvlanOptions};
use wasmvark_guest::routes::RouteOptions;
use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Place, Request, SetupAnswer};
use wasmvark_guest::{
    Behaviours, Dad, Guest, PARENT_METRIC, PLAIN_ROUTE, WithoutSubnets, check_ipam, configure_with,
    create_on_parent, export, find_parent, no_name_servers,
};

struct Vrf;
export!(Vrf);

impl Guest for Vrf {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        let changes = create_on_parent(&request, WithoutSubnets::Refuse)?;
        Behaviours::parse(&request.options)?;
        Options::parse(network, &request.options)?;
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        check_ipam(&request.network)?;
        let options = Options::parse(&request.network, &request.options)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let vrf = make_vrf(&options)?;
        links::set_up(&vrf)?;
        let link = make_link(&request, &options)?;
        // This comes before the addresses, because the kernel removes IPv6 addresses of
        // a link that joins a VRF.
        links::set_master(&link, Some(&vrf))?;
        let in_table = RouteOptions {
            table: Some(options.table),
            ..PLAIN_ROUTE
        };
        behaviours.accept_ra(&link)?;
        behaviours.announce(&link)?;
        behaviours.tune(&link, &request)?;
        configure_with(
            &link,
            &request,
            Some(PARENT_METRIC),
            Dad::On,
            Some(&in_table),
        )?;
        behaviours.limit(&link)?;
        behaviours.wait_dad(&link)?;
        Ok(no_name_servers())
    }

    /// Does nothing. The host removes the link and the VRF.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}

/// Makes the VRF. The host gives it the name of the option `vrf_name`.
fn make_vrf(options: &Options) -> Result<Link, Error> {
    match links::create_vrf(Place::Container, None, options.table) {
        Err(Error::Exists(text)) => Err(Error::Exists(format!(
            "{text}: each network of a container needs a VRF of its own"
        ))),
        result => result,
    }
}

fn make_link(request: &Request, options: &Options) -> Result<Link, Error> {
    let network = &request.network;
    let parent = find_parent(network)?;
    let macvlan = MacvlanOptions {
        mode: options.mode,
        mac: request.mac.clone(),
        mtu: network.mtu,
        broadcast_limit: None,
        broadcast_queue_length: None,
    };
    links::create_macvlan(Place::Container, None, &parent, &macvlan)
}
