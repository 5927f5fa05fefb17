//! The host's end of the link.

use wasmvark_guest::links::{self, Link};
use wasmvark_guest::routes::{self, RouteOptions};
use wasmvark_guest::types::{Error, Namespace, Request};
use wasmvark_guest::{Dad, PLAIN_ROUTE, addresses, alone, ignore_router_advertisements};

use crate::subnets;

/// Gives the link the gateways' addresses and the routes to the container. The host's
/// ends of all links have the same addresses.
pub(crate) fn configure(link: &Link, request: &Request, dad: Dad) -> Result<(), Error> {
    ignore_router_advertisements(link)?;
    dad.set(link, &request.network)?;
    for (_, gateway) in subnets::with_gateways(request) {
        addresses::add(link, &alone(gateway), Some(subnets::peer_address(dad)))?;
    }
    // A route needs a link that is up.
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
