//! The interface `announce`.

use std::net::IpAddr;

use ipnet::IpNet;
use policy::{Call, Object};
use types::Namespace;
use wasmtime::component::Resource;

use super::call::{CallError, invalid};
use super::clash::View;
use super::{Gate, LinkHandle, bounds};
use crate::driver::wit::announce::Host;

impl Host for Gate {
    fn gratuitous_arp(
        &mut self,
        link: Resource<LinkHandle>,
        address: String,
    ) -> Result<(), CallError> {
        let call = Call::AnnounceGratuitousArp;
        bounds::address(call, &address)?;
        match address.parse() {
            Ok(address) => self.announce(call, &link, IpAddr::V4(address)),
            Err(_) => Err(invalid(call, &format!("{address:?} is no IPv4 address"))),
        }
    }

    fn neighbour_advertisement(
        &mut self,
        link: Resource<LinkHandle>,
        address: String,
    ) -> Result<(), CallError> {
        let call = Call::AnnounceNeighbourAdvertisement;
        bounds::address(call, &address)?;
        match address.parse() {
            Ok(address) => self.announce(call, &link, IpAddr::V6(address)),
            Err(_) => Err(invalid(call, &format!("{address:?} is no IPv6 address"))),
        }
    }
}

impl Gate {
    /// Announces an address. An announcement can't be taken back, so it needs no undo
    /// record.
    fn announce(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        address: IpAddr,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let objects = [
            self.object(&link),
            Object::Address {
                namespace: link.id.namespace,
                address: IpNet::from(address),
                own: false,
            },
        ];
        let own = self.own_objects(Namespace::Host)?;
        self.read(call, &objects, |kernel| {
            View::of_host(kernel, &[address.into()], own)?.check_packets(address.into())?;
            kernel.announce(link.id, address)
        })
    }
}
