//! `links.default-mtu`.

use kernel::{Kernel, KernelError, LinkId, MAIN_TABLE, default_route_links};
use nix::errno::Errno;
use policy::{Call, Object};
use types::{IpVersion, Namespace};
use wasmtime::component::Resource;

use super::LinkHandle;
use crate::gate::Gate;
use crate::gate::call::CallError;

const CALL: Call = Call::LinksDefaultMtu;

impl Gate {
    /// Makes the call `links.default-mtu`.
    pub(super) fn mtu_of_default_route(
        &mut self,
        vrf: Option<&Resource<LinkHandle>>,
    ) -> Result<Option<u32>, CallError> {
        let vrf = vrf.map(|vrf| self.link(vrf)).transpose()?;
        let mut objects = vec![Object::DefaultMtu];
        objects.extend(vrf.as_ref().map(|vrf| self.object(vrf)));
        self.read(CALL, &objects, |kernel| {
            let table = match &vrf {
                Some(vrf) => table_of(kernel, vrf)?,
                None => MAIN_TABLE,
            };
            smallest_mtu(kernel, table)
        })
    }
}

/// Returns the routing table of a VRF of the host.
fn table_of(kernel: &mut dyn Kernel, vrf: &LinkHandle) -> Result<u32, KernelError> {
    if vrf.id.namespace == Namespace::Host {
        let links = kernel.tied_links(Namespace::Host)?;
        let mut found = links.iter().filter(|link| {
            let state = &link.info.state;
            state.index == vrf.id.index && state.name == vrf.name
        });
        if let Some(table) = found.find_map(|link| link.table) {
            return Ok(table);
        }
    }
    Err(KernelError::Refused {
        errno: Errno::EINVAL,
        text: format!("{} is no VRF of the host", vrf.name),
    })
}

/// Returns the smallest MTU of the links of a table's default route.
fn smallest_mtu(kernel: &mut dyn Kernel, table: u32) -> Result<Option<u32>, KernelError> {
    let mut routes = Vec::new();
    for version in IpVersion::ALL {
        routes.extend(kernel.routes(Namespace::Host, table, version)?);
    }
    let mut smallest = None;
    for index in default_route_links(&routes) {
        let link = LinkId {
            namespace: Namespace::Host,
            index,
        };
        let mtu = match kernel.link_by_id(link) {
            Ok(link) => link.mtu,
            // It went after its route was read.
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error),
        };
        smallest = Some(smallest.map_or(mtu, |other: u32| other.min(mtu)));
    }
    Ok(smallest)
}
