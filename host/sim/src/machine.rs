//! The machine in memory: its first state, and the search for its objects.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use kernel::{
    FarLink, FirewallEntry, FoundRoute, FoundRule, KernelError, LinkId, LinkInfo, LinkState,
    MAIN_TABLE, NewAddress, PlacedLink, Reader, Survey, SurveyedLink, Tie,
};
use nix::errno::Errno;
use types::{LinkName, Namespace, RouteKind};

use super::link::{Address, IPV4_MIN_MTU, LOOPBACK_INDEX, Link, Number, Origin, Other};

/// The protocol of routes that the kernel makes (RTPROT_KERNEL in
/// `rtnetlink.h`).
pub(super) const BY_KERNEL: u8 = 2;
/// The protocol of routes and rules that this program makes (RTPROT_STATIC).
pub(super) const BY_HAND: u8 = 4;
/// INADDR_LOOPBACK (`in.h`)
pub(super) const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The IPv6 address of the loopback link.
const LOOPBACK6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
/// The MTU of a loopback link in bytes (`drivers/net/loopback.c`).
const LOOPBACK_MTU: u32 = 65536;

/// The routes, rules and settings of a namespace.
#[derive(Default)]
pub(super) struct Room {
    pub(super) routes: Vec<FoundRoute>,
    /// Those that it had in the beginning.
    pub(super) routes_before: Vec<FoundRoute>,
    /// The names of the links of the beginning, by index.
    pub(super) names_before: BTreeMap<u32, LinkName>,
    /// Its rules, once somebody has asked for them.
    pub(super) rules: Option<Vec<FoundRule>>,
    /// Those that it had in the beginning.
    pub(super) rules_before: Vec<FoundRule>,
    /// The values written to settings that aren't a link's, by path.
    pub(super) settings: BTreeMap<String, String>,
    /// Which IPv4 settings of new links somebody has set, by `ipv4/KEY`.
    pub(super) set_defaults: BTreeSet<String>,
    /// Whether it has had an IPv4 address, so that there is a table of local ones.
    pub(super) has_local_table: bool,
    /// The last index that a link got by itself. It comes to no other link for a
    /// long time (`dev_index_reserve`).
    pub(super) last_index: u32,
}

/// An operation that fails because it's to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// There is none.
    None,
    /// The one after this many, with it.
    In(u32),
    /// It has failed.
    Done,
}

/// The machine in memory.
pub(super) struct Machine {
    pub(super) reader: Box<dyn Reader + Send>,
    pub(super) has_container: bool,
    pub(super) links: BTreeMap<Number, Link>,
    pub(super) host: Room,
    pub(super) container: Room,
    pub(super) firewall_added: Vec<FirewallEntry>,
    pub(super) firewall_removed: Vec<FirewallEntry>,
    pub(super) macs: u8,
    /// The namespaces of peers elsewhere that were asked about. The real kernel
    /// doesn't report them to a container.
    pub(super) far_ends: BTreeMap<Number, FarLink>,
    deadline: Option<Instant>,
    fault: Fault,
    next: u32,
    assumed: Vec<String>,
}

impl Machine {
    /// Reads the state of the real kernel.
    pub(super) fn begin(
        reader: Box<dyn Reader + Send>,
        has_container: bool,
    ) -> Result<Self, KernelError> {
        let mut machine = Self {
            reader,
            has_container,
            links: BTreeMap::new(),
            host: Room::default(),
            container: Room::default(),
            firewall_added: Vec::new(),
            firewall_removed: Vec::new(),
            macs: 0,
            far_ends: BTreeMap::new(),
            deadline: None,
            fault: Fault::None,
            next: 0,
            assumed: Vec::new(),
        };
        machine.load(Namespace::Host)?;
        match has_container {
            true => machine.load(Namespace::Container)?,
            false => machine.add_loopback(),
        }
        machine.tie_pairs();
        machine.find_inheritors();
        machine.find_followers();
        Ok(machine)
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
        self.reader.set_deadline(deadline);
    }

    /// Whether the time of the run is over.
    pub(super) fn is_late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Has one operation fail, counted from 1 and from now.
    pub(super) fn fail_at(&mut self, number: u32) {
        self.fault = match number {
            0 => Fault::None,
            _ => Fault::In(number),
        };
    }

    /// Has no operation fail any more.
    pub(super) fn fail_no_more(&mut self) {
        if let Fault::In(_) = self.fault {
            self.fault = Fault::None;
        }
    }

