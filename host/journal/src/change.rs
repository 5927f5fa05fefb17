//! What is changed, and what undoes it.

mod words;

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::{
    ClassPackets, FirewallEntry, KnownLink, LinkId, LinkSetting, LinkSnapshot, LinkState,
    Neighbour, NeighbourTable, PortState, PortVlans, QueueHook, SavedNeighbour, SavedRoutes,
    SavedRule, TableRoute, VfState,
};
use serde::{Deserialize, Serialize};
use types::{LinkName, Namespace, Rule, SettingKey};

use super::SavedLink;

/// A change and what undoes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A link is made; undone by deleting it.
    MakeLink {
        /// Where.
        namespace: Namespace,
        /// Under which name.
        name: LinkName,
        /// Its index, once it's made.
        index: Option<u32>,
        /// The routing table of a VRF.
        #[serde(default)]
        table: Option<u32>,
    },
    /// A link of the host is moved into the container; undone by moving it
    /// back as it was.
    MoveLink {
        /// How it was.
        saved: SavedLink,
        /// Its name in the container.
        name: LinkName,
        /// Its index in the container, once it's moved.
        index: Option<u32>,
    },
    /// A link that isn't the driver's own gets another name; undone by giving it
    /// its old one.
    RenameLink {
        /// Which.
        link: LinkId,
        /// How it was.
        before: LinkState,
        /// The new name.
        name: LinkName,
        /// Its addresses, whose labels change with the name.
        snapshot: LinkSnapshot,
    },
    /// A link that isn't the driver's own is changed; undone by giving it what
    /// it had.
    ChangeLink {
        /// Which.
        link: LinkId,
        /// How it was.
        before: LinkState,
        /// What a link that is set down, or gets another MAC address, loses.
        #[serde(default)]
        snapshot: Option<LinkSnapshot>,
    },
    /// A link that isn't the driver's own gets an address.
    AddAddress {
        /// Which link.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// The address.
        address: IpNet,
    },
    /// A link that isn't the driver's own loses an address; undone by giving
    /// it what it had.
    RemoveAddress {
        /// Which link.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// The address.
        address: IpNet,
        /// What the link had.
        snapshot: LinkSnapshot,
    },
    /// A bridge treats a port that isn't the driver's own in another way.
    ChangePort {
        /// Which port.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// How it was.
        before: PortState,
    },
    /// A port that isn't the driver's own gets or loses VLANs.
    ChangeVlans {
        /// Which port.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// What it had.
        before: Vec<PortVlans>,
    },
    /// A VF of a card that isn't the driver's own is changed.
    ChangeVf {
        /// The card.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// How the VF was.
        before: VfState,
    },
    /// A link that isn't the driver's own has a kernel setting changed.
    SetLinkSetting {
        /// Which link.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// Which setting.
        setting: LinkSetting,
        /// How it was.
        before: String,
        /// What a link loses that has IPv6 no more.
        #[serde(default)]
        snapshot: Option<LinkSnapshot>,
    },
    /// A kernel setting is changed that belongs to no link.
    SetSetting {
        /// Where.
        namespace: Namespace,
        /// Which.
        key: SettingKey,
        /// How it was.
        before: String,
    },
    /// A link that isn't the driver's own has a feature turned on or off.
    SetFeature {
        /// Which link.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// The feature.
        feature: String,
        /// Whether it was asked for.
        before: bool,
    },
    /// A link that isn't the driver's own gets a queueing discipline; undone by
    /// removing it.
    SetQueue {
        /// Which link.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// Where on the link.
        hook: QueueHook,
    },
    /// A class is added to what a link sends.
    AddClass {
        /// Which link.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// The class's number. An entry has a number, too, in the same line.
        #[serde(rename = "class")]
        number: u16,
        /// Its packets.
        packets: ClassPackets,
    },
    /// The host's firewall gets rules; undone by removing what has their tag.
    AddFirewall {
        /// The rules.
        entry: FirewallEntry,
    },
    /// The driver keeps something for the network. There is nothing to undo: it
    /// goes when no container is left.
    KeepState,
    /// A route is added.
    AddRoute {
        /// Where.
        namespace: Namespace,
        /// The route.
        #[serde(flatten)]
        route: TableRoute,
        /// The links that it names.
        #[serde(default)]
        links: Vec<KnownLink>,
    },
    /// A route takes the place of others; undone by removing it and putting
    /// them back.
    ReplaceRoute {
        /// Where.
        namespace: Namespace,
        /// The new route.
        #[serde(flatten)]
        route: TableRoute,
        /// The links that it names.
        links: Vec<KnownLink>,
        /// What was there.
        before: SavedRoutes,
    },
    /// A route that isn't the driver's own is removed; undone by putting it
    /// back.
    RemoveRoute {
        /// Where.
        namespace: Namespace,
        /// The route, for people.
        #[serde(flatten)]
        route: TableRoute,
        /// What was there.
        before: SavedRoutes,
    },
    /// A policy routing rule is added. Nothing but what it says tells which it
    /// is; it names links by their names, and stays when they go.
    AddRule {
        /// Where.
        namespace: Namespace,
        /// The rule.
        rule: Rule,
    },
    /// A policy routing rule that isn't the driver's own is removed; undone by
    /// putting it back.
    RemoveRule {
        /// Where.
        namespace: Namespace,
        /// The rule, for people.
        rule: Rule,
        /// What was there.
        before: SavedRule,
    },
    /// A link that the driver doesn't have for itself gets a neighbour.
    AddNeighbour {
        /// Which link.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// The neighbour's address.
        address: IpAddr,
        /// What is set.
        neighbour: Neighbour,
    },
    /// A link that isn't the driver's own loses a neighbour; undone by setting
    /// it again.
    RemoveNeighbour {
        /// Which link.
        link: LinkId,
        /// Its name.
        name: LinkName,
        /// The neighbour's address, for people.
        address: IpAddr,
        /// Where it stood, for people.
        table: NeighbourTable,
        /// What was there.
        before: SavedNeighbour,
    },
}

