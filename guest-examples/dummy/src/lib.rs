//! The dummy driver. A container gets a link that leads nowhere, for addresses that
//! only the container itself uses.

use wasmvark_guest::links::{self, PlainOptions};
use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Place, Request, SetupAnswer};
use wasmvark_guest::{
    Behaviours, Guest, WithoutSubnets, check_ipam, choose_ipam, export, find, no_name_servers,
    no_names,
};

struct Dummy;
export!(Dummy);

impl Guest for Dummy {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        Behaviours::parse(&request.options)?;
        let mut changes = vec![no_names()];
        changes.extend(choose_ipam(network, WithoutSubnets::NoAddresses)?);
        Ok(changes)
    }

    fn setup(mut request: Request) -> Result<SetupAnswer, Error> {
        check_ipam(&request.network)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let options = PlainOptions {
            mac: request.mac.clone(),
            mtu: request.network.mtu,
        };
        let link = links::create_dummy(Place::Container, None, &options)?;
        if !wants_default_route(&request) {
            request.default_routes.clear();
        }
        behaviours.configure(&link, &request, None)?;
        behaviours.limit(&link)?;
        Ok(no_name_servers())
    }

    /// Does nothing. The host removes the link.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}

/// Whether the user wants a default route. A dummy link reaches no router, so the route
/// is added only on request.
fn wants_default_route(request: &Request) -> bool {
    find(&request.options, "no_default_route").is_some() && !request.network.no_default_route
}
