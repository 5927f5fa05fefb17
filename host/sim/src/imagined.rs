//! A machine that is only thought of, for a kernel in memory to begin with. It's
//! made of plain values, and nothing of it is on the machine at hand.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use kernel::{
    AddressState, FarLink, Feature, FirewallEntry, FirewallRule, FoundNeighbour, FoundRoute,
    FoundRule, IdentifiedLink, KernelError, LinkId, LinkIdentity, LinkInfo, LinkSetting,
    LinkSnapshot, LinkState, MAIN_TABLE, MissingFirewall, NeighbourTable, ParentDevice, PlacedLink,
    PortState, PortVlans, Queues, Reader, SavedNeighbour, SavedRoutes, SavedRule, Survey,
    SurveyedLink, TableRoute, VfState, Whereabouts, WireguardState,
};
use kernel::{Saved, find_feature};
use nix::errno::Errno;
use types::{LinkName, Namespace, PortRange, Rule, SettingKey};

use super::neighbours::is_set;
use super::rules::defaults;

/// The beginning of the paths of all settings.
const SETTINGS: &str = "/proc/sys/net/";

/// A machine in plain values.
#[derive(Debug, Clone, Default)]
pub struct Imagined {
    /// The host's namespace.
    pub host: ImaginedNamespace,
    /// The container's.
    pub container: ImaginedNamespace,
    /// What drivers have in the host's firewall.
    pub firewall: Vec<FirewallEntry>,
}

/// A namespace.
#[derive(Debug, Clone, Default)]
pub struct ImaginedNamespace {
    /// Its links.
    pub links: Vec<ImaginedLink>,
    /// The routes of all its tables.
    pub routes: Vec<FoundRoute>,
    /// Its rules besides those of every namespace.
    pub rules: Vec<Rule>,
    /// The settings that aren't a link's, by their paths below `/proc/sys/net`.
    pub settings: BTreeMap<String, String>,
    /// The settings that each link has, by `FAMILY/KEY`.
    pub link_settings: BTreeMap<String, String>,
}

/// A link.
#[derive(Debug, Clone)]
pub struct ImaginedLink {
    /// The link, and what ties it to others.
    pub link: SurveyedLink,
    /// Its addresses.
    pub addresses: Vec<AddressState>,
    /// Its neighbours.
    pub neighbours: Vec<FoundNeighbour>,
    /// How its bridge treats it.
    pub port: Option<PortState>,
    /// Its VLANs, of a bridge's port or a bridge.
    pub vlans: Vec<PortVlans>,
    /// Its queueing disciplines.
    pub queues: Queues,
    /// The classes of its root's.
    pub classes: Vec<u16>,
    /// Its VFs.
    pub vfs: Vec<VfState>,
    /// Its features.
    pub features: Vec<Feature>,
    /// What WireGuard knows of it.
    pub wireguard: Option<WireguardState>,
}

impl ImaginedLink {
    /// A link that has nothing else.
    pub fn new(link: SurveyedLink) -> Self {
        Self {
            link,
            addresses: Vec::new(),
            neighbours: Vec::new(),
            port: None,
            vlans: Vec::new(),
            queues: Queues::default(),
            classes: Vec::new(),
            vfs: Vec::new(),
            features: Vec::new(),
            wireguard: None,
        }
    }

    fn state(&self) -> &LinkState {
        &self.link.info.state
    }

    /// What it's known by, in a namespace of this machine.
    fn identified(&self, namespace: Namespace) -> IdentifiedLink {
        let device = self.link.pci.as_ref().map(|address| ParentDevice {
            bus: Some("pci".to_owned()),
            name: address.to_string(),
        });
        let tie = self.link.tie.map(|tie| FarLink {
            index: tie.index,
            place: match (namespace, tie.elsewhere) {
                (Namespace::Host, false) | (Namespace::Container, true) => Whereabouts::Host,
                (Namespace::Host, true) | (Namespace::Container, false) => Whereabouts::Container,
            },
        });
        IdentifiedLink {
            state: self.state().clone(),
            has_plain_name: true,
            identity: LinkIdentity {
                kind: self.link.info.kind.clone(),
                permanent_mac: self.state().permanent_mac,
                device,
                tie,
                vlan: None,
            },
            alternative_names: Vec::new(),
        }
    }
}

