//! VFs of a network card, by their numbers.

use journal::VfLink;
use kernel::{Kernel, KernelError, LinkChange, LinkId, VfChange, VfState};
use types::{Mac, Namespace};

/// Returns one VF of a network card.
pub(crate) fn vf(
    kernel: &mut dyn Kernel,
    link: LinkId,
    number: u32,
) -> Result<VfState, KernelError> {
    let vfs = kernel.vfs(link)?;
    let count = vfs.len();
    let found = vfs.into_iter().find(|vf| vf.number == number);
    found.ok_or_else(|| {
        let text = match count {
            0 => "it has no VFs: a card makes them when their number is written to its \
                  sriov_numvfs in sysfs"
                .to_owned(),
            count => format!("there is no VF {number}: it has {count}, and the first one is 0"),
        };
        KernelError::NotFound(text)
    })
}

/// Holds a VF to a MAC address, and gives it to the VF's link.
///
/// The link comes first: a card that holds a VF to an address refuses others from the
/// VF, and some refuse this one, too, until the VF's driver is loaded again.
pub(crate) fn set_vf_mac(
    kernel: &mut dyn Kernel,
    card: LinkId,
    number: u32,
    (link, mac): (&VfLink, Mac),
) -> Result<(), KernelError> {
    let before = vf(kernel, card, number)?;
    let result = set_both(kernel, card, number, (link, mac));
    if result.as_ref().is_err_and(|error| !error.is_unclear()) {
        // The first error is the one to tell.
        let _ = put_back_vf_mac(kernel, card, &before, link);
    }
    result
}

fn set_both(
    kernel: &mut dyn Kernel,
    card: LinkId,
    number: u32,
    (link, mac): (&VfLink, Mac),
) -> Result<(), KernelError> {
    let change = LinkChange::Mac(mac);
    if kernel.change_link(id(link), &change).is_err() {
        // The card holds the VF to another address.
        kernel.change_vf(card, number, VfChange::Mac(Mac::NONE))?;
        kernel.change_link(id(link), &change)?;
    }
    kernel.change_vf(card, number, VfChange::Mac(mac))
}

/// Puts back the MAC address of a VF and of its link on the host.
///
/// Cards report the address of the VF's link where they hold the VF to none, and the
/// kernel doesn't tell the two apart. So the card lets the VF choose first, and holds it
/// to the old address only if it doesn't report that afterwards.
pub(super) fn put_back_vf_mac(
    kernel: &mut dyn Kernel,
    card: LinkId,
    before: &VfState,
    link: &VfLink,
) -> Result<(), KernelError> {
    let now = kernel.link_by_id(id(link))?;
    let is_moved = vf(kernel, card, before.number)?.mac != before.mac || now.mac != link.mac;
    if now.name != link.name || !is_moved {
        return Ok(());
    }
    kernel.change_vf(card, before.number, VfChange::Mac(Mac::NONE))?;
    match link.mac {
        Some(mac) => kernel.change_link(id(link), &LinkChange::Mac(mac)),
        None => Ok(()),
    }
}

fn id(link: &VfLink) -> LinkId {
    LinkId {
        namespace: Namespace::Host,
        index: link.index,
    }
}
