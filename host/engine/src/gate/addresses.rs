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
use super::links::{Known, others_have};
use super::own::Own;
use super::{Gate, Kernel, LinkHandle, bounds, explain};
use crate::driver::wit::addresses::{AddressInfo, AddressOptions, Host};
use crate::driver::wit::types::{IpVersion, Subnet};

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
        if self.uses(&link) && !self.is_spelled_out(call, &link) {
            return self.add_to_used(&link, address, options);
        }
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
        let new = new_address(address, options);
        let on_host = link.id.namespace == Namespace::Host;
        let own = self.own_objects(link.id.namespace)?;
        let in_use = self.is_in_use_by_others(&link)?;
        let subnets = self.subnets_of_gateway(address);
        // An equal foreign address is an error, because the undo would remove it.
        let plan = |kernel: &mut dyn Kernel| {
            if on_host {
                check_on_host(kernel, &link, &new, &subnets, own)?;
            }
            if (in_use || change.is_some()) && has_address(kernel, link.id, address)? {
                return Err(Errno::EEXIST.into());
            }
            if in_use {
                return Err(others_have(&link));
            }
            Ok(Plan::of(change))
        };
        self.change(call, &objects, plan, |kernel| add(kernel, &link, &new))
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

    fn allocate_subnet(
        &mut self,
        version: IpVersion,
        with_gateway: bool,
    ) -> Result<Subnet, CallError> {
        self.allocate(version.into(), with_gateway)
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

    /// Adds an address to a used bridge of the host. All containers of the network share
    /// it.
    fn add_to_used(
        &mut self,
        link: &LinkHandle,
        address: IpNet,
        options: Option<AddressOptions>,
    ) -> Result<(), CallError> {
        let objects = [self.object(link), address_object(link, address, false)];
        let permit = self.decide(Call::AddressesAdd, &objects)?;
        let known = self.known(|it| {
            matches!(it, Change::AddAddress { link: of, address: added, .. }
                if (*of, *added) == (link.id, address))
        })?;
        let is_known = !matches!(known, Known::Nobody);
        let why = "another machine behind it may have the gateway's address; if the host is to \
                   be the gateway, give the bridge the address yourself";
        let alone = match is_known {
            true => Ok(()),
            false => self.check_alone(&permit, link, Errno::EEXIST, why)?,
        };
        if let Err(error) = alone {
            return Err(self.record_failure(permit, &objects, error));
        }
        let own = self.own_objects(Namespace::Host)?;
        let in_use = self.is_in_use_by_others(link)?;
        let subnets = self.subnets_of_gateway(address);
        let new = new_address(address, options);
        let plan = |kernel: &mut dyn Kernel| {
            let is_there = has_address(kernel, link.id, address)?;
            if !is_known || !is_there {
                check_unconnected(kernel, link, address)?;
                check_on_host(kernel, link, &new, &subnets, own)?;
            }
            if in_use && !is_there {
                return Err(others_have(link));
            }
            Ok(known.plan(|| {
                Some(Change::AddAddress {
                    link: link.id,
                    name: link.name.clone(),
                    address,
                })
            }))
        };
        let result = self.perform(&permit, plan, |kernel| {
            match has_address(kernel, link.id, address)? {
                true => Ok(()),
                false => add(kernel, link, &new),
            }
        })?;
        self.record(permit, &objects, result)
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

/// Checks an address for a link of the host, and the subnets whose gateway it is.
fn check_on_host(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
    new: &NewAddress,
    subnets: &[IpNet],
    own: Own,
) -> Result<(), KernelError> {
    let mut networks = vec![new.address];
    networks.extend(subnets);
    let view = View::with_routes(kernel, link.id.namespace, MAIN_TABLE, &networks, own)?;
    view.check_address(link.id.index, new)?;
    let mut subnets = subnets.iter();
    subnets.try_for_each(|subnet| {
        view.check_gateway(link.id.index, *subnet)?;
        let whole = NewAddress {
            address: *subnet,
            no_prefix_route: true,
            ..*new
        };
        view.check_address(link.id.index, &whole)
    })
}

fn add(kernel: &mut dyn Kernel, link: &LinkHandle, new: &NewAddress) -> Result<(), KernelError> {
    match kernel.add_address(link.id, new) {
        Err(error) if new.address.addr().is_ipv6() => {
            Err(explain::new_address(kernel, link, error))
        }
        result => result,
    }
}

fn new_address(address: IpNet, options: Option<AddressOptions>) -> NewAddress {
    NewAddress {
        address,
        no_dad: options.is_some_and(|options| options.no_dad),
        no_prefix_route: options.is_some_and(|options| options.no_prefix_route),
    }
}

/// Refuses an address of a used bridge that is connected to its subnet already. The host
/// then has an address there, and the gateway is that one or somebody else.
fn check_unconnected(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
    address: IpNet,
) -> Result<(), KernelError> {
    let addresses = kernel.addresses(link.id)?;
    let mut inside = addresses
        .iter()
        .filter(|own| address.contains(&own.address.addr()));
    match inside.next() {
        None => Ok(()),
        Some(there) => Err(KernelError::Refused {
            errno: Errno::EEXIST,
            text: format!(
                "{} has {} in the same subnet, so the gateway is that one or another machine",
                link.name, there.address
            ),
        }),
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
