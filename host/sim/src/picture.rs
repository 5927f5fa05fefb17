//! All of the machine in plain values, for comparing how it was with how it is.
//! Links are known by what they are, whatever they are called and wherever they
//! have moved.

use std::collections::BTreeMap;

use kernel::{
    Feature, FirewallEntry, FoundNeighbour, FoundRoute, KernelError, LinkId, LinkKind, LinkState,
    NewAddress, ParentUse, PortState, PortVlans, Queues, VfState, WireguardState,
};
use types::{Namespace, Rule};

use super::link::{Link, Number, Other};
use super::machine::Machine;

/// The machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The links of both namespaces. Each keeps its number.
    pub links: BTreeMap<u32, PicturedLink>,
    /// What else the host's namespace has.
    pub host: PicturedNamespace,
    /// What else the container's has.
    pub container: PicturedNamespace,
    /// What the firewall has that it hadn't in the beginning.
    pub firewall_added: Vec<FirewallEntry>,
    /// What it hasn't any more.
    pub firewall_removed: Vec<FirewallEntry>,
}

/// A namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PicturedNamespace {
    /// Its routes.
    pub routes: Vec<FoundRoute>,
    /// The rules that it hadn't in the beginning.
    pub rules_added: Vec<Rule>,
    /// Those that it hasn't any more.
    pub rules_removed: Vec<Rule>,
    /// Settings that aren't a link's, where they are others than in the
    /// beginning, by path.
    pub settings: BTreeMap<String, String>,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicturedLink {
    /// Where it is.
    pub at: LinkId,
    /// How it is; its master stands below.
    pub state: LinkState,
    /// Its kind.
    pub kind: Option<String>,
    /// What it was made as, if it was made here.
    pub made_as: Option<LinkKind>,
    /// What it does to the link below it.
    pub parent_use: Option<ParentUse>,
    /// How many links on it have it take all frames.
    pub promiscuity: usize,
    /// The link that it lies on.
    pub lower: Option<u32>,
    /// The other end of a pair.
    pub pair: Option<u32>,
    /// The link that it's a port of.
    pub master: Option<u32>,
    /// Its addresses.
    pub addresses: Vec<NewAddress>,
    /// Its settings, where they are others than in the beginning, by
    /// `FAMILY/KEY`.
    pub settings: BTreeMap<String, String>,
    /// The neighbours that somebody set.
    pub neighbours: Vec<FoundNeighbour>,
    /// How its bridge treats it.
    pub port: Option<PortState>,
    /// Its VLANs.
    pub vlans: Vec<PortVlans>,
    /// Its queueing disciplines.
    pub queues: Queues,
    /// The classes of the root's.
    pub classes: Vec<u16>,
    /// What takes in front what it receives.
    pub redirect: Option<u32>,
    /// Its VFs.
    pub vfs: Vec<VfState>,
    /// Its features; of a link that was made here only if they were changed.
    pub features: Vec<Feature>,
    /// What WireGuard knows of it, where that was changed.
    pub wireguard: Option<WireguardState>,
}

impl Picture {
    /// What else a namespace has.
    pub fn namespace(&self, namespace: Namespace) -> &PicturedNamespace {
        match namespace {
            Namespace::Host => &self.host,
            Namespace::Container => &self.container,
        }
    }
}

impl Machine {
    pub(super) fn picture(&mut self) -> Result<Picture, KernelError> {
        let places: Vec<(Number, LinkId)> = self
            .links
            .iter()
            .map(|(number, link)| (*number, link.at))
            .collect();
        let mut links = BTreeMap::new();
        for (number, at) in places {
            let read = Read {
                neighbours: self.set_neighbours(at)?,
                vfs: self.vfs(at)?,
                queues: self.queues(at)?,
                classes: self.htb_classes(at)?,
                port: self.port(at).ok(),
                vlans: self.vlans(at)?,
                features: self.real_features(at)?,
            };
            if let Some(link) = self.links.get(&number) {
                let promiscuity = self.promiscuity(number);
                links.insert(number.0, pictured(link, promiscuity, read));
            }
        }
        Ok(Picture {
            links,
            host: self.pictured_namespace(Namespace::Host),
            container: self.pictured_namespace(Namespace::Container),
            firewall_added: self.firewall_added.clone(),
            firewall_removed: self.firewall_removed.clone(),
        })
    }

    /// What those of a link that was made here are is only assumed.
    fn real_features(&mut self, at: LinkId) -> Result<Vec<Feature>, KernelError> {
        let (_, link) = self.find(at)?;
        match (&link.features, link.real()) {
            (Some(features), _) => Ok(features.clone()),
            (None, Some(_)) => self.features(at),
            (None, None) => Ok(Vec::new()),
        }
    }

    fn pictured_namespace(&self, namespace: Namespace) -> PicturedNamespace {
        let room = self.room_ref(namespace);
        let [rules_added, rules_removed] = self.rule_changes(namespace);
        PicturedNamespace {
            routes: room.routes.clone(),
            rules_added,
            rules_removed,
            settings: room.settings.clone(),
        }
    }
}

/// What is read when it's asked for.
struct Read {
    neighbours: Vec<FoundNeighbour>,
    vfs: Vec<VfState>,
    queues: Queues,
    classes: Vec<u16>,
    port: Option<PortState>,
    vlans: Vec<PortVlans>,
    features: Vec<Feature>,
}

fn pictured(link: &Link, promiscuity: usize, read: Read) -> PicturedLink {
    let number = |other: Option<Other>| match other {
        Some(Other::Link(number)) => Some(number.0),
        _ => None,
    };
    PicturedLink {
        at: link.at,
        state: LinkState {
            master: None,
            ..link.state.clone()
        },
        kind: link.kind.clone(),
        made_as: link.made_as.clone(),
        parent_use: link.parent_use,
        promiscuity,
        lower: number(link.lower),
        pair: number(link.pair),
        master: link.master.map(|master| master.0),
        addresses: link
            .addresses
            .iter()
            .filter(|address| !address.link_scope)
            .map(|address| address.new)
            .collect(),
        settings: link.settings.clone(),
        neighbours: read.neighbours,
        port: read.port,
        vlans: read.vlans,
        queues: read.queues,
        classes: read.classes,
        redirect: link.redirect.map(|to| to.0),
        vfs: read.vfs,
        features: read.features,
        wireguard: link.wireguard.clone(),
    }
}
