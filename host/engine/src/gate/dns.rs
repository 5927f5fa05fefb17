//! The interface `dns`.

use std::net::IpAddr;

use journal::Change;
use kernel::{FirewallRule, KernelError, LinkInfo, Publication};
use nix::errno::Errno;
use policy::Call;
use services::dns::{AardvarkConfig, DnsError, Registration, Served};
use types::{Namespace, PortRange, Protocol};
use wasmtime::component::Resource;

use super::call::{CallError, invalid};
use super::{Gate, LinkHandle};
use crate::driver::wit::dns::Host;
use crate::guard::Permitted;

/// The port that containers ask.
const DNS_PORT: u16 = AardvarkConfig::PORT;

/// The names of a container, and the server that is to serve them.
#[derive(Debug, Clone)]
pub struct Names {
    /// The container's entry, without the addresses that the server listens on; or why
    /// there is none.
    pub registration: Result<Registration, DnsError>,
    /// The port that the server listens on.
    pub port: u16,
    /// Whether the server is installed. Where it isn't, names are left out, as netavark
    /// does.
    pub is_installed: bool,
}

impl Host for Gate {
    fn register(&mut self, link: Resource<LinkHandle>) -> Result<(), CallError> {
        let call = Call::DnsRegister;
        let link = self.link(&link)?;
        if link.id.namespace != Namespace::Host {
            let text = format!("{} isn't in the host's namespace", link.name);
            return Err(invalid(call, &text));
        }
        let objects = [self.object(&link)];
        let permit = self.decide(call, &objects)?;
        let Some(names) = self.names.clone() else {
            return Err(self.record_failure(permit, &objects, not_wanted()));
        };
        if !names.is_installed {
            self.log.warn(NOT_INSTALLED);
            return self.record(permit, &objects, Ok(()));
        }
        let result = match self.registration(&permit, &link, &names) {
            Err(error) => Err(error),
            Ok(registration) => self.serve(&permit, &names, &registration)?,
        };
        self.record(permit, &objects, result)
    }
}

/// What is told where the server is missing.
const NOT_INSTALLED: &str = "aardvark-dns isn't installed, so containers can't find each other by \
     name: install it (Debian's and Fedora's package is aardvark-dns)";
/// What is told where the server can't be reached.
const ELSEWHERE: &str = "aardvark-dns runs in another network namespace, so names can't be looked \
     up: stop all containers, kill aardvark-dns, remove its folder, and start them again";

impl Gate {
    /// Sets the names that `dns.register` serves.
    pub(crate) fn with_names(mut self, names: Option<Names>) -> Self {
        self.names = names;
        self
    }

    /// Returns the DNS servers that calls have found for the container: aardvark-dns,
    /// and those of DHCP servers.
    pub fn name_servers(&self) -> &[IpAddr] {
        &self.name_servers
    }

    /// Whether aardvark-dns serves the container's names.
    pub fn serves_names(&self) -> bool {
        self.serves_names
    }

    /// Completes the container's entry by the addresses that the server listens on.
    fn registration(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
        names: &Names,
    ) -> Result<Registration, KernelError> {
        let mut registration = names
            .registration
            .clone()
            .map_err(|error| refused(&error))?;
        let leased = self.leased.iter().map(|lease| lease.address.addr());
        registration.addresses.extend(leased);
        let is_ours = self.owns(link) || self.uses(link);
        let gateways = self.authority.request.gateways.clone();
        let kernel = self.rollback.guard.open(permit);
        let info = kernel.link_info(link.id)?;
        let addresses = kernel.addresses(link.id)?;
        let addresses = addresses.iter().map(|address| address.address.addr());
        registration.listen = match is_ours {
            true => {
                let is_gateway =
                    |address: &IpAddr| gateways.iter().any(|gateway| gateway.addr() == *address);
                addresses.filter(is_gateway).collect()
            }
            false => {
                check_bridge(link, &info)?;
                addresses
                    .filter(|address| !is_link_local(*address))
                    .collect()
            }
        };
        if registration.listen.is_empty() {
            return Err(no_address(link, is_ours));
        }
        registration.check().map_err(|error| refused(&error))?;
        Ok(registration)
    }

