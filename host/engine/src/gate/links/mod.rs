//! The interface `links`. The functions of this file parse arguments, and pass them to
//! the files beside.

mod above;
mod change;
mod default_mtu;
mod find;
mod handles;
mod in_use;
mod kinds;
mod make;
mod moving;
mod read;
mod rename;
mod use_vf;
mod used;
mod vf;

use wasmtime::component::Resource;

pub(super) use self::in_use::others_have;
pub(super) use self::used::Known;
use kernel::{KernelError, LinkChange, LinkId, VfChange, VfLinkState};
use policy::{Call, Object};
use types::{LinkName, LinkProperty, Mac, Namespace};

pub use self::handles::LinkHandle;
use self::make::Wanted;
use super::call::{CallError, invalid};
use super::{Gate, bounds};
use crate::driver::wit::links::{
    BridgeOptions, Host, HostLink, IpvlanOptions, LinkInfo, MacvlanOptions, PlainOptions,
    TapOptions, VethOptions, VethPair, VfInfo, VfLinkState as WitVfLinkState, VfVlan, VlanOptions,
    VxlanOptions,
};
use crate::driver::wit::types::{Namespace as WitNamespace, Place};

impl From<WitNamespace> for Namespace {
    fn from(namespace: WitNamespace) -> Self {
        match namespace {
            WitNamespace::Host => Self::Host,
            WitNamespace::Container => Self::Container,
        }
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
        self.check_handle_limit(call, 1)?;
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
            // Another link may have taken the index or the name, so both must fit.
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
        self.check_handle_limit(call, 1)?;
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

    fn default_mtu(&mut self, vrf: Option<Resource<LinkHandle>>) -> Result<Option<u32>, CallError> {
        self.mtu_of_default_route(vrf.as_ref())
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
        let parent = self.link(&parent)?;
        let sources = self.authority.request.macvlan_sources.clone();
        self.make_link(Wanted::macvlan(place, name, parent, options, sources))
    }

    fn create_bridge(
        &mut self,
        place: Place,
        name: Option<String>,
        options: BridgeOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_link(Wanted::bridge(place, name, options))
    }

    fn use_bridge(
        &mut self,
        vlan_filtering: bool,
    ) -> Result<Option<Resource<LinkHandle>>, CallError> {
        self.use_named_bridge(vlan_filtering)
    }

    fn create_veth(&mut self, options: VethOptions) -> Result<VethPair, CallError> {
        self.make_veth(options)
    }

    fn create_ipvlan(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: Resource<LinkHandle>,
        options: IpvlanOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let parent = self.link(&parent)?;
        self.make_link(Wanted::ipvlan(place, name, parent, &options))
    }

    fn create_macvtap(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: Resource<LinkHandle>,
        options: MacvlanOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let parent = self.link(&parent)?;
        let sources = self.authority.request.macvlan_sources.clone();
        self.make_link(Wanted::macvtap(place, name, parent, options, sources))
    }

    fn create_vlan(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: Resource<LinkHandle>,
        options: VlanOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let parent = self.link(&parent)?;
        self.make_link(Wanted::vlan(place, name, parent, options)?)
    }

    fn create_vxlan(
        &mut self,
        place: Place,
        name: Option<String>,
        parent: Option<Resource<LinkHandle>>,
        options: VxlanOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let parent = parent.map(|parent| self.link(&parent)).transpose()?;
        self.make_link(Wanted::vxlan(place, name, parent, options)?)
    }

    fn create_vrf(
        &mut self,
        place: Place,
        name: Option<String>,
        table: u32,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_link(Wanted::vrf(place, name, table))
    }

    fn create_dummy(
        &mut self,
        place: Place,
        name: Option<String>,
        options: PlainOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_link(Wanted::dummy(place, name, options))
    }

    fn create_ifb(
        &mut self,
        place: Place,
        name: Option<String>,
        options: PlainOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_link(Wanted::ifb(place, name, options))
    }

    fn create_tap(
        &mut self,
        place: Place,
        name: Option<String>,
        options: TapOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_link(Wanted::tap(place, name, options))
    }

    fn create_wireguard(
        &mut self,
        place: Place,
        name: Option<String>,
        mtu: Option<u32>,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.make_link(Wanted::wireguard(place, name, mtu))
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
        self.change_alias(&link, alias)
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

    fn use_vf(
        &mut self,
        card: Resource<LinkHandle>,
        vf: u32,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.use_vf_of(&card, vf)
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
        self.change_vf_vlan(&link, vf, vlan)
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
    // It tells no more than the call did that returned the handle, so nothing is decided.
    fn name(&mut self, link: Resource<LinkHandle>) -> wasmtime::Result<String> {
        Ok(self.find_handle(&link)?.name.to_string())
    }

    fn drop(&mut self, link: Resource<LinkHandle>) -> wasmtime::Result<()> {
        self.links.delete(link)?;
        self.handles = self.handles.saturating_sub(1);
        Ok(())
    }
}
