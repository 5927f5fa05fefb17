//! From the WIT's options of each kind of link to the kernel room's.

use std::fmt::Display;
use std::net::IpAddr;

use kernel::{self, LinkKind};
use policy::Call;
use wasmtime::component::Resource;

use super::LinkHandle;
use super::make::Wanted;
use crate::driver::wit::links::{
    IpvlanIsolation as Isolation, IpvlanMode, IpvlanOptions, MacvlanMode, MacvlanOptions,
    TapOptions, VlanOptions, VlanProtocol, VxlanOptions,
};
use crate::driver::wit::types::Place;
use crate::gate::call::{CallError, invalid};
use crate::gate::{Gate, bounds};

/// What a call that makes a link returns.
type Made = Result<Resource<LinkHandle>, CallError>;

/// The UDP port of VXLAN (RFC 7348, section 8).
const VXLAN_PORT: u16 = 4789;
/// VLANs have 12 bits, of which the highest number is reserved (IEEE 802.1Q).
pub(super) const VLAN_MAX: u16 = 4094;
/// VXLANs have 24 bits.
const VXLAN_MAX: u32 = 0x00ff_ffff;

impl Gate {
    pub(super) fn make_macvlan(
        &mut self,
        call: Call,
        place: Place,
        name: Option<String>,
        parent: &Resource<LinkHandle>,
        options: MacvlanOptions,
    ) -> Made {
        let parent = self.link(parent)?;
        let macvlan = kernel::Macvlan {
            parent: parent.id,
            mode: match options.mode {
                MacvlanMode::Private => kernel::MacvlanMode::Private,
                MacvlanMode::Vepa => kernel::MacvlanMode::Vepa,
                MacvlanMode::Bridge => kernel::MacvlanMode::Bridge,
                MacvlanMode::Passthru => kernel::MacvlanMode::Passthru,
                MacvlanMode::Source => kernel::MacvlanMode::Source,
            },
            broadcast_limit: options.broadcast_limit,
            broadcast_queue_length: options.broadcast_queue_length,
        };
        let kind = match call {
            Call::LinksCreateMacvtap => LinkKind::Macvtap(macvlan),
            _ => LinkKind::Macvlan(macvlan),
        };
        let wanted = Wanted::new(call, place, name, options.mac, options.mtu, kind);
        self.make_link(wanted.on(Some(parent)))
    }

    pub(super) fn make_ipvlan(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: &Resource<LinkHandle>,
        options: &IpvlanOptions,
    ) -> Made {
        let parent = self.link(parent)?;
        let kind = LinkKind::Ipvlan(kernel::Ipvlan {
            parent: parent.id,
            mode: match options.mode {
                IpvlanMode::L2 => kernel::IpvlanMode::L2,
                IpvlanMode::L3 => kernel::IpvlanMode::L3,
                IpvlanMode::L3s => kernel::IpvlanMode::L3s,
            },
            isolation: match options.isolation {
                Isolation::Bridge => kernel::IpvlanIsolation::Bridge,
                Isolation::Private => kernel::IpvlanIsolation::Private,
                Isolation::Vepa => kernel::IpvlanIsolation::Vepa,
            },
        });
        let call = Call::LinksCreateIpvlan;
        let wanted = Wanted::new(call, place, name, None, options.mtu, kind);
        self.make_link(wanted.on(Some(parent)))
    }

    pub(super) fn make_vlan(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: &Resource<LinkHandle>,
        options: VlanOptions,
    ) -> Made {
        let call = Call::LinksCreateVlan;
        if options.id > VLAN_MAX {
            return Err(invalid(call, &beyond("VLAN", options.id, VLAN_MAX)));
        }
        let parent = self.link(parent)?;
        let kind = LinkKind::Vlan(kernel::Vlan {
            parent: parent.id,
            id: options.id,
            provider: options.protocol == VlanProtocol::Dot1ad,
        });
        let wanted = Wanted::new(call, place, name, options.mac, options.mtu, kind);
        self.make_link(wanted.on(Some(parent)))
    }

    pub(super) fn make_vxlan(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: Option<&Resource<LinkHandle>>,
        options: VxlanOptions,
    ) -> Made {
        let call = Call::LinksCreateVxlan;
        if options.id > VXLAN_MAX {
            return Err(invalid(call, &beyond("VXLAN", options.id, VXLAN_MAX)));
        }
        bounds::addresses(call, [&options.remote, &options.local])?;
        let parent = parent.map(|parent| self.link(parent)).transpose()?;
        let kind = LinkKind::Vxlan(kernel::Vxlan {
            parent: parent.as_ref().map(|parent| parent.id),
            id: options.id,
            remote: address(call, options.remote)?,
            local: address(call, options.local)?,
            port: options.port.unwrap_or(VXLAN_PORT),
            learning: options.learning,
            ttl: options.ttl,
        });
        let wanted = Wanted::new(call, place, name, options.mac, options.mtu, kind);
        self.make_link(wanted.on(parent))
    }

    pub(super) fn make_tap(
        &mut self,
        place: Place,
        name: Option<String>,
        options: TapOptions,
    ) -> Made {
        let kind = LinkKind::Tap(kernel::Tap {
            owner: options.owner,
            group: options.group,
            multi_queue: options.multi_queue,
        });
        let call = Call::LinksCreateTap;
        self.make_link(Wanted::new(
            call,
            place,
            name,
            options.mac,
            options.mtu,
            kind,
        ))
    }
}

fn address(call: Call, text: Option<String>) -> Result<Option<IpAddr>, CallError> {
    let parse = |text: String| {
        text.parse()
            .map_err(|_| invalid(call, &format!("{text:?} is no IP address")))
    };
    text.map(parse).transpose()
}

fn beyond(what: &str, number: impl Display, max: impl Display) -> String {
    format!("there is no {what} {number}: the highest is {max}")
}
