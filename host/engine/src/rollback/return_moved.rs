//! The return of a moved link to the host.

use std::thread::sleep;
use std::time::{Duration, Instant};

use journal::SavedLink;
use kernel::{Kernel, KernelError, LinkChange, LinkId};
use types::Namespace;

use super::restore_link::{put_back, put_back_mac_and_mtu, put_back_vf};
use super::search::{Found, Moved, found};

/// The time that a network namespace may take to go after its last process, with the
/// time that the kernel takes to move its hardware back to the host.
const SEARCH_TIME: Duration = Duration::from_secs(1);

/// The pause between two searches.
const PAUSE: Duration = Duration::from_millis(20);

/// The result of returning a moved link.
pub(super) enum Returned {
    /// The link is back on the host with its old properties.
    Back,
    /// The link doesn't exist any more.
    Gone,
    /// The link isn't in the run's namespaces and may be in another one. The text says
    /// why no link here is it.
    Missing(String),
}

/// Moves a link back to the host and puts back its properties. It completes an attempt
/// that was cut off.
pub(super) fn return_to_host(
    kernel: &mut dyn Kernel,
    moved: &Moved<'_>,
) -> Result<Returned, KernelError> {
    let until = Instant::now() + SEARCH_TIME;
    loop {
        let returned = try_return(kernel, moved)?;
        let may_come = matches!(returned, Returned::Missing(_)) && !moved.same_container;
        if !may_come || Instant::now() >= until {
            return Ok(returned);
        }
        sleep(PAUSE);
    }
}

fn try_return(kernel: &mut dyn Kernel, moved: &Moved<'_>) -> Result<Returned, KernelError> {
    // A link that isn't found is looked for once more, because it may be given up after
    // that.
    for _ in 0..2 {
        match move_to_host(kernel, moved) {
            Ok(Ok(link)) => return put_back_returned(kernel, link, moved.saved),
            Ok(Err(other)) => return Ok(other),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    let why = "it disappeared while it was moved back".to_owned();
    Ok(Returned::Missing(why))
}

/// Moves a link back to the host under its old name.
fn move_to_host(
    kernel: &mut dyn Kernel,
    moved: &Moved<'_>,
) -> Result<Result<LinkId, Returned>, KernelError> {
    let link = match moved.find(kernel)? {
        Found::Link(link) => link,
        Found::Gone => return Ok(Err(Returned::Gone)),
        Found::Missing(why) => return Ok(Err(Returned::Missing(why))),
    };
    let saved = moved.saved;
    if !kernel.identified(link)?.has_plain_name {
        // The container chose a name that this program doesn't accept, so it gets a
        // valid one.
        kernel.change_link(link, &LinkChange::Up(false))?;
        kernel.change_link(link, &LinkChange::Name(saved.link.name.temporary()))?;
    }
    match link.namespace {
        Namespace::Container => move_back(kernel, moved, link),
        Namespace::Host => {
            if kernel.link_by_id(link)?.name != saved.link.name {
                kernel.change_link(link, &LinkChange::Up(false))?;
                clear_alternative_names(kernel, link, saved)?;
                kernel.change_link(link, &LinkChange::Name(saved.link.name.clone()))?;
            }
            Ok(Ok(link))
        }
    }
}

fn move_back(
    kernel: &mut dyn Kernel,
    moved: &Moved<'_>,
    link: LinkId,
) -> Result<Result<LinkId, Returned>, KernelError> {
    let saved = moved.saved;
    if kernel.link_by_id(link)?.master.is_some() {
        kernel.change_link(link, &LinkChange::Master(None))?;
    }
    kernel.change_link(link, &LinkChange::Up(false))?;
    // The MAC address comes first, because the link is identified by it on the host.
    put_back_mac_and_mtu(kernel, link, &saved.link)?;
    // The container may have given the link names that links of the host have.
    clear_alternative_names(kernel, link, saved)?;
    // The index stays the same, because older records have it.
    let wanted = Some(saved.link.index);
    let index = kernel.move_link(link, Namespace::Host, &saved.link.name, wanted)?;
    let back = LinkId {
        namespace: Namespace::Host,
        index,
    };
    if moved.is_same_link(kernel, back)? {
        return Ok(Ok(back));
    }
    // Another link took the index in the container meanwhile and was moved instead.
    let name = saved.link.name.temporary();
    kernel.move_link(back, Namespace::Container, &name, None)?;
    let why = "another link took its place while it was moved back".to_owned();
    Ok(Err(Returned::Missing(why)))
}

/// Removes a link's alternative names if the journal has the old ones. Journals of
/// older versions don't.
fn clear_alternative_names(
    kernel: &mut dyn Kernel,
    link: LinkId,
    saved: &SavedLink,
) -> Result<(), KernelError> {
    match saved.identity {
        Some(_) => kernel.set_alternative_names(link, &[]),
        None => Ok(()),
    }
}

/// Puts back the properties of a link that is on the host again. Objects that it refers
/// to may be gone.
fn put_back_returned(
    kernel: &mut dyn Kernel,
    link: LinkId,
    saved: &SavedLink,
) -> Result<Returned, KernelError> {
    for _ in 0..2 {
        match put_back_all(kernel, link, saved) {
            Err(error) if error.is_not_found() => {}
            result => return result.map(|()| Returned::Back),
        }
    }
    match found(kernel.link_by_id(link))? {
        Some(_) => Ok(Returned::Back),
        None => {
            let why = "it disappeared from the host after it was moved back".to_owned();
            Ok(Returned::Missing(why))
        }
    }
}

fn put_back_all(
    kernel: &mut dyn Kernel,
    link: LinkId,
    saved: &SavedLink,
) -> Result<(), KernelError> {
    if saved.identity.is_some() {
        kernel.set_alternative_names(link, &saved.alternative_names)?;
    }
    // Some settings, such as disable_ipv6, must be in place before the link is up.
    kernel.put_settings(link, &saved.snapshot)?;
    put_back(kernel, link, &saved.link)?;
    kernel.replay(link, saved.link.index, &saved.snapshot)?;
    // VFs come last, because the card may have fewer of them by now.
    let mut vfs = saved.vfs.iter();
    vfs.try_for_each(|vf| put_back_vf(kernel, link, vf))
}