    /// Whether the operation that begins fails.
    pub(super) fn fails_now(&mut self) -> bool {
        let Fault::In(left) = self.fault else {
            return false;
        };
        let left = left.saturating_sub(1);
        self.fault = match left {
            0 => Fault::Done,
            _ => Fault::In(left),
        };
        left == 0
    }

    /// Whether an operation has failed because it was to.
    pub(super) fn has_failed(&self) -> bool {
        self.fault == Fault::Done
    }

    /// Records an assumption once.
    pub(super) fn assume(&mut self, what: String) {
        if !self.assumed.contains(&what) {
            self.assumed.push(what);
        }
    }

    pub(super) fn assumed(&self) -> &[String] {
        &self.assumed
    }

    /// Whether the real kernel has a namespace.
    pub(super) fn is_real(&self, namespace: Namespace) -> bool {
        namespace == Namespace::Host || self.has_container
    }

    pub(super) fn room(&mut self, namespace: Namespace) -> &mut Room {
        match namespace {
            Namespace::Host => &mut self.host,
            Namespace::Container => &mut self.container,
        }
    }

    pub(super) fn room_ref(&self, namespace: Namespace) -> &Room {
        match namespace {
            Namespace::Host => &self.host,
            Namespace::Container => &self.container,
        }
    }

