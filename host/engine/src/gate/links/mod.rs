//! The interface `links`: finding and moving here, making and changing in the
//! files beside.

mod above;
mod change;
mod find;
mod in_use;
mod kinds;
mod make;
mod moving;
mod read;
mod rename;
mod veth;
mod vf;

use wasmtime::component::Resource;

pub(super) use self::in_use::others_have;
use journal::Journal;
use kernel::{KernelError, LinkChange, LinkId, LinkKind, VfChange, VfLinkState};
use policy::{Call, Object};
use types::{LinkName, LinkProperty, Mac, Namespace};

use self::make::Wanted;
use super::call::{CallError, Stop, invalid};
use super::{Gate, bounds};
use crate::driver::wit::links::{
    BridgeOptions, Host, HostLink, IpvlanOptions, LinkInfo, MacvlanOptions, PlainOptions,
    TapOptions, VethOptions, VethPair, VfInfo, VfLinkState as WitVfLinkState, VfVlan, VlanOptions,
    VxlanOptions,
};
use crate::driver::wit::types::{Namespace as WitNamespace, Place};

/// A link that a driver holds.
#[derive(Debug, Clone)]
pub struct LinkHandle {
    /// The link.
    pub(super) id: LinkId,
    /// The name by which it was found, made or moved.
    pub(super) name: LinkName,
}

impl From<WitNamespace> for Namespace {
    fn from(namespace: WitNamespace) -> Self {
        match namespace {
            WitNamespace::Host => Self::Host,
            WitNamespace::Container => Self::Container,
        }
    }
}

impl Gate {
    /// The link behind a handle.
    pub(super) fn link(&mut self, handle: &Resource<LinkHandle>) -> Result<LinkHandle, CallError> {
        let mut link = match self.links.get(handle) {
            Ok(link) => link.clone(),
            Err(error) => return Err(self.stop(Stop::Host(error.to_string()))),
        };
        if let Some(name) = self.renamed.get(&link.id) {
            link.name.clone_from(name);
        }
        Ok(link)
    }

    /// The link as an object of a decision.
    pub(super) fn object<'a>(&self, link: &'a LinkHandle) -> Object<'a> {
        Object::Link {
            namespace: link.id.namespace,
            name: &link.name,
            own: self.owns(link),
        }
    }

    /// Whether the journal says that the driver made or moved it.
    pub(super) fn owns(&self, link: &LinkHandle) -> bool {
        let journal = self.rollback.journal.as_ref();
        journal.is_some_and(|journal| journal.owns(link.id, &link.name))
    }

    /// Whether the grant's line for a call covers a link by its name: the operator
    /// wants the call there whatever comes of it.
    pub(super) fn is_spelled_out(&self, call: Call, link: &LinkHandle) -> bool {
        let reach = self.authority.grant.calls().get(&call);
        reach.is_some_and(|reach| reach.has_link(link.id.namespace, &link.name))
    }

    /// Whether the driver made or moved it for this container alone: what is on
    /// it goes with it.
    pub(super) fn has_alone(&self, link: &LinkHandle) -> bool {
        let journal = self.rollback.journal.as_ref();
        let is_shared = journal.is_some_and(|journal| {
            let mut entries = journal.entries().iter();
            entries.any(|entry| entry.shared && entry.has_made(link.id, &link.name))
        });
        self.owns(link) && !is_shared
    }

    /// Refuses a call that would hand out more handles than a driver may hold,
    /// before it does anything.
    fn has_room_for_handles(&self, call: Call, count: usize) -> Result<(), CallError> {
        match self.handles.saturating_add(count) <= bounds::HANDLES {
            true => Ok(()),
            false => Err(bounds::too_many_handles(call)),
        }
    }

    /// Whether the driver has a link on the host for all containers of the
    /// network.
    pub(super) fn has_shared_link(&self) -> bool {
        let journal = self.rollback.journal.as_ref();
        journal.is_some_and(Journal::has_shared_link)
    }

    fn hand_out(&mut self, id: LinkId, name: LinkName) -> Result<Resource<LinkHandle>, CallError> {
        let handle = self
            .links
            .push(LinkHandle { id, name })
            .map_err(|error| self.stop(Stop::Host(error.to_string())))?;
        self.handles += 1;
        Ok(handle)
    }
}

