//! The wireguard driver. Each container gets an encrypted tunnel of its own to the
//! network's peers. The tunnel's packets travel in the host's namespace.

mod options;

use options::Options;
use wasmvark_guest::types::{
    CreateRequest, Error, NetworkChange, Place, Request, Route, SetupAnswer,
};
use wasmvark_guest::{
    Behaviours, Guest, WithoutSubnets, check_ipam, choose_ipam, export, links, no_name_servers,
    no_names, wireguard,
};

struct Wireguard;
export!(Wireguard);

impl Guest for Wireguard {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        let network = &request.network;
        let ipam = choose_ipam(network, WithoutSubnets::Refuse)?;
        Behaviours::parse(&request.options)?;
        Options::parse(&request.options)?;
        let mut changes = Vec::new();
        changes.extend(ipam);
        changes.push(no_names());
        Ok(changes)
    }

    fn setup(mut request: Request) -> Result<SetupAnswer, Error> {
        check_ipam(&request.network)?;
        let options = Options::parse(&request.options)?;
        let behaviours = Behaviours::parse(&request.options)?;
        let link = links::create_wireguard(Place::Container, None, request.network.mtu)?;
        let key = options.private_key.as_deref().ok_or_else(options::no_key)?;
        wireguard::set_private_key(&link, key)?;
        if let Some(port) = options.listen_port {
            wireguard::set_listen_port(&link, port)?;
        }
        for peer in &options.peers {
            wireguard::set_peer(&link, peer)?;
        }
        let mut routes = core::mem::take(&mut request.default_routes);
        routes.retain(|route| options.leads_somewhere(route));
        request.default_routes = routes;
        behaviours.configure(&link, &request, None)?;
        behaviours.limit(&link)?;
        Ok(no_name_servers())
    }

    /// Does nothing. The host removes the link.
    fn teardown(_: Request) -> Result<(), Error> {
        Ok(())
    }
}

impl Options {
    /// Whether the allowed IPs of a peer contain the destination of a default route.
    fn leads_somewhere(&self, route: &Route) -> bool {
        let mut networks = self.peers.iter().flat_map(|peer| &peer.allowed_ips);
        networks.any(|network| *network == route.destination)
    }
}
