//! What a run may still do behind the wall.

use std::os::fd::RawFd;
use std::path::PathBuf;

/// What a run may still do. All that isn't here, it can't.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Reading the network: sockets of NETLINK_ROUTE.
    pub network: bool,
    /// Changing the network: CAP_NET_ADMIN. Reading needs no capability.
    pub admin: bool,
    /// Sockets of NETLINK_NETFILTER, for nftables and connection tracking.
    pub netfilter: bool,
    /// Sockets of NETLINK_GENERIC, for WireGuard and ethtool.
    pub generic: bool,
    /// CAP_NET_RAW with packet and ICMPv6 sockets, to announce addresses.
    pub announce: bool,
    /// The ioctl calls that make a tap.
    pub taps: bool,
    /// Files and folders.
    pub places: Vec<Place>,
    /// Memory beside the guest's, and the guest's, in bytes.
    pub memory: u64,
    /// The longest file that is written, in bytes.
    pub file_size: u64,
    /// The open trail, which isn't copied.
    pub trail: Option<RawFd>,
    /// A file that stays open, whoever wants to close it.
    pub kept_open: Option<RawFd>,
    /// Whether open files may be cut. No trail may be open then.
    pub truncates: bool,
    /// The open socket of systemd's journal: it sends to nobody else.
    pub journald: Option<RawFd>,
}

/// A file or a folder with what may be done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path. One that isn't there when the wall goes up stays closed.
    pub path: PathBuf,
    /// What may be done.
    pub uses: Use,
}

/// What may be done with a file, or with all that is below a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Reading.
    Read,
    /// Reading, and writing what is there.
    Write,
    /// Reading, writing, making and removing files.
    Keep,
    /// Removing files.
    RemoveFiles,
    /// Removing empty folders.
    RemoveFolders,
    /// Reading, writing and controlling a device.
    Device,
}

impl Needs {
    /// Returns the names of the capabilities that stay.
    pub fn capabilities(&self) -> Vec<&'static str> {
        let all = [
            ("CAP_NET_ADMIN", self.admin),
            ("CAP_NET_RAW", self.announce),
        ];
        let kept = all.into_iter().filter(|(_, is_kept)| *is_kept);
        kept.map(|(capability, _)| capability).collect()
    }

    /// Returns the families of sockets that can be opened.
    pub fn families(&self) -> Vec<&'static str> {
        let families = [
            ("NETLINK_ROUTE", self.network),
            ("NETLINK_NETFILTER", self.netfilter),
            ("NETLINK_GENERIC", self.generic),
            ("AF_PACKET", self.announce),
            ("ICMPv6", self.announce),
        ];
        let open = families.into_iter().filter(|(_, is_open)| *is_open);
        open.map(|(family, _)| family).collect()
    }
}
