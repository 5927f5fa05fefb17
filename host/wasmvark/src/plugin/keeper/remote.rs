//! The services of a run, as its keeper reaches them.

use std::time::Instant;

use ipnet::IpNet;
use services::dhcp::{Dhcp, DhcpError, Lease, LeaseRequest};
use services::dns::{Dns, DnsError, DnsRecord, Registration, Served};
use services::firewalld::FirewalldError;
use services::{Relayed, Services, TrustedZone};

use super::link::{Link, unexpected};
use super::task::{Answer, Task};

/// The services of a run, which its keeper asks.
pub(super) struct RemoteServices {
    link: Link,
    deadline: Instant,
}

impl RemoteServices {
    /// Makes the services. A run sets its deadline before it uses them.
    pub(super) fn new(link: Link) -> Self {
        Self {
            link,
            deadline: Instant::now(),
        }
    }

    fn ask(&self, task: Task) -> Result<Answer, Relayed> {
        self.link.ask(task, self.deadline)
    }

    fn have_done(&self, task: Task) -> Result<(), Relayed> {
        self.link.have_done(task, self.deadline)
    }
}

impl Services for RemoteServices {
    fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }
}

impl Dns for RemoteServices {
    fn register(&mut self, registration: &Registration) -> Result<Served, DnsError> {
        match self.ask(Task::Register(registration.clone()))? {
            Answer::Served(served) => Ok(served),
            _ => Err(unexpected().into()),
        }
    }

    fn withdraw(&mut self, record: &DnsRecord) -> Result<(), DnsError> {
        Ok(self.have_done(Task::Withdraw(record.clone()))?)
    }
}

impl Dhcp for RemoteServices {
    fn lease(&mut self, request: &LeaseRequest) -> Result<Option<Lease>, DhcpError> {
        match self.ask(Task::Lease(request.clone()))? {
            Answer::Leased(lease) => Ok(lease),
            _ => Err(unexpected().into()),
        }
    }

    fn release(&mut self, request: &LeaseRequest) -> Result<(), DhcpError> {
        Ok(self.have_done(Task::Release(request.clone()))?)
    }
}

impl TrustedZone for RemoteServices {
    fn is_trusted(&mut self, subnet: IpNet) -> Result<Option<bool>, FirewalldError> {
        match self.ask(Task::IsTrusted(subnet))? {
            Answer::IsTrusted(is_trusted) => Ok(is_trusted),
            _ => Err(unexpected().into()),
        }
    }

    fn trust(&mut self, subnet: IpNet) -> Result<(), FirewalldError> {
        Ok(self.have_done(Task::Trust(subnet))?)
    }

    fn distrust(&mut self, subnet: IpNet) -> Result<(), FirewalldError> {
        Ok(self.have_done(Task::Distrust(subnet))?)
    }

    fn is_strict(&mut self) -> Result<bool, FirewalldError> {
        match self.ask(Task::IsStrict)? {
            Answer::IsStrict(is_strict) => Ok(is_strict),
            _ => Err(unexpected().into()),
        }
    }
}
