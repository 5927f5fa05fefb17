//! The requested features of links, read by `ioctl` with ETHTOOL_GFEATURES
//! (`linux/ethtool.h`).

use nix::libc;
use socket2::{Domain, Socket, Type};

/// ETHTOOL_GFEATURES of `linux/ethtool.h`.
const GET_FEATURES: u32 = 0x3a;
/// The number of words with 32 features each. No kernel has as many.
const WORDS: usize = 8;

#[repr(C)]
#[derive(Default)]
struct Word {
    available: u32,
    requested: u32,
    active: u32,
    never_changed: u32,
}

#[repr(C)]
#[derive(Default)]
struct Features {
    command: u32,
    size: u32,
    words: [Word; WORDS],
}

mod control {
    use nix::libc;
    nix::ioctl_readwrite_bad!(ethtool, libc::SIOCETHTOOL, libc::ifreq);
}

/// Reads the requested features of a link in this thread's namespace, as bits.
pub(crate) fn requested(link: &str) -> Vec<u32> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("a socket can be made");
    let mut features = Features {
        command: GET_FEATURES,
        size: u32::try_from(WORDS).expect("few words"),
        ..Features::default()
    };
    // SAFETY: the structure consists of plain numbers, for which zero is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(link.bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_data = (&raw mut features).cast();
    let socket = std::os::fd::AsRawFd::as_raw_fd(&socket);
    // SAFETY: both structures live until the call returns, and `size` is the length of
    // the list.
    let answer = unsafe { control::ethtool(socket, &raw mut request) };
    if answer.is_err() {
        return Vec::new();
    }
    features.words.iter().map(|word| word.requested).collect()
}
