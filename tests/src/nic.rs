//! A network card that belongs to the tests: `just test-vm` has one.

use std::env;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::netns::Netns;
use crate::poll;
use crate::process;

/// The card and the one at the other end of its wire, by their names in the
/// namespace that the tests were started in. The kernel gives them back to its
/// first namespace, which is the same one, when theirs is gone.
#[derive(Debug)]
pub struct Nic {
    /// The card's name.
    pub name: String,
    /// The name of the card at the other end.
    pub peer: String,
    /// The MAC address that it keeps.
    pub mac: String,
    /// The path of its device, without links.
    pub path: String,
    /// The address of its PCI device.
    pub pci: String,
    _turn: MutexGuard<'static, ()>,
}

/// The cards' names: `WASMVARK_TEST_NIC` and `WASMVARK_TEST_NIC_PEER`.
fn names() -> Option<(String, String)> {
    let name = |variable| env::var(variable).ok();
    Some((name("WASMVARK_TEST_NIC")?, name("WASMVARK_TEST_NIC_PEER")?))
}

impl Nic {
    /// Whether there is one.
    pub fn is_there() -> bool {
        names().is_some()
    }

    /// Waits until no other test has it.
    pub fn take() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, peer) = names().expect("tests with `Need::Nic` run where it is");
        for name in [&name, &peer] {
            // The test before may have left it to the kernel to give it back.
            poll::until(|| here(&["link", "show", name]), |there| *there);
            assert!(here(&["link", "show", name]), "{name} is gone");
        }
        let path = device(&name);
        Self {
            mac: kept_mac(&name),
            pci: pci(&path),
            path,
            name,
            peer,
            _turn: turn,
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

/// The MAC address that a card keeps, whatever it's set to.
fn kept_mac(name: &str) -> String {
    let links = Netns::current().ip_batch(&["-j"], &format!("link show {name}"));
    let links: serde_json::Value = serde_json::from_str(&links).expect("ip prints JSON");
    let link = &links[0];
    let mac = link["permaddr"].as_str().or(link["address"].as_str());
    mac.expect("a card has an address").to_owned()
}

/// Where the device of a card sits.
fn device(name: &str) -> String {
    let link = format!("/sys/class/net/{name}/device");
    let path = std::fs::canonicalize(&link).unwrap_or_else(|error| panic!("{link}: {error}"));
    path.into_os_string().into_string().expect("a plain path")
}

/// The last PCI address in a path: virtio devices sit on PCI devices.
fn pci(path: &str) -> String {
    let mut parts = path.rsplit('/');
    let address = parts.find(|part| part.contains(':') && part.contains('.'));
    address.expect("the card is on PCI").to_owned()
}

/// Runs a command of `ip` where the tests were started.
fn here(arguments: &[&str]) -> bool {
    let mut ip = std::process::Command::new("ip");
    process::run(ip.args(arguments), b"").code == Some(0)
}
