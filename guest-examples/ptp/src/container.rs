//! The container's end of the link.

use wasmvark_guest::links::{self, Link};
use wasmvark_guest::routes::{self, RouteOptions};
use wasmvark_guest::types::{Error, Namespace, Request};
use wasmvark_guest::{Behaviours, Dad, PLAIN_ROUTE, add_routes, addresses, alone, without_prefix};

use crate::subnets;

/// Gives the link the container's addresses and routes.
pub(crate) fn configure(
    link: &Link,
    request: &Request,
    behaviours: &Behaviours,
    dad: Dad,
) -> Result<(), Error> {
    dad.set(link, &request.network)?;
    behaviours.tune(link, request)?;
    for address in &request.addresses {
        addresses::add(link, address, Some(subnets::peer_address(dad)))?;
    }
    // A route needs a link that is up.
    links::set_up(link)?;
    let through = RouteOptions {
        table: behaviours.source_table(request)?,
        ..PLAIN_ROUTE
    };
    let direct = RouteOptions {
        link: Some(request.interface_name.clone()),
        ..through.clone()
    };
    for (subnet, gateway) in subnets::with_gateways(request) {
        let to_gateway = subnets::route(alone(gateway), None);
        routes::add(Namespace::Container, &to_gateway, Some(&direct))?;
        let to_others = subnets::route(subnet.to_owned(), Some(without_prefix(gateway)));
        routes::add(Namespace::Container, &to_others, Some(&through))?;
    }
    add_routes(request, None, Some(&through))
}
