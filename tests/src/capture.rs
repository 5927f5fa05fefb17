//! Captured and sent Ethernet frames.

use std::io::Read;
use std::time::{Duration, Instant};

use nix::libc;
use serde_json::Value;
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

use crate::netns::Netns;

/// Every protocol (ETH_P_ALL in `linux/if_ether.h`).
const ALL: u16 = 3;
const PATIENCE: Duration = Duration::from_secs(5);
const WAIT: Duration = Duration::from_millis(100);

/// A capture of the frames of all links of a namespace.
#[derive(Debug)]
pub struct Capture(Socket);

impl Capture {
    /// Starts a capture.
    pub fn start(netns: &Netns) -> Self {
        let protocol = Protocol::from(i32::from(ALL.to_be()));
        let socket = netns.run(|| Socket::new(Domain::PACKET, Type::RAW, Some(protocol)));
        let socket = socket.expect("frames can be captured");
        socket
            .set_read_timeout(Some(WAIT))
            .expect("a time limit can be set");
        Self(socket)
    }

    /// Waits for a frame that `wanted` accepts, and returns it.
    #[track_caller]
    pub fn expect(&mut self, what: &str, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let end = Instant::now() + PATIENCE;
        let mut buffer = [0; 2048];
        while Instant::now() < end {
            match self.0.read(&mut buffer) {
                Ok(length) if wanted(&buffer[..length]) => return buffer[..length].to_vec(),
                _ => {}
            }
        }
        panic!("there was no {what}")
    }
}

/// Sends a complete frame through a link.
pub fn send(netns: &Netns, link: &str, frame: &[u8]) {
    let text = netns.ip_batch(&["-json"], &format!("link show {link}"));
    let links: Value = serde_json::from_str(&text).expect("ip prints JSON");
    let index = links[0]["ifindex"].as_i64().expect("a link has an index");
    let to = link_address(i32::try_from(index).expect("an index"));
    let socket = netns.run(|| Socket::new(Domain::PACKET, Type::RAW, None));
    let socket = socket.expect("frames can be sent");
    let sent = socket.send_to(frame, &to).expect("the frame can be sent");
    assert_eq!(sent, frame.len());
}

/// Returns the socket address of a link. The frame itself has the MAC address of the
/// receiver.
fn link_address(index: i32) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    let size = storage.size_of();
    // SAFETY: the storage is large enough for every kind of address, and zeros are a
    // valid address of this kind.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::sa_family_t::try_from(libc::AF_PACKET).expect("a family");
    address.sll_ifindex = index;
    address.sll_halen = 6;
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).expect("a length");
    assert!(length <= size);
    // SAFETY: the storage has an address of this length.
    unsafe { SockAddr::new(storage, length) }
}
