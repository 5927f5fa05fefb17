//! The changes of the journal, each with the state that undoing it takes.

mod words;

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::{
    ClassPackets, FirewallEntry, KnownLink, LinkChange, LinkId, LinkSetting, LinkSnapshot,
    LinkState, Neighbour, NeighbourTable, PortState, PortVlans, QueueHook, SavedNeighbour,
    SavedRoutes, SavedRule, TableRoute, VfState,
};
use serde::{Deserialize, Serialize};
use services::dhcp::LeaseRequest;
use services::dns::DnsRecord;
use types::{KernelInterface, LinkName, Mac, Namespace, Rule, SettingKey};

use super::SavedLink;

/// A change, with the state that undoing it takes. Each is made by the driver. A
/// foreign link is one that the driver neither made nor moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A new link. Undoing deletes it.
    MakeLink {
        /// The namespace.
        namespace: Namespace,
        /// The link's name.
        name: LinkName,
        /// The link's index, once it's made.
        index: Option<u32>,
        /// The routing table of a VRF.
        #[serde(default)]
        table: Option<u32>,
    },
    /// The use of an existing bridge of the host. Undoing leaves it: it isn't the
    /// driver's.
    UseBridge {
        /// The bridge.
        link: LinkId,
        /// The bridge's name.
        name: LinkName,
    },
    /// A property of a used bridge that is turned on. Undoing turns it off.
    ChangeBridge {
        /// The bridge.
        link: LinkId,
        /// The bridge's name.
        name: LinkName,
        /// The property.
        property: BridgeProperty,
        /// The indexes of the bridge's ports before the change.
        ports: Vec<u32>,
    },
    /// A link of the host that is moved into the container. Undoing moves it back and
    /// restores its state.
    MoveLink {
        /// The link's state before the change.
        saved: SavedLink,
        /// The link's name in the container.
        name: LinkName,
        /// The link's index in the container, once it's moved.
        index: Option<u32>,
    },
    /// A new name of a foreign link. Undoing gives it its old name.
    RenameLink {
        /// The link.
        link: LinkId,
        /// The link's state before the change.
        before: LinkState,
        /// The new name.
        name: LinkName,
        /// The link's addresses, whose labels change with the name.
        snapshot: LinkSnapshot,
    },
    /// A change of a foreign link. Undoing restores its state.
    ChangeLink {
        /// The link.
        link: LinkId,
        /// The link's state before the change.
        before: LinkState,
        /// The addresses and routes that a link loses if it's set down or gets another
        /// MAC address.
        #[serde(default)]
        snapshot: Option<LinkSnapshot>,
    },
    /// A new address of a foreign link. Undoing removes it.
    AddAddress {
        /// The link.
        link: LinkId,
        /// The link's name.
        name: LinkName,
        /// The address.
        address: IpNet,
    },
    /// An address that a foreign link loses. Undoing restores its addresses.
    RemoveAddress {
        /// The link.
        link: LinkId,
        /// The link's name.
        name: LinkName,
        /// The address.
        address: IpNet,
        /// The link's addresses and routes before the change.
        snapshot: LinkSnapshot,
    },
    /// A change of the bridge options of a foreign port.
    ChangePort {
        /// The port.
        link: LinkId,
        /// The port's name.
        name: LinkName,
        /// The port's options before the change.
        before: PortState,
    },
    /// A change of the VLANs of a foreign port.
    ChangeVlans {
        /// The port.
        link: LinkId,
        /// The port's name.
        name: LinkName,
        /// The port's VLANs before the change.
        before: Vec<PortVlans>,
    },
    /// The use of a VF of a foreign card by the container. Undoing does nothing: the
    /// entries of the VF's changes are newer, so they are undone before.
    UseVf {
        /// The card.
        link: LinkId,
        /// The card's name.
        name: LinkName,
        /// The VF's number. It isn't called that in the file, because an entry's number
        /// is in the same line.
        #[serde(rename = "vf")]
        number: u32,
        /// The index of the VF's link on the host.
        vf_link: u32,
    },
    /// A change of a VF of a foreign card.
    ChangeVf {
        /// The card.
        link: LinkId,
        /// The card's name.
        name: LinkName,
        /// The VF's state before the change.
        before: VfState,
        /// The VF's link on the host, if the container uses the VF.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vf_link: Option<VfLink>,
    },
    /// A change of a kernel setting of a foreign link.
    SetLinkSetting {
        /// The link.
        link: LinkId,
        /// The link's name.
        name: LinkName,
        /// The setting.
        setting: LinkSetting,
        /// The value before the change.
        before: String,
        /// The addresses and routes that a link loses if IPv6 is disabled.
        #[serde(default)]
        snapshot: Option<LinkSnapshot>,
    },
    /// A change of a kernel setting that belongs to no link.
    SetSetting {
        /// The namespace.
        namespace: Namespace,
        /// The setting.
        key: SettingKey,
        /// The value before the change.
        before: String,
    },
    /// A change of an offload feature of a foreign link.
    SetFeature {
        /// The link.
        link: LinkId,
        /// The link's name.
        name: LinkName,
        /// The feature.
        feature: String,
        /// Whether the feature was requested before the change.
        before: bool,
    },
    /// A new queueing discipline of a foreign link. Undoing removes it.
    SetQueue {
        /// The link.
        link: LinkId,
        /// The link's name.
        name: LinkName,
        /// The hook of the link.
        hook: QueueHook,
    },
    /// A new traffic class of a link's egress. Undoing removes it.
    AddClass {
        /// The link.
        link: LinkId,
        /// The link's name.
        name: LinkName,
        /// The class's number. It isn't called that in the file, because an entry's
        /// number is in the same line.
        #[serde(rename = "class")]
        number: u16,
        /// The packets of the class.
        packets: ClassPackets,
    },
    /// New rules of the host's firewall, or of the container's. Undoing removes the rules
    /// with their tag.
    AddFirewall {
        /// The rules.
        entry: FirewallEntry,
    },
    /// The container's entry at the DNS server. Undoing withdraws it.
    RegisterNames {
        /// The place of the entry.
        record: DnsRecord,
    },
    /// An address that a DHCP server gave the container. Undoing releases it.
    LeaseAddress {
        /// What the proxy was asked for.
        request: LeaseRequest,
    },
    /// A new source of firewalld's zone `trusted`. Undoing removes it.
    TrustSource {
        /// The subnet.
        source: IpNet,
    },
    /// State that the driver keeps for the network. Undoing does nothing: the state is
    /// removed with the network's last container.
    KeepState,
    /// A new route. Undoing removes it.
    AddRoute {
        /// The namespace.
        namespace: Namespace,
        /// The route.
        #[serde(flatten)]
        route: TableRoute,
        /// The links that the route names.
        #[serde(default)]
        links: Vec<KnownLink>,
    },
    /// A route that replaces others. Undoing removes it and adds the others again.
    ReplaceRoute {
        /// The namespace.
        namespace: Namespace,
        /// The new route.
        #[serde(flatten)]
        route: TableRoute,
        /// The links that the route names.
        links: Vec<KnownLink>,
        /// The replaced routes.
        before: SavedRoutes,
    },
    /// The removal of a foreign route. Undoing adds it again.
    RemoveRoute {
        /// The namespace.
        namespace: Namespace,
        /// The route, for people.
        #[serde(flatten)]
        route: TableRoute,
        /// The removed route.
        before: SavedRoutes,
    },
    /// A new policy routing rule. Undoing removes it. A rule has no identity but its
    /// content. It has links by their names, and stays if they are deleted.
    AddRule {
        /// The namespace.
        namespace: Namespace,
        /// The rule.
        rule: Rule,
    },
    /// The removal of a foreign policy routing rule. Undoing adds it again.
    RemoveRule {
        /// The namespace.
        namespace: Namespace,
        /// The rule, for people.
        rule: Rule,
        /// The removed rule.
        before: SavedRule,
    },
    /// A new neighbour of a foreign or shared link. Undoing removes it.
    AddNeighbour {
        /// The link.
        link: LinkId,
        /// The link's name.
        name: LinkName,
        /// The neighbour's address.
        address: IpAddr,
        /// The neighbour.
        neighbour: Neighbour,
    },
    /// A neighbour that a foreign link loses. Undoing adds it again.
    RemoveNeighbour {
        /// The link.
        link: LinkId,
        /// The link's name.
        name: LinkName,
        /// The neighbour's address, for people.
        address: IpAddr,
        /// The neighbour's table, for people.
        table: NeighbourTable,
        /// The removed neighbour.
        before: SavedNeighbour,
    },
}

