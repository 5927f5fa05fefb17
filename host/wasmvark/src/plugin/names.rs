//! What services need to know of a container, and what of theirs is in the answer.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use engine::gate::{DhcpClient, Gate, Names};
use request::Request;
use services::dns::{AardvarkConfig, DnsError, DnsName, DnsRecord, Registration, SEARCH_DOMAIN};

use types::text;

use super::local_services;
use crate::store::Layout;

/// Returns the container's names, if the user wants them served.
pub(super) fn of(layout: &Layout, request: &Request) -> Option<Names> {
    // Without names there is no need to look for the server.
    let config = request
        .network
        .dns
        .then(|| local_services::aardvark(layout))?;
    let is_installed = config.is_installed();
    served(&config, is_installed, request)
}

/// Returns the container's names on an imagined machine, on which the server is installed.
pub(super) fn imagined(request: &Request) -> Option<Names> {
    let config = AardvarkConfig {
        config: PathBuf::new(),
        program: PathBuf::new(),
        port: AardvarkConfig::PORT,
        rootless: false,
    };
    served(&config, true, request)
}

fn served(config: &AardvarkConfig, is_installed: bool, request: &Request) -> Option<Names> {
    let network = &request.network;
    if !network.dns {
        return None;
    }
    let record = DnsRecord {
        folder: config.folder(),
        network: network.name.clone(),
        internal: network.internal,
        container: request.container_id.clone(),
    };
    let registration = names(request).map(|names| Registration {
        record,
        listen: Vec::new(),
        forward_to: network.name_servers.clone(),
        addresses: request.addresses.iter().map(ipnet::IpNet::addr).collect(),
        names,
    });
    Some(Names {
        registration,
        port: config.port,
        is_installed,
    })
}

fn names(request: &Request) -> Result<Vec<DnsName>, DnsError> {
    let all = [&request.container_name]
        .into_iter()
        .chain(&request.aliases);
    let mut names = Vec::new();
    for name in all {
        let name = DnsName::parse(name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Puts the DNS servers that calls have found, and the search domain of served names,
/// before those of the driver.
pub(super) fn with_served(
    gate: &Gate,
    servers: Vec<IpAddr>,
    domains: Vec<String>,
) -> (Vec<IpAddr>, Vec<String>) {
    let served = gate.name_servers();
    if served.is_empty() {
        return (servers, domains);
    }
    let mut all = served.to_owned();
    all.extend(
        servers
            .into_iter()
            .filter(|server| !served.contains(server)),
    );
    if !gate.serves_names() {
        return (all, domains);
    }
    let mut search = vec![SEARCH_DOMAIN.to_owned()];
    search.extend(domains.into_iter().filter(|domain| domain != SEARCH_DOMAIN));
    (all, search)
}

/// Returns the container as a DHCP server's client.
pub(super) fn dhcp_client(request: &Request, netns: &Path) -> DhcpClient {
    DhcpClient {
        netns: netns.to_owned(),
        container: request.container_id.clone(),
        host_name: Some(request.container_name.clone()).filter(|name| text::is_domain(name)),
    }
}
