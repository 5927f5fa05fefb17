//! Undoing changes of routes.

use kernel::{Kernel, KernelError, KnownLink, LinkId, SavedRoutes, TableRoute};
use types::Namespace;

/// Removes a route that was added, unless its link is another one by now: then
/// the route went with the old one.
pub(super) fn take_away(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    route: &TableRoute,
    links: &[KnownLink],
) -> Result<(), KernelError> {
    if !are_same(kernel, namespace, links)? {
        return Ok(());
    }
    kernel.remove_route(namespace, route)
}

/// The same for a route that may be gone. What isn't there is looked for once
/// more, because what was there before goes into its place.
pub(super) fn take_away_if_there(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    route: &TableRoute,
    links: &[KnownLink],
) -> Result<(), KernelError> {
    for _ in 0..2 {
        match take_away(kernel, namespace, route, links) {
            Err(error) if error.is_not_found() => {}
            result => return result,
        }
    }
    Ok(())
}

/// Puts routes back, unless one of their links is another one by now.
pub(super) fn put_back(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    before: &SavedRoutes,
) -> Result<(), KernelError> {
    if !are_same(kernel, namespace, &before.links)? {
        return Ok(());
    }
    kernel.put_back_routes(namespace, before)
}

/// Whether all links still have their names.
fn are_same(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    links: &[KnownLink],
) -> Result<bool, KernelError> {
    for KnownLink { index, name } in links {
        let index = *index;
        if kernel.link_by_id(LinkId { namespace, index })?.name != *name {
            return Ok(false);
        }
    }
    Ok(true)
}