    fn load(&mut self, namespace: Namespace) -> Result<(), KernelError> {
        let survey = self.reader.survey(namespace)?;
        let mut ties = Vec::new();
        for surveyed in survey.links {
            let index = surveyed.info.state.index;
            let at = LinkId { namespace, index };
            let addresses = match self.reader.addresses(at) {
                Ok(addresses) => addresses,
                // The link was removed meanwhile.
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error),
            };
            let mut link = loaded(at, &surveyed);
            for state in addresses {
                let is_secondary = link.has_in_network(state.address);
                self.room(namespace).has_local_table |= state.address.addr().is_ipv4();
                link.addresses.push(Address {
                    new: NewAddress {
                        address: state.address,
                        // The kernel's own has none.
                        no_dad: link.is_loopback() && state.address.addr() == LOOPBACK6,
                        no_prefix_route: lacks_route(&survey.routes, index, state.address)
                            || (link.is_loopback() && state.address.addr().is_loopback()),
                    },
                    link_scope: state.link_scope,
                    tentative: state.tentative,
                    dad_failed: state.dad_failed,
                    is_secondary,
                    is_host: link.is_loopback() && state.address.addr() == LOCALHOST,
                    has_network: link.is_loopback() && link.state.up,
                });
            }
            let number = self.add(link);
            ties.push((number, surveyed.tie, surveyed.info.state.master));
        }
        for (number, tie, master) in ties {
            self.tie(number, namespace, tie, master);
        }
        let links = self.links_of(namespace).into_iter();
        let names = links.map(|link| (link.at.index, link.state.name.clone()));
        let names = names.collect();
        let room = self.room(namespace);
        room.names_before = names;
        room.routes_before.clone_from(&survey.routes);
        room.routes = survey.routes;
        Ok(())
    }

    /// Adds the only link of a new namespace.
    fn add_loopback(&mut self) {
        let Some(state) = loopback() else { return };
        let at = LinkId {
            namespace: Namespace::Container,
            index: state.index,
        };
        self.add(Link::new(Origin::Made, at, state));
    }

    fn tie(&mut self, number: Number, namespace: Namespace, tie: Option<Tie>, master: Option<u32>) {
        let find = |machine: &Self, index| machine.number(LinkId { namespace, index });
        let other = tie.map(|tie| match find(self, tie.index) {
            Some(other) if !tie.elsewhere => Other::Link(other),
            _ => Other::Elsewhere(tie.index),
        });
        let master = master.and_then(|index| find(self, index));
        let is_pair = tie.is_some_and(|tie| tie.is_pair);
        if let Some(link) = self.links.get_mut(&number) {
            match is_pair {
                true => link.pair = other,
                false => link.lower = other,
            }
            link.master = master;
        }
    }

    /// Finds the peers of which one is in the container. Each reports the
    /// other's index.
    fn tie_pairs(&mut self) {
        if !self.has_container {
            return;
        }
        let ends = |namespace| -> Vec<(Number, u32, u32)> {
            let links = self.links.iter();
            links
                .filter(|(_, link)| link.at.namespace == namespace)
                .filter_map(|(number, link)| match link.pair {
                    Some(Other::Elsewhere(far)) => Some((*number, link.at.index, far)),
                    _ => None,
                })
                .collect()
        };
        let (hosts, containers) = (ends(Namespace::Host), ends(Namespace::Container));
        for (outside, index, far) in hosts {
            let fits = |end: &&(Number, u32, u32)| (end.1, end.2) == (far, index);
            let Some((inside, ..)) = containers.iter().find(fits) else {
                continue;
            };
            for (end, other) in [(outside, *inside), (*inside, outside)] {
                if let Some(link) = self.links.get_mut(&end) {
                    link.pair = Some(Other::Link(other));
                }
            }
        }
    }

    /// Finds the VLANs that don't inherit their parent's MAC address
    /// (`vlan_dev_inherit_address`). The kernel doesn't report which do.
    fn find_inheritors(&mut self) {
        let has_own = |link: &Link| match link.lower {
            Some(Other::Link(lower)) => self
                .links
                .get(&lower)
                .is_some_and(|lower| lower.state.mac != link.state.mac),
            _ => false,
        };
        let vlans = self.links.iter().filter(|(_, link)| link.kind() == "vlan");
        let own: Vec<Number> = vlans
            .filter(|(_, link)| has_own(link))
            .map(|(number, _)| *number)
            .collect();
        for number in own {
            if let Some(link) = self.links.get_mut(&number) {
                link.is_mac_set = true;
            }
        }
    }

    /// Adds a link to the machine.
    pub(super) fn add(&mut self, link: Link) -> Number {
        let number = Number(self.next);
        self.next += 1;
        let room = self.room(link.at.namespace);
        room.last_index = room.last_index.max(link.at.index);
        self.links.insert(number, link);
        number
    }

    /// Returns the number of the link with this id.
    pub(super) fn number(&self, at: LinkId) -> Option<Number> {
        let mut links = self.links.iter();
        let found = links.find(|(_, link)| link.at == at);
        found.map(|(number, _)| *number)
    }

    /// Returns the link with this id, and its number.
    pub(super) fn find(&self, at: LinkId) -> Result<(Number, &Link), KernelError> {
        let mut links = self.links.iter();
        let found = links.find(|(_, link)| link.at == at);
        let (number, link) = found.ok_or(Errno::ENODEV)?;
        Ok((*number, link))
    }

    /// Returns the link with this id, for changing it.
    pub(super) fn find_mut(&mut self, at: LinkId) -> Result<&mut Link, KernelError> {
        let mut links = self.links.values_mut();
        Ok(links.find(|link| link.at == at).ok_or(Errno::ENODEV)?)
    }

    /// Returns the links of a namespace, in the order of their indexes.
    pub(super) fn links_of(&self, namespace: Namespace) -> Vec<&Link> {
        let links = self.links.values();
        let mut links: Vec<&Link> = links
            .filter(|link| link.at.namespace == namespace)
            .collect();
        links.sort_by_key(|link| link.at.index);
        links
    }

    /// The link of a name, be that an alternative one (`netdev_name_node_lookup`).
    pub(super) fn by_name(&self, namespace: Namespace, name: &LinkName) -> Option<&Link> {
        let mut links = self.links.values();
        links.find(|link| link.at.namespace == namespace && link.is_called(name.as_str()))
    }

    /// Returns the state of a link, with its master.
    pub(super) fn state(&self, link: &Link) -> LinkState {
        let master = link.master.and_then(|master| self.links.get(&master));
        LinkState {
            master: master.map(|master| master.at.index),
            ..link.state.clone()
        }
    }

    /// Returns the state, the kind and the carrier of a link.
    pub(super) fn info(&self, number: Number, link: &Link) -> LinkInfo {
        LinkInfo {
            state: self.state(link),
            kind: link.kind.clone(),
            carrier: self.carrier(number, link),
            vlan_filtering: link.vlan_filtering,
            parent_use: link.parent_use,
        }
    }

    /// Returns a link with its parent and device.
    pub(super) fn placed(&self, link: &Link) -> PlacedLink {
        let lower = match link.lower {
            Some(Other::Link(lower)) => self.links.get(&lower),
            _ => None,
        };
        let lower = lower.filter(|lower| lower.at.namespace == link.at.namespace);
        let lower = lower.filter(|_| link.tells_lower());
        PlacedLink {
            state: self.state(link),
            lower: lower.map(|lower| lower.at.index),
            pci: link.pci.clone(),
            device: link.device.clone(),
        }
    }

    /// Whether a link can carry packets. For links that nobody has changed, the
    /// real kernel's answer counts.
    fn carrier(&self, number: Number, link: &Link) -> bool {
        link.state.up && self.signal(number, link)
    }

    /// The same, whether it's up or down (`netif_carrier_ok`).
    fn signal(&self, number: Number, link: &Link) -> bool {
        let other = |other: Option<Other>| match other {
            Some(Other::Link(number)) => self.links.get_key_value(&number),
            _ => None,
        };
        if let Some((_, end)) = other(link.pair) {
            return link.state.up && end.state.up;
        }
        // `netif_stacked_transfer_operstate`
        if let Some((lower, below)) = other(link.lower).filter(|_| link.kind() != "vxlan") {
            return self.signal(*lower, below);
        }
        match (link.kind(), link.origin) {
            // `br_port_state_selection`: it looks at its ports once one begins or
            // ends.
            ("bridge", Origin::Made) if !link.looks_at_ports => true,
            ("bridge", _) => self.has_live_port(number),
            ("tap" | "tun", Origin::Made) => false,
            (_, Origin::Made) => true,
            (_, Origin::Real(_)) => link.carrier || link.is_changed,
        }
    }

    fn has_live_port(&self, bridge: Number) -> bool {
        let mut links = self.links.iter();
        links.any(|(port, below)| below.master == Some(bridge) && self.carrier(*port, below))
    }

    /// Notes which bridges have had ports that carry packets.
    pub(super) fn note_live_bridges(&mut self) {
        let is_new = |link: &Link| link.kind() == "bridge" && link.state.up && !link.looks_at_ports;
        let bridges = self.links.iter().filter(|(_, link)| is_new(link));
        let live = bridges.filter(|(number, _)| self.has_live_port(**number));
        let live: Vec<Number> = live.map(|(number, _)| *number).collect();
        for number in live {
            self.edit(number, |link| link.looks_at_ports = true);
        }
    }

    /// Returns the inventory of a namespace.
    pub(super) fn survey(&self, namespace: Namespace) -> Result<Survey, KernelError> {
        let mut links = Vec::new();
        for link in self.links_of(namespace) {
            let (number, link) = self.find(link.at)?;
            let (tie, is_pair) = match link.pair {
                Some(pair) => (Some(pair), true),
                None => (link.told_lower(), false),
            };
            links.push(SurveyedLink {
                info: self.info(number, link),
                tie: tie.and_then(|other| self.tie_to(namespace, other, is_pair)),
                table: link.table,
                pci: link.pci.clone(),
                device: link.device.clone(),
            });
        }
        let routes = self.room_ref(namespace).routes.clone();
        Ok(Survey { links, routes })
    }

    pub(super) fn tie_to(&self, namespace: Namespace, other: Other, is_pair: bool) -> Option<Tie> {
        let (index, elsewhere) = match other {
            Other::Elsewhere(index) => (index, true),
            Other::Link(number) => {
                let at = self.links.get(&number)?.at;
                (at.index, at.namespace != namespace)
            }
        };
        Some(Tie {
            is_pair,
            index,
            elsewhere,
        })
    }

    /// Returns the routing table for the routes to a link's networks.
    pub(super) fn table_of(&self, link: &Link) -> u32 {
        let master = link.master.and_then(|master| self.links.get(&master));
        master.and_then(|vrf| vrf.table).unwrap_or(MAIN_TABLE)
    }
}

