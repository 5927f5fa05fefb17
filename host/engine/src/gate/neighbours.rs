//! The interface `neighbours`.

use std::net::IpAddr;

use journal::Change;
use kernel::{FoundNeighbour, KernelError, Neighbour, NeighbourTable};
use nix::errno::Errno;
use policy::{Call, Object};
use types::{Mac, Namespace};
use wasmtime::component::Resource;

use super::call::{CallError, Plan, invalid};
use super::clash::View;
use super::{Gate, Kernel, LinkHandle, bounds};
use crate::driver::wit::neighbours::{Host, NeighbourInfo};

impl Host for Gate {
    fn add(
        &mut self,
        link: Resource<LinkHandle>,
        address: String,
        mac: String,
    ) -> Result<(), CallError> {
        let call = Call::NeighboursAdd;
        bounds::address(call, &mac)?;
        let mac: Mac = mac.parse().map_err(|error| invalid(call, &error))?;
        self.set_neighbour(call, &link, &address, Neighbour::Permanent(mac))
    }

    fn remove(&mut self, link: Resource<LinkHandle>, address: String) -> Result<(), CallError> {
        let call = Call::NeighboursRemove;
        self.remove_neighbour(call, &link, &address, NeighbourTable::Entries)
    }

    fn add_proxy(&mut self, link: Resource<LinkHandle>, address: String) -> Result<(), CallError> {
        let call = Call::NeighboursAddProxy;
        self.set_neighbour(call, &link, &address, Neighbour::Proxy)
    }

    fn remove_proxy(
        &mut self,
        link: Resource<LinkHandle>,
        address: String,
    ) -> Result<(), CallError> {
        let call = Call::NeighboursRemoveProxy;
        self.remove_neighbour(call, &link, &address, NeighbourTable::Proxies)
    }

    fn list(&mut self, link: Resource<LinkHandle>) -> Result<Vec<NeighbourInfo>, CallError> {
        let link = self.link(&link)?;
        let objects = [self.object(&link)];
        let neighbours = self.read(Call::NeighboursList, &objects, |kernel| {
            kernel.neighbours(link.id)
        })?;
        Ok(neighbours.iter().map(info).collect())
    }
}

impl Gate {
    fn set_neighbour(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        address: &str,
        neighbour: Neighbour,
    ) -> Result<(), CallError> {
        let address = parse(call, address)?;
        let link = self.link(link)?;
        if address.is_ipv4() && self.proxies_by_request(call, &link) {
            let text = format!(
                "by the option ndp_proxy, {} answers for IPv6 only",
                link.name
            );
            return self.refuse(call, &link, text);
        }
        let objects = [
            self.object(&link),
            Object::Neighbour {
                address,
                // A permanent entry on a link of this container alone affects no other
                // packets. A proxy entry answers for an address of somebody else.
                own: self.has_alone(&link) && neighbour != Neighbour::Proxy,
            },
        ];
        let change = (!self.has_alone(&link)).then(|| Change::AddNeighbour {
            link: link.id,
            name: link.name.clone(),
            address,
            neighbour,
        });
        let own = self.own_objects(Namespace::Host)?;
        let plan = |kernel: &mut dyn Kernel| {
            if neighbour == Neighbour::Proxy {
                View::of_host(kernel, &[address.into()], own)?.check_packets(address.into())?;
            }
            if neighbour != Neighbour::Proxy {
                has_neighbours(kernel, &link)?;
            }
            // The kernel would replace the existing entry.
            if kernel.has_neighbour(link.id, address, neighbour.table())? {
                return Err(Errno::EEXIST.into());
            }
            Ok(Plan::of(change))
        };
        self.change(call, &objects, plan, |kernel| {
            kernel.add_neighbour(link.id, address, neighbour)
        })
    }

    fn remove_neighbour(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        address: &str,
        table: NeighbourTable,
    ) -> Result<(), CallError> {
        let address = parse(call, address)?;
        let link = self.link(link)?;
        if let Some((number, neighbour)) = self.find_own_neighbour(&link, address, table) {
            return self.remove_own_neighbour(call, &link, address, neighbour, number);
        }
        let has_alone = self.has_alone(&link);
        let objects = [
            self.object(&link),
            Object::Neighbour {
                address,
                own: has_alone,
            },
        ];
        let permit = self.decide(call, &objects)?;
        let change = |before| Change::RemoveNeighbour {
            link: link.id,
            name: link.name.clone(),
            address,
            table,
            before,
        };
        let result = self.remove_saved(
            &permit,
            |kernel| kernel.save_neighbour(link.id, address, table),
            |before| (!has_alone).then(|| change(before)),
            |kernel, before| kernel.remove_saved_neighbour(link.id, before),
        )?;
        self.record(permit, &objects, result)
    }

    /// Finds the undo record of a neighbour that the driver set on a link that isn't
    /// its own alone.
    fn find_own_neighbour(
        &self,
        link: &LinkHandle,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Option<(u32, Neighbour)> {
        let journal = self.rollback.journal.as_ref()?;
        let mut entries = journal.entries_of(link.id.namespace);
        entries.find_map(|entry| match &entry.change {
            Change::AddNeighbour {
                link: id,
                name,
                address: set,
                neighbour,
            } => {
                let is_it = (*id, name, *set) == (link.id, &link.name, address);
                (is_it && neighbour.table() == table).then_some((entry.number, *neighbour))
            }
            _ => None,
        })
    }

    fn remove_own_neighbour(
        &mut self,
        call: Call,
        link: &LinkHandle,
        address: IpAddr,
        neighbour: Neighbour,
        number: u32,
    ) -> Result<(), CallError> {
        let objects = [Object::Neighbour { address, own: true }];
        let permit = self.decide(call, &objects)?;
        let kernel = self.rollback.guard.open(&permit);
        let result = kernel.remove_neighbour(link.id, address, neighbour);
        if result.is_ok() {
            self.forget(number)?;
        }
        self.record(permit, &objects, result)
    }
}

/// Checks that a link tells its neighbours apart. On one without MAC addresses, the
/// kernel has a single IPv4 entry for all of them (`arp_constructor`), which no undo
/// would find.
fn has_neighbours(kernel: &mut dyn Kernel, link: &LinkHandle) -> Result<(), KernelError> {
    let mac = kernel.link_by_id(link.id)?.mac;
    if mac.is_some_and(|mac| mac != Mac::NONE) {
        return Ok(());
    }
    Err(KernelError::Refused {
        errno: Errno::EOPNOTSUPP,
        text: format!(
            "{} has no MAC addresses, so no neighbour can be set",
            link.name
        ),
    })
}

fn parse(call: Call, address: &str) -> Result<IpAddr, CallError> {
    bounds::address(call, address)?;
    let text = |_| invalid(call, &format!("{address:?} is no IP address"));
    address.parse().map_err(text)
}

fn info(found: &FoundNeighbour) -> NeighbourInfo {
    NeighbourInfo {
        address: found.address.to_string(),
        mac: found.mac.map(|mac| mac.to_string()),
        permanent: found.permanent,
        proxy: found.table == NeighbourTable::Proxies,
    }
}
