//! `links.create-vxlan`.

use kernel::kinds::Vxlan;
use policy::Call;

use super::make::Wanted;
use super::{LinkHandle, above_max, address};
use crate::driver::wit::links::VxlanOptions;
use crate::driver::wit::types::Place;
use crate::gate::bounds;
use crate::gate::call::CallError;

/// The UDP port of VXLAN (RFC 7348, section 8).
const VXLAN_PORT: u16 = 4789;
/// The highest VXLAN network identifier. It has 24 bits (RFC 7348, section 4).
const VXLAN_MAX: u32 = 0x00ff_ffff;

impl Wanted {
    /// Returns a VXLAN.
    pub(in crate::gate::links) fn vxlan(
        place: Place,
        name: Option<String>,
        parent: Option<LinkHandle>,
        options: VxlanOptions,
    ) -> Result<Self, CallError> {
        let call = Call::LinksCreateVxlan;
        if options.id > VXLAN_MAX {
            return Err(above_max(call, "VXLAN", options.id, VXLAN_MAX));
        }
        bounds::addresses(call, [&options.remote, &options.local])?;
        let kind = Vxlan {
            parent: parent.as_ref().map(|parent| parent.id),
            id: options.id,
            remote: address(call, options.remote)?,
            local: address(call, options.local)?,
            port: options.port.unwrap_or(VXLAN_PORT),
            learning: options.learning,
            ttl: options.ttl,
        };
        Ok(Self {
            call,
            place,
            name,
            mac: options.mac,
            mtu: options.mtu,
            kind: kind.into(),
            parent,
        })
    }
}
