//! The real kernel, over rtnetlink: one socket in each namespace, on a
//! runtime of the calling thread.

mod address;
mod bridge_port;
mod features;
mod generic;
mod identity;
mod kinds;
mod link;
mod neighbour;
mod nft;
mod place;
mod route;
mod routes;
mod rule;
mod saved;
mod snapshot;
mod traffic;
mod vf;
mod wireguard;

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::time::Instant;

use futures_util::{Stream, StreamExt, TryStreamExt};
use ipnet::IpNet;
use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;
use rtnetlink::Handle;
use rtnetlink::packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use tokio::runtime::Runtime;

use super::{
    AddressState, ClassPackets, FarLink, Feature, FirewallEntry, FoundNeighbour, FoundRoute,
    FoundRule, HtbClass, IdentifiedLink, Kernel, KernelError, LinkChange, LinkId, LinkInfo,
    LinkSetting, LinkSnapshot, LinkState, MissingFirewall, Neighbour, NeighbourTable, Netns,
    NetnsError, NewAddress, NewLink, NewVeth, PlacedLink, PortChange, PortState, PortVlans,
    QueueHook, Queues, Reader, SavedNeighbour, SavedRoutes, SavedRule, Shape, Survey, SurveyedLink,
    TableRoute, Tbf, VfChange, VfState, VlanNumbers, WireguardChange, WireguardState, announce,
    sysctl,
};
pub use features::find as find_feature;
use generic::Generic;
use nft::{Handles, Netfilter};
pub use saved::Saved;
use types::{LinkName, Namespace, Rule, SettingKey};

/// The task that carries messages between a socket and its handles.
type Connection = rtnetlink::proto::Connection<RouteNetlinkMessage>;

fn connect(runtime: &Runtime) -> io::Result<(Connection, Handle)> {
    let _context = runtime.enter();
    let (connection, handle, _unsolicited) = rtnetlink::new_connection()?;
    Ok((connection, handle))
}

/// A namespace and the socket inside it.
struct Room {
    netns: Netns,
    handle: Handle,
    generic: Option<Generic>,
}

impl Room {
    /// Opens a socket in this thread's namespace.
    fn here(netns: Netns, runtime: &Runtime) -> Result<Self, NetnsError> {
        let connection = connect(runtime);
        Self::new(netns, runtime, connection)
    }

    /// Opens a socket in another namespace.
    fn there(netns: Netns, runtime: &Runtime) -> Result<Self, NetnsError> {
        let connection = netns.run(|| connect(runtime))?;
        Self::new(netns, runtime, connection)
    }

    fn new(
        netns: Netns,
        runtime: &Runtime,
        connection: io::Result<(Connection, Handle)>,
    ) -> Result<Self, NetnsError> {
        let (connection, handle) = connection.map_err(|error| {
            let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
            NetnsError::Enter { errno }
        })?;
        runtime.spawn(connection);
        Ok(Self {
            netns,
            handle,
            generic: None,
        })
    }
}

/// The network state of the host's and of a container's namespace.
pub struct Netlink {
    runtime: Runtime,
    deadline: Instant,
    host: Room,
    container: Option<Room>,
    netfilter: Option<Netfilter>,
    handles: Handles,
}

impl Netlink {
    /// Opens a socket in each namespace; `host` is this thread's. Every later
    /// operation ends at `deadline`.
    pub fn open(
        host: Netns,
        container: Option<Netns>,
        deadline: Instant,
    ) -> Result<Self, NetnsError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| NetnsError::Enter {
                errno: error.raw_os_error().map_or(Errno::EIO, Errno::from_raw),
            })?;
        Ok(Self {
            host: Room::here(host, &runtime)?,
            container: container
                .map(|netns| Room::there(netns, &runtime))
                .transpose()?,
            runtime,
            deadline,
            netfilter: None,
            handles: Handles::default(),
        })
    }

    fn room(&self, namespace: Namespace) -> Result<&Room, KernelError> {
        match namespace {
            Namespace::Host => Ok(&self.host),
            Namespace::Container => self
                .container
                .as_ref()
                .ok_or(KernelError::NoNamespace(namespace)),
        }
    }

    /// Waits for an operation, until the deadline. Every message to the kernel
    /// goes through here.
    #[track_caller]
    fn wait<T, E: Into<KernelError>>(
        &self,
        operation: impl Future<Output = Result<T, E>>,
    ) -> Result<T, KernelError> {
        failpoint::before_operation()?;
        let until = self.deadline.into();
        let result = self
            .runtime
            .block_on(async { tokio::time::timeout_at(until, operation).await })
            .map_err(|_| KernelError::Deadline)?
            .map_err(Into::into);
        failpoint::after_operation();
        result
    }

    /// Waits for all answers to a question.
    #[track_caller]
    fn collect<T>(
        &self,
        answers: impl Stream<Item = Result<T, rtnetlink::Error>>,
    ) -> Result<Vec<T>, KernelError> {
        self.wait(answers.try_collect())
    }
}

