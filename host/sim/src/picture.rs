//! The state of the machine in plain values, for comparing it with an earlier
//! one. A link keeps its number whatever its name and namespace are.

use std::collections::BTreeMap;

use kernel::{
    Feature, FirewallEntry, FoundNeighbour, FoundRoute, KernelError, LinkId, LinkKind, LinkState,
    NewAddress, ParentUse, PortState, PortVlans, Queues, VfState, WireguardState,
};
use types::{Namespace, Rule};

use super::link::{Link, Number, Other};
use super::machine::Machine;

/// The state of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The links of both namespaces, by number.
    pub links: BTreeMap<u32, PicturedLink>,
    /// The other objects of the host's namespace.
    pub host: PicturedNamespace,
    /// The other objects of the container's namespace.
    pub container: PicturedNamespace,
    /// The firewall entries that were added since the beginning.
    pub firewall_added: Vec<FirewallEntry>,
    /// The firewall entries that were removed since the beginning.
    pub firewall_removed: Vec<FirewallEntry>,
}

/// A namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PicturedNamespace {
    /// The routes.
    pub routes: Vec<FoundRoute>,
    /// The rules that were added since the beginning.
    pub rules_added: Vec<Rule>,
    /// The rules that were removed since the beginning.
    pub rules_removed: Vec<Rule>,
    /// The settings that aren't a link's and have changed since the beginning,
    /// by path.
    pub settings: BTreeMap<String, String>,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicturedLink {
    /// The namespace and the index.
    pub at: LinkId,
    /// The state without the master, which has a field of its own.
    pub state: LinkState,
    /// The kind.
    pub kind: Option<String>,
    /// The kind with its properties, if the link was made here.
    pub made_as: Option<LinkKind>,
    /// The effect of the link on its parent.
    pub parent_use: Option<ParentUse>,
    /// The number of children that make the link promiscuous.
    pub promiscuity: usize,
    /// The parent.
    pub lower: Option<u32>,
    /// The peer.
    pub pair: Option<u32>,
    /// The master.
    pub master: Option<u32>,
    /// The addresses.
    pub addresses: Vec<NewAddress>,
    /// The settings that have changed since the beginning, by `FAMILY/KEY`.
    pub settings: BTreeMap<String, String>,
    /// The neighbours that were set, not learnt.
    pub neighbours: Vec<FoundNeighbour>,
    /// The flags of a bridge's port.
    pub port: Option<PortState>,
    /// The VLANs.
    pub vlans: Vec<PortVlans>,
    /// The queueing disciplines.
    pub queues: Queues,
    /// The classes of the root queueing discipline.
    pub classes: Vec<u16>,
    /// The link through which received packets are redirected.
    pub redirect: Option<u32>,
    /// The VFs.
    pub vfs: Vec<VfState>,
    /// The features. For a link that was made here, they are known only if they
    /// were changed.
    pub features: Vec<Feature>,
    /// The configuration of WireGuard, if it was changed.
    pub wireguard: Option<WireguardState>,
}

impl Picture {
    /// Returns the other objects of a namespace.
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

    /// Returns the features of a link. Those of a link that was made here are
    /// only assumed, so they are left out unless they were changed.
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

/// The properties that are read from the real kernel when they are needed.
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
