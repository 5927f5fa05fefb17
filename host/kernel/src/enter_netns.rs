//! Work other than netlink, done by a thread inside a namespace.

use std::io;

use nix::errno::Errno;

use super::{KernelError, Netns};

/// Runs work in a namespace. It counts as one operation on the kernel.
#[track_caller]
pub(super) fn in_netns<T: Send + 'static>(
    netns: &Netns,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, KernelError> {
    failpoint::before_operation()?;
    let result = netns
        .run(work)
        .map_err(|error| KernelError::Netlink(error.to_string()))?
        .map_err(|error| match error.raw_os_error() {
            Some(number) => Errno::from_raw(number).into(),
            None => KernelError::Netlink(error.to_string()),
        });
    failpoint::after_operation();
    result
}
