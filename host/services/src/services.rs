//! All services of a run, and their simulation for plans.

use std::time::Instant;

use crate::dhcp::{Dhcp, DhcpError, DhcpProxy, Lease, LeaseRequest};
use crate::dns::{Aardvark, AardvarkConfig, Dns, DnsError, DnsRecord, Registration, Served};

/// The services of a run. Each operation ends at the deadline.
pub trait Services: Dns + Dhcp {
    /// Moves the deadline. A rollback has a deadline of its own.
    fn set_deadline(&mut self, deadline: Instant);
}

/// Services that change nothing, for a plan. Each request succeeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SimulatedServices;

impl Services for SimulatedServices {
    fn set_deadline(&mut self, _: Instant) {}
}

impl Dns for SimulatedServices {
    fn register(&mut self, _: &Registration) -> Result<Served, DnsError> {
        Ok(Served::Here)
    }

    fn withdraw(&mut self, _: &DnsRecord) -> Result<(), DnsError> {
        Ok(())
    }
}

impl Dhcp for SimulatedServices {
    fn lease(&mut self, _: &LeaseRequest) -> Result<Option<Lease>, DhcpError> {
        Ok(None)
    }

    fn release(&mut self, _: &LeaseRequest) -> Result<(), DhcpError> {
        Ok(())
    }
}

/// The services of this machine.
#[derive(Debug)]
pub struct LocalServices {
    aardvark: Aardvark,
    dhcp: DhcpProxy,
    deadline: Instant,
}

impl LocalServices {
    /// Makes clients that work until the deadline.
    pub fn new(aardvark: AardvarkConfig, dhcp: DhcpProxy, deadline: Instant) -> Self {
        Self {
            aardvark: Aardvark::new(aardvark, deadline),
            dhcp,
            deadline,
        }
    }
}

impl Services for LocalServices {
    fn set_deadline(&mut self, deadline: Instant) {
        self.aardvark.set_deadline(deadline);
        self.deadline = deadline;
    }
}

impl Dns for LocalServices {
    fn register(&mut self, registration: &Registration) -> Result<Served, DnsError> {
        self.aardvark.register(registration)
    }

    fn withdraw(&mut self, record: &DnsRecord) -> Result<(), DnsError> {
        self.aardvark.withdraw(record)
    }
}

impl Dhcp for LocalServices {
    fn lease(&mut self, request: &LeaseRequest) -> Result<Option<Lease>, DhcpError> {
        self.dhcp.lease(request, self.deadline).map(Some)
    }

    fn release(&mut self, request: &LeaseRequest) -> Result<(), DhcpError> {
        match self.dhcp.release(request, self.deadline) {
            Err(DhcpError::Unreachable { .. }) => Ok(()),
            result => result,
        }
    }
}