/// The link of a VF on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VfLink {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: LinkName,
    /// Its MAC address.
    pub mac: Option<Mac>,
}

/// A property of a bridge that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BridgeProperty {
    /// Whether the bridge is set up.
    Up,
    /// Whether the bridge itself takes the frames of all its ports.
    Promiscuous,
    /// Whether frames pass only the ports of their VLAN.
    VlanFiltering,
}

impl BridgeProperty {
    /// Returns the change that sets the property.
    pub fn set(self, on: bool) -> LinkChange {
        match self {
            Self::Up => LinkChange::Up(on),
            Self::Promiscuous => LinkChange::Promiscuous(on),
            Self::VlanFiltering => LinkChange::VlanFiltering(on),
        }
    }
}

impl Change {
    /// Whether both changes have the same object.
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

    /// Sets the name of the link that the change makes or moves.
    pub(super) fn set_own_name(&mut self, new: &LinkName) {
        if let Self::MakeLink { name, .. } | Self::MoveLink { name, .. } = self {
            name.clone_from(new);
        }
    }

    /// Returns the links of a namespace that the change's routes lead through. It has
    /// them by index and name.
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

    /// Returns the route that the change adds, also in place of others, and the links
    /// that the route names.
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

    /// Returns the firewall entry that the change adds.
    pub fn firewall(&self) -> Option<&FirewallEntry> {
        match self {
            Self::AddFirewall { entry } => Some(entry),
            _ => None,
        }
    }

