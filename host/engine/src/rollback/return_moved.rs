//! Giving a link of the host's back.

use std::thread::sleep;
use std::time::{Duration, Instant};

use journal::SavedLink;
use kernel::{Kernel, KernelError, LinkChange, LinkId};
use types::Namespace;

use super::restore_link::{dress, put_back, put_back_vf};
use super::search::{Found, Moved, found};

/// How long a namespace may take to go with its last process, and the kernel to
/// give back what was in it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often that is looked for.
const PAUSE: Duration = Duration::from_millis(20);

/// What a moved link came to.
pub(super) enum Returned {
    /// It's back as it was.
    Back,
    /// It doesn't exist any more.
    Gone,
    /// It may be somewhere: why nothing that is here is it.
    Missing(String),
}

/// Moves a link back to the host and makes it as it was. This goes on where an
/// earlier attempt was cut off.
pub(super) fn give_back(
    kernel: &mut dyn Kernel,
    moved: &Moved<'_>,
) -> Result<Returned, KernelError> {
    let until = Instant::now() + PATIENCE;
    loop {
        let returned = try_giving_back(kernel, moved)?;
        let may_come = matches!(returned, Returned::Missing(_)) && !moved.same_container;
        if !may_come || Instant::now() >= until {
            return Ok(returned);
        }
        sleep(PAUSE);
    }
}

fn try_giving_back(kernel: &mut dyn Kernel, moved: &Moved<'_>) -> Result<Returned, KernelError> {
    // What isn't there is looked for once more, because much depends on it.
    for _ in 0..2 {
        match fetch(kernel, moved) {
            Ok(Ok(link)) => return dress_again(kernel, link, moved.saved),
            Ok(Err(other)) => return Ok(other),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    let why = "it went away while it was to be given back".to_owned();
    Ok(Returned::Missing(why))
}

/// Brings a link back to the host, under its name.
fn fetch(
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
        // The container chose it, and nothing here works on a link of such a name.
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
    // First, so that its address tells which it is on the host.
    dress(kernel, link, &saved.link)?;
    // The host may have links of the names that it got in the container.
    clear_alternative_names(kernel, link, saved)?;
    // The same one, because older changes know it by that.
    let wished = Some(saved.link.index);
    let index = kernel.move_link(link, Namespace::Host, &saved.link.name, wished)?;
    let back = LinkId {
        namespace: Namespace::Host,
        index,
    };
    if moved.is_it(kernel, back)? {
        return Ok(Ok(back));
    }
    // It's known by its index there, which another one may have got meanwhile.
    let name = saved.link.name.temporary();
    kernel.move_link(back, Namespace::Container, &name, None)?;
    let why = "another link took its place while it was to be given back".to_owned();
    Ok(Err(Returned::Missing(why)))
}

/// Journals of older versions don't have those that it had.
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

/// Makes a link of the host as it was. What it was tied to may be gone.
fn dress_again(
    kernel: &mut dyn Kernel,
    link: LinkId,
    saved: &SavedLink,
) -> Result<Returned, KernelError> {
    for _ in 0..2 {
        match dress_all(kernel, link, saved) {
            Err(error) if error.is_not_found() => {}
            result => return result.map(|()| Returned::Back),
        }
    }
    match found(kernel.link_by_id(link))? {
        Some(_) => Ok(Returned::Back),
        None => {
            let why = "it went away from the host when it was back".to_owned();
            Ok(Returned::Missing(why))
        }
    }
}

fn dress_all(kernel: &mut dyn Kernel, link: LinkId, saved: &SavedLink) -> Result<(), KernelError> {
    if saved.identity.is_some() {
        kernel.set_alternative_names(link, &saved.alternative_names)?;
    }
    // Some of them, as disable_ipv6, must hold before it's up.
    kernel.put_settings(link, &saved.snapshot)?;
    put_back(kernel, link, &saved.link)?;
    kernel.replay(link, saved.link.index, &saved.snapshot)?;
    // Last, because VFs may be gone: a card can have fewer of them by now.
    let mut vfs = saved.vfs.iter();
    vfs.try_for_each(|vf| put_back_vf(kernel, link, vf))
}
