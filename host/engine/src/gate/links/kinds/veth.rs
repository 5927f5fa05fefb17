//! `links.create-veth`.

use journal::Change;
use kernel::{KernelError, LinkId, NewVeth, VethEnd};
use policy::{Call, Object};
use types::{LinkName, Namespace};

use super::make;
use crate::driver::wit::links::{VethOptions, VethPair};
use crate::driver::wit::types::Place;
use crate::gate::call::{CallError, Plan, invalid};
use crate::gate::{Gate, Kernel, bounds, explain};

const CALL: Call = Call::LinksCreateVeth;

impl Gate {
    pub(in crate::gate::links) fn make_veth(
        &mut self,
        options: VethOptions,
    ) -> Result<VethPair, CallError> {
        bounds::names(CALL, [&options.name, &options.host_name])?;
        bounds::addresses(CALL, [&options.mac, &options.host_mac])?;
        self.check_handle_limit(CALL, 2)?;
        let request = &self.authority.request;
        let has_host_name = options.host_name.is_some() || request.host_interface_name.is_some();
        let veth = self.new_veth(options)?;
        let ends = [
            (Namespace::Container, &veth.container.name),
            (Namespace::Host, &veth.host.name),
        ];
        let ends_of = ends.map(|(namespace, name)| Object::NewLink { namespace, name });
        let mut objects = ends_of.to_vec();
        objects.extend(Place::Host.object());
        let plan = |kernel: &mut dyn Kernel| {
            for (namespace, name) in ends {
                check_is_free(kernel, (&veth, has_host_name), (namespace, name))?;
            }
            Ok(Plan::of(ends.map(|(namespace, name)| Change::MakeLink {
                namespace,
                name: name.clone(),
                index: None,
                table: None,
            })))
        };
        let (container, host) =
            self.change(CALL, &objects, plan, |kernel| kernel.create_veth(&veth))?;
        let id = |namespace, index| LinkId { namespace, index };
        Ok(VethPair {
            container: self.hand_out(
                id(Namespace::Container, container),
                veth.container.name.clone(),
            )?,
            host: self.hand_out(id(Namespace::Host, host), veth.host.name.clone())?,
        })
    }

    fn new_veth(&self, options: VethOptions) -> Result<NewVeth, CallError> {
        let wrong = |error: &dyn std::fmt::Display| invalid(CALL, error);
        Ok(NewVeth {
            container: VethEnd {
                name: self.name_of_new(CALL, Place::Container, options.name)?,
                mac: make::mac(options.mac).map_err(|error| wrong(&error))?,
            },
            host: VethEnd {
                name: self.name_of_new(CALL, Place::Host, options.host_name)?,
                mac: make::mac(options.host_mac).map_err(|error| wrong(&error))?,
            },
            mtu: options.mtu,
        })
    }
}

/// Checks that the name of one end is free.
fn check_is_free(
    kernel: &mut dyn Kernel,
    (veth, has_host_name): (&NewVeth, bool),
    (namespace, name): (Namespace, &LinkName),
) -> Result<(), KernelError> {
    match kernel.link_by_name(namespace, name) {
        Ok(_) => {
            let host = has_host_name.then_some(&veth.host.name);
            let pair = (&veth.container.name, host);
            Err(explain::pair_is_taken(kernel, pair, (namespace, name)))
        }
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}
