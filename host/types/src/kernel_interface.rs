//! The ways into the kernel that a run may take beside NETLINK_ROUTE.

/// A way into the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KernelInterface {
    /// Sockets of NETLINK_NETFILTER: nftables and connection tracking.
    Netfilter,
    /// Sockets of NETLINK_GENERIC: WireGuard and ethtool.
    Generic,
    /// Packet and ICMPv6 sockets, to announce addresses.
    Packets,
    /// The device `/dev/net/tun`.
    Tun,
    /// Writing below `/proc/sys/net`.
    Settings,
}