impl Host for Gate {
    fn get(
        &mut self,
        namespace: WitNamespace,
        name: String,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let call = Call::LinksGet;
        bounds::name(call, &name)?;
        self.has_room_for_handles(call, 1)?;
        let namespace = Namespace::from(namespace);
        let name = LinkName::try_from(name).map_err(|error| invalid(call, &error))?;
        let journal = self.rollback.journal.as_ref();
        let own = journal.and_then(|journal| journal.own_link(namespace, &name));
        let object = Object::Link {
            namespace,
            name: &name,
            own: own.is_some(),
        };
        let state = self.read(call, &[object], |kernel| match own {
            // By its index and its name: other links may have taken either.
            Some(own) => match kernel.link_by_id(own)? {
                state if state.name == name => Ok(state),
                _ => Err(KernelError::NotFound(format!("{name} is gone"))),
            },
            None => kernel.link_by_name(namespace, &name),
        })?;
        let id = LinkId {
            namespace,
            index: state.index,
        };
        self.hand_out(id, name)
    }

    fn get_default(&mut self) -> Result<Resource<LinkHandle>, CallError> {
        let call = Call::LinksGetDefault;
        self.has_room_for_handles(call, 1)?;
        let objects = [Object::DefaultRouteLink];
        let state = self.read(call, &objects, |kernel| {
            let index = kernel.default_route_link()?;
            kernel.link_by_id(LinkId {
                namespace: Namespace::Host,
                index,
            })
        })?;
        let request = &mut self.authority.request;
        if request.leaves_parent_open() {
            request.default_parent = Some(state.name.clone());
        }
        let id = LinkId {
            namespace: Namespace::Host,
            index: state.index,
        };
        self.hand_out(id, state.name)
    }

    fn get_by_index(
        &mut self,
        namespace: WitNamespace,
        index: u32,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.link_by_index(namespace.into(), index)
    }

    fn get_by_mac(&mut self, mac: String) -> Result<Resource<LinkHandle>, CallError> {
        let call = Call::LinksGetByMac;
        bounds::address(call, &mac)?;
        self.link_by(call, &mac, LinkProperty::Mac)
    }

    fn get_by_pci(&mut self, address: String) -> Result<Resource<LinkHandle>, CallError> {
        let call = Call::LinksGetByPci;
        bounds::PCI.text(call, &address)?;
        self.link_by(call, &address, LinkProperty::Pci)
    }

    fn get_by_path(&mut self, path: String) -> Result<Resource<LinkHandle>, CallError> {
        let call = Call::LinksGetByPath;
        bounds::PATH.text(call, &path)?;
        self.link_by(call, &path, LinkProperty::Path)
    }

    fn names(&mut self, namespace: WitNamespace) -> Result<Vec<String>, CallError> {
        self.link_names(namespace.into())
    }

    fn info(&mut self, link: Resource<LinkHandle>) -> Result<LinkInfo, CallError> {
        self.link_info(&link)
    }

    fn ports(&mut self, link: Resource<LinkHandle>) -> Result<Vec<String>, CallError> {
        self.link_ports(&link)
    }

    fn wait_carrier(
        &mut self,
        link: Resource<LinkHandle>,
        milliseconds: u32,
    ) -> Result<(), CallError> {
        self.wait_for_carrier(&link, milliseconds)
    }

    fn create_macvlan(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: Resource<LinkHandle>,
        options: MacvlanOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_macvlan(Call::LinksCreateMacvlan, place, name, &parent, options)
    }

