//! The undo of changes of a link's properties.

use kernel::{Kernel, KernelError, LinkChange, LinkId, LinkState, VfState};

use super::vf::vf;

/// Puts back all properties of a link that differ.
pub(super) fn put_back(
    kernel: &mut dyn Kernel,
    link: LinkId,
    before: &LinkState,
) -> Result<(), KernelError> {
    let now = put_back_mac_and_mtu(kernel, link, before)?;
    let differences = [
        (now.master != before.master).then_some(LinkChange::Master(before.master)),
        (now.tx_queue_length != before.tx_queue_length)
            .then_some(LinkChange::TxQueueLength(before.tx_queue_length)),
        (now.promiscuous != before.promiscuous)
            .then_some(LinkChange::Promiscuous(before.promiscuous)),
        (now.all_multicast != before.all_multicast)
            .then_some(LinkChange::AllMulticast(before.all_multicast)),
        (now.alias != before.alias).then(|| LinkChange::Alias(before.alias.clone())),
        (now.up != before.up).then_some(LinkChange::Up(before.up)),
    ];
    let mut differences = differences.iter().flatten();
    differences.try_for_each(|change| kernel.change_link(link, change))
}

/// Puts back a link's MAC address and MTU if they differ. Returns the state in which
/// the link was found.
pub(super) fn put_back_mac_and_mtu(
    kernel: &mut dyn Kernel,
    link: LinkId,
    before: &LinkState,
) -> Result<LinkState, KernelError> {
    let now = kernel.link_by_id(link)?;
    if let Some(mac) = before.mac.filter(|mac| now.mac != Some(*mac)) {
        kernel.change_link(link, &LinkChange::Mac(mac))?;
    }
    if now.mtu != before.mtu {
        kernel.change_link(link, &LinkChange::Mtu(before.mtu))?;
    }
    Ok(now)
}

/// Puts back the properties of a VF that differ.
pub(super) fn put_back_vf(
    kernel: &mut dyn Kernel,
    link: LinkId,
    before: &VfState,
) -> Result<(), KernelError> {
    let now = vf(kernel, link, before.number)?;
    let mut differences = before.differences_from(&now);
    differences.try_for_each(|change| kernel.change_vf(link, before.number, change))
}
