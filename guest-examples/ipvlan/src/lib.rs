//! The ipvlan driver. Containers share the MAC address of a link of the host. They are
//! neighbours in its network, or packets are routed to them.

mod options;

use options::Options;
use wasmvark_guest::links::{self, IpvlanMode, IpvlanOptions};
use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Place, Request, SetupAnswer};
use wasmvark_guest::{
    Behaviours, Filter, Guest, PARENT_METRIC, WithoutSubnets, changes_on_parent, check_ipam,
    check_parent_or_base, export, find_or_make_parent, no_name_servers,
};

struct Ipvlan;
export!(Ipvlan);

impl Guest for Ipvlan {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        check_parent_or_base(network)?;
        let changes = changes_on_parent(&request, WithoutSubnets::Refuse)?;
        Behaviours::parse(&request.options)?;
        Options::parse(&request.options)?;
        Filter::parse(&request.options)?;
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let network = &request.network;
        check_ipam(network)?;
        let options = Options::parse(&request.options)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let filter = Filter::parse(&request.options)?;
        let parent = find_or_make_parent(network)?;
        let link = links::create_ipvlan(
            Place::Container,
            None,
            &parent,
            IpvlanOptions {
                mode: options.mode,
                isolation: options.isolation,
                mtu: network.mtu,
            },
        )?;
        // This is in place before anything can pass. With `l3s`, packets pass the host's
        // firewall, and those that come in don't pass the container's.
        match options.mode {
            IpvlanMode::L3s => filter.apply(&request)?,
            IpvlanMode::L2 | IpvlanMode::L3 => filter.apply_in_container(&link)?,
        }
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