impl Change {
    /// Whether both are about the same object.
    pub(super) fn has_object_of(&self, other: &Self) -> bool {
        let (
            Self::MakeLink {
                namespace,
                name,
                index,
                ..
            },
            Self::MakeLink {
                namespace: other_namespace,
                name: other_name,
                index: other_index,
                ..
            },
        ) = (self, other)
        else {
            return self == other;
        };
        let same_index = index.is_none() || other_index.is_none() || index == other_index;
        (namespace, name) == (other_namespace, other_name) && same_index
    }

    /// Gives the link that it makes or moves another name.
    pub(super) fn set_own_name(&mut self, new: &LinkName) {
        if let Self::MakeLink { name, .. } | Self::MoveLink { name, .. } = self {
            name.clone_from(new);
        }
    }

    /// The links of a namespace that it knows by index and name, because its
    /// routes lead through them.
    pub(super) fn known_links(&mut self, of: Namespace) -> Vec<&mut KnownLink> {
        match self {
            Self::AddRoute {
                namespace, links, ..
            } if *namespace == of => links.iter_mut().collect(),
            Self::ReplaceRoute {
                namespace,
                links,
                before,
                ..
            } if *namespace == of => links.iter_mut().chain(&mut before.links).collect(),
            Self::RemoveRoute {
                namespace, before, ..
            } if *namespace == of => before.links.iter_mut().collect(),
            _ => Vec::new(),
        }
    }

    /// The route that it adds or puts in place, with the links that it names.
    pub fn added_route(&self) -> Option<(Namespace, &TableRoute, &[KnownLink])> {
        match self {
            Self::AddRoute {
                namespace,
                route,
                links,
            }
            | Self::ReplaceRoute {
                namespace,
                route,
                links,
                ..
            } => Some((*namespace, route, links)),
            _ => None,
        }
    }

    /// The entry of the firewall that it adds.
    pub fn firewall(&self) -> Option<&FirewallEntry> {
        match self {
            Self::AddFirewall { entry } => Some(entry),
            _ => None,
        }
    }

    /// Whether this one must be undone after a newer one: undoing that would
    /// bring it back, or take away what undoing this one gives back.
    pub fn is_below(&self, newer: &Self) -> bool {
        match (newer, self) {
            (
                Self::SetSetting { namespace, key, .. },
                Self::SetSetting {
                    namespace: own_namespace,
                    key: own_key,
                    ..
                },
            ) => (namespace, key) == (own_namespace, own_key),
            (
                Self::AddRule { namespace, rule },
                Self::RemoveRule {
                    namespace: own_namespace,
                    rule: own_rule,
                    ..
                },
            ) => (namespace, rule) == (own_namespace, own_rule),
            // Before it's back nothing else about it can be undone.
            (Self::MoveLink { saved, .. }, older) => {
                let moved = LinkId {
                    namespace: Namespace::Host,
                    index: saved.link.index,
                };
                older.changed_link() == Some(moved)
            }
            _ => {
                let restores = newer.restores_routes_of();
                (restores.is_some() && restores == self.changes_routes_of())
                    || newer
                        .changed_link()
                        .is_some_and(|link| self.changed_link() == Some(link))
            }
        }
    }

