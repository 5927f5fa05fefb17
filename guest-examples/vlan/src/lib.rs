//! The vlan driver. A container gets a VLAN of a link of the host for itself.

mod options;

use options::Options;
use wasmvark_guest::links::{self, Link, VlanOptions};
use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Place, Request, SetupAnswer};
use wasmvark_guest::{
    Behaviours, Filter, Guest, PARENT_METRIC, WithoutSubnets, check_ipam, create_on_parent, export,
    find_parent, no_name_servers,
};

struct Vlan;
export!(Vlan);

impl Guest for Vlan {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let changes = create_on_parent(&request, WithoutSubnets::Refuse)?;
        Behaviours::parse(&request.options)?;
        Options::parse(&request.options)?;
        Filter::parse(&request.options)?;
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        check_ipam(&request.network)?;
        let options = Options::parse(&request.options)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let filter = Filter::parse(&request.options)?;
        let link = make(&request, options)?;
        // This is in place before anything can pass.
        filter.apply_in_container(&link)?;
        behaviours.accept_ra(&link)?;
        behaviours.announce(&link)?;
        behaviours.configure(&link, &request, Some(PARENT_METRIC))?;
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
    let parent = find_parent(network)?;
    let vlan = VlanOptions {
        id: options.id,
        protocol: options.protocol,
        mac: request.mac.clone(),
        mtu: network.mtu,
    };
    match links::create_vlan(Place::Container, None, &parent, &vlan) {
        // The kernel has one error for an existing name and an existing VLAN. The VLAN
        // is more likely.
        Err(Error::Exists(text)) => Err(Error::Exists(format!(
            "{text}: another container or the host has VLAN {} of this parent already, and there \
             can be only one",
            options.id
        ))),
        result => result,
    }
}
