//! UDP packets to an address and back.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use crate::netns::Netns;
use crate::patience;
use crate::poll;

/// The number of attempts. Packets may get lost, for example while the neighbour's MAC
/// address is unknown.
const TRIES: usize = 25;
const WAIT: Duration = Duration::from_millis(200);

/// The time in which a neighbour is resolved. The kernel asks again each second, if a
/// port that has just got its carrier dropped the question.
const RESOLVED: Duration = Duration::from_secs(5);

/// The number of packets that must get lost if none may arrive.
const LOST: usize = 5;

/// Sends packets from one address to another until one has been answered.
pub fn exchange(from: (&Netns, &str), to: (&Netns, &str)) {
    let client = socket(from);
    let server = socket(to);
    let server_address = server.local_addr().expect("the socket has an address");
    let mut buffer = [0; 16];
    for _ in 0..TRIES {
        if client.send_to(b"there", server_address).is_err() {
            continue;
        }
        let Some(sender) = receive(&server, &mut buffer) else {
            continue;
        };
        assert_eq!(sender, client.local_addr().unwrap(), "the sender's address");
        server
            .send_to(b"back", sender)
            .expect("an answer can be sent");
        if receive(&client, &mut buffer) == Some(server_address) {
            return;
        }
    }
    panic!("no packet came from {} to {} and back", from.1, to.1);
}

/// Sends one packet from one address to another, and one back. Nothing is tried twice:
/// both addresses must be usable, and both neighbours reachable.
#[track_caller]
pub fn exchange_at_once(from: (&Netns, &str), to: (&Netns, &str)) {
    let [client, server] = [from, to].map(|end| {
        let bound = bind(end);
        let socket = bound.unwrap_or_else(|error| panic!("{}: {error}", end.1));
        socket
            .set_read_timeout(Some(patience::of(RESOLVED)))
            .expect("a time limit can be set");
        socket
    });
    let address = |socket: &UdpSocket| socket.local_addr().expect("the socket has an address");
    let mut buffer = [0; 16];
    for (sender, receiver) in [(&client, &server), (&server, &client)] {
        let sent = sender.send_to(b"at once", address(receiver));
        sent.unwrap_or_else(|error| panic!("from {}: {error}", address(sender)));
        let seen = receive(receiver, &mut buffer);
        assert_eq!(seen, Some(address(sender)), "to {}", address(receiver));
    }
}

/// Returns a socket at an address, or the kernel's error.
pub fn bind((netns, address): (&Netns, &str)) -> io::Result<UdpSocket> {
    let address: IpAddr = address.parse().expect("an IP address");
    netns.run(|| UdpSocket::bind((address, 0)))
}

/// Sends packets from one address to another, and checks that none arrives.
pub fn silence(from: (&Netns, &str), to: (&Netns, &str)) {
    let client = socket(from);
    let server = socket(to);
    let server_address = server.local_addr().expect("the socket has an address");
    let mut buffer = [0; 16];
    for _ in 0..LOST {
        // Without a route, sending fails.
        let _ = client.send_to(b"there", server_address);
        let sender = receive(&server, &mut buffer);
        assert_eq!(sender, None, "a packet came from {} to {}", from.1, to.1);
    }
}

fn socket(end: (&Netns, &str)) -> UdpSocket {
    // An IPv6 address can be used only after duplicate address detection (RFC 4862).
    let socket = poll::until(|| bind(end), Result::is_ok)
        .unwrap_or_else(|error| panic!("{} is not there: {error}", end.1));
    socket
        .set_read_timeout(Some(WAIT))
        .expect("a time limit can be set");
    socket
}

fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<SocketAddr> {
    match socket.recv_from(buffer) {
        Ok((_, sender)) => Some(sender),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
        // The socket reports an ICMP error of an earlier packet.
        Err(_) => None,
    }
}
