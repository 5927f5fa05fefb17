//! The undo of changes of routes.

use kernel::{Kernel, KernelError, KnownLink, LinkId, SavedRoutes, TableRoute};
use types::Namespace;

/// Removes an added route. If another link has taken the index of the route's link, the
/// route went with the old link.
pub(super) fn remove_added(
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

/// Removes an added route that may be gone. If it isn't found, it's looked for once
/// more, because the routes that it replaced are put back after that.
pub(super) fn remove_added_if_present(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    route: &TableRoute,
    links: &[KnownLink],
) -> Result<(), KernelError> {
    for _ in 0..2 {
        match remove_added(kernel, namespace, route, links) {
            Err(error) if error.is_not_found() => {}
            result => return result,
        }
    }
    Ok(())
}

/// Puts routes back, unless another link has taken the index of one of their links.
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

/// Whether all links still have the names that the record has.
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
