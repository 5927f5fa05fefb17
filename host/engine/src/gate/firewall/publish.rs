//! The call `firewall.publish`.

use std::net::IpAddr;

use kernel::{FirewallRule, KernelError, LinkId, Publication};
use nix::errno::Errno;
use policy::{Call, Object};
use types::{LinkName, Namespace, PortRange};
use wasmtime::component::Resource;

use super::super::call::{CallError, invalid};
use super::super::{Gate, LinkHandle};
use super::{Subject, Wanted, arguments};
use crate::driver::wit::types::Port as WitPort;
use crate::guard::Permitted;

impl Gate {
    pub(super) fn publish_ports(
        &mut self,
        link: &Resource<LinkHandle>,
        ports: Vec<WitPort>,
        address: &str,
    ) -> Result<(), CallError> {
        let call = Call::FirewallPublish;
        let link = self.host_link(call, link)?;
        let address = arguments::address(call, address)?;
        let requested = &self.authority.request.ports;
        let ports = arguments::ports_for(call, ports, requested, address)?;
        let from = self.authority.request.publish_interface.clone();
        if let Some(from) = &from {
            check_comes_in(call, from, &ports)?;
        }
        let mut objects = vec![
            self.object(&link),
            Object::Address {
                namespace: Namespace::Container,
                address: address.into(),
                own: false,
            },
        ];
        objects.extend(ports.iter().map(Object::Ports));
        let wanted = match ports.is_empty() {
            true => Vec::new(),
            false => self.publication(&link.name, ports.clone(), address, from),
        };
        self.add_to_firewall(call, &objects, Subject::Peer(address), wanted)
    }

    fn publication(
        &self,
        link: &LinkName,
        ports: Vec<PortRange>,
        address: IpAddr,
        from: Option<LinkName>,
    ) -> Vec<Wanted> {
        let behind = FirewallRule::PublishBehind { link: link.clone() };
        let only_through = FirewallRule::OnlyThrough {
            address,
            link: link.clone(),
        };
        let publication = Publication {
            ports,
            address,
            from,
        };
        vec![
            self.shared_entry(behind),
            self.own_entry(only_through),
            self.own_entry(FirewallRule::Publish(publication)),
        ]
    }

    /// Checks that packets can reach published ports.
    pub(super) fn check_publishes(&mut self, permit: &Permitted) -> Result<(), KernelError> {
        self.check_forwards(permit)?;
        match self.authority.request.publish_interface.clone() {
            Some(from) => self.check_publish_interface(permit, &from),
            None => Ok(()),
        }
    }

    /// Checks that packets come in through the link of the option `publish_interface`.
    /// Those of a bridge's ports come in through the bridge.
    fn check_publish_interface(
        &mut self,
        permit: &Permitted,
        from: &LinkName,
    ) -> Result<(), KernelError> {
        let kernel = self.rollback.guard.open(permit);
        let state = match kernel.link_by_name(Namespace::Host, from) {
            Err(error) if error.is_not_found() => {
                return Err(KernelError::NotFound(format!(
                    "publish_interface names {from}, which the host doesn't have: name a link that is \
                     there when the container starts"
                )));
            }
            state => state?,
        };
        let Some(master) = state.master else {
            return Ok(());
        };
        let master = LinkId {
            namespace: Namespace::Host,
            index: master,
        };
        let name = kernel.link_by_id(master)?.name;
        let info = kernel.link_info(master)?;
        match info.kind.as_deref() {
            Some("bridge") => Err(KernelError::Refused {
                errno: Errno::EINVAL,
                text: format!(
                    "{from} is a port of the bridge {name}, so its packets come in through {name}: name \
                     that by publish_interface"
                ),
            }),
            _ => Ok(()),
        }
    }
}

/// Checks that packets to the ports' host addresses can come in through a link. The
/// kernel drops those to loopback addresses.
fn check_comes_in(call: Call, from: &LinkName, ports: &[PortRange]) -> Result<(), CallError> {
    let mut loopbacks = ports
        .iter()
        .filter(|port| port.host_address.is_some_and(|at| at.is_loopback()));
    match loopbacks.next() {
        Some(port) => {
            let text = format!(
                "{port} is at a loopback address, which no packet has that comes in through \
                 {from}: publish it at another address, or without publish_interface"
            );
            Err(invalid(call, &text))
        }
        None => Ok(()),
    }
}
