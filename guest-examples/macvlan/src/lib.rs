//! The macvlan driver. Each container gets a link of its own on a link of the host, and
//! is a neighbour in the network of that link.

mod host_link;
mod options;
mod sources;

use options::Options;
use wasmvark_guest::links::{self, MacvlanOptions};
use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Place, Request, SetupAnswer};
use wasmvark_guest::{
    Behaviours, Filter, Guest, PARENT_METRIC, WithoutSubnets, changes_on_parent,
    check_ipam_or_dhcp, check_parent_or_base, export, find_or_make_parent, lease, no_name_servers,
};

struct Macvlan;
export!(Macvlan);

impl Guest for Macvlan {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        check_parent_or_base(network)?;
        let changes = changes_on_parent(&request, WithoutSubnets::Dhcp)?;
        Behaviours::parse(&request.options)?;
        Options::parse(&request.options)?;
        host_link::check(network, &request.options)?;
        Filter::parse(&request.options)?;
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let network = &request.network;
        check_ipam_or_dhcp(network)?;
        let options = Options::parse(&request.options)?;
        host_link::check(network, &request.options)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let filter = Filter::parse(&request.options)?;
        let parent = find_or_make_parent(network)?;
        let link = links::create_macvlan(
            Place::Container,
            None,
            &parent,
            &MacvlanOptions {
                mode: options.mode,
                mac: request.mac.clone(),
                mtu: network.mtu,
                broadcast_limit: options.broadcast_limit,
                broadcast_queue_length: options.broadcast_queue_length,
            },
        )?;
        // This is in place before anything can pass.
        filter.apply_in_container(&link)?;
        behaviours.accept_ra(&link)?;
        behaviours.announce(&link)?;
        behaviours.configure(&link, &request, Some(PARENT_METRIC))?;
        lease(&link, &parent, network)?;
        behaviours.limit(&link)?;
        host_link::configure(&parent, &options.host_addresses, &request, network.mtu)?;
        behaviours.wait_dad(&link)?;
        Ok(no_name_servers())
    }

    /// Does nothing. The host removes the link.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}
