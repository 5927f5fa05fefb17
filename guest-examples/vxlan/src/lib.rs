//! The vxlan driver. A container is a neighbour in a VXLAN, whose packets the host
//! sends and receives.

mod options;

use options::Options;
use wasmvark_guest::links::{self, Link, VxlanOptions};
use wasmvark_guest::types::{
    CreateRequest, Error, Namespace, NetworkChange, Place, Request, SetupAnswer,
};
use wasmvark_guest::{
    Behaviours, Guest, WithoutSubnets, check_ipam, check_parent, choose_ipam, export,
    move_parent_option, no_name_servers, no_names,
};

struct Vxlan;
export!(Vxlan);

impl Guest for Vxlan {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        check_parent(network)?;
        Behaviours::parse(&request.options)?;
        Options::parse(network, &request.options)?;
        let mut changes = move_parent_option(&request.options);
        changes.extend(choose_ipam(network, WithoutSubnets::Refuse)?);
        changes.push(no_names());
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        check_ipam(&request.network)?;
        let options = Options::parse(&request.network, &request.options)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let link = make(&request, options)?;
        behaviours.accept_ra(&link)?;
        behaviours.announce(&link)?;
        behaviours.configure(&link, &request, None)?;
        behaviours.limit(&link)?;
        behaviours.wait_dad(&link)?;
        Ok(no_name_servers())
    }

    /// Does nothing. The host removes the link.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}

fn make(request: &Request, options: Options) -> Result<Link, Error> {
    let network = &request.network;
    let parent = match &network.parent {
        Some(name) => Some(links::get(Namespace::Host, name)?),
        None => None,
    };
    let vxlan = VxlanOptions {
        id: options.id,
        remote: options.remote.map(|address| address.to_string()),
        local: options.local.map(|address| address.to_string()),
        port: options.port,
        learning: options.learning,
        ttl: options.ttl,
        mac: request.mac.clone(),
        mtu: network.mtu,
    };
    match links::create_vxlan(Place::Container, None, parent.as_ref(), &vxlan) {
        // The kernel has one error for an existing name and an existing VXLAN. The
        // VXLAN is more likely.
        Err(Error::Exists(text)) => Err(Error::Exists(format!(
            "{text}: another container or the host has VXLAN {} on this port already, and there \
             can be only one",
            options.id
        ))),
        result => result,
    }
}
