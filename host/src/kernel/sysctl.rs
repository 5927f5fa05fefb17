//! Kernel settings below `/proc/sys/net`. Keys are built here, from a checked
//! name of a link, and are read and written by a thread inside the namespace.

use std::fs;
use std::io;

use nix::errno::Errno;

use super::{KernelError, Netns};
use crate::net::LinkName;

/// Reads `net.ipv6.conf.LINK.autoconf`.
pub(super) fn autoconf(netns: &Netns, link: &LinkName) -> Result<bool, KernelError> {
    let path = autoconf_path(link);
    let text = inside(netns, || fs::read_to_string(&path))?;
    Ok(text.trim() != "0")
}

/// Sets `net.ipv6.conf.LINK.autoconf`.
pub(super) fn set_autoconf(netns: &Netns, link: &LinkName, on: bool) -> Result<(), KernelError> {
    let path = autoconf_path(link);
    inside(netns, || write(&path, if on { "1" } else { "0" }))
}

fn autoconf_path(link: &LinkName) -> String {
    format!("/proc/sys/net/ipv6/conf/{link}/autoconf")
}

/// Writes a value unless it's there already: `/proc/sys` may be read-only.
fn write(path: &str, value: &str) -> io::Result<()> {
    if fs::read_to_string(path)?.trim() == value {
        return Ok(());
    }
    fs::write(path, value)
}

#[cfg_attr(feature = "fault-injection", track_caller)]
fn inside<T: Send>(
    netns: &Netns,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> Result<T, KernelError> {
    #[cfg(feature = "fault-injection")]
    crate::fault::before_operation()?;
    let result = netns
        .run(work)
        .map_err(|error| KernelError::Netlink(error.to_string()))?
        .map_err(|error| match error.raw_os_error() {
            Some(number) => Errno::from_raw(number).into(),
            None => KernelError::Netlink(error.to_string()),
        });
    #[cfg(feature = "fault-injection")]
    crate::fault::after_operation();
    result
}
