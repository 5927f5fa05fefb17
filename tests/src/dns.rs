//! Questions to a DNS server (RFC 1035).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use crate::netns::Netns;
use crate::patience;
use crate::poll;

const WAIT: Duration = Duration::from_millis(500);
const ID: [u8; 2] = [0x57, 0x56];
const HEADER: usize = 12;
const TYPE_A: u8 = 1;
const TYPE_AAAA: u8 = 28;
/// The answer's code for "there is no such name".
const NXDOMAIN: u8 = 3;

/// Asks a server for the addresses of a name, until it answers. Returns them sorted, or
/// `None` if there is no such name.
#[track_caller]
pub fn look_up(netns: &Netns, server: &str, name: &str) -> Option<Vec<IpAddr>> {
    let mut all = Vec::new();
    for kind in [TYPE_A, TYPE_AAAA] {
        let asked = || ask(netns, server, name, kind);
        let answer = poll::until(asked, Result::is_ok);
        match answer {
            Ok(found) => all.extend(found?),
            Err(error) => panic!("{server}, {name}: {error}"),
        }
    }
    all.sort();
    Some(all)
}

/// Asks a server once. Returns whether any answer came.
pub fn answers(netns: &Netns, server: &str, name: &str) -> bool {
    ask(netns, server, name, TYPE_A).is_ok()
}

fn ask(netns: &Netns, server: &str, name: &str, kind: u8) -> io::Result<Option<Vec<IpAddr>>> {
    let server = SocketAddr::new(server.parse().expect("an address"), 53);
    let any: IpAddr = match server.is_ipv4() {
        true => Ipv4Addr::UNSPECIFIED.into(),
        false => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = netns.run(|| UdpSocket::bind((any, 0)))?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(patience::of(WAIT)))?;
    socket.send(&question(name, kind))?;
    let mut buffer = [0; 2048];
    let count = socket.recv(&mut buffer)?;
    Ok(read(&buffer[..count]))
}

/// Answers one question at an address, as a server to which others forward, and returns
/// the name that was asked for. It says that there is no such name.
pub fn be_asked(socket: &UdpSocket) -> io::Result<String> {
    let mut buffer = [0; 2048];
    let (count, from) = socket.recv_from(&mut buffer)?;
    let mut answer = buffer[..count].to_vec();
    answer[2] |= 0x80;
    answer[3] = (answer[3] & 0xf0) | NXDOMAIN;
    // No additional records.
    answer[10..HEADER].fill(0);
    let end = end_of_name(&answer, HEADER) + 4;
    answer.truncate(end);
    socket.send_to(&answer, from)?;
    let mut labels = Vec::new();
    let mut at = HEADER;
    while answer[at] != 0 {
        let end = at + 1 + usize::from(answer[at]);
        labels.push(String::from_utf8_lossy(&answer[at + 1..end]).into_owned());
        at = end;
    }
    Ok(labels.join("."))
}

fn question(name: &str, kind: u8) -> Vec<u8> {
    // A query with recursion desired, and one question.
    let mut bytes = [&ID[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    for label in name.split('.') {
        bytes.push(label.len().try_into().expect("a short label"));
        bytes.extend(label.as_bytes());
    }
    bytes.extend([0, 0, kind, 0, 1]);
    bytes
}

fn read(answer: &[u8]) -> Option<Vec<IpAddr>> {
    assert_eq!(answer[..2], ID, "the question's number");
    if answer[3] & 0xf == NXDOMAIN {
        return None;
    }
    let count = u16::from_be_bytes([answer[6], answer[7]]);
    let mut at = end_of_name(answer, HEADER) + 4;
    let mut addresses = Vec::new();
    for _ in 0..count {
        at = end_of_name(answer, at);
        let length = usize::from(u16::from_be_bytes([answer[at + 8], answer[at + 9]]));
        let data = &answer[at + 10..at + 10 + length];
        if let Ok(v4) = <[u8; 4]>::try_from(data) {
            addresses.push(IpAddr::from(v4));
        } else if let Ok(v6) = <[u8; 16]>::try_from(data) {
            addresses.push(IpAddr::from(v6));
        }
        at += 10 + length;
    }
    Some(addresses)
}

fn end_of_name(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes[at] {
            0 => return at + 1,
            // A pointer to an earlier name.
            length if length >= 0xc0 => return at + 2,
            length => at += 1 + usize::from(length),
        }
    }
}
