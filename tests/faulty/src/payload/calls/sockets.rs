//! Sockets of each family, and what sends through one or makes it listen.

use nix::libc;

use super::{Call, calls};
use crate::payload::raw::{NONE, memory, number};

/// `IP6T_SO_SET_REPLACE` (`linux/netfilter_ipv6/ip6_tables.h`), which replaces all rules of
/// ip6tables.
const REPLACE: usize = 64;
/// `TUNSETIFF` (`linux/if_tun.h`), `TIOCSTI` (`asm-generic/ioctls.h`) and `SIOCSIFFLAGS`
/// (`linux/sockios.h`).
const MAKE_TAP: usize = 0x4004_54ca;
const TYPE: usize = 0x5412;
const SET_FLAGS: usize = 0x8914;

const RAW: usize = libc::SOCK_RAW as usize;
const STREAM: usize = libc::SOCK_STREAM as usize;
const DGRAM: usize = libc::SOCK_DGRAM as usize;

fn family(family: i32) -> usize {
    number(family)
}

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = calls! {
    "inet-stream": socket(family(libc::AF_INET), STREAM, 0);
    "inet-dgram": socket(family(libc::AF_INET), DGRAM, 0);
    "inet-raw": socket(family(libc::AF_INET), RAW, number(libc::IPPROTO_ICMP));
    "inet-raw-all": socket(family(libc::AF_INET), RAW, number(libc::IPPROTO_RAW));
    "inet6-stream": socket(family(libc::AF_INET6), STREAM, 0);
    "inet6-dgram": socket(family(libc::AF_INET6), DGRAM, 0);
    "inet6-raw": socket(family(libc::AF_INET6), RAW, number(libc::IPPROTO_RAW));
    "inet6-raw-tcp": socket(family(libc::AF_INET6), RAW, number(libc::IPPROTO_TCP));
    "icmp6-raw": socket(family(libc::AF_INET6), RAW, number(libc::IPPROTO_ICMPV6));
    "packet-raw": socket(family(libc::AF_PACKET), RAW, 0);
    "packet-dgram": socket(family(libc::AF_PACKET), DGRAM, 0);
    "packet-dgram-all": socket(family(libc::AF_PACKET), DGRAM, 0x0300);
    "unix-stream": socket(family(libc::AF_UNIX), STREAM, 0);
    "unix-dgram": socket(family(libc::AF_UNIX), DGRAM, 0);
    "unix-packets": socket(family(libc::AF_UNIX), number(libc::SOCK_SEQPACKET), 0);
    "alg": socket(family(libc::AF_ALG), number(libc::SOCK_SEQPACKET), 0);
    "vsock": socket(family(libc::AF_VSOCK), STREAM, 0);
    "xdp": socket(family(libc::AF_XDP), RAW, 0);
    "key": socket(family(libc::AF_KEY), RAW, 2);
    "bluetooth": socket(family(libc::AF_BLUETOOTH), RAW, 1);
    "can": socket(family(libc::AF_CAN), RAW, 1);
    "socketpair": socketpair(family(libc::AF_UNIX), STREAM, 0, memory(&[]));
    "connect": connect(NONE, memory(&[]), 16);
    "listen": listen(NONE, 1);
    "accept": accept(NONE, 0, 0);
    "accept4": accept4(NONE, 0, 0, 0);
    "sendmsg": sendmsg(NONE, memory(&[]), 0);
    "sendmmsg": sendmmsg(NONE, memory(&[]), 1, 0);
    "recvmmsg": recvmmsg(NONE, memory(&[]), 1, 0, 0);
    "shutdown": shutdown(NONE, 0);
    "replace-ip6tables": setsockopt(NONE, number(libc::IPPROTO_IPV6), REPLACE, memory(&[]), 4);
    "replace-iptables": setsockopt(NONE, number(libc::IPPROTO_IP), REPLACE, memory(&[]), 4);
    "packet-ring": setsockopt(NONE, number(libc::SOL_PACKET), number(libc::PACKET_RX_RING), memory(&[]), 16);
    "read-iptables": getsockopt(NONE, number(libc::IPPROTO_IP), REPLACE, memory(&[]), memory(&[84]));
    "make-tap": ioctl(NONE, MAKE_TAP, memory(&[]));
    "type": ioctl(0, TYPE, memory(&[]));
    "link-flags": ioctl(NONE, SET_FLAGS, memory(&[]));
};

/// Netlink's families by their numbers (`linux/netlink.h`). Every run needs the first.
#[rustfmt::skip]
pub(super) const NETLINK: &[Call] = calls! {
    "netlink-route": socket(family(libc::AF_NETLINK), RAW, 0);
    "netlink-unused": socket(family(libc::AF_NETLINK), RAW, 1);
    "netlink-usersock": socket(family(libc::AF_NETLINK), RAW, 2);
    "netlink-diag": socket(family(libc::AF_NETLINK), RAW, 4);
    "netlink-nflog": socket(family(libc::AF_NETLINK), RAW, 5);
    "netlink-xfrm": socket(family(libc::AF_NETLINK), RAW, 6);
    "netlink-selinux": socket(family(libc::AF_NETLINK), RAW, 7);
    "netlink-iscsi": socket(family(libc::AF_NETLINK), RAW, 8);
    "netlink-audit": socket(family(libc::AF_NETLINK), RAW, 9);
    "netlink-fib": socket(family(libc::AF_NETLINK), RAW, 10);
    "netlink-connector": socket(family(libc::AF_NETLINK), RAW, 11);
    "netlink-netfilter": socket(family(libc::AF_NETLINK), RAW, 12);
    "netlink-uevents": socket(family(libc::AF_NETLINK), RAW, 15);
    "netlink-generic": socket(family(libc::AF_NETLINK), RAW, 16);
    "netlink-crypto": socket(family(libc::AF_NETLINK), RAW, 21);
    "netlink-smc": socket(family(libc::AF_NETLINK), RAW, 22);
};
