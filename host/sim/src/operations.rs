//! What the gate can have done, done in memory.

use std::net::IpAddr;
use std::time::Instant;

use ipnet::IpNet;
use kernel::{
    AddressState, ClassPackets, FarLink, Feature, FirewallEntry, FoundNeighbour, FoundRoute,
    FoundRule, HtbClass, IdentifiedLink, Kernel, KernelError, LinkChange, LinkId, LinkInfo,
    LinkSetting, LinkSnapshot, LinkState, MissingFirewall, Neighbour, NeighbourTable, NewAddress,
    NewLink, NewVeth, PlacedLink, PortChange, PortState, PortVlans, QueueHook, Queues, Reader,
    SavedNeighbour, SavedRoutes, SavedRule, Shape, Survey, SurveyedLink, TableRoute, Tbf, VfChange,
    VfState, VlanNumbers, WireguardChange, WireguardState,
};
use nix::errno::Errno;
use types::{LinkName, Namespace, Rule, SettingKey};

use super::Simulation;

impl Reader for Simulation {
    fn set_deadline(&mut self, deadline: Instant) {
        self.machine().set_deadline(deadline);
    }

    fn link_by_name(
        &mut self,
        namespace: Namespace,
        name: &LinkName,
    ) -> Result<LinkState, KernelError> {
        let machine = self.in_time()?;
        let link = machine.by_name(namespace, name).ok_or(Errno::ENODEV)?;
        Ok(machine.state(link))
    }

    fn link_by_id(&mut self, link: LinkId) -> Result<LinkState, KernelError> {
        let machine = self.in_time()?;
        let (_, link) = machine.find(link)?;
        Ok(machine.state(link))
    }

    fn default_route_link(&mut self) -> Result<u32, KernelError> {
        self.in_time()?.default_route_link()
    }

    fn link_info(&mut self, link: LinkId) -> Result<LinkInfo, KernelError> {
        let machine = self.in_time()?;
        let (number, link) = machine.find(link)?;
        Ok(machine.info(number, link))
    }

    fn links(
        &mut self,
        namespace: Namespace,
        master: Option<u32>,
    ) -> Result<Vec<LinkState>, KernelError> {
        let machine = self.in_time()?;
        let links = machine.links_of(namespace).into_iter();
        let mut states: Vec<LinkState> = links.map(|link| machine.state(link)).collect();
        states.retain(|state| master.is_none() || state.master == master);
        Ok(states)
    }

    fn placed_links(&mut self, namespace: Namespace) -> Result<Vec<PlacedLink>, KernelError> {
        let machine = self.in_time()?;
        let links = machine.links_of(namespace).into_iter();
        Ok(links.map(|link| machine.placed(link)).collect())
    }

    fn identified(&mut self, link: LinkId) -> Result<IdentifiedLink, KernelError> {
        self.in_time()?.identified(link)
    }

