//! Announcements of a link's addresses to its neighbours. A thread inside the
//! namespace sends them, through sockets that need CAP_NET_RAW there.

mod packet;

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV6};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};
use types::Mac;

use super::enter_netns::in_netns;
use super::{KernelError, LinkId, LinkSetting, LinkState, Netns};

/// The multicast address of all nodes on the link (RFC 4291, section 2.7.1).
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// The hop limit of advertisements. With another one the advertisement came
/// through a router, and neighbours ignore it (RFC 4861, section 7.1.2).
const HOP_LIMIT: u32 = 255;

/// The longest wait for a tentative address. Duplicate address detection waits
/// at most one second before its probe (RFC 4862, section 5.4.2), and one
/// second for an answer (RFC 4861, section 10). The rest is a margin.
const TENTATIVE_MAX: Duration = Duration::from_secs(3);
/// The pause between attempts to use the address.
const PAUSE: Duration = Duration::from_millis(5);

/// Sends an ARP announcement.
#[track_caller]
pub(super) fn gratuitous_arp(
    netns: &Netns,
    link: &LinkState,
    mac: Mac,
    address: Ipv4Addr,
) -> Result<(), KernelError> {
    let packet = packet::arp(mac, address);
    let everyone = broadcast(link.index)?;
    in_netns(netns, move || {
        let socket = Socket::new(Domain::PACKET, Type::DGRAM, None)?;
        send(&socket, &packet, &everyone)
    })
}

/// Sends an unsolicited neighbour advertisement, once the address is no longer
/// tentative.
#[track_caller]
pub(super) fn neighbour_advertisement(
    netns: &Netns,
    link: &LinkState,
    mac: Mac,
    address: Ipv6Addr,
    deadline: Instant,
) -> Result<(), KernelError> {
    let until = deadline.min(Instant::now() + TENTATIVE_MAX);
    let forwarding = LinkSetting::Forwarding6.path(&link.name);
    let index = link.index;
    in_netns(netns, move || {
        // As in the kernel's own advertisements. Neighbours stop using a router
        // that announces itself as none.
        let is_router = fs::read_to_string(&forwarding)?.trim() != "0";
        let packet = packet::advertisement(mac, address, is_router);
        let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
        socket.set_multicast_hops_v6(HOP_LIMIT)?;
        socket.set_multicast_loop_v6(false)?;
        socket.set_multicast_if_v6(index)?;
        bind(
            &socket,
            &SocketAddrV6::new(address, 0, 0, index).into(),
            until,
        )?;
        let everyone = SocketAddrV6::new(ALL_NODES, 0, 0, index);
        send(&socket, &packet, &everyone.into())
    })
    .map_err(|error| match error.errno() {
        // The link has the address, but can't send from it.
        Some(Errno::EADDRNOTAVAIL) => KernelError::Refused {
            errno: Errno::EBUSY,
            text: format!(
                "{address} can't be used: check whether another host has it (duplicate address \
                 detection)"
            ),
        },
        _ => error,
    })
}

/// Returns the MAC address that a link sends from. Fails if the link is down or
/// has none.
pub fn sender(link: &LinkState) -> Result<Mac, KernelError> {
    if !link.up {
        return Err(KernelError::Refused {
            errno: Errno::ENETDOWN,
            text: format!("{} is down: set it up first", link.name),
        });
    }
    link.mac.ok_or_else(|| KernelError::Refused {
        errno: Errno::EOPNOTSUPP,
        text: format!("{} has no MAC address to announce", link.name),
    })
}

/// Returns the broadcast address of a link (packet(7)).
#[allow(unsafe_code, reason = "no crate makes this address; see the comments")]
fn broadcast(link: u32) -> Result<SockAddr, KernelError> {
    let index = libc::c_int::try_from(link).map_err(|_| Errno::ENODEV)?;
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: the storage is zeroed, larger than this structure and aligned for
    // every address; the structure is plain numbers, for which zero is a value.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::sa_family_t::try_from(libc::AF_PACKET).map_err(|_| Errno::EINVAL)?;
    address.sll_protocol = u16::try_from(libc::ETH_P_ARP)
        .map_err(|_| Errno::EINVAL)?
        .to_be();
    address.sll_ifindex = index;
    address.sll_halen = 6;
    address.sll_addr = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0];
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>());
    // SAFETY: the family and the length are those of the structure above.
    Ok(unsafe { SockAddr::new(storage, length.map_err(|_| Errno::EINVAL)?) })
}

/// Binds a socket to an address. Even without duplicate address detection, a
/// new address is tentative for a moment.
fn bind(socket: &Socket, address: &SockAddr, until: Instant) -> io::Result<()> {
    loop {
        match socket.bind(address) {
            Err(error) if is_tentative(&error) && Instant::now() < until => {
                std::thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
}

fn is_tentative(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EADDRNOTAVAIL)
}

fn send(socket: &Socket, packet: &[u8], to: &SockAddr) -> io::Result<()> {
    let sent = socket.send_to(packet, to)?;
    if sent < packet.len() {
        return Err(Errno::EIO.into());
    }
    Ok(())
}

/// Announcing addresses.
pub trait Announce {
    /// Announces an address of a link to its neighbours.
    fn announce(&mut self, link: LinkId, address: IpAddr) -> Result<(), KernelError>;
}
