//! Changes as text for people.

use std::fmt;

use kernel::NeighbourTable;

use super::{BridgeProperty, Change};

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MakeLink {
                namespace, name, ..
            } => write!(f, "link {namespace}:{name} made"),
            Self::UseBridge { link, name } => {
                write!(f, "bridge {}:{name} used", link.namespace)
            }
            Self::ChangeBridge {
                link,
                name,
                property,
                ..
            } => {
                let what = match property {
                    BridgeProperty::Up => "set up",
                    BridgeProperty::Promiscuous => "made promiscuous",
                    BridgeProperty::VlanFiltering => "made to filter VLANs",
                };
                write!(f, "bridge {}:{name} {what}", link.namespace)
            }
            Self::MoveLink { saved, name, .. } => {
                write!(f, "link host:{} moved to container:{name}", saved.link.name)
            }
            Self::RenameLink {
                link, before, name, ..
            } => {
                write!(f, "link {}:{} renamed {name}", link.namespace, before.name)
            }
            Self::ChangeLink { link, before, .. } => {
                write!(f, "link {}:{} changed", link.namespace, before.name)
            }
            Self::AddAddress {
                link,
                name,
                address,
            } => {
                write!(f, "address {address} added to {}:{name}", link.namespace)
            }
            Self::RemoveAddress {
                link,
                name,
                address,
                ..
            } => {
                write!(
                    f,
                    "address {address} removed from {}:{name}",
                    link.namespace
                )
            }
            Self::ChangePort { link, name, .. } => {
                write!(f, "port {}:{name} changed", link.namespace)
            }
            Self::ChangeVlans { link, name, .. } => {
                write!(f, "VLANs of {}:{name} changed", link.namespace)
            }
            Self::UseVf {
                link, name, number, ..
            } => write!(f, "VF {number} of {}:{name} used", link.namespace),
            Self::ChangeVf {
                link, name, before, ..
            } => {
                let number = before.number;
                write!(f, "VF {number} of {}:{name} changed", link.namespace)
            }
            Self::SetLinkSetting {
                link,
                name,
                setting,
                ..
            } => write!(f, "{setting} of {}:{name} set", link.namespace),
            Self::SetSetting { namespace, key, .. } => write!(f, "{namespace}:{key} set"),
            Self::SetFeature {
                link,
                name,
                feature,
                ..
            } => write!(f, "feature {feature} of {}:{name} set", link.namespace),
            Self::SetQueue { link, name, .. } => {
                write!(f, "queue of {}:{name} set", link.namespace)
            }
            Self::AddClass { link, name, .. } => {
                write!(f, "class of {}:{name} added", link.namespace)
            }
            Self::AddFirewall { entry } => write!(f, "firewall: {}", entry.rule),
            Self::RegisterNames { record } => {
                write!(
                    f,
                    "names of {} registered on network {}",
                    record.container, record.network
                )
            }
            Self::LeaseAddress { request } => {
                let (link, parent) = (&request.container_link, &request.host_link);
                write!(f, "address of container:{link} leased on host:{parent}")
            }
            Self::TrustSource { source } => {
                write!(f, "source {source} of firewalld's zone trusted")
            }
            Self::KeepState => f.write_str("state kept"),
            Self::AddRoute {
                namespace, route, ..
            } => write!(f, "route {namespace}:{} added", route.route),
            Self::ReplaceRoute {
                namespace, route, ..
            } => write!(f, "route {namespace}:{} put in place", route.route),
            Self::RemoveRoute {
                namespace, route, ..
            } => write!(f, "route {namespace}:{} removed", route.route),
            Self::AddRule { namespace, rule } => write!(f, "rule {namespace}:{rule} added"),
            Self::RemoveRule {
                namespace, rule, ..
            } => write!(f, "rule {namespace}:{rule} removed"),
            Self::AddNeighbour {
                link,
                name,
                address,
                neighbour,
            } => {
                let what = kind_of_neighbour(neighbour.table());
                write!(f, "{what} {address} of {}:{name} set", link.namespace)
            }
            Self::RemoveNeighbour {
                link,
                name,
                address,
                table,
                ..
            } => {
                let what = kind_of_neighbour(*table);
                write!(f, "{what} {address} of {}:{name} removed", link.namespace)
            }
        }
    }
}

fn kind_of_neighbour(table: NeighbourTable) -> &'static str {
    match table {
        NeighbourTable::Entries => "neighbour",
        NeighbourTable::Proxies => "proxied neighbour",
    }
}
