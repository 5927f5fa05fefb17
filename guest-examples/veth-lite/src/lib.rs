//! A small driver: each container gets a veth pair, one end in the container, the other
//! one on the host. The folders of `wasmvark new` have it in every language.

use wasmvark_guest::addresses::{self, AddressOptions};
use wasmvark_guest::links::{self, Link, VethOptions};
use wasmvark_guest::routes::{self, RouteOptions};
use wasmvark_guest::types::{CreateRequest, Error, Namespace, NetworkChange, Request, SetupAnswer};
use wasmvark_guest::{Guest, PLAIN_ROUTE, alone, export, gateways, no_name_servers};

/// Nobody else is on the link, so no address waits for duplicate address detection.
const OWN: AddressOptions = AddressOptions {
    no_dad: true,
    no_prefix_route: false,
};

/// The host's routes are added one by one, so its addresses bring none.
const GATEWAY: AddressOptions = AddressOptions {
    no_dad: true,
    no_prefix_route: true,
};

struct VethLite;
export!(VethLite);

impl Guest for VethLite {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        match request.network.subnets.is_empty() {
            true => Err(Error::Invalid(
                "the network has no subnet: give --subnet".to_owned(),
            )),
            false => Ok(Vec::new()),
        }
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let pair = links::create_veth(&VethOptions {
            name: None,
            host_name: None,
            mac: request.mac.clone(),
            host_mac: None,
            mtu: request.network.mtu,
        })?;
        configure_host(&pair.host, &request)?;
        configure_container(&pair.container, &request)?;
        Ok(no_name_servers())
    }

    /// Does nothing. The host undoes what `setup` did.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}

fn configure_host(link: &Link, request: &Request) -> Result<(), Error> {
    for gateway in gateways(&request.network) {
        addresses::add(link, &alone(&gateway), Some(GATEWAY))?;
    }
    links::set_up(link)?;
    let through = RouteOptions {
        link: Some(link.name()),
        ..PLAIN_ROUTE
    };
    for route in &request.host_routes {
        routes::add(Namespace::Host, route, Some(&through))?;
    }
    Ok(())
}

fn configure_container(link: &Link, request: &Request) -> Result<(), Error> {
    for address in &request.addresses {
        addresses::add(link, address, Some(OWN))?;
    }
    links::set_up(link)?;
    for route in request.default_routes.iter().chain(&request.routes) {
        routes::add(Namespace::Container, route, None)?;
    }
    Ok(())
}
