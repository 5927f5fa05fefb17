//! Clearing published ports and addresses of containers that are gone without a
//! teardown, for a setup that asks for them.

use std::time::{Duration, Instant};

use journal::{Here, Journal};
use kernel::{
    FirewallEntry, FirewallOwner, FirewallRead, FirewallRule, Life, Netlink, Netns, Publication,
    Timed, living_netns,
};
use request::Request;
use types::PortRange;

use super::gc::{clear, life};
use super::{PluginError, lock, remains};
use crate::store::Store;

/// The time that a look at the firewall may take.
pub(super) const LOOK_TIME: Duration = Duration::from_secs(10);

/// The most ports that are looked for in the firewall one by one. With more of them,
/// reading the journals takes less time.
const LOOKED_FOR: usize = 64;

/// Undoes the changes of containers whose namespace is gone, and which have what a
/// request asks for in the firewall. The caller holds no lock.
///
/// Without published ports there is nothing to clear, and nothing is read. With them,
/// the journals are read only if the firewall has something that is in the way.
pub(super) fn clear_for(store: &Store, driver: &str, request: &Request) -> Result<(), PluginError> {
    let ports = PortRange::fold(&request.ports);
    if ports.is_empty() {
        return Ok(());
    }
    let host = Netns::current()?;
    let here = Here {
        host: host.id(),
        container: None,
    };
    if request.ports.len() <= LOOKED_FOR && !is_taken(host, driver, request, &ports)? {
        return Ok(());
    }
    let folder = store.layout().journals();
    let keys = journal::all(&folder).into_iter();
    for key in keys.filter(|key| *key != request.key()) {
        // Most journals are passed over without waiting for a lock.
        match Journal::open(&folder, &key, here) {
            Ok(journal) if is_rival(&journal, request, &ports) => {}
            _ => continue,
        }
        let _lock = lock::take(store.layout(), &key, "setup")?;
        let living = living_netns().map_err(PluginError::Living)?;
        let journal = Journal::open(&folder, &key, here)?;
        if is_rival(&journal, request, &ports) && life(&journal, &living) == Life::Gone {
            remains::contain(|| clear(store, &key, journal))??;
        }
    }
    Ok(())
}

/// Whether the firewall has a port or an address for another container. Any other error
/// is for the driver's own calls to meet.
fn is_taken(
    host: Netns,
    driver: &str,
    request: &Request,
    ports: &[PortRange],
) -> Result<bool, PluginError> {
    let mut kernel = Netlink::open(host, None)?;
    kernel.set_deadline(Instant::now() + LOOK_TIME);
    let free = kernel.free_for_firewall(&wanted(driver, request, ports));
    Ok(free.is_err_and(|error| error.is_taken()))
}

/// Returns the entries that publish the ports for each of the container's addresses.
fn wanted(driver: &str, request: &Request, ports: &[PortRange]) -> Vec<FirewallEntry> {
    let network = request.network.id.to_string();
    let container = request.container_id.to_string();
    let owner = FirewallOwner {
        driver,
        network: &network,
        container: Some(&container),
    };
    let rules = request.addresses.iter().flat_map(|address| {
        let address = address.addr();
        let of_family = |port: &&PortRange| {
            let at = port.host_address;
            at.is_none_or(|at| at.is_ipv4() == address.is_ipv4())
        };
        let ports = ports.iter().filter(of_family).cloned().collect();
        // The host's link isn't known yet. The address is taken with any.
        let link = request.interface_name.clone();
        [
            FirewallRule::OnlyThrough { address, link },
            FirewallRule::Publish(Publication {
                ports,
                address,
                from: request.publish_interface.clone(),
            }),
        ]
    });
    rules.map(|rule| FirewallEntry::new(owner, rule)).collect()
}

/// Whether a journal has one of these ports, or one of the request's addresses.
fn is_rival(journal: &Journal, request: &Request, ports: &[PortRange]) -> bool {
    let entries = journal.entries().iter();
    let mut rules = entries.filter_map(|entry| Some(&entry.change.firewall()?.rule));
    rules.any(|rule| match rule {
        FirewallRule::Publish(publication) => {
            let mut theirs = publication.ports.iter();
            theirs.any(|theirs| ports.iter().any(|own| own.overlaps(theirs)))
        }
        FirewallRule::OnlyThrough { address, .. } => {
            let mut own = request.addresses.iter();
            own.any(|own| own.addr() == *address)
        }
        _ => false,
    })
}
