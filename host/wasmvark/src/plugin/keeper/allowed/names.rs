//! The names that a run may register.

use std::net::IpAddr;

use engine::gate::Names;
use policy::{Call, Grant};
use request::Request;
use services::dns::{DnsRecord, Registration};

/// The option, and its value, of a network on a bridge that the host manages.
const UNMANAGED: (&str, &str) = ("mode", "unmanaged");

/// The names of the run's container.
#[derive(Debug)]
pub(in crate::plugin::keeper) struct AllowedNames {
    registration: Registration,
    gateways: Vec<IpAddr>,
    /// Whether the server may also listen on other addresses of the host.
    listens_elsewhere: bool,
}

impl AllowedNames {
    /// Returns the names that a driver may register, if the grant has the call and the
    /// names can be served.
    pub(in crate::plugin::keeper) fn of(
        grant: &Grant,
        request: &Request,
        names: Option<&Names>,
    ) -> Option<Self> {
        let reach = grant.calls().get(&Call::DnsRegister)?;
        let names = names.filter(|names| names.is_installed)?;
        let registration = names.registration.as_ref().ok()?.clone();
        let gateways = request.network.gateways().into_iter();
        let gateways: Vec<IpAddr> = gateways.map(|gateway| gateway.addr()).collect();
        let (option, unmanaged) = UNMANAGED;
        Some(Self {
            listens_elsewhere: gateways.is_empty()
                || request.option(option) == Some(unmanaged)
                || !reach.link.is_empty(),
            registration,
            gateways,
        })
    }

    /// Returns the place of the names.
    pub(in crate::plugin::keeper) fn record(&self) -> &DnsRecord {
        &self.registration.record
    }

    /// Whether these are the names, with the addresses of the container's leases.
    pub(super) fn allows(&self, registration: &Registration, leased: &[IpAddr]) -> bool {
        let expected = Registration {
            listen: registration.listen.clone(),
            addresses: registration.addresses.clone(),
            ..self.registration.clone()
        };
        let own = &self.registration.addresses;
        let more = registration.addresses.strip_prefix(own.as_slice());
        *registration == expected
            && more.is_some_and(|more| more.iter().all(|address| leased.contains(address)))
            && registration.listen.iter().all(|at| self.may_listen(*at))
    }

    fn may_listen(&self, address: IpAddr) -> bool {
        let is_of_one_link =
            !address.is_unspecified() && !address.is_loopback() && !address.is_multicast();
        self.gateways.contains(&address) || (self.listens_elsewhere && is_of_one_link)
    }
}
