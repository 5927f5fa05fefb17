//! Taps. rtnetlink can't make them. An `ioctl` on their device file does, in
//! the namespace of the thread that opened it
//! (`Documentation/networking/tuntap.rst`).

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;

use netlink_packet_route::link::LinkMessage;
use nix::errno::Errno;
use nix::libc;
use types::LinkName;

use super::{Encode, Kind, Rest, property};
use crate::enter_netns::in_netns;
use crate::{KernelError, Netns};

const DEVICE: &str = "/dev/net/tun";

#[allow(unsafe_code, missing_docs, reason = "nix generates these functions")]
mod control {
    use nix::libc;
    nix::ioctl_write_ptr_bad!(
        set_interface,
        nix::request_code_write!(b'T', 202, size_of::<libc::c_int>()),
        libc::ifreq
    );
    nix::ioctl_write_int_bad!(
        set_persistent,
        nix::request_code_write!(b'T', 203, size_of::<libc::c_int>())
    );
    nix::ioctl_write_int_bad!(
        set_owner,
        nix::request_code_write!(b'T', 204, size_of::<libc::c_int>())
    );
    nix::ioctl_write_int_bad!(
        set_group,
        nix::request_code_write!(b'T', 206, size_of::<libc::c_int>())
    );
}

/// The properties of a tap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap {
    /// The user who may open the tap.
    pub owner: Option<u32>,
    /// The group that may open the tap.
    pub group: Option<u32>,
    /// Whether the tap has several queues.
    pub multi_queue: bool,
}

impl Kind for Tap {
    fn name(&self) -> &'static str {
        "tun"
    }

    fn properties(&self) -> Vec<String> {
        let all = [
            property("user", self.owner),
            property("group", self.group),
            self.multi_queue.then(|| "multi_queue".to_owned()),
        ];
        all.into_iter().flatten().collect()
    }
}

impl Encode for Tap {
    fn message(&self, _name: &LinkName, _rest: &Rest) -> Option<LinkMessage> {
        None
    }
}

/// Makes a tap that stays when its file is closed.
#[track_caller]
pub(crate) fn make(netns: &Netns, name: &LinkName, tap: &Tap) -> Result<(), KernelError> {
    let (name, tap) = (name.clone(), tap.clone());
    in_netns(netns, move || make_here(&name, &tap))
}

/// Makes a tap in the namespace of this thread. Until it's persistent, it goes
/// with its file, so a failure leaves no tap.
#[allow(unsafe_code, reason = "only ioctl makes taps; each has its comment")]
fn make_here(name: &LinkName, tap: &Tap) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(DEVICE)?;
    let fd = file.as_raw_fd();
    let interface = interface(name, tap);
    // SAFETY: the file is open, and the structure lives until the call returns.
    unsafe { control::set_interface(fd, &raw const interface) }?;
    if let Some(owner) = tap.owner {
        // SAFETY: the file is open; the argument is a number.
        unsafe { control::set_owner(fd, id(owner)?) }?;
    }
    if let Some(group) = tap.group {
        // SAFETY: the file is open; the argument is a number.
        unsafe { control::set_group(fd, id(group)?) }?;
    }
    // SAFETY: the file is open; the argument is a number.
    unsafe { control::set_persistent(fd, 1) }?;
    Ok(())
}

#[allow(unsafe_code, reason = "the structure of the ioctl is C's")]
fn interface(name: &LinkName, tap: &Tap) -> libc::ifreq {
    // SAFETY: a structure of plain numbers, for which zero is a value.
    let mut interface: libc::ifreq = unsafe { std::mem::zeroed() };
    // The name is shorter than the field, which stays terminated.
    for (to, from) in interface.ifr_name.iter_mut().zip(name.as_str().bytes()) {
        *to = from.cast_signed();
    }
    let mut flags = libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_TUN_EXCL;
    if tap.multi_queue {
        flags |= libc::IFF_MULTI_QUEUE;
    }
    // The kernel reads these bits from a short (`if.h`).
    let [low, high, ..] = flags.to_le_bytes();
    interface.ifr_ifru.ifru_flags = i16::from_le_bytes([low, high]);
    interface
}

/// Converts an id. The kernel takes ids as signed numbers.
fn id(id: u32) -> io::Result<libc::c_int> {
    libc::c_int::try_from(id).map_err(|_| io::Error::from(Errno::EINVAL))
}
