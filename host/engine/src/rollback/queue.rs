//! The undo of changes of traffic control.

use kernel::{Kernel, KernelError, LinkId, QueueHook, RootQueue};

/// Removes the driver's queueing discipline at a hook, unless another one has replaced
/// it.
pub(crate) fn remove_owned_queue(
    kernel: &mut dyn Kernel,
    link: LinkId,
    hook: QueueHook,
) -> Result<(), KernelError> {
    let queues = kernel.queues(link)?;
    let is_own = match hook {
        QueueHook::Root => queues.root == Some(RootQueue::Ours),
        QueueHook::Ingress => queues.ingress,
    };
    if !is_own {
        return Ok(());
    }
    kernel.remove_queue(link, hook)
}
