//! The tasks that a run may have for its keeper.
//!
//! They are fixed before the driver's code runs. Whoever has broken out of the sandbox
//! speaks for the run from then on, so a task that the request and the journals don't
//! lead to isn't done.

mod names;
mod network;
mod settings;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use engine::gate::DhcpClient;
use ipnet::IpNet;
use journal::{Change, Entry};
use policy::{Authority, Call, Object, decide};
use services::dhcp::{Lease, LeaseRequest};
use services::dns::DnsRecord;
use types::Key;

pub(super) use names::AllowedNames;
pub(super) use network::NewNetwork;

use super::task::Task;

/// The tasks that a run may have.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// The container's names, if they can be registered.
    pub(super) names: Option<AllowedNames>,
    /// The container as a DHCP server's client, if it can get a lease.
    pub(super) client: Option<DhcpClient>,
    /// The addresses that the container has got from DHCP servers.
    pub(super) leased: Vec<IpAddr>,
    /// The grant and the request, if the run can trust subnets.
    pub(super) authority: Option<Authority>,
    /// The container and the network whose journals are to be read, until they are.
    pub(super) journals: Option<Key>,
    /// The changes of services in the journals.
    pub(super) recorded: Vec<Change>,
    /// Whether the host's settings can be kept.
    pub(super) keeps_settings: bool,
    /// The network that is created.
    pub(super) network: Option<NewNetwork>,
    /// Whether the run is a teardown.
    pub(super) is_teardown: bool,
}

/// The refusal of a task.
#[derive(Debug, thiserror::Error)]
#[error(
    "the run's keeper was to {task}, which neither the request nor the journal has, and refused: \
     please report it"
)]
pub(super) struct Refused {
    task: String,
}

impl Allowed {
    /// Checks that a run may have a task.
    ///
    /// # Errors
    ///
    /// The task goes beyond the request and the journals.
    pub(super) fn check(&self, task: &Task) -> Result<(), Refused> {
        let allows = match task {
            Task::Begin => self.journals.is_some(),
            Task::Register(registration) => {
                let mut names = self.names.iter();
                names.any(|names| names.allows(registration, &self.leased))
            }
            Task::Withdraw(record) => self.allows_withdrawal(record),
            Task::Lease(request) => self.allows_lease(request),
            Task::Release(request) => self.allows_lease(request) || self.has_lease(request),
            Task::IsTrusted(subnet) | Task::Trust(subnet) | Task::Distrust(subnet) => {
                self.allows_trust(*subnet) || self.has_source(*subnet)
            }
            Task::IsStrict | Task::OpenTrail { .. } => true,
            Task::KeepSettings(settings) => self.keeps_settings && settings::allows(settings),
            Task::KeepNetwork(kept) => {
                let mut network = self.network.iter();
                network.any(|network| network.allows(kept))
            }
            Task::EndTeardown { .. } => self.is_teardown,
        };
        match allows {
            true => Ok(()),
            false => Err(Refused {
                task: task.to_string(),
            }),
        }
    }

    /// Notes the addresses of a lease that the keeper has got.
    pub(super) fn add_lease(&mut self, lease: &Lease) {
        self.leased.push(lease.address.addr().into());
    }

    /// Notes the changes that the run may undo.
    pub(super) fn add_records<'a>(&mut self, entries: impl IntoIterator<Item = &'a Entry>) {
        let changes = entries.into_iter().map(|entry| &entry.change);
        let of_services = changes.filter(|change| change.is_of_service());
        self.recorded.extend(of_services.cloned());
    }

    fn allows_withdrawal(&self, record: &DnsRecord) -> bool {
        let own = self.names.iter().map(AllowedNames::record);
        let recorded = self.recorded.iter().filter_map(|change| match change {
            Change::RegisterNames { record } => Some(record),
            _ => None,
        });
        own.chain(recorded).any(|allowed| allowed == record)
    }

    fn allows_lease(&self, request: &LeaseRequest) -> bool {
        self.client.as_ref().is_some_and(|client| {
            request.netns == client.netns
                && request.container == client.container
                && request.host_name == client.host_name
                && request.domain.is_none()
        })
    }

    fn has_lease(&self, request: &LeaseRequest) -> bool {
        let mut recorded = self.recorded.iter();
        recorded
            .any(|change| matches!(change, Change::LeaseAddress { request: its } if its == request))
    }

    /// Whether the driver's own call would be allowed. Whether it has a link that the
    /// network's containers share is up to the call.
    fn allows_trust(&self, network: IpNet) -> bool {
        let source = Object::Source {
            network,
            is_shared: true,
        };
        self.authority
            .as_ref()
            .is_some_and(|authority| decide(authority, Call::FirewallTrust, &[source]).is_ok())
    }

    fn has_source(&self, subnet: IpNet) -> bool {
        let mut recorded = self.recorded.iter();
        recorded.any(|change| matches!(change, Change::TrustSource { source } if *source == subnet))
    }
}
