//! Reading an imagined machine as the real kernel is read.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use kernel::{
    AddressState, AddressesRead, BridgePortsRead, FarLink, Feature, FirewallEntry, FirewallRead,
    FirewallRule, FoundNeighbour, FoundRoute, FoundRule, IdentifiedLink, IdentitiesRead,
    InventoryRead, KernelError, LinkId, LinkInfo, LinkSetting, LinkSnapshot, LinkState, LinksRead,
    MAIN_TABLE, MissingFirewall, NeighbourTable, NeighboursRead, OffloadsRead, PlacedLink,
    PortState, PortVlans, Queues, RoutesRead, RulesRead, Saved, SavedNeighbour, SavedRoutes,
    SavedRule, SettingsRead, SnapshotsRead, Survey, SurveyedLink, TableRoute, Timed,
    TrafficControlRead, VfState, VfsRead, Whereabouts, WireguardRead, WireguardState, find_feature,
};
use nix::errno::Errno;
use types::{IpVersion, LinkName, Namespace, PciAddress, Rule, SettingKey};

use super::imagined::{Imagined, ImaginedLink};
use super::rules::defaults;

/// A reader of an imagined machine. All its clones share the machine. No
/// operation waits, so deadlines are ignored.
#[derive(Debug, Clone)]
pub struct ImaginedReader(pub Arc<Imagined>);

impl Deref for ImaginedReader {
    type Target = Imagined;

    fn deref(&self) -> &Imagined {
        &self.0
    }
}

impl Timed for ImaginedReader {
    fn set_deadline(&mut self, _deadline: Instant) {}
}

impl LinksRead for ImaginedReader {
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
}

impl IdentitiesRead for ImaginedReader {
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
            // The machine has no other namespaces.
            Whereabouts::Elsewhere(_) | Whereabouts::Unknown => return Err(Errno::ENODEV.into()),
        };
        let index = far.index;
        self.identified(LinkId { namespace, index })
    }
}

impl InventoryRead for ImaginedReader {
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
}

impl AddressesRead for ImaginedReader {
    fn all_addresses(
        &mut self,
        namespace: Namespace,
        version: IpVersion,
    ) -> Result<Vec<(u32, AddressState)>, KernelError> {
        let links = self.of(namespace).links.iter();
        let all = links.flat_map(|link| {
            let index = link.state().index;
            let its = link.addresses.iter();
            let its = its.filter(move |it| IpVersion::of(&it.address) == version);
            its.map(move |it| (index, it.clone()))
        });
        Ok(all.collect())
    }

    fn addresses(&mut self, link: LinkId) -> Result<Vec<AddressState>, KernelError> {
        Ok(self.link(link)?.addresses.clone())
    }
}

impl SnapshotsRead for ImaginedReader {
    /// Reads the settings only. The simulated kernel has the rest itself.
    fn snapshot(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError> {
        let name = &self.link(link)?.state().name;
        let settings = self.of(link.namespace).settings_of(name);
        Ok(LinkSnapshot::of_settings(settings))
    }

    fn snapshot_neighbours(&mut self, link: LinkId) -> Result<LinkSnapshot, KernelError> {
        self.link(link)?;
        Ok(LinkSnapshot::default())
    }
}

impl RoutesRead for ImaginedReader {
    fn default_route_link(&mut self) -> Result<u32, KernelError> {
        let mut routes = self.host.routes.iter();
        let default = routes.find(|found| {
            found.route.table == MAIN_TABLE && found.route.route.destination.prefix_len() == 0
        });
        Ok(default
            .and_then(|found| found.route.link)
            .ok_or(Errno::ENOENT)?)
    }

    fn routes(
        &mut self,
        namespace: Namespace,
        table: u32,
        version: IpVersion,
    ) -> Result<Vec<FoundRoute>, KernelError> {
        let routes = self.of(namespace).routes.iter();
        let routes = routes.filter(|found| {
            let route = &found.route;
            route.table == table && IpVersion::of(&route.route.destination) == version
        });
        Ok(routes.cloned().collect())
    }

    fn has_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<bool, KernelError> {
        let mut routes = self.of(namespace).routes.iter();
        Ok(routes.any(|found| found.route.is_told_by(route)))
    }

    /// Saves nothing. The simulated kernel has all routes itself.
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
}

impl RulesRead for ImaginedReader {
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
        let rules = self.rules(namespace)?;
        let found = rules.iter().find(|found| found.rule == *rule);
        Ok(Saved::rule(found.ok_or(Errno::ENOENT)?))
    }
}

impl NeighboursRead for ImaginedReader {
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
}

impl BridgePortsRead for ImaginedReader {
    fn port(&mut self, link: LinkId) -> Result<PortState, KernelError> {
        Ok(self.link(link)?.port.ok_or(Errno::EOPNOTSUPP)?)
    }

    fn vlans(&mut self, link: LinkId) -> Result<Vec<PortVlans>, KernelError> {
        Ok(self.link(link)?.vlans.clone())
    }
}

impl SettingsRead for ImaginedReader {
    fn link_setting(&mut self, link: LinkId, setting: LinkSetting) -> Result<String, KernelError> {
        let path = setting.path(&self.link(link)?.state().name);
        self.of(link.namespace).setting(&path)
    }

    fn setting(&mut self, namespace: Namespace, key: &SettingKey) -> Result<String, KernelError> {
        self.of(namespace).setting(&key.path())
    }
}

impl TrafficControlRead for ImaginedReader {
    fn queues(&mut self, link: LinkId) -> Result<Queues, KernelError> {
        Ok(self.link(link)?.queues)
    }

    fn htb_classes(&mut self, link: LinkId) -> Result<Vec<u16>, KernelError> {
        Ok(self.link(link)?.classes.clone())
    }
}

impl VfsRead for ImaginedReader {
    fn vfs(&mut self, link: LinkId) -> Result<Vec<VfState>, KernelError> {
        Ok(self.link(link)?.vfs.clone())
    }

    fn vf_device(&mut self, card: LinkId, number: u32) -> Result<PciAddress, KernelError> {
        let devices = &self.link(card)?.vf_devices;
        let number = usize::try_from(number).ok();
        let device = number.and_then(|number| devices.get(number));
        Ok(device.cloned().ok_or(Errno::ENOENT)?)
    }
}

impl WireguardRead for ImaginedReader {
    fn wireguard(&mut self, link: LinkId) -> Result<WireguardState, KernelError> {
        let state = self.link(link)?.wireguard.clone();
        Ok(state.ok_or(Errno::EOPNOTSUPP)?)
    }
}

impl OffloadsRead for ImaginedReader {
    fn features(&mut self, link: LinkId) -> Result<Vec<Feature>, KernelError> {
        Ok(self.link(link)?.features.clone())
    }

    fn feature(&mut self, link: LinkId, name: &str) -> Result<Feature, KernelError> {
        find_feature(self.features(link)?, name)
    }
}

impl FirewallRead for ImaginedReader {
    fn free_for_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        for entry in entries {
            let rivals = self.firewall.iter().filter(|other| other.tag != entry.tag);
            if rivals.into_iter().any(|other| have_a_port(entry, other)) {
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

/// Whether two entries publish the same port for packets of the same link.
fn have_a_port(one: &FirewallEntry, other: &FirewallEntry) -> bool {
    let (FirewallRule::Publish(one), FirewallRule::Publish(other)) = (&one.rule, &other.rule)
    else {
        return false;
    };
    let mut ports = one.ports.iter();
    one.from == other.from
        && ports.any(|port| other.ports.iter().any(|theirs| port.overlaps(theirs)))
}
