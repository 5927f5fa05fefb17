//! Undoing changes of traffic control.

use kernel::{Kernel, KernelError, LinkId, QueueHook, RootQueue};

/// Removes what was set here, unless somebody else has put something in its
/// place.
pub(crate) fn remove_owned_queue(
    kernel: &mut dyn Kernel,
    link: LinkId,
    hook: QueueHook,
) -> Result<(), KernelError> {
    let queues = kernel.queues(link)?;
    let is_ours = match hook {
        QueueHook::Root => queues.root == Some(RootQueue::Ours),
        QueueHook::Ingress => queues.ingress,
    };
    if !is_ours {
        return Ok(());
    }
    kernel.remove_queue(link, hook)
}
