//! Macvlan and macvtap links.

use netlink_packet_route::link::{InfoMacVlan, InfoMacVtap, MacVlanMode};
use rtnetlink::{LinkMacVlan, LinkMacVtap, LinkMessageBuilder};
use types::LinkName;

use crate::{Macvlan, MacvlanMode, ParentUse};

pub(super) fn build(name: &LinkName, macvlan: &Macvlan) -> LinkMessageBuilder<LinkMacVlan> {
    let mut link = LinkMacVlan::new(name.as_str(), macvlan.parent.index, mode(macvlan.mode));
    if let Some(limit) = macvlan.broadcast_limit {
        link = link.append_info_data(InfoMacVlan::BcCutoff(limit));
    }
    if let Some(length) = macvlan.broadcast_queue_length {
        link = link.append_info_data(InfoMacVlan::BcQueueLen(length));
    }
    link
}

/// The same for a macvtap link.
pub(super) fn build_tap(name: &LinkName, macvlan: &Macvlan) -> LinkMessageBuilder<LinkMacVtap> {
    let mut link = LinkMacVtap::new(name.as_str(), macvlan.parent.index, mode(macvlan.mode));
    if let Some(limit) = macvlan.broadcast_limit {
        link = link.append_info_data(InfoMacVtap::BcCutoff(limit));
    }
    if let Some(length) = macvlan.broadcast_queue_length {
        link = link.append_info_data(InfoMacVtap::BcQueueLen(length));
    }
    link
}

/// What a macvlan link does to its parent.
pub(super) fn parent_use(infos: &[InfoMacVlan]) -> Option<ParentUse> {
    let is_passthru = |info| matches!(info, &InfoMacVlan::Mode(MacVlanMode::Passthrough));
    infos.iter().any(is_passthru).then_some(ParentUse::Whole)
}

/// The same for a macvtap link.
pub(super) fn parent_use_of_tap(infos: &[InfoMacVtap]) -> Option<ParentUse> {
    let is_passthru = |info| matches!(info, &InfoMacVtap::Mode(MacVlanMode::Passthrough));
    infos.iter().any(is_passthru).then_some(ParentUse::Whole)
}

fn mode(mode: MacvlanMode) -> MacVlanMode {
    match mode {
        MacvlanMode::Private => MacVlanMode::Private,
        MacvlanMode::Vepa => MacVlanMode::Vepa,
        MacvlanMode::Bridge => MacVlanMode::Bridge,
        MacvlanMode::Passthru => MacVlanMode::Passthrough,
        MacvlanMode::Source => MacVlanMode::Source,
    }
}
