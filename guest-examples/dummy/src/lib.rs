//! The dummy driver: a link that leads nowhere, for addresses that only the
//! container itself uses.

use wasmvark_guest::links::{self, PlainOptions};
use wasmvark_guest::types::{
    CreateRequest, Error, Network, NetworkChange, Place, Request, SetupAnswer,
};
use wasmvark_guest::{
    Guest, WithoutSubnets, check_ipam, check_names, choose_ipam, configure, export, find,
    no_name_servers, no_names,
};

/// All options; the host parses them.
const OPTIONS: &[&str] = &["metric", "mtu", "no_default_route"];

struct Dummy;
export!(Dummy);

impl Guest for Dummy {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        check_names(&network.options, OPTIONS, "dummy")?;
        let mut changes = vec![no_names()];
        changes.extend(choose_ipam(network, WithoutSubnets::NoAddresses)?);
        Ok(changes)
    }

    fn setup(mut request: Request) -> Result<SetupAnswer, Error> {
        check_ipam(&request.network)?;
        let options = PlainOptions {
            mac: request.mac.clone(),
            mtu: request.network.mtu,
        };
        let link = links::create_dummy(Place::Container, None, &options)?;
        if !wants_default_route(&request.network) {
            request.default_routes.clear();
        }
        configure(&link, &request, None)?;
        Ok(no_name_servers())
    }

    /// The host removes the link.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}

/// Only where it's asked for: there is nobody behind the link.
fn wants_default_route(network: &Network) -> bool {
    find(&network.options, "no_default_route").is_some() && !network.no_default_route
}
