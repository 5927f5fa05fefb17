//! The network card that tests may use. `just test-vm` has one.

use std::env;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::netns::Netns;
use crate::poll;
use crate::process;

/// A network card, and the card at the other end of its wire.
///
/// They are in the namespace in which the tests were started. It must be the kernel's
/// first one, to which the kernel moves hardware when its namespace is deleted.
#[derive(Debug)]
pub struct Nic {
    /// The card's name.
    pub name: String,
    /// The name of the card at the other end.
    pub peer: String,
    /// The card's permanent MAC address.
    pub mac: String,
    /// The path of the card's device, with symbolic links resolved.
    pub path: String,
    /// The address of the card's PCI device.
    pub pci: String,
    _lock: MutexGuard<'static, ()>,
}

/// Returns the names of the cards from `WASMVARK_TEST_NIC` and
/// `WASMVARK_TEST_NIC_PEER`.
fn names() -> Option<(String, String)> {
    let name = |variable| env::var(variable).ok();
    Some((name("WASMVARK_TEST_NIC")?, name("WASMVARK_TEST_NIC_PEER")?))
}

impl Nic {
    /// Whether there is a card for tests.
    pub fn is_there() -> bool {
        names().is_some()
    }

    /// Waits until no other test uses the card, and takes it.
    pub fn take() -> Self {
        static LOCK: Mutex<()> = Mutex::new(());
        let lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, peer) = names().expect("tests with `Need::Nic` run where it is");
        for name in [&name, &peer] {
            // The kernel may still be moving the card back from the namespace of an
            // earlier test.
            poll::until(|| here(&["link", "show", name]), |there| *there);
            assert!(here(&["link", "show", name]), "{name} is gone");
        }
        let path = device(&name);
        Self {
            mac: permanent_mac(&name),
            pci: pci(&path),
            path,
            name,
            peer,
            _lock: lock,
        }
    }

    /// Moves the card into one namespace and its peer into another.
    pub fn move_to(&self, netns: &Netns, peer_netns: &Netns) {
        for (name, netns) in [(&self.name, netns), (&self.peer, peer_netns)] {
            let path = netns.path();
            let moved = here(&["link", "set", name, "netns", &path.to_string_lossy()]);
            assert!(moved, "{name} can be moved");
        }
    }
}

/// Returns the permanent MAC address of a card.
fn permanent_mac(name: &str) -> String {
    let links = Netns::current().ip_batch(&["-j"], &format!("link show {name}"));
    let links: serde_json::Value = serde_json::from_str(&links).expect("ip prints JSON");
    let link = &links[0];
    let mac = link["permaddr"].as_str().or(link["address"].as_str());
    mac.expect("a card has an address").to_owned()
}

/// Returns the path of a card's device.
fn device(name: &str) -> String {
    let link = format!("/sys/class/net/{name}/device");
    let path = std::fs::canonicalize(&link).unwrap_or_else(|error| panic!("{link}: {error}"));
    path.into_os_string().into_string().expect("a plain path")
}

/// Returns the last PCI address in a path. virtio devices are below PCI devices.
fn pci(path: &str) -> String {
    let mut parts = path.rsplit('/');
    let address = parts.find(|part| part.contains(':') && part.contains('.'));
    address.expect("the card is on PCI").to_owned()
}

/// Runs a command of `ip` in the namespace in which the tests were started.
fn here(arguments: &[&str]) -> bool {
    let mut ip = std::process::Command::new("ip");
    process::run(ip.args(arguments), b"").code == Some(0)
}
