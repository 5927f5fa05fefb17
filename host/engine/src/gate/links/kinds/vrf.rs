//! `links.create-vrf`.

use kernel::RESERVED_TABLES;
use kernel::kinds::Vrf;
use policy::Call;
use types::Namespace;

use super::make::Wanted;
use crate::driver::wit::types::Place;
use crate::gate::call::{CallError, invalid};

impl Wanted {
    /// Returns a VRF.
    pub(in crate::gate::links) fn vrf(place: Place, name: Option<String>, table: u32) -> Self {
        Self {
            call: Call::LinksCreateVrf,
            place,
            name,
            mac: None,
            mtu: None,
            kind: Vrf { table }.into(),
            parent: None,
        }
    }
}

/// Refuses a VRF on the host with one of the host's own tables.
pub(in crate::gate::links) fn check_table(
    call: Call,
    namespace: Namespace,
    table: Option<u32>,
) -> Result<(), CallError> {
    match table.filter(|table| RESERVED_TABLES.contains(table)) {
        Some(table) if namespace == Namespace::Host => {
            let text = format!("table {table} is the host's own: a VRF needs another");
            Err(invalid(call, &text))
        }
        _ => Ok(()),
    }
}
