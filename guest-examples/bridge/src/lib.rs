//! The bridge driver: containers are neighbours on a bridge of the host.

mod bridge;
mod options;

use options::Options;
use wasmvark_guest::links::{self, VethOptions};
use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Request, SetupAnswer};
use wasmvark_guest::{
    Guest, WithoutSubnets, check_ipam, choose_ipam, configure, export, no_name_servers, no_names,
};

struct Bridge;
export!(Bridge);

impl Guest for Bridge {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        options::check_names(&network.options)?;
        let options = Options::parse(&network.options)?;
        let mut changes = bridge::choose_name(network, options.mode)?;
        changes.extend(choose_ipam(network, WithoutSubnets::NoAddresses)?);
        // Nobody answers for names on the bridge.
        changes.push(no_names());
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let network = &request.network;
        check_ipam(network)?;
        let options = Options::parse(&network.options)?;
        let bridge = bridge::find(network, options.mode)?;
        let pair = links::create_veth(
            None,
            &VethOptions {
                host_name: None,
                mac: request.mac.clone(),
                host_mac: None,
                mtu: network.mtu,
            },
        )?;
        links::set_master(&pair.host, Some(&bridge))?;
        links::set_up(&pair.host)?;
        configure(&pair.container, &request, None)?;
        Ok(no_name_servers())
    }

    /// The host removes the links, and the bridge with the last container.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}