    fn identified_links(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<IdentifiedLink>, KernelError> {
        self.in_time()?.identified_links(namespace)
    }

    fn far_link(&mut self, far: FarLink) -> Result<IdentifiedLink, KernelError> {
        self.in_time()?.far_link(far)
    }

    fn survey(&mut self, namespace: Namespace) -> Result<Survey, KernelError> {
        self.in_time()?.survey(namespace)
    }

    fn tied_links(&mut self, namespace: Namespace) -> Result<Vec<SurveyedLink>, KernelError> {
        Ok(self.in_time()?.survey(namespace)?.links)
    }

    fn all_addresses(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<(u32, AddressState)>, KernelError> {
        self.in_time()?.all_addresses(namespace)
    }

    fn addresses(&mut self, link: LinkId) -> Result<Vec<AddressState>, KernelError> {
        self.in_time()?.addresses(link)
    }

    fn snapshot(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError> {
        self.in_time()?.snapshot(link)
    }

    fn snapshot_neighbours(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError> {
        self.in_time()?.snapshot_neighbours(link)
    }

    fn routes(&mut self, namespace: Namespace, table: u32) -> Result<Vec<FoundRoute>, KernelError> {
        Ok(self.in_time()?.routes(namespace, table))
    }

    fn has_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<bool, KernelError> {
        Ok(self.in_time()?.has_route(namespace, route))
    }

    fn save_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError> {
        self.in_time()?.save_route(namespace, route)
    }

    fn save_rivals(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError> {
        self.in_time()?.save_rivals(namespace, route)
    }

    fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError> {
        self.in_time()?.rules(namespace)
    }

    fn has_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<bool, KernelError> {
        self.in_time()?.has_rule(namespace, rule)
    }

    fn save_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<SavedRule, KernelError> {
        self.in_time()?.save_rule(namespace, rule)
    }

    fn neighbours(&mut self, link: LinkId) -> Result<Vec<FoundNeighbour>, KernelError> {
        self.in_time()?.neighbours(link)
    }

    fn has_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<bool, KernelError> {
        self.in_time()?.has_neighbour(link, address, table)
    }

    fn save_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<SavedNeighbour, KernelError> {
        self.in_time()?.save_neighbour(link, address, table)
    }

    fn port(&mut self, link: LinkId) -> Result<PortState, KernelError> {
        self.in_time()?.port(link)
    }

    fn vlans(&mut self, link: LinkId) -> Result<Vec<PortVlans>, KernelError> {
        self.in_time()?.vlans(link)
    }

    fn link_setting(&mut self, link: LinkId, setting: LinkSetting) -> Result<String, KernelError> {
        self.in_time()?.link_setting(link, setting)
    }

    fn setting(&mut self, namespace: Namespace, key: &SettingKey) -> Result<String, KernelError> {
        self.in_time()?.setting(namespace, key)
    }

    fn queues(&mut self, link: LinkId) -> Result<Queues, KernelError> {
        self.in_time()?.queues(link)
    }

    fn htb_classes(&mut self, link: LinkId) -> Result<Vec<u16>, KernelError> {
        self.in_time()?.htb_classes(link)
    }

    fn vfs(&mut self, link: LinkId) -> Result<Vec<VfState>, KernelError> {
        self.in_time()?.vfs(link)
    }

    fn wireguard(&mut self, link: LinkId) -> Result<WireguardState, KernelError> {
        self.in_time()?.wireguard(link)
    }

    fn features(&mut self, link: LinkId) -> Result<Vec<Feature>, KernelError> {
        self.in_time()?.features(link)
    }

    fn feature(&mut self, link: LinkId, name: &str) -> Result<Feature, KernelError> {
        self.in_time()?.feature(link, name)
    }

    fn free_for_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.in_time()?.free_for_firewall(entries)
    }

    fn has_firewall(&mut self, entry: &FirewallEntry) -> Result<bool, KernelError> {
        self.in_time()?.has_firewall(entry)
    }

    fn missing_firewall(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError> {
        self.in_time()?.missing_firewall(entries)
    }
}

impl Kernel for Simulation {
    fn create_link(&mut self, link: &NewLink) -> Result<u32, KernelError> {
        self.in_time()?.create_link(link)
    }

    fn create_veth(&mut self, veth: &NewVeth) -> Result<(u32, u32), KernelError> {
        self.in_time()?.create_veth(veth)
    }

    fn move_link(
        &mut self,
        link: LinkId,
        to: Namespace,
        name: &LinkName,
        index: Option<u32>,
    ) -> Result<u32, KernelError> {
        self.in_time()?.move_link(link, to, name, index)
    }

    fn delete_link(&mut self, link: LinkId) -> Result<(), KernelError> {
        self.in_time()?.delete_link(link)
    }

    fn change_link(&mut self, link: LinkId, change: &LinkChange) -> Result<(), KernelError> {
        self.in_time()?.change_link(link, change)
    }

    fn set_alternative_names(&mut self, link: LinkId, names: &[String]) -> Result<(), KernelError> {
        self.in_time()?.set_alternative_names(link, names)
    }

    fn add_address(&mut self, link: LinkId, address: &NewAddress) -> Result<(), KernelError> {
        self.in_time()?.add_address(link, address)
    }

    fn remove_address(&mut self, link: LinkId, address: IpNet) -> Result<(), KernelError> {
        self.in_time()?.remove_address(link, address)
    }

    fn put_settings(&mut self, link: LinkId, snapshot: &LinkSnapshot) -> Result<(), KernelError> {
        self.in_time()?.put_settings(link, snapshot)
    }

    fn replay(
        &mut self,
        link: LinkId,
        before: u32,
        snapshot: &LinkSnapshot,
    ) -> Result<(), KernelError> {
        self.in_time()?.replay(link, before, snapshot)
    }

    fn add_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<(), KernelError> {
        self.in_time()?.add_route(namespace, route)
    }

    fn replace_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError> {
        self.in_time()?.replace_route(namespace, route)
    }

    fn remove_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError> {
        self.in_time()?.remove_route(namespace, route)
    }

    fn remove_saved(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError> {
        self.in_time()?.remove_saved(namespace, saved)
    }

    fn put_back_routes(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError> {
        self.in_time()?.put_back_routes(namespace, saved)
    }

    fn add_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError> {
        self.in_time()?.add_rule(namespace, rule)
    }

    fn remove_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError> {
        self.in_time()?.remove_rule(namespace, rule)
    }

    fn remove_saved_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError> {
        self.in_time()?.remove_saved_rule(namespace, saved)
    }

    fn put_back_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError> {
        self.in_time()?.put_back_rule(namespace, saved)
    }

    fn add_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError> {
        self.in_time()?.add_neighbour(link, address, neighbour)
    }

    fn remove_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError> {
        self.in_time()?.remove_neighbour(link, address, neighbour)
    }

    fn remove_saved_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError> {
        self.in_time()?.remove_saved_neighbour(link, saved)
    }

    fn put_back_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError> {
        self.in_time()?.put_back_neighbour(link, saved)
    }

    fn change_port(&mut self, link: LinkId, change: PortChange) -> Result<(), KernelError> {
        self.in_time()?.change_port(link, change)
    }

    fn add_vlans(&mut self, link: LinkId, vlans: PortVlans) -> Result<(), KernelError> {
        self.in_time()?.add_vlans(link, vlans)
    }

    fn remove_vlans(&mut self, link: LinkId, numbers: VlanNumbers) -> Result<(), KernelError> {
        self.in_time()?.remove_vlans(link, numbers)
    }

    fn set_link_setting(
        &mut self,
        link: LinkId,
        setting: LinkSetting,
        value: &str,
    ) -> Result<(), KernelError> {
        self.in_time()?.set_link_setting(link, setting, value)
    }

    fn set_setting(
        &mut self,
        namespace: Namespace,
        key: &SettingKey,
        value: &str,
    ) -> Result<(), KernelError> {
        self.in_time()?.set_setting(namespace, key, value)
    }

    fn set_tbf(&mut self, link: LinkId, _tbf: &Tbf) -> Result<(), KernelError> {
        self.in_time()?.set_root(link)
    }

    fn set_htb(&mut self, link: LinkId, _whole: Shape) -> Result<(), KernelError> {
        self.in_time()?.set_root(link)
    }

    fn add_htb_class(&mut self, link: LinkId, class: &HtbClass) -> Result<(), KernelError> {
        self.in_time()?.add_htb_class(link, class.number)
    }

    fn remove_htb_class(
        &mut self,
        link: LinkId,
        number: u16,
        _packets: ClassPackets,
    ) -> Result<(), KernelError> {
        self.in_time()?.remove_htb_class(link, number)
    }

    fn redirect_ingress(&mut self, link: LinkId, to: u32) -> Result<(), KernelError> {
        self.in_time()?.redirect_ingress(link, to)
    }

    fn remove_queue(&mut self, link: LinkId, hook: QueueHook) -> Result<(), KernelError> {
        self.in_time()?.remove_queue(link, hook)
    }

    fn change_vf(
        &mut self,
        link: LinkId,
        number: u32,
        change: VfChange,
    ) -> Result<(), KernelError> {
        self.in_time()?.change_vf(link, number, change)
    }

    fn change_wireguard(
        &mut self,
        link: LinkId,
        change: &WireguardChange,
    ) -> Result<(), KernelError> {
        self.in_time()?.change_wireguard(link, change)
    }

    fn announce(&mut self, link: LinkId, address: IpAddr) -> Result<(), KernelError> {
        self.in_time()?.announce(link, address)
    }

    fn set_feature(&mut self, link: LinkId, name: &str, on: bool) -> Result<(), KernelError> {
        self.in_time()?.set_feature(link, name, on)
    }

    fn want_feature(&mut self, link: LinkId, name: &str, on: bool) -> Result<(), KernelError> {
        self.in_time()?.want_feature(link, name, on)
    }

    fn add_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.in_time()?.add_firewall(entries)
    }

    fn restore_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.in_time()?.add_firewall(entries)
    }

    fn remove_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError> {
        self.in_time()?.remove_firewall(entry)
    }

    fn remove_empty_firewall(&mut self, _entry: &FirewallEntry) -> Result<(), KernelError> {
        // Tables aren't pictured.
        Ok(())
    }
}