    fn create_bridge(
        &mut self,
        place: Place,
        name: Option<String>,
        options: BridgeOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let call = Call::LinksCreateBridge;
        let kind = LinkKind::Bridge {
            vlan_filtering: options.vlan_filtering,
        };
        self.make_link(Wanted::new(
            call,
            place,
            name,
            options.mac,
            options.mtu,
            kind,
        ))
    }

    fn create_veth(
        &mut self,
        name: Option<String>,
        options: VethOptions,
    ) -> Result<VethPair, CallError> {
        self.make_veth(name, options)
    }

    fn create_ipvlan(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: Resource<LinkHandle>,
        options: IpvlanOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_ipvlan(place, name, &parent, &options)
    }

    fn create_macvtap(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: Resource<LinkHandle>,
        options: MacvlanOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_macvlan(Call::LinksCreateMacvtap, place, name, &parent, options)
    }

    fn create_vlan(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: Resource<LinkHandle>,
        options: VlanOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_vlan(place, name, &parent, options)
    }

    fn create_vxlan(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: Option<Resource<LinkHandle>>,
        options: VxlanOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_vxlan(place, name, parent.as_ref(), options)
    }

    fn create_vrf(
        &mut self,
        place: Place,
        name: Option<String>,
        table: u32,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let (call, kind) = (Call::LinksCreateVrf, LinkKind::Vrf { table });
        self.make_link(Wanted::new(call, place, name, None, None, kind))
    }

    fn create_dummy(
        &mut self,
        place: Place,
        name: Option<String>,
        options: PlainOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let (call, kind) = (Call::LinksCreateDummy, LinkKind::Dummy);
        self.make_link(Wanted::new(
            call,
            place,
            name,
            options.mac,
            options.mtu,
            kind,
        ))
    }

    fn create_ifb(
        &mut self,
        place: Place,
        name: Option<String>,
        options: PlainOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let (call, kind) = (Call::LinksCreateIfb, LinkKind::Ifb);
        self.make_link(Wanted::new(
            call,
            place,
            name,
            options.mac,
            options.mtu,
            kind,
        ))
    }

    fn create_tap(
        &mut self,
        place: Place,
        name: Option<String>,
        options: TapOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_tap(place, name, options)
    }

    fn create_wireguard(
        &mut self,
        place: Place,
        name: Option<String>,
        mtu: Option<u32>,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let (call, kind) = (Call::LinksCreateWireguard, LinkKind::Wireguard);
        self.make_link(Wanted::new(call, place, name, None, mtu, kind))
    }

    fn delete(&mut self, link: Resource<LinkHandle>) -> Result<(), CallError> {
        self.delete_link(&link)
    }

    fn move_to_container(
        &mut self,
        link: Resource<LinkHandle>,
        name: String,
    ) -> Result<(), CallError> {
        let call = Call::LinksMoveToContainer;
        bounds::name(call, &name)?;
        let name = LinkName::try_from(name).map_err(|error| invalid(call, &error))?;
        self.move_link(&link, name)
    }

    fn rename(&mut self, link: Resource<LinkHandle>, name: String) -> Result<(), CallError> {
        let call = Call::LinksRename;
        bounds::name(call, &name)?;
        let name = LinkName::try_from(name).map_err(|error| invalid(call, &error))?;
        self.rename_link(&link, &name)
    }

    fn set_mac(&mut self, link: Resource<LinkHandle>, mac: String) -> Result<(), CallError> {
        let call = Call::LinksSetMac;
        bounds::address(call, &mac)?;
        let mac: Mac = mac.parse().map_err(|error| invalid(call, &error))?;
        self.change_link(call, &link, &LinkChange::Mac(mac))
    }

    fn set_mtu(&mut self, link: Resource<LinkHandle>, mtu: u32) -> Result<(), CallError> {
        self.change_link(Call::LinksSetMtu, &link, &LinkChange::Mtu(mtu))
    }

    fn set_up(&mut self, link: Resource<LinkHandle>) -> Result<(), CallError> {
        self.change_link(Call::LinksSetUp, &link, &LinkChange::Up(true))
    }

