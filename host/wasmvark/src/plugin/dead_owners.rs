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
    let mut kernel = Netlink::open(host, None)?;
    kernel.set_deadline(Instant::now() + LOOK_TIME);
    match kernel.free_for_firewall(&wanted(driver, request, &ports)) {
        Err(error) if error.is_taken() => {}
        // Anything else is for the driver's own calls to meet.
        _ => return Ok(()),
    }
    let folder = store.layout().journals();
    for key in journal::all(&folder) {
        if key == request.key() {
            continue;
        }
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

/// Returns the entries that publish the ports for each of the container's addresses.
fn wanted(driver: &str, request: &Request, ports: &[PortRange]) -> Vec<FirewallEntry> {
    let network = request.network.id.to_string();
    let container = request.container_id.to_string();
    let owner = FirewallOwner {
        driver,
        network: &network,
        container: Some(&container),
    };
    let publish = |address: &ipnet::IpNet| {
        let address = address.addr();
        let of_family = |port: &&PortRange| {
            let at = port.host_address;
            at.is_none_or(|at| at.is_ipv4() == address.is_ipv4())
        };
        let ports = ports.iter().filter(of_family).cloned().collect();
        let rule = FirewallRule::Publish(Publication { ports, address });
        FirewallEntry::new(owner, rule)
    };
    request.addresses.iter().map(publish).collect()
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
