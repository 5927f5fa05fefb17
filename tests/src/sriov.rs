//! The network card with SR-IOV that tests may use. `just test-sriov` has one, and runs
//! one test at a time.

use std::env;
use std::fs;

use crate::netns::Netns;
use crate::poll;
use crate::wire::{self, NEIGHBOUR, PARENT};
use crate::world::World;

/// The PCI address of the card, and that of the card at the other end of its wire.
const CARD: &str = "WASMVARK_TEST_SRIOV";
const PEER: &str = "WASMVARK_TEST_SRIOV_PEER";

/// Whether there is a card for tests.
pub fn is_there() -> bool {
    env::var_os(CARD).is_some() && env::var_os(PEER).is_some()
}

/// Makes a world in which the host's [`PARENT`] is the card.
pub fn world(vfs: usize) -> World {
    let world = World::new();
    lay(&world, vfs);
    world
}

/// Puts the card in the place of a host's [`PARENT`]. It has this number of VFs, whose
/// links are `vf0`, `vf1` and so on.
pub fn lay(world: &World, vfs: usize) {
    let card = address(CARD);
    // The kernel may still be moving them back from the namespaces of an earlier test.
    for device in [&card, &address(PEER)] {
        link_of(device);
    }
    make_vfs(&card, vfs);
    world.host.ip(&format!("link del {PARENT}"));
    move_to(&world.host, &link_of(&card), PARENT);
    move_to(&world.neighbour, &link_of(&address(PEER)), NEIGHBOUR);
    world.host.ip(&format!("link set {PARENT} up"));
    world.neighbour.ip("addr flush dev lo scope global");
    wire::dress(&world.neighbour);
    wire::wait_for_carrier(&world.host, PARENT);
    for number in 0..vfs {
        let name = link(number);
        move_to(&world.host, &link_of(&vf_device(&card, number)), &name);
        settle(world, &name);
    }
}

/// Returns the name of a VF's link.
pub fn link(vf: usize) -> String {
    format!("vf{vf}")
}

/// Sets the link of a VF up and down, so that the card and the VF's driver know the
/// address that it has. In a namespace of its own, its queue stays that of a new link.
pub fn settle(world: &World, name: &str) {
    let elsewhere = Netns::empty();
    let to = |netns: &Netns| format!("link set {name} netns {}", netns.path().display());
    world.host.ip(&to(&elsewhere));
    let lines = format!(
        "link set {name} up\nlink set {name} down\n{}",
        to(&world.host)
    );
    elsewhere.ip_batch(&[], &lines);
}

/// Returns a VF of the host's card as `ip` shows it.
pub fn vf(world: &World, number: usize) -> serde_json::Value {
    let links = world
        .host
        .ip_batch(&["-j", "-d"], &format!("link show {PARENT}"));
    let links: serde_json::Value = serde_json::from_str(&links).expect("ip prints JSON");
    let vfs = links[0]["vfinfo_list"].as_array().expect("a list of VFs");
    let is_it = |vf: &&serde_json::Value| vf["vf"] == number;
    vfs.iter().find(is_it).expect("the card has the VF").clone()
}

fn address(variable: &str) -> String {
    env::var(variable).expect("tests with `Need::Vfs` run where it is set")
}

fn make_vfs(card: &str, count: usize) {
    let file = format!("/sys/bus/pci/devices/{card}/sriov_numvfs");
    let now = fs::read_to_string(&file).expect("the card has SR-IOV");
    if now.trim() == count.to_string() {
        return;
    }
    for number in ["0", &count.to_string()] {
        fs::write(&file, number).expect("the card makes VFs");
    }
}

fn vf_device(card: &str, number: usize) -> String {
    let link = format!("/sys/bus/pci/devices/{card}/virtfn{number}");
    let device = fs::read_link(&link).expect("the card has the VF");
    let name = device.file_name().and_then(std::ffi::OsStr::to_str);
    name.expect("a plain name").to_owned()
}

/// Waits for a device's link in the namespace in which the tests were started.
fn link_of(device: &str) -> String {
    let folder = format!("/sys/bus/pci/devices/{device}");
    // virtio devices are below PCI devices.
    let find = || {
        let below = fs::read_dir(&folder).into_iter().flatten().flatten();
        let below = below.map(|entry| entry.path()).filter(|path| path.is_dir());
        let mut folders = vec![folder.clone().into()];
        folders.extend(below);
        let links = folders.iter().map(|folder| folder.join("net"));
        let links = links.flat_map(|net| fs::read_dir(net).into_iter().flatten().flatten());
        let mut names = links.filter_map(|entry| entry.file_name().into_string().ok());
        names.next()
    };
    let found = poll::until(find, Option::is_some);
    found.unwrap_or_else(|| panic!("{device} has no link"))
}

fn move_to(netns: &Netns, link: &str, name: &str) {
    let path = netns.path();
    let command = format!(
        "link set {link} down\nlink set {link} netns {} name {name}",
        path.display()
    );
    Netns::current().ip_batch(&[], &command);
}
