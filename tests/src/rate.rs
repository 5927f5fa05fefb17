//! Measurements of the bit rate between two namespaces.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::netns::Netns;
use crate::poll;

/// The payload of a full TCP segment with timestamps over Ethernet, in bytes.
const PAYLOAD: f64 = 1448.0;
/// The length of the frame of such a segment, in bytes.
const FRAME: f64 = 1514.0;

/// The greatest difference between the measured rate and the limit, as a share of the
/// limit.
pub const TOLERANCE: f64 = 0.1;

/// The most measurements. A busy machine delays bytes, so a rate may be too low without
/// a fault.
const TRIES: usize = 5;

/// Checks that the rate reaches a limit in bits per second, and never exceeds it.
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

/// Sends `bytes` after a burst, and returns the rate of the frames in bits per second.
/// The burst isn't measured.
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