impl Reader for Netlink {
    fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    fn link_by_name(
        &mut self,
        namespace: Namespace,
        name: &LinkName,
    ) -> Result<LinkState, KernelError> {
        let get = self.room(namespace)?.handle.link().get();
        link::state(&self.one_link(get.match_name(name.as_str()))?)
    }

    fn link_by_id(&mut self, link: LinkId) -> Result<LinkState, KernelError> {
        let get = self.room(link.namespace)?.handle.link().get();
        link::state(&self.one_link(get.match_index(link.index))?)
    }

    fn default_route_link(&mut self) -> Result<u32, KernelError> {
        for question in route::all_routes_questions() {
            let answers = self.host.handle.route().get(question).execute();
            let link = self.collect(answers)?.iter().find_map(route::default_link);
            if let Some(index) = link {
                return Ok(index);
            }
        }
        Err(KernelError::NotFound(
            "failed to get default route interface".to_owned(),
        ))
    }

    fn link_info(&mut self, link: LinkId) -> Result<LinkInfo, KernelError> {
        let get = self.room(link.namespace)?.handle.link().get();
        link::info(&self.one_link(get.match_index(link.index))?)
    }

    fn links(
        &mut self,
        namespace: Namespace,
        master: Option<u32>,
    ) -> Result<Vec<LinkState>, KernelError> {
        let get = self.room(namespace)?.handle.link().get();
        let links = self.collect(get.execute())?;
        let states = links.iter().map(link::state);
        let mut states: Vec<LinkState> = states.filter_map(Result::ok).collect();
        states.retain(|state| master.is_none() || state.master == master);
        Ok(states)
    }

    fn placed_links(&mut self, namespace: Namespace) -> Result<Vec<PlacedLink>, KernelError> {
        let get = self.room(namespace)?.handle.link().get();
        let links = self.collect(get.execute())?;
        Ok(links.iter().filter_map(place::of).collect())
    }

    fn identified(&mut self, link: LinkId) -> Result<IdentifiedLink, KernelError> {
        self.read_identified(link)
    }

