//! The frames that come in somewhere.

use std::io::Read;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use crate::netns::Netns;

/// Every protocol (ETH_P_ALL in `linux/if_ether.h`).
const ALL: u16 = 3;
const PATIENCE: Duration = Duration::from_secs(5);
const WAIT: Duration = Duration::from_millis(100);

/// Keeps the frames of all links of a namespace, from when it's made.
#[derive(Debug)]
pub struct Capture(Socket);

impl Capture {
    /// Starts.
    pub fn start(netns: &Netns) -> Self {
        let protocol = Protocol::from(i32::from(ALL.to_be()));
        let socket = netns.run(|| Socket::new(Domain::PACKET, Type::RAW, Some(protocol)));
        let socket = socket.expect("frames can be captured");
        socket
            .set_read_timeout(Some(WAIT))
            .expect("a time limit can be set");
        Self(socket)
    }

    /// Waits for a frame with these bytes behind both MAC addresses and
    /// returns it.
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
