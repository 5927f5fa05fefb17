//! `links.create-vlan`.

use kernel::kinds::{Vlan, VlanProtocol};
use policy::Call;
use types::VLAN_MAX;

use super::make::Wanted;
use super::{LinkHandle, above_max};
use crate::driver::wit::links::{self, VlanOptions};
use crate::driver::wit::types::Place;
use crate::gate::call::CallError;

impl Wanted {
    /// Returns a VLAN of a link.
    pub(in crate::gate::links) fn vlan(
        place: Place,
        name: Option<String>,
        parent: LinkHandle,
        options: VlanOptions,
    ) -> Result<Self, CallError> {
        let call = Call::LinksCreateVlan;
        if options.id > VLAN_MAX {
            return Err(above_max(call, "VLAN", options.id, VLAN_MAX));
        }
        let kind = Vlan {
            parent: parent.id,
            id: options.id,
            protocol: match options.protocol {
                links::VlanProtocol::Dot1q => VlanProtocol::Dot1q,
                links::VlanProtocol::Dot1ad => VlanProtocol::Dot1ad,
            },
        };
        Ok(Self {
            call,
            place,
            name,
            mac: options.mac,
            mtu: options.mtu,
            kind: kind.into(),
            parent: Some(parent),
        })
    }
}
