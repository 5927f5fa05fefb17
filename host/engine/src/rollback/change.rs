//! The undo of one change.

use journal::{BridgeProperty, Change, Entry};
use kernel::{
    FirewallRule, Kernel, KernelError, LinkChange, LinkId, LinkSetting, LinkState, PortChange,
    PortState, VlanNumbers,
};
use types::{LinkName, Namespace};

use super::Same;
use super::restore_link::{put_back, put_back_vf};
use super::search::{find_same, found};
use super::vf::put_back_vf_mac;
use super::{queue, routes};

/// Undoes one change. `alone` says whether no other record uses the change's firewall
/// table; then an empty table is removed too.
pub(super) fn undo_change(
    kernel: &mut dyn Kernel,
    entry: &Entry,
    same: Same,
    alone: bool,
) -> Result<(), KernelError> {
    unless_gone(|| undo_if_there(kernel, entry, same))?;
    match entry.change.firewall() {
        // The record stays until the table is removed, so a failure is retried.
        Some(rules) if same.has(rules.namespace()) && alone => {
            unless_gone(|| kernel.remove_empty_firewall(rules))
        }
        _ => Ok(()),
    }
}

/// Sets `route_localnet` of a link to 0 before its rule `PublishBehind` is removed.
///
/// That rule keeps the link's packets off the host's loopback addresses. A shared link
/// may outlive the last published port. Only links that the driver made or `opened` are
/// changed.
pub(super) fn close_loopback(
    kernel: &mut dyn Kernel,
    entry: &Entry,
    opened: impl Fn(LinkId, &LinkName) -> bool,
) -> Result<(), KernelError> {
    let rule = entry.change.firewall().map(|rules| &rules.rule);
    let Some(FirewallRule::PublishBehind { link: name }) = rule else {
        return Ok(());
    };
    unless_gone(|| {
        let namespace = Namespace::Host;
        let index = kernel.link_by_name(namespace, name)?.index;
        let link = LinkId { namespace, index };
        if !opened(link, name) || kernel.link_setting(link, LinkSetting::RouteLocalnet)? == "0" {
            return Ok(());
        }
        kernel.set_link_setting(link, LinkSetting::RouteLocalnet, "0")
    })
}

/// Undoes something that may be gone. If it isn't found, it's looked for once more,
/// because its record is removed after that.
fn unless_gone(mut undo: impl FnMut() -> Result<(), KernelError>) -> Result<(), KernelError> {
    for _ in 0..2 {
        match undo() {
            Err(error) if error.is_not_found() => {}
            result => return result,
        }
    }
    Ok(())
}

