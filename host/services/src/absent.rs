//! The services of a run that can't reach any.

use std::time::Instant;

use ipnet::IpNet;

use crate::dhcp::{Dhcp, DhcpError, DhcpProxy, Lease, LeaseRequest};
use crate::dns::{Dns, DnsError, DnsRecord, Registration, Served};
use crate::firewalld::FirewalldError;
use crate::zones::TrustedZone;
use crate::{Relayed, RelayedCause, Services};

/// The error of a service that this run was found not to need.
const UNFORESEEN: &str = "this run was to need no other service, so it can't reach one now: run \
     the same again";

/// Services that aren't there. What earlier runs had of them can't be undone, except
/// what has ended with the service.
#[derive(Debug, Clone)]
pub struct AbsentServices {
    dhcp: DhcpProxy,
    has_firewalld: bool,
}

impl AbsentServices {
    /// Makes the services of a run. `has_firewalld` says whether firewalld may be there
    /// after all. Then its zones are unknown.
    pub fn new(dhcp: DhcpProxy, has_firewalld: bool) -> Self {
        Self {
            dhcp,
            has_firewalld,
        }
    }

    /// Returns the answer where firewalld doesn't run.
    fn without_firewalld<T>(&self, answer: T) -> Result<T, FirewalldError> {
        match self.has_firewalld {
            false => Ok(answer),
            true => Err(unforeseen(RelayedCause::Absent).into()),
        }
    }
}

fn unforeseen(cause: RelayedCause) -> Relayed {
    Relayed::new(UNFORESEEN.to_owned(), cause)
}

impl Services for AbsentServices {
    fn set_deadline(&mut self, _: Instant) {}
}

impl Dns for AbsentServices {
    fn register(&mut self, _: &Registration) -> Result<Served, DnsError> {
        Err(unforeseen(RelayedCause::Refused).into())
    }

    fn withdraw(&mut self, _: &DnsRecord) -> Result<(), DnsError> {
        Err(unforeseen(RelayedCause::Refused).into())
    }
}

impl Dhcp for AbsentServices {
    fn lease(&mut self, request: &LeaseRequest) -> Result<Option<Lease>, DhcpError> {
        Err(self.dhcp.absent(request))
    }

    fn release(&mut self, _: &LeaseRequest) -> Result<(), DhcpError> {
        Err(unforeseen(RelayedCause::Refused).into())
    }
}

impl TrustedZone for AbsentServices {
    fn is_trusted(&mut self, _: IpNet) -> Result<Option<bool>, FirewalldError> {
        self.without_firewalld(None)
    }

    fn trust(&mut self, _: IpNet) -> Result<(), FirewalldError> {
        self.without_firewalld(())
    }

    fn distrust(&mut self, _: IpNet) -> Result<(), FirewalldError> {
        self.without_firewalld(())
    }

    fn is_strict(&mut self) -> Result<bool, FirewalldError> {
        self.without_firewalld(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firewalld_is_absent_or_unknown() {
        let services = |has_firewalld| AbsentServices::new(DhcpProxy::default(), has_firewalld);
        let subnet = "10.88.0.0/16".parse().unwrap();
        assert_eq!(services(false).is_trusted(subnet).unwrap(), None);
        assert!(!services(false).is_strict().unwrap());
        services(false).distrust(subnet).unwrap();
        // A driver's call goes on, and an undo fails.
        assert!(services(true).trust(subnet).unwrap_err().is_absence());
        services(true).distrust(subnet).unwrap_err();
    }

    #[test]
    fn a_lease_fails_as_without_a_proxy() {
        let request = LeaseRequest {
            host_link: "eth0".parse().unwrap(),
            container_link: "eth0".parse().unwrap(),
            container_mac: "02:00:00:00:00:01".parse().unwrap(),
            domain: None,
            host_name: None,
            netns: "/run/netns/x".into(),
            container: "c1".to_owned().try_into().unwrap(),
        };
        let proxy = DhcpProxy::at("/nowhere/proxy.sock".into());
        let real = proxy.lease(&request, Instant::now()).unwrap_err();
        let error = AbsentServices::new(proxy, false)
            .lease(&request)
            .unwrap_err();
        assert!(error.is_unasked());
        assert_eq!(error.to_string(), real.to_string());
    }
}
