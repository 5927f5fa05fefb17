//! How fast bytes pass from one namespace to another.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::netns::Netns;
use crate::poll;

/// The payload of a full TCP segment over Ethernet, with timestamps, and its
/// bytes on the wire.
const PAYLOAD: f64 = 1448.0;
const FRAME: f64 = 1514.0;

/// How far what is measured may be from the limit.
pub const TOLERANCE: f64 = 0.1;

/// How often it's measured at most. A machine that has other things to do makes
/// bytes late, which is no fault of the limit.
const TRIES: usize = 5;

/// Checks that bytes pass as fast as the limit allows in bits per second, and
/// never faster.
#[track_caller]
pub fn assert_limited(
    limit: u32,
    from: (&Netns, &str),
    to: (&Netns, &str),
    burst: usize,
    bytes: usize,
) {
    let mut ratios = Vec::new();
    for _ in 0..TRIES {
        let ratio = measure(from, to, burst, bytes) / f64::from(limit);
        assert!(ratio < 1.0 + TOLERANCE, "{ratio} of the limit");
        if ratio > 1.0 - TOLERANCE {
            return;
        }
        ratios.push(ratio);
    }
    panic!("{ratios:?} of the limit");
}

/// Sends this many bytes after the burst that may go at once, and returns the
/// bits per second that the frames had.
pub fn measure(from: (&Netns, &str), to: (&Netns, &str), burst: usize, bytes: usize) -> f64 {
    let address: IpAddr = to.1.parse().expect("an IP address");
    let listen = || to.0.run(|| TcpListener::bind((address, 0)));
    let server = poll::until(listen, Result::is_ok).expect("the address is there");
    let place = server.local_addr().expect("the socket has an address");
    let receiver = thread::spawn(move || {
        let (mut stream, _) = server.accept().expect("somebody calls");
        let limit = Some(Duration::from_secs(30));
        stream.set_read_timeout(limit).expect("a limit can be set");
        let mut buffer = vec![0; 1 << 16];
        let (mut received, mut start) = (0, None);
        while received < burst + bytes {
            received += match stream.read(&mut buffer).expect("bytes come") {
                0 => panic!("the connection ended after {received} bytes"),
                count => count,
            };
            if start.is_none() && received >= burst {
                start = Some((Instant::now(), received));
            }
        }
        let (start, before) = start.expect("the burst has come");
        (received - before, start.elapsed())
    });
    let connect = || from.0.run(|| TcpStream::connect(place));
    let mut client = poll::until(connect, Result::is_ok).expect("the server is reached");
    client
        .write_all(&vec![0; burst + bytes])
        .expect("bytes can be sent");
    let (received, time) = receiver.join().expect("all has come");
    let bits = u32::try_from(received * 8).expect("not that many");
    f64::from(bits) * FRAME / PAYLOAD / time.as_secs_f64()
}
