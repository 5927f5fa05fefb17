//! The interface `addresses`.

use std::time::{Duration, Instant};

use ipnet::IpNet;
use journal::Change;
use kernel::{AddressState, KernelError, LinkId, MAIN_TABLE, NewAddress};
use nix::errno::Errno;
use policy::{Call, Object};
use types::Namespace;
use wasmtime::component::Resource;

use super::call::{CallError, Plan, invalid};
use super::clash::View;
use super::links::others_have;
use super::{Gate, Kernel, LinkHandle, bounds};
use crate::driver::wit::addresses::{AddressInfo, AddressOptions, Host};

/// The pause between two reads of addresses.
const PAUSE: Duration = Duration::from_millis(5);

impl Host for Gate {
    fn add(
        &mut self,
        link: Resource<LinkHandle>,
        address: String,
        options: Option<AddressOptions>,
    ) -> Result<(), CallError> {
        let call = Call::AddressesAdd;
        let address = parse(call, &address)?;
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
                own: false,
            },
        ];
        let new = NewAddress {
            address,
            no_dad: options.is_some_and(|options| options.no_dad),
            no_prefix_route: options.is_some_and(|options| options.no_prefix_route),
        };
        let on_host = link.id.namespace == Namespace::Host;
        let own = self.own_objects(link.id.namespace)?;
        let in_use = self.is_in_use_by_others(&link)?;
        let subnets = self.subnets_of_gateway(address);
        // An equal foreign address is an error, because the undo would remove it.
        let plan = |kernel: &mut dyn Kernel| {
            if on_host {
                let namespace = link.id.namespace;
                let view = View::with_routes(kernel, namespace, MAIN_TABLE, own)?;
                view.check_address(link.id.index, &new)?;
                let mut subnets = subnets.iter();
                subnets.try_for_each(|subnet| {
                    let address = *subnet;
                    let whole = NewAddress {
                        address,
                        no_prefix_route: true,
                        ..new
                    };
                    view.check_address(link.id.index, &whole)
                })?;
            }
            if (in_use || change.is_some()) && has_address(kernel, link.id, address)? {
                return Err(Errno::EEXIST.into());
            }
            if in_use {
                return Err(others_have(&link));
            }
            Ok(Plan::of(change))
        };
        self.change(call, &objects, plan, |kernel| {
            let added = kernel.add_address(link.id, &new);
            added.map_err(|error| without_ipv6(error, &link, address))
        })
    }

    fn remove(&mut self, link: Resource<LinkHandle>, address: String) -> Result<(), CallError> {
        let call = Call::AddressesRemove;
        let address = parse(call, &address)?;
        let link = self.link(&link)?;
        if self.owns(&link) {
            let in_use = self.is_in_use_by_others(&link)?;
            let objects = [self.object(&link), address_object(&link, address, true)];
            let plan = |_: &mut dyn Kernel| match in_use {
                true => Err(others_have(&link)),
                false => Ok(Plan::nothing()),
            };
            return self.change(call, &objects, plan, |kernel| {
                kernel.remove_address(link.id, address)
            });
        }
        if let Some(number) = self.added(&link, address) {
            return self.remove_added(&link, address, number);
        }
        let objects = [self.object(&link), address_object(&link, address, false)];
        let plan = |kernel: &mut dyn Kernel| {
            Ok(Plan::of([Change::RemoveAddress {
                link: link.id,
                name: link.name.clone(),
                address,
                snapshot: kernel.snapshot(link.id)?,
            }]))
        };
        self.change(call, &objects, plan, |kernel| {
            kernel.remove_address(link.id, address)
        })
    }

    fn list(&mut self, link: Resource<LinkHandle>) -> Result<Vec<AddressInfo>, CallError> {
        let link = self.link(&link)?;
        let objects = [self.object(&link)];
        let addresses = self.read(Call::AddressesList, &objects, |kernel| {
            kernel.addresses(link.id)
        })?;
        Ok(addresses.iter().map(info).collect())
    }

    // Each read keeps the deadline of the run, so the wait does too.
    fn wait_dad(&mut self, link: Resource<LinkHandle>, milliseconds: u32) -> Result<(), CallError> {
        let link = self.link(&link)?;
        let objects = [self.object(&link)];
        let end = Instant::now() + Duration::from_millis(milliseconds.into());
        self.read(Call::AddressesWaitDad, &objects, |kernel| {
            loop {
                let addresses = kernel.addresses(link.id)?;
                if let Some(duplicate) = addresses.iter().find(|address| address.dad_failed) {
                    return Err(is_duplicate(duplicate.address));
                }
                let Some(tentative) = addresses.iter().find(|address| address.tentative) else {
                    return Ok(());
                };
                if Instant::now() >= end {
                    return Err(is_tentative(tentative.address, milliseconds));
                }
                std::thread::sleep(PAUSE);
            }
        })
    }
}

