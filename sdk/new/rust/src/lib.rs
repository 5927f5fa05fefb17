//! Each container gets a veth pair: one end in the container, the other one on the host.

wit_bindgen::generate!({ path: "wit", world: "driver" });

use exports::wasmvark::driver::handler::Guest;
use wasmvark::driver::addresses::{self, AddressOptions};
use wasmvark::driver::links::{self, VethOptions};
use wasmvark::driver::routes::{self, RouteOptions};
use wasmvark::driver::types::{CreateRequest, Error, Namespace, NetworkChange, Request, SetupAnswer};

/// Nobody else is on the link, so no address waits for duplicate address detection.
const OWN: AddressOptions = AddressOptions {
    no_dad: true,
    no_prefix_route: false,
};
/// The host's routes are added one by one, so its addresses bring none.
const GATEWAY: AddressOptions = AddressOptions {
    no_prefix_route: true,
    ..OWN
};

struct Driver;
export!(Driver);

impl Guest for Driver {
    /// Checks a new network.
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        if request.network.subnets.is_empty() {
            return Err(Error::Invalid("the network has no subnet: give --subnet".to_owned()));
        }
        Ok(Vec::new())
    }

    /// Connects a container.
    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let pair = links::create_veth(&VethOptions {
            name: None,
            host_name: None,
            mac: request.mac,
            host_mac: None,
            mtu: request.network.mtu,
        })?;
        for subnet in &request.network.subnets {
            if let Some(gateway) = &subnet.gateway {
                addresses::add(&pair.host, &alone(gateway), Some(GATEWAY))?;
            }
        }
        links::set_up(&pair.host)?;
        for route in &request.host_routes {
            routes::add(Namespace::Host, route, Some(&through(pair.host.name())))?;
        }
        for address in &request.addresses {
            addresses::add(&pair.container, address, Some(OWN))?;
        }
        links::set_up(&pair.container)?;
        for route in request.default_routes.iter().chain(&request.routes) {
            routes::add(Namespace::Container, route, None)?;
        }
        Ok(SetupAnswer {
            dns_servers: Vec::new(),
            search_domains: Vec::new(),
        })
    }

    /// Does nothing: the host undoes what `setup` did.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}

/// Returns an address with the prefix length that means it alone.
fn alone(address: &str) -> String {
    let (address, _) = address.split_once('/').unwrap_or((address, ""));
    let length = if address.contains(':') { 128 } else { 32 };
    format!("{address}/{length}")
}

/// Returns the options of a route through a link.
fn through(link: String) -> RouteOptions {
    RouteOptions {
        table: None,
        scope: None,
        source: None,
        link: Some(link),
        on_link: false,
        next_hops: Vec::new(),
    }
}
