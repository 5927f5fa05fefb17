//! The last steps of a setup, the same for every kind of link.

use crate::links::{self, Link};
use crate::types::{Error, Namespace, Request};
use crate::{addresses, routes, sysctl};

/// Gives the container's link its addresses, sets it up and adds the routes.
///
/// `metric` is the one for default routes where the user gave none; with
/// `None` it's left to the host.
pub fn configure(link: &Link, request: &Request, metric: Option<u32>) -> Result<(), Error> {
    disable_autoconf(link)?;
    for address in &request.addresses {
        addresses::add(link, address, None)?;
    }
    // Routes need a link that is up.
    links::set_up(link)?;
    for route in &request.default_routes {
        let mut route = route.clone();
        route.metric = route.metric.or(metric);
        routes::add(Namespace::Container, &route, None)?;
    }
    for route in &request.routes {
        routes::add(Namespace::Container, route, None)?;
    }
    Ok(())
}

/// Podman chooses the addresses, so router advertisements must not add any.
/// A kernel without IPv6 adds none anyway, and a read-only `/proc/sys` is the
/// operator's choice.
fn disable_autoconf(link: &Link) -> Result<(), Error> {
    match sysctl::set_autoconf(link, false) {
        Err(Error::NotFound(_) | Error::ReadOnly(_)) => Ok(()),
        result => result,
    }
}
