//! The host's end of the link.

use wasmvark_guest::links::{self, Link};
use wasmvark_guest::routes::{self, RouteOptions};
use wasmvark_guest::types::{Error, Namespace, Request};
use wasmvark_guest::{PLAIN_ROUTE, addresses, alone, ignore_router_advertisements};

use crate::subnets::{self, TWO_ON_THE_LINK};

/// Gives it the gateways' addresses, which the host's ends of all links have,
/// and routes to the container.
pub(crate) fn configure(link: &Link, request: &Request) -> Result<(), Error> {
    ignore_router_advertisements(link)?;
    for (_, gateway) in subnets::with_gateways(&request.network) {
        addresses::add(link, &alone(gateway), Some(TWO_ON_THE_LINK))?;
    }
    // Routes need a link that is up.
    links::set_up(link)?;
    let through = RouteOptions {
        link: Some(links::info(link)?.name),
        ..PLAIN_ROUTE
    };
    for address in &request.addresses {
        let route = subnets::route(alone(address), None);
        routes::add(Namespace::Host, &route, Some(&through))?;
    }
    Ok(())
}