    fn set_down(&mut self, link: Resource<LinkHandle>) -> Result<(), CallError> {
        self.change_link(Call::LinksSetDown, &link, &LinkChange::Up(false))
    }

    fn set_tx_queue_length(
        &mut self,
        link: Resource<LinkHandle>,
        packets: u32,
    ) -> Result<(), CallError> {
        let change = LinkChange::TxQueueLength(packets);
        self.change_link(Call::LinksSetTxQueueLength, &link, &change)
    }

    fn set_promiscuous(&mut self, link: Resource<LinkHandle>, on: bool) -> Result<(), CallError> {
        let change = LinkChange::Promiscuous(on);
        self.change_link(Call::LinksSetPromiscuous, &link, &change)
    }

    fn set_all_multicast(&mut self, link: Resource<LinkHandle>, on: bool) -> Result<(), CallError> {
        let change = LinkChange::AllMulticast(on);
        self.change_link(Call::LinksSetAllMulticast, &link, &change)
    }

    fn set_alias(&mut self, link: Resource<LinkHandle>, alias: String) -> Result<(), CallError> {
        self.set_text(&link, alias)
    }

    fn set_master(
        &mut self,
        link: Resource<LinkHandle>,
        master: Option<Resource<LinkHandle>>,
    ) -> Result<(), CallError> {
        self.change_master(&link, master.as_ref())
    }

    fn vfs(&mut self, link: Resource<LinkHandle>) -> Result<Vec<VfInfo>, CallError> {
        self.link_vfs(&link)
    }

    fn set_vf_mac(
        &mut self,
        link: Resource<LinkHandle>,
        vf: u32,
        mac: Option<String>,
    ) -> Result<(), CallError> {
        let call = Call::LinksSetVfMac;
        bounds::addresses(call, [&mac])?;
        let mac = make::mac(mac).map_err(|error| invalid(call, &error))?;
        let change = VfChange::Mac(mac.unwrap_or(Mac::NONE));
        self.change_vf(call, &link, vf, change)
    }

    fn set_vf_vlan(
        &mut self,
        link: Resource<LinkHandle>,
        vf: u32,
        vlan: Option<VfVlan>,
    ) -> Result<(), CallError> {
        self.set_vlan_of_vf(&link, vf, vlan)
    }

    fn set_vf_spoof_check(
        &mut self,
        link: Resource<LinkHandle>,
        vf: u32,
        on: bool,
    ) -> Result<(), CallError> {
        let change = VfChange::SpoofCheck(on);
        self.change_vf(Call::LinksSetVfSpoofCheck, &link, vf, change)
    }

    fn set_vf_trust(
        &mut self,
        link: Resource<LinkHandle>,
        vf: u32,
        on: bool,
    ) -> Result<(), CallError> {
        let change = VfChange::Trust(on);
        self.change_vf(Call::LinksSetVfTrust, &link, vf, change)
    }

    fn set_vf_link_state(
        &mut self,
        link: Resource<LinkHandle>,
        vf: u32,
        state: WitVfLinkState,
    ) -> Result<(), CallError> {
        let change = VfChange::LinkState(match state {
            WitVfLinkState::Auto => VfLinkState::Auto,
            WitVfLinkState::Enable => VfLinkState::Enable,
            WitVfLinkState::Disable => VfLinkState::Disable,
        });
        self.change_vf(Call::LinksSetVfLinkState, &link, vf, change)
    }

    fn set_vf_rate(
        &mut self,
        link: Resource<LinkHandle>,
        vf: u32,
        min: u32,
        max: u32,
    ) -> Result<(), CallError> {
        let change = VfChange::Rate { min, max };
        self.change_vf(Call::LinksSetVfRate, &link, vf, change)
    }
}

impl HostLink for Gate {
    fn drop(&mut self, link: Resource<LinkHandle>) -> wasmtime::Result<()> {
        self.links.delete(link)?;
        self.handles = self.handles.saturating_sub(1);
        Ok(())
    }
}
