//! TCP and UDP connections, with the source address that the server sees.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::netns::Netns;
use crate::patience;

/// The time that an attempt waits for an answer.
const WAIT: Duration = Duration::from_millis(300);
/// The number of attempts to make a connection. Neighbours may have to be resolved
/// first.
const TRIES: usize = 15;
const STEP: Duration = Duration::from_millis(2);

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// The client of a connection.
#[derive(Debug, Clone, Copy)]
pub struct From<'a> {
    /// The client's namespace.
    pub netns: &'a Netns,
    /// The source address, or `None` for any.
    pub address: Option<&'a str>,
}

/// Returns a client in a namespace.
pub fn from(netns: &Netns) -> From<'_> {
    From {
        netns,
        address: None,
    }
}

/// Connects to `to` and checks that the server at an address and port of another
/// namespace answers. Returns the client's address as the server sees it.
#[track_caller]
pub fn connect(transport: Transport, client: From<'_>, to: &str, server: (&Netns, &str)) -> IpAddr {
    for _ in 0..TRIES {
        if let Some(peer) = attempt(transport, client, to, server) {
            return peer;
        }
    }
    panic!("no {transport:?} connection to {to} reaches {}", server.1);
}

/// Does the same as [`connect`], but tries only once.
#[track_caller]
pub fn connect_at_once(
    transport: Transport,
    client: From<'_>,
    to: &str,
    server: (&Netns, &str),
) -> IpAddr {
    attempt(transport, client, to, server)
        .unwrap_or_else(|| panic!("no {transport:?} connection to {to} reaches {}", server.1))
}

/// Checks that no connection to `to` reaches a server.
#[track_caller]
pub fn cannot_connect(transport: Transport, client: From<'_>, to: &str, server: (&Netns, &str)) {
    for _ in 0..2 {
        if let Some(peer) = attempt(transport, client, to, server) {
            panic!("{transport:?} to {to} reaches {}, from {peer}", server.1);
        }
    }
}

fn attempt(
    transport: Transport,
    client: From<'_>,
    to: &str,
    server: (&Netns, &str),
) -> Option<IpAddr> {
    let to: SocketAddr = to.parse().expect("an address with a port");
    let at: SocketAddr = server.1.parse().expect("an address with a port");
    match transport {
        Transport::Tcp => tcp(client, to, (server.0, at)),
        Transport::Udp => udp(client, to, (server.0, at)),
    }
}

fn tcp(client: From<'_>, to: SocketAddr, (netns, at): (&Netns, SocketAddr)) -> Option<IpAddr> {
    let listener = listen(netns, at, TcpListener::bind);
    listener.set_nonblocking(true).expect("it can be polled");
    let mut caller = socket(client, to, Type::STREAM, Protocol::TCP);
    caller
        .connect_timeout(&SockAddr::from(to), patience::of(WAIT))
        .ok()?;
    let (mut stream, peer) = wait(|| listener.accept().ok())?;
    for end in [
        &stream,
        &std::net::TcpStream::from(caller.try_clone().ok()?),
    ] {
        end.set_nonblocking(false).ok()?;
        end.set_read_timeout(Some(patience::of(WAIT))).ok()?;
    }
    let mut buffer = [0; 5];
    caller.write_all(b"there").ok()?;
    stream.read_exact(&mut buffer).ok()?;
    stream.write_all(b"back!").ok()?;
    caller.read_exact(&mut buffer).ok()?;
    (buffer == *b"back!").then_some(peer.ip())
}

fn udp(client: From<'_>, to: SocketAddr, (netns, at): (&Netns, SocketAddr)) -> Option<IpAddr> {
    let listener = listen(netns, at, UdpSocket::bind);
    listener.set_read_timeout(Some(patience::of(WAIT))).ok()?;
    let caller = socket(client, to, Type::DGRAM, Protocol::UDP);
    caller.set_read_timeout(Some(patience::of(WAIT))).ok()?;
    // The socket accepts only answers from the address that it has sent to.
    caller.connect(&SockAddr::from(to)).ok()?;
    caller.send(b"there").ok()?;
    let mut buffer = [0; 5];
    let (_, peer) = listener.recv_from(&mut buffer).ok()?;
    listener.send_to(b"back!", peer).ok()?;
    (&caller).read_exact(&mut buffer).ok()?;
    (buffer == *b"back!").then_some(peer.ip())
}

/// Binds a socket. The address may be in use for a moment, because programs that other
/// tests start inherit the previous socket.
fn listen<T: Send>(
    netns: &Netns,
    at: SocketAddr,
    bind: impl Fn(SocketAddr) -> io::Result<T> + Sync,
) -> T {
    let bound = wait(|| match netns.run(|| bind(at)) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => None,
        result => Some(result),
    });
    bound
        .unwrap_or_else(|| Err(io::ErrorKind::AddrInUse.into()))
        .unwrap_or_else(|error| panic!("{at}: {error}"))
}

fn socket(client: From<'_>, to: SocketAddr, kind: Type, protocol: Protocol) -> Socket {
    client.netns.run(|| {
        let socket = Socket::new(Domain::for_address(to), kind, Some(protocol))
            .expect("a socket can be made");
        if let Some(address) = client.address {
            let address: IpAddr = address.parse().expect("an IP address");
            let bound = socket.bind(&SockAddr::from(SocketAddr::new(address, 0)));
            bound.unwrap_or_else(|error| panic!("{address}: {error}"));
        }
        socket
    })
}

fn wait<T>(look: impl Fn() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience::of(WAIT);
    loop {
        match look() {
            Some(seen) => return Some(seen),
            None if Instant::now() > end => return None,
            None => sleep(STEP),
        }
    }
}
