//! The host-device driver. A container gets an interface of the host for itself until
//! it ends.

mod device;

use device::Device;
use wasmvark_guest::links;
use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Request, SetupAnswer};
use wasmvark_guest::{
    Behaviours, Filter, Guest, WithoutSubnets, check_ipam, choose_ipam, export, move_parent_option,
    no_name_servers, no_names,
};

struct HostDevice;
export!(HostDevice);

impl Guest for HostDevice {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        let device = Device::of_network(network, &request.options)?;
        let ipam = choose_ipam(network, WithoutSubnets::NoAddresses)?;
        Behaviours::parse(&request.options)?;
        Filter::parse(&request.options)?;
        device.check()?;

        let mut changes = move_parent_option(&request.options);
        changes.extend(ipam);
        // The host has no gateway in the interface's network on which a DNS server
        // could listen.
        changes.push(no_names());
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let network = &request.network;
        check_ipam(network)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let filter = Filter::parse(&request.options)?;
        let link = Device::of_request(&request)?.find()?;
        links::move_to_container(&link, &request.interface_name)?;
        // Some kinds of links take a new MAC address only while they are down, as a
        // moved link is.
        if let Some(mac) = &request.mac {
            links::set_mac(&link, mac)?;
        }
        // 0 means no change, as in netavark's drivers.
        if let Some(mtu) = network.mtu.filter(|mtu| *mtu != 0) {
            links::set_mtu(&link, mtu)?;
        }
        // This is in place before anything can pass.
        filter.apply_in_container(&link)?;
        behaviours.accept_ra(&link)?;
        behaviours.announce(&link)?;
        behaviours.configure(&link, &request, None)?;
        behaviours.limit(&link)?;
        behaviours.wait_dad(&link)?;
        Ok(no_name_servers())
    }

    /// Does nothing. The host moves the interface back.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}