    /// Returns the entry of the host's firewall that the change adds.
    pub fn host_firewall(&self) -> Option<&FirewallEntry> {
        self.firewall()
            .filter(|entry| entry.namespace() == Namespace::Host)
    }

    /// Whether this change must be undone after a newer one. Otherwise undoing the
    /// newer one would make this change again, or take away the restored state.
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
            // The link's other changes can be undone only once it's back.
            (Self::MoveLink { saved, .. }, older) => {
                let moved = LinkId {
                    namespace: Namespace::Host,
                    index: saved.link.index,
                };
                // A container that still has the link keeps its VLAN and its limits.
                let is_of_vf = older.vf_link() == Some(saved.link.index);
                is_of_vf || older.changed_link() == Some(moved)
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

    /// Returns the namespace in which undoing the change adds routes again, or gives
    /// their links the old names.
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

    /// Returns the namespace whose routes the change itself touches.
    fn changes_routes_of(&self) -> Option<Namespace> {
        match self {
            Self::AddRoute { namespace, .. }
            | Self::ReplaceRoute { namespace, .. }
            | Self::RemoveRoute { namespace, .. } => Some(*namespace),
            _ => None,
        }
    }

    /// Returns the index of the link of the VF that the container uses.
    fn vf_link(&self) -> Option<u32> {
        match self {
            Self::UseVf { vf_link, .. } => Some(*vf_link),
            Self::ChangeVf { vf_link, .. } => vf_link.as_ref().map(|link| link.index),
            _ => None,
        }
    }

    /// Whether the change is one of a VF of the host, which has this link: its use, its
    /// properties, or the place of its link.
    pub fn is_of_vf(&self, card: LinkId, vf: u32, link: u32) -> bool {
        match self {
            Self::UseVf {
                link: of, number, ..
            } => (*of, *number) == (card, vf),
            Self::ChangeVf {
                link: of, before, ..
            } => (*of, before.number) == (card, vf),
            Self::MoveLink { saved, .. } => saved.link.index == link,
            _ => false,
        }
    }

    /// Whether a service made the change, and not the kernel.
    pub fn is_of_service(&self) -> bool {
        matches!(
            self,
            Self::RegisterNames { .. } | Self::LeaseAddress { .. } | Self::TrustSource { .. }
        )
    }

    /// Returns the ways into the kernel that undoing takes, beside NETLINK_ROUTE.
    pub fn kernel_interfaces(&self) -> &'static [KernelInterface] {
        match self {
            Self::AddFirewall { .. } => &[KernelInterface::Netfilter, KernelInterface::Settings],
            Self::SetFeature { .. } => &[KernelInterface::Generic, KernelInterface::Settings],
            _ => &[KernelInterface::Settings],
        }
    }

    /// Whether the change is one of a used bridge, or its use.
    pub fn is_of_bridge(&self, bridge: LinkId) -> bool {
        self.changed_link() == Some(bridge)
    }

    /// Returns the foreign or shared link that is changed.
    fn changed_link(&self) -> Option<LinkId> {
        match self {
            Self::UseBridge { link, .. }
            | Self::ChangeBridge { link, .. }
            | Self::RenameLink { link, .. }
            | Self::ChangeLink { link, .. }
            | Self::AddAddress { link, .. }
            | Self::RemoveAddress { link, .. }
            | Self::ChangePort { link, .. }
            | Self::ChangeVlans { link, .. }
            | Self::UseVf { link, .. }
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
            | Self::RegisterNames { .. }
            | Self::LeaseAddress { .. }
            | Self::TrustSource { .. }
            | Self::KeepState => None,
        }
    }

    /// Whether the change touches the host's namespace.
    pub fn touches_host(&self) -> bool {
        match self {
            Self::MoveLink { .. } => true,
            // They belong to no namespace.
            Self::KeepState | Self::RegisterNames { .. } | Self::LeaseAddress { .. } => false,
            change => change.is_on_host(),
        }
    }

    /// Whether the change touches only the host's namespace, or no namespace.
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
            Self::AddFirewall { entry } => entry.namespace() == Namespace::Host,
            Self::KeepState
            | Self::RegisterNames { .. }
            | Self::LeaseAddress { .. }
            | Self::TrustSource { .. } => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::IpVersion;

    /// The removed rule and the one added in its place look the same, so adding the
    /// removed one first would do nothing.
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
