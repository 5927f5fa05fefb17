//! The tap driver. A container gets a link whose frames a program in it reads and
//! writes, such as a virtual machine.

mod options;

use options::Options;
use wasmvark_guest::links::{self, TapOptions};
use wasmvark_guest::types::{
    CreateRequest, Error, Namespace, NetworkChange, Place, Request, SetupAnswer,
};
use wasmvark_guest::{
    Behaviours, Guest, WithoutSubnets, check_ipam, choose_ipam, export, no_name_servers, no_names,
};

struct Tap;
export!(Tap);

impl Guest for Tap {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        Behaviours::parse(&request.options)?;
        Options::parse(&request.options)?;
        let mut changes = vec![no_names()];
        changes.extend(choose_ipam(network, WithoutSubnets::NoAddresses)?);
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let network = &request.network;
        check_ipam(network)?;
        let options = Options::parse(&request.options)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let tap = TapOptions {
            owner: options.owner,
            group: options.group,
            multi_queue: options.multi_queue,
            mac: request.mac.clone(),
            mtu: network.mtu,
        };
        let link = links::create_tap(Place::Container, None, &tap)?;
        if let Some(bridge) = options.bridge {
            let bridge = links::get(Namespace::Container, bridge)?;
            links::set_master(&link, Some(&bridge))?;
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