/// The one link of a new namespace (`loopback_net_init`).
pub(super) fn loopback() -> Option<LinkState> {
    Some(LinkState {
        mac: Some(types::Mac::NONE),
        mtu: LOOPBACK_MTU,
        ..LinkState::new("lo".parse().ok()?, LOOPBACK_INDEX)
    })
}

fn loaded(at: LinkId, surveyed: &SurveyedLink) -> Link {
    let info = &surveyed.info;
    let mut link = Link::new(Origin::Real(at), at, info.state.clone());
    link.has_ipv4 = info.state.mtu >= IPV4_MIN_MTU;
    link.kind.clone_from(&info.kind);
    link.carrier = info.carrier;
    link.vlan_filtering = info.vlan_filtering;
    link.parent_use = info.parent_use;
    link.table = surveyed.table;
    link.pci.clone_from(&surveyed.pci);
    link.device.clone_from(&surveyed.device);
    link
}

/// Whether the kernel made no route to an address's network on a link that is
/// up.
fn lacks_route(routes: &[FoundRoute], index: u32, address: ipnet::IpNet) -> bool {
    let mut routes = routes.iter().filter(|found| {
        found.route.link == Some(index)
            && found.protocol == BY_KERNEL
            && found.route.route.kind == RouteKind::Unicast
    });
    let has_any = routes.clone().next().is_some();
    has_any && !routes.any(|found| found.route.route.destination == address.trunc())
}
