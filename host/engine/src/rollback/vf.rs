//! VFs of a network card, by their numbers.

use kernel::{Kernel, KernelError, LinkId, VfState};

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