fn undo_if_there(kernel: &mut dyn Kernel, entry: &Entry, same: Same) -> Result<(), KernelError> {
    match &entry.change {
        Change::MakeLink { namespace, .. }
        | Change::AddRoute { namespace, .. }
        | Change::ReplaceRoute { namespace, .. }
        | Change::RemoveRoute { namespace, .. }
        | Change::AddRule { namespace, .. }
        | Change::RemoveRule { namespace, .. }
        | Change::SetSetting { namespace, .. }
            if !same.has(*namespace) =>
        {
            Ok(())
        }
        Change::ChangeBridge { link, .. }
        | Change::RenameLink { link, .. }
        | Change::ChangeLink { link, .. }
        | Change::AddAddress { link, .. }
        | Change::RemoveAddress { link, .. }
        | Change::ChangePort { link, .. }
        | Change::ChangeVlans { link, .. }
        | Change::ChangeVf { link, .. }
        | Change::SetLinkSetting { link, .. }
        | Change::SetFeature { link, .. }
        | Change::SetQueue { link, .. }
        | Change::AddClass { link, .. }
        | Change::AddNeighbour { link, .. }
        | Change::RemoveNeighbour { link, .. }
            if !same.has(link.namespace) =>
        {
            Ok(())
        }
        Change::KeepState | Change::UseBridge { .. } | Change::UseVf { .. } => Ok(()),
        // `undo_service` undoes these changes.
        Change::RegisterNames { .. } | Change::LeaseAddress { .. } | Change::TrustSource { .. } => {
            Ok(())
        }
        Change::ChangeBridge {
            link,
            name,
            property,
            ports,
        } => if_same_link(kernel, *link, name, |kernel| {
            turn_off(kernel, *link, *property, ports)
        }),
        // `return_moved` undoes this change.
        Change::MoveLink { .. } => Ok(()),
        Change::AddFirewall { entry } if !same.has(entry.namespace()) => Ok(()),
        Change::AddFirewall { entry } => kernel.remove_firewall(entry),
        Change::MakeLink {
            namespace,
            name,
            index,
            ..
        } => delete(kernel, *namespace, name, *index),
        Change::RenameLink {
            link,
            before,
            name,
            snapshot,
        } => {
            let link = rename_back(kernel, link.namespace, before, name)?;
            kernel.replay(link, before.index, snapshot)
        }
        Change::ChangeLink {
            link,
            before,
            snapshot,
        } => match kernel.link_by_id(*link)? {
            now if now.name == before.name => {
                put_back(kernel, *link, before)?;
                let mut snapshots = snapshot.iter();
                snapshots.try_for_each(|snapshot| kernel.replay(*link, link.index, snapshot))
            }
            // Another link has taken the index.
            _ => Ok(()),
        },
        Change::AddAddress {
            link,
            name,
            address,
        } => if_same_link(kernel, *link, name, |kernel| {
            kernel.remove_address(*link, *address)
        }),
        Change::RemoveAddress {
            link,
            name,
            snapshot,
            ..
        } => if_same_link(kernel, *link, name, |kernel| {
            kernel.replay(*link, link.index, snapshot)
        }),
        Change::ChangePort { link, name, before } => if_same_link(kernel, *link, name, |kernel| {
            put_back_port(kernel, *link, *before)
        }),
        Change::ChangeVlans { link, name, before } => if_same_link(kernel, *link, name, |kernel| {
            kernel.remove_vlans(*link, VlanNumbers::ALL)?;
            let mut vlans = before.iter();
            vlans.try_for_each(|vlans| kernel.add_vlans(*link, *vlans))
        }),
        Change::ChangeVf {
            link,
            name,
            before,
            vf_link,
        } => if_same_link(kernel, *link, name, |kernel| {
            if let Some(vf_link) = vf_link {
                put_back_vf_mac(kernel, *link, before, vf_link)?;
            }
            put_back_vf(kernel, *link, before)
        }),
        Change::SetLinkSetting {
            link,
            name,
            setting,
            before,
            snapshot,
        } => if_same_link(kernel, *link, name, |kernel| {
            kernel.set_link_setting(*link, *setting, before)?;
            let mut snapshots = snapshot.iter();
            snapshots.try_for_each(|snapshot| kernel.replay(*link, link.index, snapshot))
        }),
        Change::SetSetting {
            namespace,
            key,
            before,
        } => kernel.set_setting(*namespace, key, before),
        Change::SetFeature {
            link,
            name,
            feature,
            before,
        } => if_same_link(kernel, *link, name, |kernel| {
            kernel.want_feature(*link, feature, *before)
        }),
        Change::SetQueue { link, name, hook } => if_same_link(kernel, *link, name, |kernel| {
            queue::remove_owned_queue(kernel, *link, *hook)
        }),
        Change::AddClass {
            link,
            name,
            number,
            packets,
        } => if_same_link(kernel, *link, name, |kernel| {
            // Another queueing discipline takes the classes of the one before with it.
            match kernel.htb_classes(*link)?.contains(number) {
                true => kernel.remove_htb_class(*link, *number, *packets),
                false => Ok(()),
            }
        }),
        Change::AddRoute {
            namespace,
            route,
            links,
        } => routes::remove_added(kernel, *namespace, route, links),
        Change::ReplaceRoute {
            namespace,
            route,
            links,
            before,
        } => {
            routes::remove_added_if_present(kernel, *namespace, route, links)?;
            routes::put_back(kernel, *namespace, before)
        }
        Change::RemoveRoute {
            namespace, before, ..
        } => routes::put_back(kernel, *namespace, before),
        Change::AddRule { namespace, rule } => kernel.remove_rule(*namespace, rule),
        Change::RemoveRule {
            namespace, before, ..
        } => kernel.put_back_rule(*namespace, before),
        Change::AddNeighbour {
            link,
            name,
            address,
            neighbour,
        } => if_same_link(kernel, *link, name, |kernel| {
            kernel.remove_neighbour(*link, *address, *neighbour)
        }),
        Change::RemoveNeighbour {
            link, name, before, ..
        } => if_same_link(kernel, *link, name, |kernel| {
            kernel.put_back_neighbour(*link, before)
        }),
    }
}