impl ImaginedNamespace {
    fn link(&self, index: u32) -> Result<&ImaginedLink, KernelError> {
        let mut links = self.links.iter();
        let found = links.find(|link| link.state().index == index);
        Ok(found.ok_or(Errno::ENODEV)?)
    }

    /// A setting by its path.
    fn setting(&self, path: &str) -> Result<String, KernelError> {
        let below = path.strip_prefix(SETTINGS).ok_or(Errno::ENOENT)?;
        if let Some(value) = self.settings.get(below) {
            return Ok(value.clone());
        }
        let (family, rest) = below.split_once("/conf/").ok_or(Errno::ENOENT)?;
        let (link, key) = rest.split_once('/').ok_or(Errno::ENOENT)?;
        let is_there = matches!(link, "all" | "default")
            || self.links.iter().any(|it| it.state().name.as_str() == link);
        let value = self.link_settings.get(&format!("{family}/{key}"));
        Ok(value.filter(|_| is_there).cloned().ok_or(Errno::ENOENT)?)
    }

    /// The settings of a link, by `FAMILY/KEY`.
    fn settings_of(&self, name: &LinkName) -> BTreeMap<String, String> {
        let mut settings = self.link_settings.clone();
        for (key, value) in &mut settings {
            let own = key.split_once('/').and_then(|(family, key)| {
                self.settings.get(&format!("{family}/conf/{name}/{key}"))
            });
            if let Some(own) = own {
                value.clone_from(own);
            }
        }
        settings
    }
}

impl Imagined {
    fn of(&self, namespace: Namespace) -> &ImaginedNamespace {
        match namespace {
            Namespace::Host => &self.host,
            Namespace::Container => &self.container,
        }
    }

    fn link(&self, at: LinkId) -> Result<&ImaginedLink, KernelError> {
        self.of(at.namespace).link(at.index)
    }

    fn neighbour(
        &self,
        at: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<Option<&FoundNeighbour>, KernelError> {
        let mut neighbours = self.link(at)?.neighbours.iter();
        Ok(neighbours.find(|it| is_set(it) && it.address == address && it.table == table))
    }
}

/// Reads an imagined machine as the real kernel is read. All that begin with it
/// share it. Deadlines are for who waits.
#[derive(Debug, Clone)]
pub struct ImaginedReader(pub Arc<Imagined>);

impl Deref for ImaginedReader {
    type Target = Imagined;

    fn deref(&self) -> &Imagined {
        &self.0
    }
}

impl Reader for ImaginedReader {
    fn set_deadline(&mut self, _deadline: Instant) {}

    fn link_by_name(
        &mut self,
        namespace: Namespace,
        name: &LinkName,
    ) -> Result<LinkState, KernelError> {
        let mut links = self.of(namespace).links.iter();
        let found = links.find(|link| link.state().name == *name);
        Ok(found.ok_or(Errno::ENODEV)?.state().clone())
    }

    fn link_by_id(&mut self, link: LinkId) -> Result<LinkState, KernelError> {
        Ok(self.link(link)?.state().clone())
    }

    fn default_route_link(&mut self) -> Result<u32, KernelError> {
        let mut routes = self.host.routes.iter();
        let default = routes.find(|found| {
            found.route.table == MAIN_TABLE && found.route.route.destination.prefix_len() == 0
        });
        Ok(default
            .and_then(|found| found.route.link)
            .ok_or(Errno::ENOENT)?)
    }

    fn link_info(&mut self, link: LinkId) -> Result<LinkInfo, KernelError> {
        Ok(self.link(link)?.link.info.clone())
    }

