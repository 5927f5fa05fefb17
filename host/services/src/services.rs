//! All services of a run, and their simulation for plans.

use std::time::Instant;

use ipnet::IpNet;

use crate::dhcp::{Dhcp, DhcpError, DhcpProxy, Lease, LeaseRequest};
use crate::dns::{Aardvark, AardvarkConfig, Dns, DnsError, DnsRecord, Registration, Served};
use crate::firewalld::{Firewalld, FirewalldError};
use crate::zones::{TrustedZone, Zones};

/// The services of a run. Each operation ends at the deadline.
pub trait Services: Dns + Dhcp + TrustedZone {
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

/// firewalld as where it doesn't run.
impl TrustedZone for SimulatedServices {
    fn is_trusted(&mut self, _: IpNet) -> Result<Option<bool>, FirewalldError> {
        Ok(None)
    }

    fn trust(&mut self, _: IpNet) -> Result<(), FirewalldError> {
        Ok(())
    }

    fn distrust(&mut self, _: IpNet) -> Result<(), FirewalldError> {
        Ok(())
    }

    fn is_strict(&mut self) -> Result<bool, FirewalldError> {
        Ok(false)
    }
}

/// The services of this machine.
#[derive(Debug)]
pub struct LocalServices {
    aardvark: Aardvark,
    dhcp: DhcpProxy,
    zones: Zones,
    deadline: Instant,
}

impl LocalServices {
    /// Waits for firewalld until the deadline, also while it starts.
    pub fn patient(self) -> Self {
        Self {
            zones: Zones::patient(),
            ..self
        }
    }

    /// Makes clients that work until the deadline.
    pub fn new(aardvark: AardvarkConfig, dhcp: DhcpProxy, deadline: Instant) -> Self {
        Self {
            aardvark: Aardvark::new(aardvark, deadline),
            dhcp,
            zones: Zones::default(),
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
            // A proxy that was never asked holds no lease.
            Err(error) if error.is_unasked() => Ok(()),
            result => result,
        }
    }
}

impl TrustedZone for LocalServices {
    fn is_trusted(&mut self, subnet: IpNet) -> Result<Option<bool>, FirewalldError> {
        let ask =
            |firewalld: &Firewalld, deadline| firewalld.is_trusted(subnet, deadline).map(Some);
        self.zones.ask(self.deadline, None, ask)
    }

    fn trust(&mut self, subnet: IpNet) -> Result<(), FirewalldError> {
        let ask = |firewalld: &Firewalld, deadline| firewalld.trust(subnet, deadline).map(drop);
        self.zones.ask(self.deadline, (), ask)
    }

    fn distrust(&mut self, subnet: IpNet) -> Result<(), FirewalldError> {
        let ask = |firewalld: &Firewalld, deadline| firewalld.distrust(subnet, deadline).map(drop);
        match self.zones.ask(self.deadline, (), ask) {
            // Sources last as long as firewalld does.
            Err(error) if error.is_absence() => Ok(()),
            result => result,
        }
    }

    fn is_strict(&mut self) -> Result<bool, FirewalldError> {
        let ask = |firewalld: &Firewalld, deadline| firewalld.strict_forward_ports(deadline);
        self.zones.ask(self.deadline, false, ask)
    }
}
