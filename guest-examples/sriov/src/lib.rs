//! The SR-IOV driver. A container gets a virtual function (VF) of a network card for
//! itself until it ends.

mod options;
mod vf;

use options::Options;
use vf::Vf;
use wasmvark_guest::links;
use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Request, SetupAnswer};
use wasmvark_guest::{
    Behaviours, Filter, Guest, WithoutSubnets, check_ipam, choose_ipam, export, move_parent_option,
    no_name_servers, no_names, parse_bool,
};

struct Sriov;
export!(Sriov);

impl Guest for Sriov {
    /// The card and its VFs may appear later.
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        vf::card(network)?;
        let ipam = choose_ipam(network, WithoutSubnets::NoAddresses)?;
        Behaviours::parse(&request.options)?;
        Options::parse(&request.options)?;
        Filter::parse(&request.options)?;

        let mut changes = move_parent_option(&request.options);
        changes.extend(ipam);
        changes.push(no_names());
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let network = &request.network;
        check_ipam(network)?;
        let options = Options::parse(&request.options)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let filter = Filter::parse(&request.options)?;
        let vf = Vf::choose(network, options.vf)?;
        vf.set(&options, request.mac.as_deref())?;
        let link = &vf.link;
        links::move_to_container(link, &request.interface_name)?;
        // 0 means no change, as in netavark's drivers.
        if let Some(mtu) = network.mtu.filter(|mtu| *mtu != 0) {
            links::set_mtu(link, mtu)?;
        }
        // This is in place before anything can pass.
        filter.apply_in_container(link)?;
        behaviours.accept_ra(link)?;
        behaviours.announce(link)?;
        behaviours.configure(link, &request, None)?;
        if parse_bool(&request.options, "announce", false)? {
            vf::announce(link, &request)?;
        }
        behaviours.limit(link)?;
        behaviours.wait_dad(link)?;
        Ok(no_name_servers())
    }

    /// Does nothing. The host moves the link back and restores the VF.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}