    /// Registers the container, and leads the port of DNS servers to that of this one.
    fn serve(
        &mut self,
        permit: &Permitted,
        names: &Names,
        registration: &Registration,
    ) -> Result<Result<(), KernelError>, CallError> {
        if names.port != DNS_PORT
            && let Err(error) = self.lead_to_port(permit, names.port, &registration.listen)?
        {
            return Ok(Err(error));
        }
        let record = registration.record.clone();
        let entries = match self.begin_service(Change::RegisterNames { record }, false)? {
            Err(error) => return Ok(Err(error)),
            Ok(entries) => entries,
        };
        let registered = self
            .rollback
            .guard
            .open_services(permit)
            .register(registration);
        if let Ok(Served::Elsewhere) = registered {
            self.log.warn(ELSEWHERE);
        }
        let result = registered.map(drop).map_err(|error| failed(&error));
        self.confirm(&entries, &result)?;
        if result.is_ok() {
            self.name_servers.clone_from(&registration.listen);
            self.serves_names = true;
        }
        Ok(result)
    }

    /// Has the port of DNS servers lead to another one of the same address.
    fn lead_to_port(
        &mut self,
        permit: &Permitted,
        port: u16,
        listen: &[IpAddr],
    ) -> Result<Result<(), KernelError>, CallError> {
        if self.leaves_firewall() {
            return Ok(Ok(()));
        }
        if let Err(error) = self.check_forwards(permit) {
            return Ok(Err(error));
        }
        let publications = listen.iter().map(|address| {
            let range = |protocol| PortRange {
                host_address: Some(*address),
                protocol,
                first: DNS_PORT,
                last: DNS_PORT,
                container_first: port,
            };
            FirewallRule::Publish(Publication {
                ports: vec![range(Protocol::Tcp), range(Protocol::Udp)],
                address: *address,
                from: None,
            })
        });
        self.add_shared_rules(permit, publications.collect())
    }
}

/// A link of the host that isn't ours could be one to the outside, where the server must
/// not answer.
fn check_bridge(link: &LinkHandle, info: &LinkInfo) -> Result<(), KernelError> {
    match info.kind.as_deref() {
        Some("bridge") => Ok(()),
        _ => Err(KernelError::Refused {
            errno: Errno::EINVAL,
            text: format!(
                "{} is no bridge, and the driver didn't make it: aardvark-dns listens on bridges \
                 and on the driver's own links only",
                link.name
            ),
        }),
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

fn no_address(link: &LinkHandle, is_ours: bool) -> KernelError {
    let name = &link.name;
    let text = match is_ours {
        true => format!(
            "{name} has none of the network's gateways, at which aardvark-dns could listen: add \
             one, or disable DNS for this network (--disable-dns)"
        ),
        // netavark's sentence.
        false => format!(
            "bridge '{name}' in unmanaged mode has no usable IP addresses. Aardvark-dns requires \
             at least one address (should not be an IPv6 link-local address) to bind to. Please \
             add an IP address or disable DNS for this network (--disable-dns)."
        ),
    };
    KernelError::Refused {
        errno: Errno::EADDRNOTAVAIL,
        text,
    }
}

fn not_wanted() -> KernelError {
    KernelError::Refused {
        errno: Errno::EINVAL,
        text: "the user wants no name resolution on this network (`request.network.dns`)"
            .to_owned(),
    }
}

fn refused(error: &DnsError) -> KernelError {
    KernelError::Refused {
        errno: Errno::EINVAL,
        text: error.to_string(),
    }
}

/// Returns the error of a service, which may have done a part of its work.
fn failed(error: &DnsError) -> KernelError {
    KernelError::Unfinished(Box::new(KernelError::Refused {
        errno: Errno::EIO,
        text: error.to_string(),
    }))
}