    fn identified_links(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<IdentifiedLink>, KernelError> {
        self.read_all_identified(namespace)
    }

    fn far_link(&mut self, far: FarLink) -> Result<IdentifiedLink, KernelError> {
        self.read_far(far)
    }

    fn survey(&mut self, namespace: Namespace) -> Result<Survey, KernelError> {
        let handle = self.room(namespace)?.handle.clone();
        let links = self.collect(handle.link().get().execute())?;
        let mut routes = Vec::new();
        for question in route::all_routes_questions() {
            let answers = self.collect(handle.route().get(question).execute())?;
            routes.extend(answers.iter().flat_map(route::by_next_hop));
        }
        Ok(Survey {
            links: links.iter().filter_map(place::survey).collect(),
            routes: routes.iter().filter_map(route::found).collect(),
        })
    }

    fn tied_links(&mut self, namespace: Namespace) -> Result<Vec<SurveyedLink>, KernelError> {
        let get = self.room(namespace)?.handle.link().get();
        let links = self.collect(get.execute())?;
        Ok(links.iter().filter_map(place::survey).collect())
    }

    fn all_addresses(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<(u32, AddressState)>, KernelError> {
        let get = self.room(namespace)?.handle.address().get();
        let addresses = self.collect(get.execute())?;
        let states = addresses
            .iter()
            .filter_map(|message| Some((message.header.index, address::state(message)?)));
        Ok(states.collect())
    }

    fn addresses(&mut self, link: LinkId) -> Result<Vec<AddressState>, KernelError> {
        let get = self.room(link.namespace)?.handle.address().get();
        let answers = get.set_link_index_filter(link.index).execute();
        let addresses = self.collect(answers)?;
        Ok(addresses.iter().filter_map(address::state).collect())
    }

    fn snapshot(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError> {
        let name = self.link_by_id(link)?.name;
        let settings = sysctl::all(&self.room(link.namespace)?.netns, &name)?;
        self.read_snapshot(link, settings)
    }

    fn snapshot_neighbours(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError> {
        Ok(LinkSnapshot {
            neighbours: self.note_neighbours(link)?,
            ..LinkSnapshot::default()
        })
    }

    fn routes(&mut self, namespace: Namespace, table: u32) -> Result<Vec<FoundRoute>, KernelError> {
        self.list_routes(namespace, table)
    }

    fn has_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<bool, KernelError> {
        Ok(!self.same_routes(namespace, route)?.is_empty())
    }

    fn save_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError> {
        let same = self.same_routes(namespace, route)?;
        self.note_routes(namespace, &same)
    }

    fn save_rivals(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError> {
        let rivals = self.rival_routes(namespace, route)?;
        self.note_routes(namespace, &rivals)
    }

    fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError> {
        self.list_rules(namespace)
    }

    fn has_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<bool, KernelError> {
        self.finds_rule(namespace, rule)
    }

    fn save_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<SavedRule, KernelError> {
        self.note_rule(namespace, rule)
    }

    fn neighbours(&mut self, link: LinkId) -> Result<Vec<FoundNeighbour>, KernelError> {
        self.list_neighbours(link)
    }

    fn has_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<bool, KernelError> {
        self.finds_neighbour(link, address, table)
    }

    fn save_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<SavedNeighbour, KernelError> {
        self.note_neighbour(link, address, table)
    }

    fn port(&mut self, link: LinkId) -> Result<PortState, KernelError> {
        self.read_port(link)
    }

    fn vlans(&mut self, link: LinkId) -> Result<Vec<PortVlans>, KernelError> {
        self.read_vlans(link)
    }

    fn link_setting(&mut self, link: LinkId, setting: LinkSetting) -> Result<String, KernelError> {
        let name = self.link_by_id(link)?.name;
        sysctl::link_setting(&self.room(link.namespace)?.netns, &name, setting)
    }

    fn setting(&mut self, namespace: Namespace, key: &SettingKey) -> Result<String, KernelError> {
        sysctl::setting(&self.room(namespace)?.netns, key)
    }

    fn queues(&mut self, link: LinkId) -> Result<Queues, KernelError> {
        self.read_queues(link)
    }

    fn htb_classes(&mut self, link: LinkId) -> Result<Vec<u16>, KernelError> {
        self.class_numbers(link)
    }

    fn vfs(&mut self, link: LinkId) -> Result<Vec<VfState>, KernelError> {
        self.read_vfs(link)
    }

    fn wireguard(&mut self, link: LinkId) -> Result<WireguardState, KernelError> {
        self.read_wireguard(link)
    }

    fn features(&mut self, link: LinkId) -> Result<Vec<Feature>, KernelError> {
        self.read_features(link)
    }

    fn feature(&mut self, link: LinkId, name: &str) -> Result<Feature, KernelError> {
        features::find(self.read_features(link)?, name)
    }

    fn missing_firewall(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError> {
        self.lacks_firewall(entries)
    }

    fn free_for_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.finds_no_holder(entries)
    }

    fn has_firewall(&mut self, entry: &FirewallEntry) -> Result<bool, KernelError> {
        self.finds_firewall(entry)
    }
}

impl Kernel for Netlink {
    fn create_link(&mut self, link: &NewLink) -> Result<u32, KernelError> {
        let index = self.make_link(link)?;
        let namespace = link.namespace;
        self.ignore_advertisements(LinkId { namespace, index }, &link.name)?;
        Ok(index)
    }

    fn create_veth(&mut self, veth: &NewVeth) -> Result<(u32, u32), KernelError> {
        let (container, host) = self.make_veth(veth)?;
        let end = LinkId {
            namespace: Namespace::Host,
            index: host,
        };
        self.ignore_advertisements(end, &veth.host.name)?;
        Ok((container, host))
    }

    fn move_link(
        &mut self,
        link: LinkId,
        to: Namespace,
        name: &LinkName,
        index: Option<u32>,
    ) -> Result<u32, KernelError> {
        match self.link_by_name(to, name) {
            Ok(_) => return Err(Errno::EEXIST.into()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        match self.send_move(link, to, name, index) {
            Err(error) if error.errno() == Some(Errno::EBUSY) && self.has_index(to, index)? => {
                self.send_move(link, to, name, None)?;
            }
            result => result?,
        }
        self.index_of_new(to, name)
    }

    fn delete_link(&mut self, link: LinkId) -> Result<(), KernelError> {
        let state = self.link_by_id(link)?;
        // Some kinds have their parent listen along while they do, and don't tell
        // it of their end (`vlan_dev_change_rx_flags`, `ipvlan_change_rx_flags`).
        let quiet = [
            state.promiscuous.then_some(LinkChange::Promiscuous(false)),
            state
                .all_multicast
                .then_some(LinkChange::AllMulticast(false)),
        ];
        for change in quiet.iter().flatten() {
            self.change_link(link, change)?;
        }
        let links = self.room(link.namespace)?.handle.link();
        self.wait(links.del(link.index).execute())
    }

    fn change_link(&mut self, link: LinkId, change: &LinkChange) -> Result<(), KernelError> {
        self.send_change(link, link::message(link.index, change))
    }

    fn set_alternative_names(&mut self, link: LinkId, names: &[String]) -> Result<(), KernelError> {
        self.put_alternative_names(link, names)
    }

    fn add_address(&mut self, link: LinkId, new: &NewAddress) -> Result<(), KernelError> {
        let addresses = self.room(link.namespace)?.handle.address();
        let address = new.address;
        let mut request = addresses.add(link.index, address.addr(), address.prefix_len());
        *request.message_mut() = address::new_message(link.index, new);
        self.wait(request.execute())
    }

    fn put_settings(&mut self, link: LinkId, snapshot: &LinkSnapshot) -> Result<(), KernelError> {
        let name = self.link_by_id(link)?.name;
        sysctl::put_back(&self.room(link.namespace)?.netns, &name, &snapshot.settings)
    }

    fn replay(
        &mut self,
        link: LinkId,
        before: u32,
        snapshot: &LinkSnapshot,
    ) -> Result<(), KernelError> {
        self.replay_snapshot(link, before, snapshot)
    }

    fn remove_address(&mut self, link: LinkId, address: IpNet) -> Result<(), KernelError> {
        let addresses = self.room(link.namespace)?.handle.address();
        let message = address::message(link.index, address);
        self.wait(addresses.del(message).execute())
    }

    fn add_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<(), KernelError> {
        let handle = self.room(namespace)?.handle.clone();
        self.wait(route::add(handle, route::message(route)))
    }

    fn replace_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError> {
        let handle = self.room(namespace)?.handle.clone();
        self.wait(route::replace(handle, route::message(route)))
    }

    fn remove_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError> {
        self.delete_own_route(namespace, route)
    }

    fn remove_saved(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError> {
        self.delete_saved_routes(namespace, saved)
    }

    fn put_back_routes(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError> {
        self.put_saved_routes(namespace, saved)
    }

    fn add_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError> {
        self.send_rule(namespace, rule::message(rule))
    }

    fn remove_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError> {
        self.delete_own_rule(namespace, rule)
    }

    fn remove_saved_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError> {
        self.delete_saved_rule(namespace, saved)
    }

    fn put_back_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError> {
        self.put_saved_rule(namespace, saved)
    }

    fn add_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError> {
        self.send_neighbour(link, neighbour::message(link, address, neighbour))
    }

    fn remove_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        neighbour: Neighbour,
    ) -> Result<(), KernelError> {
        self.delete_own_neighbour(link, address, neighbour)
    }

    fn remove_saved_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError> {
        self.delete_saved_neighbour(link, saved)
    }

    fn put_back_neighbour(
        &mut self,
        link: LinkId,
        saved: &SavedNeighbour,
    ) -> Result<(), KernelError> {
        self.put_saved_neighbour(link, saved)
    }

    fn change_port(&mut self, link: LinkId, change: PortChange) -> Result<(), KernelError> {
        self.send_port_change(link, change)
    }

    fn add_vlans(&mut self, link: LinkId, vlans: PortVlans) -> Result<(), KernelError> {
        self.send_vlans(link, vlans)
    }

    fn remove_vlans(&mut self, link: LinkId, numbers: VlanNumbers) -> Result<(), KernelError> {
        self.send_vlan_removal(link, numbers)
    }

    fn set_link_setting(
        &mut self,
        link: LinkId,
        setting: LinkSetting,
        value: &str,
    ) -> Result<(), KernelError> {
        let name = self.link_by_id(link)?.name;
        sysctl::set_link_setting(&self.room(link.namespace)?.netns, &name, setting, value)
    }

    fn set_setting(
        &mut self,
        namespace: Namespace,
        key: &SettingKey,
        value: &str,
    ) -> Result<(), KernelError> {
        sysctl::set_setting(&self.room(namespace)?.netns, key, value)
    }

    fn set_tbf(&mut self, link: LinkId, tbf: &Tbf) -> Result<(), KernelError> {
        self.add_tbf(link, tbf)
    }

    fn set_htb(&mut self, link: LinkId, whole: Shape) -> Result<(), KernelError> {
        self.add_htb(link, whole)
    }

    fn add_htb_class(&mut self, link: LinkId, class: &HtbClass) -> Result<(), KernelError> {
        self.add_class_and_filter(link, class)
    }

    fn remove_htb_class(
        &mut self,
        link: LinkId,
        number: u16,
        packets: ClassPackets,
    ) -> Result<(), KernelError> {
        self.delete_class(link, number, packets)
    }

    fn redirect_ingress(&mut self, link: LinkId, to: u32) -> Result<(), KernelError> {
        self.add_redirect(link, to)
    }

    fn remove_queue(&mut self, link: LinkId, hook: QueueHook) -> Result<(), KernelError> {
        self.delete_queue(link, hook)
    }

    fn change_vf(
        &mut self,
        link: LinkId,
        number: u32,
        change: VfChange,
    ) -> Result<(), KernelError> {
        self.send_vf_change(link, number, change)
    }

    fn change_wireguard(
        &mut self,
        link: LinkId,
        change: &WireguardChange,
    ) -> Result<(), KernelError> {
        self.send_wireguard_change(link, change)
    }

    fn announce(&mut self, link: LinkId, address: IpAddr) -> Result<(), KernelError> {
        let state = self.link_by_id(link)?;
        let mac = announce::sender(&state)?;
        let addresses = self.addresses(link)?;
        if !addresses.iter().any(|own| own.address.addr() == address) {
            let text = format!("{address} is no address of {}: add it first", state.name);
            return Err(KernelError::NotFound(text));
        }
        let netns = &self.room(link.namespace)?.netns;
        match address {
            IpAddr::V4(address) => announce::gratuitous_arp(netns, &state, mac, address),
            IpAddr::V6(address) => {
                announce::neighbour_advertisement(netns, &state, mac, address, self.deadline)
            }
        }
    }

    fn set_feature(&mut self, link: LinkId, name: &str, on: bool) -> Result<(), KernelError> {
        self.turn_feature(link, name, on)
    }

    fn want_feature(&mut self, link: LinkId, name: &str, on: bool) -> Result<(), KernelError> {
        self.ask_for_feature(link, name, on)
    }

    fn add_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.put_firewall(entries)?;
        let mut entries = entries.iter();
        let forgotten = entries.try_for_each(|entry| self.forget_before(&entry.rule));
        forgotten.map_err(KernelError::unfinished)
    }

    fn restore_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        let mut restored = self.repair_firewall(entries)?.into_iter();
        restored.try_for_each(|restored| match restored {
            MissingFirewall::Rule(rule) => self.forget_before(&rule),
            MissingFirewall::Table(_) => Ok(()),
        })
    }

    fn remove_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError> {
        self.take_firewall(entry)?;
        self.forget_of(&entry.rule)
    }

    fn remove_empty_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError> {
        self.take_empty_table(entry)
    }
}

/// Sends a request that rtnetlink has none for, with these flags besides the
/// usual ones.
async fn send(
    mut handle: Handle,
    request: RouteNetlinkMessage,
    flags: u16,
) -> Result<(), rtnetlink::Error> {
    let mut request = NetlinkMessage::from(request);
    request.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    let mut answers = handle.request(request)?;
    while let Some(answer) = answers.next().await {
        if let NetlinkPayload::Error(message) = answer.payload {
            return Err(rtnetlink::Error::NetlinkError(message));
        }
    }
    Ok(())
}

/// What the kernel answered, as an error number.
impl From<rtnetlink::Error> for KernelError {
    fn from(error: rtnetlink::Error) -> Self {
        match error {
            rtnetlink::Error::NetlinkError(message) => {
                Errno::from_raw(message.raw_code().saturating_neg()).into()
            }
            error => Self::Netlink(error.to_string()),
        }
    }
}