impl Gate {
    /// Returns the subnets whose gateway is an address. Such an address must be free in
    /// the whole subnet.
    fn subnets_of_gateway(&self, address: IpNet) -> Vec<IpNet> {
        let gateways = self.authority.request.gateways.iter();
        let matching = gateways.filter(|gateway| gateway.addr() == address.addr());
        matching.copied().collect()
    }

    /// Returns the number of the undo record of an address that the driver added to a
    /// foreign link.
    fn added(&self, link: &LinkHandle, address: IpNet) -> Option<u32> {
        let is_it = |change: &Change| {
            matches!(change, Change::AddAddress { link: id, name, address: added }
                if *id == link.id && *name == link.name && *added == address)
        };
        let journal = self.rollback.journal.as_ref()?;
        let mut entries = journal.entries_of(link.id.namespace);
        entries
            .find(|entry| is_it(&entry.change))
            .map(|entry| entry.number)
    }

    fn remove_added(
        &mut self,
        link: &LinkHandle,
        address: IpNet,
        number: u32,
    ) -> Result<(), CallError> {
        let call = Call::AddressesRemove;
        let objects = [address_object(link, address, true)];
        let permit = self.decide(call, &objects)?;
        let kernel = self.rollback.guard.open(&permit);
        let result = kernel.remove_address(link.id, address);
        if result.is_ok() {
            self.forget(number)?;
        }
        self.record(permit, &objects, result)
    }
}

/// Returns the error of an added address, with the setting that turns IPv6 off.
fn without_ipv6(error: KernelError, link: &LinkHandle, address: IpNet) -> KernelError {
    // `addrconf_add_dev`
    if error.errno() != Some(Errno::EACCES) || address.addr().is_ipv4() {
        return error;
    }
    let name = &link.name;
    KernelError::Refused {
        errno: Errno::EAFNOSUPPORT,
        text: format!(
            "IPv6 is off for {name} (net.ipv6.conf.{name}.disable_ipv6): turn it on, or give the \
             container no IPv6 address"
        ),
    }
}

fn is_duplicate(address: IpNet) -> KernelError {
    let address = address.addr();
    KernelError::Refused {
        errno: Errno::EADDRINUSE,
        text: format!(
            "another machine has {address} (duplicate address detection): give one of both \
             another address"
        ),
    }
}

fn is_tentative(address: IpNet, milliseconds: u32) -> KernelError {
    let address = address.addr();
    KernelError::Refused {
        errno: Errno::EBUSY,
        text: format!(
            "duplicate address detection of {address} isn't over after {milliseconds} ms: check \
             whether the link has a carrier"
        ),
    }
}

fn has_address(kernel: &mut dyn Kernel, link: LinkId, address: IpNet) -> Result<bool, KernelError> {
    let addresses = kernel.addresses(link)?;
    Ok(addresses.iter().any(|own| own.address == address))
}

fn address_object(link: &LinkHandle, address: IpNet, own: bool) -> Object<'static> {
    Object::Address {
        namespace: link.id.namespace,
        address,
        own,
    }
}

fn parse(call: Call, address: &str) -> Result<IpNet, CallError> {
    bounds::address(call, address)?;
    address.parse().map_err(|_| {
        let text = format!("{address:?} is no address with a prefix length");
        invalid(call, &text)
    })
}

fn info(state: &AddressState) -> AddressInfo {
    AddressInfo {
        address: state.address.to_string(),
        link_scope: state.link_scope,
        tentative: state.tentative,
        dad_failed: state.dad_failed,
    }
}
