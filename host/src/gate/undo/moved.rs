//! Giving a link of the host's back.

use super::dress::{dress, put_back, put_back_vf};
use crate::journal::SavedLink;
use crate::kernel::{Kernel, KernelError, LinkChange, LinkId, LinkState};
use crate::net::{LinkName, Namespace};

/// Moves a link back to the host and makes it as it was. This goes on where an
/// earlier attempt was cut off. In the container it has one of these names.
pub(super) fn give_back(
    kernel: &mut dyn Kernel,
    saved: &SavedLink,
    names: &[&LinkName],
    index: Option<u32>,
    same_container: bool,
) -> Result<(), KernelError> {
    let in_container = if same_container {
        find_moved(kernel, saved, names, index)?
    } else {
        None
    };
    let link = match in_container {
        Some(link) => {
            kernel.change_link(link, &LinkChange::Up(false))?;
            // First, so that its address tells which it is on the host.
            dress(kernel, link, &saved.link)?;
            // The same one, because older changes know it by that.
            let wished = Some(saved.link.index);
            let index = kernel.move_link(link, Namespace::Host, &saved.link.name, wished)?;
            LinkId {
                namespace: Namespace::Host,
                index,
            }
        }
        None => returned(kernel, saved, names)?,
    };
    // Some of them, as disable_ipv6, must hold before it's up.
    kernel.put_settings(link, &saved.snapshot)?;
    put_back(kernel, link, &saved.link)?;
    kernel.replay(link, saved.link.index, &saved.snapshot)?;
    // Last, because VFs may be gone: a card can have fewer of them by now.
    let mut vfs = saved.vfs.iter();
    vfs.try_for_each(|vf| put_back_vf(kernel, link, vf))
}

/// Finds a moved link in the container: by its index, or, where the move was
/// never confirmed, by its name and MAC address. Once it's back, its index may
/// be another link's.
fn find_moved(
    kernel: &mut dyn Kernel,
    saved: &SavedLink,
    names: &[&LinkName],
    index: Option<u32>,
) -> Result<Option<LinkId>, KernelError> {
    let namespace = Namespace::Container;
    if let Some(index) = index {
        let link = LinkId { namespace, index };
        let state = found(kernel.link_by_id(link))?;
        let is_it = |state: &LinkState| names.contains(&&state.name) || state.mac == saved.link.mac;
        return Ok(state.filter(is_it).map(|_| link));
    }
    for name in names.iter().copied().chain([&saved.link.name]) {
        let state = found(kernel.link_by_name(namespace, name))?;
        if let Some(state) = state.filter(|state| state.mac == saved.link.mac) {
            let index = state.index;
            return Ok(Some(LinkId { namespace, index }));
        }
    }
    Ok(None)
}

/// Finds a link that is on the host again: an earlier attempt came that far, or
/// the kernel gave it back when the container's namespace went, under whichever
/// name, index and MAC address.
fn returned(
    kernel: &mut dyn Kernel,
    saved: &SavedLink,
    names: &[&LinkName],
) -> Result<LinkId, KernelError> {
    let namespace = Namespace::Host;
    let links = kernel.links(namespace, None)?;
    let link = find_same(&links, &saved.link, names).ok_or_else(|| {
        let gone = format!("{} went with the container's namespace", saved.link.name);
        KernelError::NotFound(gone)
    })?;
    let index = link.index;
    let id = LinkId { namespace, index };
    if link.name != saved.link.name {
        kernel.change_link(id, &LinkChange::Up(false))?;
        kernel.change_link(id, &LinkChange::Name(saved.link.name.clone()))?;
    }
    Ok(id)
}

/// Finds a link that was like this, and has its name or one of the others now.
/// Hardware is known by its permanent MAC address, which VLANs on it have too;
/// other links by two of name, index and MAC address.
pub(super) fn find_same<'a>(
    links: &'a [LinkState],
    before: &LinkState,
    names: &[&LinkName],
) -> Option<&'a LinkState> {
    let has_its_name = |link: &LinkState| link.name == before.name || names.contains(&&link.name);
    let has_its_index = |link: &LinkState| link.index == before.index;
    let has_its_mac = |link: &LinkState| link.mac == before.mac;
    if let Some(mac) = before.permanent_mac {
        let mut same = links.iter().filter(|link| link.permanent_mac == Some(mac));
        let close = same
            .clone()
            .find(|link| has_its_index(link) || has_its_name(link));
        return close.or(match (same.next(), same.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        });
    }
    links.iter().find(|link| {
        let facts = [has_its_name(link), has_its_index(link), has_its_mac(link)];
        facts.into_iter().filter(|fact| *fact).count() >= 2
    })
}

/// A link, where there is one.
pub(super) fn found(
    result: Result<LinkState, KernelError>,
) -> Result<Option<LinkState>, KernelError> {
    match result {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
