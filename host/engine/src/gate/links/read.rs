//! Reads of links.

use std::time::{Duration, Instant};

use kernel;
use nix::errno::Errno;
use policy::{Call, Object};
use types::Namespace;
use wasmtime::component::Resource;

use super::LinkHandle;
use crate::driver::wit::links::LinkInfo;
use crate::gate::Gate;
use crate::gate::call::CallError;

/// The pause between two reads of a link.
const PAUSE: Duration = Duration::from_millis(5);

impl Gate {
    /// Makes the call `links.names`.
    pub(super) fn link_names(&mut self, namespace: Namespace) -> Result<Vec<String>, CallError> {
        let objects = [Object::AllLinks(namespace)];
        let links = self.read(Call::LinksNames, &objects, |kernel| {
            kernel.links(namespace, None)
        })?;
        Ok(links.into_iter().map(|link| link.name.into()).collect())
    }

    /// Makes the call `links.info`.
    pub(super) fn link_info(&mut self, link: &Resource<LinkHandle>) -> Result<LinkInfo, CallError> {
        let link = self.link(link)?;
        let objects = [self.object(&link)];
        let info = self.read(Call::LinksInfo, &objects, |kernel| {
            kernel.link_info(link.id)
        })?;
        Ok(to_wit(info))
    }

    /// Makes the call `links.ports`.
    pub(super) fn link_ports(
        &mut self,
        link: &Resource<LinkHandle>,
    ) -> Result<Vec<String>, CallError> {
        let link = self.link(link)?;
        let objects = [self.object(&link)];
        let ports = self.read(Call::LinksPorts, &objects, |kernel| {
            kernel.links(link.id.namespace, Some(link.id.index))
        })?;
        Ok(ports.into_iter().map(|port| port.name.into()).collect())
    }

    /// Makes the call `links.wait-carrier`. Each read keeps the deadline of the run, so
    /// the wait does too.
    pub(super) fn wait_for_carrier(
        &mut self,
        link: &Resource<LinkHandle>,
        milliseconds: u32,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let objects = [self.object(&link)];
        let end = Instant::now() + Duration::from_millis(milliseconds.into());
        self.read(Call::LinksWaitCarrier, &objects, |kernel| {
            while !kernel.link_info(link.id)?.carrier {
                if Instant::now() >= end {
                    return Err(Errno::EBUSY.into());
                }
                std::thread::sleep(PAUSE);
            }
            Ok(())
        })
    }
}

fn to_wit(info: kernel::LinkInfo) -> LinkInfo {
    let state = info.state;
    LinkInfo {
        name: state.name.into(),
        index: state.index,
        kind: info.kind,
        mac: state.mac.map(|mac| mac.to_string()),
        permanent_mac: state.permanent_mac.map(|mac| mac.to_string()),
        mtu: state.mtu,
        up: state.up,
        carrier: info.carrier,
        tx_queue_length: state.tx_queue_length,
        promiscuous: state.promiscuous,
        all_multicast: state.all_multicast,
        alias: state.alias,
        vlan_filtering: info.vlan_filtering,
    }
}
