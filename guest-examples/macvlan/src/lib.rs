//! The macvlan driver: each container gets a link of its own on an interface
//! of the host, and is a neighbour in that interface's network.

mod options;

use options::Options;
use wasmvark_guest::links::{self, Link, MacvlanOptions};
use wasmvark_guest::types::{
    CreateRequest, Error, Namespace, NetworkChange, Place, Request, SetupAnswer,
};
use wasmvark_guest::{
    Guest, WithoutSubnets, check_ipam, check_parent, choose_ipam, configure, export,
    move_parent_option,
};

/// Below the usual 100, so that this network wins over a bridge network
/// (containers/podman#23984).
const DEFAULT_METRIC: u32 = 99;

struct Macvlan;
export!(Macvlan);

impl Guest for Macvlan {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        check_parent(network)?;
        let ipam = choose_ipam(network, WithoutSubnets::Refuse)?;
        options::check_names(&network.options)?;
        Options::parse(&network.options)?;

        let mut changes = move_parent_option(network);
        changes.extend(ipam);
        // Containers answer under their own addresses: there is no gateway of
        // ours where a name server could listen.
        changes.push(NetworkChange::DnsEnabled(false));
        Ok(changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let network = &request.network;
        check_ipam(network)?;
        let options = Options::parse(&network.options)?;
        let parent = parent(network.parent.as_deref())?;
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
        configure(&link, &request, Some(DEFAULT_METRIC))?;
        Ok(SetupAnswer {
            dns_servers: Vec::new(),
            search_domains: Vec::new(),
        })
    }

    /// The host removes the link.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}

/// The interface that the user named, else the default route's.
fn parent(name: Option<&str>) -> Result<Link, Error> {
    match name {
        Some(name) => links::get(Namespace::Host, name),
        None => links::get_default(),
    }
}