    /// The namespace in which undoing it puts routes back, or has their links
    /// known again by the names that they had.
    fn restores_routes_of(&self) -> Option<Namespace> {
        match self {
            Self::ReplaceRoute { namespace, .. } | Self::RemoveRoute { namespace, .. } => {
                Some(*namespace)
            }
            Self::RenameLink { link, .. } => Some(link.namespace),
            Self::ChangeLink {
                link,
                snapshot: Some(snapshot),
                ..
            } if snapshot.has_routes() => Some(link.namespace),
            _ => None,
        }
    }

    /// The namespace whose routes it changes itself.
    fn changes_routes_of(&self) -> Option<Namespace> {
        match self {
            Self::AddRoute { namespace, .. }
            | Self::ReplaceRoute { namespace, .. }
            | Self::RemoveRoute { namespace, .. } => Some(*namespace),
            _ => None,
        }
    }

    /// The link that isn't the driver's alone and is changed.
    fn changed_link(&self) -> Option<LinkId> {
        match self {
            Self::RenameLink { link, .. }
            | Self::ChangeLink { link, .. }
            | Self::AddAddress { link, .. }
            | Self::RemoveAddress { link, .. }
            | Self::ChangePort { link, .. }
            | Self::ChangeVlans { link, .. }
            | Self::ChangeVf { link, .. }
            | Self::SetLinkSetting { link, .. }
            | Self::SetFeature { link, .. }
            | Self::SetQueue { link, .. }
            | Self::AddClass { link, .. }
            | Self::AddNeighbour { link, .. }
            | Self::RemoveNeighbour { link, .. } => Some(*link),
            Self::MakeLink { .. }
            | Self::MoveLink { .. }
            | Self::AddRoute { .. }
            | Self::ReplaceRoute { .. }
            | Self::RemoveRoute { .. }
            | Self::AddRule { .. }
            | Self::RemoveRule { .. }
            | Self::SetSetting { .. }
            | Self::AddFirewall { .. }
            | Self::KeepState => None,
        }
    }

    /// Whether it touches the host's namespace.
    pub fn touches_host(&self) -> bool {
        match self {
            Self::MoveLink { .. } => true,
            Self::KeepState => false,
            change => change.is_on_host(),
        }
    }

    /// Whether it touches nothing but the host's namespace, or no namespace at
    /// all.
    pub fn is_on_host(&self) -> bool {
        if let Some(link) = self.changed_link() {
            return link.namespace == Namespace::Host;
        }
        match self {
            Self::MakeLink { namespace, .. }
            | Self::AddRoute { namespace, .. }
            | Self::ReplaceRoute { namespace, .. }
            | Self::RemoveRoute { namespace, .. }
            | Self::AddRule { namespace, .. }
            | Self::RemoveRule { namespace, .. }
            | Self::SetSetting { namespace, .. } => *namespace == Namespace::Host,
            Self::AddFirewall { .. } | Self::KeepState => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::IpVersion;

    /// What was removed looks the same as what was added then, so putting it
    /// back first would do nothing.
    #[test]
    fn a_removed_rule_waits_for_the_one_in_its_place() {
        let namespace = Namespace::Host;
        let rule = |table| Rule {
            version: IpVersion::Ipv4,
            source: None,
            destination: None,
            incoming: None,
            outgoing: None,
            mark: None,
            priority: 7,
            table,
        };
        let add = |table| Change::AddRule {
            namespace,
            rule: rule(table),
        };
        let removed: Change = serde_json::from_value(serde_json::json!({
            "change": "remove-rule",
            "namespace": namespace,
            "rule": rule(77),
            "before": [0, 1],
        }))
        .unwrap();
        assert!(removed.is_below(&add(77)));
        assert!(!removed.is_below(&add(78)));
        assert!(!add(77).is_below(&removed));
    }
}
