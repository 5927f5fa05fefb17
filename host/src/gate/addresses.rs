//! The interface `addresses`.

use ipnet::IpNet;
use wasmtime::component::Resource;

use super::perform::{CallError, Plan, invalid};
use super::{Gate, LinkHandle};
use crate::driver::wit::addresses::Host;
use crate::grant::{Call, Object};
use crate::journal::Change;

impl Host for Gate {
    fn add(&mut self, link: Resource<LinkHandle>, address: String) -> Result<(), CallError> {
        let call = Call::AddressesAdd;
        let address: IpNet = address.parse().map_err(|_| {
            invalid(
                call,
                &format!("{address:?} is no address with a prefix length"),
            )
        })?;
        let link = self.link(&link)?;
        let change = (!self.owns(&link)).then_some(Change::AddAddress {
            link: link.id,
            name: link.name.clone(),
            address,
        });
        let objects = [
            self.object(&link),
            Object::Address {
                namespace: link.id.namespace,
                address,
            },
        ];
        self.change(
            call,
            &objects,
            |_| Ok(Plan::of(change)),
            |kernel| kernel.add_address(link.id, address),
        )
    }
}