/// Turns a property of a used bridge off. It stays on if a port has joined that may
/// need it.
fn turn_off(
    kernel: &mut dyn Kernel,
    bridge: LinkId,
    property: BridgeProperty,
    before: &[u32],
) -> Result<(), KernelError> {
    let ports = kernel.links(bridge.namespace, Some(bridge.index))?;
    let has_joined = ports.iter().any(|port| !before.contains(&port.index));
    match has_joined && property != BridgeProperty::Promiscuous {
        true => Ok(()),
        false => kernel.change_link(bridge, &property.set(false)),
    }
}

/// Gives a link its old name again, whatever its index is. It completes an attempt that
/// was cut off.
fn rename_back(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    before: &LinkState,
    name: &LinkName,
) -> Result<LinkId, KernelError> {
    let links = kernel.links(namespace, None)?;
    let Some(link) = find_same(&links, before, &[name]) else {
        return Err(KernelError::NotFound(format!("{name} is gone")));
    };
    let index = link.index;
    let id = LinkId { namespace, index };
    if link.name == *name {
        kernel.change_link(id, &LinkChange::Name(before.name.clone()))?;
    }
    Ok(id)
}

/// Undoes a change of a link, unless another link has taken its index.
fn if_same_link(
    kernel: &mut dyn Kernel,
    link: LinkId,
    name: &LinkName,
    undo: impl FnOnce(&mut dyn Kernel) -> Result<(), KernelError>,
) -> Result<(), KernelError> {
    match kernel.identified(link)?.state {
        now if now.name == *name => undo(kernel),
        _ => Ok(()),
    }
}

/// Puts back the settings of a bridge port that differ.
fn put_back_port(
    kernel: &mut dyn Kernel,
    link: LinkId,
    before: PortState,
) -> Result<(), KernelError> {
    let now = kernel.port(link)?;
    let differences = [
        (now.hairpin != before.hairpin).then_some(PortChange::Hairpin(before.hairpin)),
        (now.isolated != before.isolated).then_some(PortChange::Isolated(before.isolated)),
        (now.learning != before.learning).then_some(PortChange::Learning(before.learning)),
    ];
    let mut differences = differences.iter().flatten();
    differences.try_for_each(|change| kernel.change_port(link, *change))
}

/// Deletes a link that the driver made.
///
/// If its creation was never confirmed, the record has no index. Then the link is found
/// by its temporary name or by its final one, which was free when the record was
/// written.
fn delete(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    name: &LinkName,
    index: Option<u32>,
) -> Result<(), KernelError> {
    let link = match index {
        // The container may have renamed it to a name that isn't valid here.
        Some(index) => kernel.identified(LinkId { namespace, index })?.state,
        None => match found(kernel.link_by_name(namespace, &name.temporary()))? {
            Some(half_made) => half_made,
            None => kernel.link_by_name(namespace, name)?,
        },
    };
    // If the namespace's number was reused, the index belongs to another link.
    if index.is_some() && link.name != *name {
        return Ok(());
    }
    let index = link.index;
    kernel.delete_link(LinkId { namespace, index })
}