    fn links(
        &mut self,
        namespace: Namespace,
        master: Option<u32>,
    ) -> Result<Vec<LinkState>, KernelError> {
        let links = self.of(namespace).links.iter().map(ImaginedLink::state);
        let links = links.filter(|state| master.is_none() || state.master == master);
        Ok(links.cloned().collect())
    }

    fn placed_links(&mut self, namespace: Namespace) -> Result<Vec<PlacedLink>, KernelError> {
        let links = self.of(namespace).links.iter();
        let placed = links.map(|link| {
            let tie = link.link.tie.filter(|tie| !tie.is_pair && !tie.elsewhere);
            PlacedLink {
                state: link.state().clone(),
                lower: tie.map(|tie| tie.index),
                pci: link.link.pci.clone(),
                device: link.link.device.clone(),
            }
        });
        Ok(placed.collect())
    }

    fn identified(&mut self, link: LinkId) -> Result<IdentifiedLink, KernelError> {
        Ok(self.link(link)?.identified(link.namespace))
    }

    fn identified_links(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<IdentifiedLink>, KernelError> {
        let links = self.of(namespace).links.iter();
        Ok(links.map(|link| link.identified(namespace)).collect())
    }

    fn far_link(&mut self, far: FarLink) -> Result<IdentifiedLink, KernelError> {
        let namespace = match far.place {
            Whereabouts::Host => Namespace::Host,
            Whereabouts::Container => Namespace::Container,
            // There are no others.
            Whereabouts::Elsewhere(_) | Whereabouts::Unknown => return Err(Errno::ENODEV.into()),
        };
        let index = far.index;
        self.identified(LinkId { namespace, index })
    }

    fn survey(&mut self, namespace: Namespace) -> Result<Survey, KernelError> {
        let namespace = self.of(namespace);
        Ok(Survey {
            links: namespace.links.iter().map(|it| it.link.clone()).collect(),
            routes: namespace.routes.clone(),
        })
    }

    fn tied_links(&mut self, namespace: Namespace) -> Result<Vec<SurveyedLink>, KernelError> {
        Ok(self.survey(namespace)?.links)
    }

    fn all_addresses(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<(u32, AddressState)>, KernelError> {
        let links = self.of(namespace).links.iter();
        let all = links.flat_map(|link| {
            let index = link.state().index;
            link.addresses.iter().map(move |it| (index, it.clone()))
        });
        Ok(all.collect())
    }

    fn addresses(&mut self, link: LinkId) -> Result<Vec<AddressState>, KernelError> {
        Ok(self.link(link)?.addresses.clone())
    }

    /// The settings of a link: a kernel in memory keeps all else itself.
    fn snapshot(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError> {
        let name = &self.link(link)?.state().name;
        let settings = self.of(link.namespace).settings_of(name);
        Ok(LinkSnapshot::of_settings(settings))
    }

    fn snapshot_neighbours(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError> {
        self.link(link)?;
        Ok(LinkSnapshot::default())
    }

    fn routes(&mut self, namespace: Namespace, table: u32) -> Result<Vec<FoundRoute>, KernelError> {
        let routes = self.of(namespace).routes.iter();
        let routes = routes.filter(|found| found.route.table == table);
        Ok(routes.cloned().collect())
    }

    fn has_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<bool, KernelError> {
        let mut routes = self.of(namespace).routes.iter();
        Ok(routes.any(|found| found.route.is_told_by(route)))
    }

    /// Nothing is noted: a kernel in memory has all routes itself.
    fn save_route(
        &mut self,
        _namespace: Namespace,
        _route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError> {
        Ok(SavedRoutes::default())
    }

    fn save_rivals(
        &mut self,
        _namespace: Namespace,
        _route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError> {
        Ok(SavedRoutes::default())
    }

    fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError> {
        let mut rules = defaults();
        let own = self.of(namespace).rules.iter();
        rules.extend(own.map(|rule| FoundRule {
            rule: rule.clone(),
            protocol: super::machine::BY_HAND,
        }));
        Ok(rules)
    }

    fn has_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<bool, KernelError> {
        let rules = self.rules(namespace)?;
        Ok(rules.iter().any(|found| found.rule == *rule))
    }

    fn save_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<SavedRule, KernelError> {
        match self.has_rule(namespace, rule)? {
            true => Ok(Saved::rule(rule)),
            false => Err(Errno::ENOENT.into()),
        }
    }

    fn neighbours(&mut self, link: LinkId) -> Result<Vec<FoundNeighbour>, KernelError> {
        Ok(self.link(link)?.neighbours.clone())
    }

    fn has_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<bool, KernelError> {
        Ok(self.neighbour(link, address, table)?.is_some())
    }

    fn save_neighbour(
        &mut self,
        link: LinkId,
        address: IpAddr,
        table: NeighbourTable,
    ) -> Result<SavedNeighbour, KernelError> {
        let found = self.neighbour(link, address, table)?;
        Ok(Saved::neighbour(link, found.ok_or(Errno::ENOENT)?))
    }

    fn port(&mut self, link: LinkId) -> Result<PortState, KernelError> {
        Ok(self.link(link)?.port.ok_or(Errno::EOPNOTSUPP)?)
    }

    fn vlans(&mut self, link: LinkId) -> Result<Vec<PortVlans>, KernelError> {
        Ok(self.link(link)?.vlans.clone())
    }

    fn link_setting(&mut self, link: LinkId, setting: LinkSetting) -> Result<String, KernelError> {
        let path = setting.path(&self.link(link)?.state().name);
        self.of(link.namespace).setting(&path)
    }

    fn setting(&mut self, namespace: Namespace, key: &SettingKey) -> Result<String, KernelError> {
        self.of(namespace).setting(&key.path())
    }

    fn queues(&mut self, link: LinkId) -> Result<Queues, KernelError> {
        Ok(self.link(link)?.queues)
    }

    fn htb_classes(&mut self, link: LinkId) -> Result<Vec<u16>, KernelError> {
        Ok(self.link(link)?.classes.clone())
    }

    fn vfs(&mut self, link: LinkId) -> Result<Vec<VfState>, KernelError> {
        Ok(self.link(link)?.vfs.clone())
    }

    fn wireguard(&mut self, link: LinkId) -> Result<WireguardState, KernelError> {
        let state = self.link(link)?.wireguard.clone();
        Ok(state.ok_or(Errno::EOPNOTSUPP)?)
    }

    fn features(&mut self, link: LinkId) -> Result<Vec<Feature>, KernelError> {
        Ok(self.link(link)?.features.clone())
    }

    fn feature(&mut self, link: LinkId, name: &str) -> Result<Feature, KernelError> {
        find_feature(self.features(link)?, name)
    }

    fn free_for_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        for entry in entries {
            let rivals = self.firewall.iter().filter(|other| other.tag != entry.tag);
            let mut rivals = rivals.flat_map(ports);
            if rivals.any(|port| ports(entry).iter().any(|own| overlap(own, port))) {
                return Err(Errno::EADDRINUSE.into());
            }
        }
        Ok(())
    }

    fn has_firewall(&mut self, entry: &FirewallEntry) -> Result<bool, KernelError> {
        Ok(self.firewall.contains(entry))
    }

    fn missing_firewall(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError> {
        let missing = entries.iter().filter(|it| !self.firewall.contains(it));
        Ok(missing
            .map(|entry| MissingFirewall::Rule(entry.rule.clone()))
            .collect())
    }
}

/// The ports that an entry publishes.
fn ports(entry: &FirewallEntry) -> &[PortRange] {
    match &entry.rule {
        FirewallRule::Publish(publication) => &publication.ports,
        _ => &[],
    }
}

fn overlap(one: &PortRange, other: &PortRange) -> bool {
    let at_same_address = match (one.host_address, other.host_address) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    one.protocol == other.protocol
        && at_same_address
        && one.first <= other.last
        && other.first <= one.last
}
