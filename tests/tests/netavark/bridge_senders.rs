//! The source addresses with which containers on a bridge can send.

use serde_json::json;
use wasmvark_tests::capture::{self, Capture};
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::places;
use wasmvark_tests::process;
use wasmvark_tests::world::World;

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark, Need::Nft];
const TABLE: &str = "wasmvark-wasm-bridge";
/// The host's end of the container's link.
const END: &str = "end0";
/// A MAC address that isn't the container's.
const FALSE_MAC: &str = "02:00:00:00:00:99";
/// The container's addresses, and those of its neighbour.
const PAIRS: [[&str; 2]; 2] = [["10.88.0.2", "10.88.0.3"], ["fd88::2", "fd88::3"]];

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, test: fn()| suite.test(format!("bridge senders/{name}"), NEEDS, test);
    test("another MAC address", || with_another_mac("managed"))
        .proves("bridge", &["mac_spoof_check"]);
    test("on an unmanaged bridge", || with_another_mac("unmanaged"))
        .proves("bridge", &["mac_spoof_check"]);
    test("ARP in another's name", arp).proves("bridge", &["mac_spoof_check"]);
    test("are checked again after a flush", flushed);
}

/// A network with two containers, the first of which is the world's and may be
/// checked. The second one isn't checked by any of this.
struct Network<'a> {
    world: &'a World,
    installed: Installed<'a>,
    connections: [Connection; 2],
    other: Netns,
}

impl<'a> Network<'a> {
    fn new(world: &'a World, mode: &str, check: &str) -> Self {
        let one = Connection::dual("wasm-bridge")
            .network("network_interface", "br0")
            .option("mode", mode)
            .option("mac_spoof_check", check)
            .join("options", json!({"host_interface_name": END}));
        let two = one
            .clone()
            .container("0123456789abcdef")
            .without_join("options")
            .join("static_ips", vec!["10.88.0.3", "fd88::3"]);
        let installed = Installed::example(world, "bridge");
        let other = Netns::new();
        let network = Self {
            world,
            installed,
            connections: [one, two],
            other,
        };
        network.installed.connect(&network.connections[0]);
        let path = network.other.path();
        let netavark = &network.installed.netavark;
        netavark.setup_at(&network.connections[1], &path).unwrap();
        network
    }

    fn end(self) {
        let path = self.other.path();
        let netavark = &self.installed.netavark;
        netavark.teardown_at(&self.connections[1], &path).unwrap();
        self.installed.disconnect(&self.connections[0]);
    }

    /// Gives the container's link a MAC address, which nobody remembers another
    /// one for.
    fn set_mac(&self, mac: &str) {
        let container = &self.world.container;
        container.ip(&format!("link set {INTERFACE} address {mac}"));
        for netns in [container, &self.other] {
            netns.ip(&format!("neigh flush dev {INTERFACE}"));
        }
    }

    /// Whether the container and its neighbour reach each other.
    #[track_caller]
    fn reaches(&self, does: bool) {
        for [own, others] in PAIRS {
            let ends = ((&self.world.container, own), (&self.other, others));
            match does {
                true => echo::exchange(ends.0, ends.1),
                false => echo::silence(ends.0, ends.1),
            }
        }
    }
}

fn with_another_mac(mode: &str) {
    for (check, passes) in [("true", false), ("false", true)] {
        let world = World::forwarding();
        if mode == "unmanaged" {
            let bridge = "link add br0 address 02:00:00:00:00:b0 type bridge\nlink set br0 up";
            world.host.ip_batch(&[], bridge);
        }
        let before = world.dump();
        let network = Network::new(&world, mode, check);
        let own = Dump::of(&world.container).mac(INTERFACE);
        network.reaches(true);
        network.set_mac(FALSE_MAC);
        network.reaches(passes);
        network.set_mac(&own);
        network.reaches(true);
        network.end();
        match mode {
            "managed" => world.assert_unchanged(&before),
            // What the bridge is up for has been there before it.
            _ => assert_eq!(
                Dump::of(&world.host).table(TABLE),
                Vec::<&serde_json::Value>::new()
            ),
        }
    }
}

/// An ARP request for 10.88.0.3: the frame's sender, and the one that the packet
/// names.
fn request(frame: [u8; 6], packet: [u8; 6]) -> Vec<u8> {
    // For IPv4 addresses on Ethernet, a request (RFC 826).
    let head = [0, 1, 8, 0, 6, 4, 0, 1];
    let mut bytes = [&[0xff; 6], &frame, &[8, 6][..], &head, &packet].concat();
    bytes.extend([10, 88, 0, 77, 0, 0, 0, 0, 0, 0, 10, 88, 0, 3]);
    bytes
}

fn bytes(mac: &str) -> [u8; 6] {
    let parts = mac.split(':');
    let bytes = parts.map(|part| u8::from_str_radix(part, 16).unwrap());
    bytes.collect::<Vec<_>>().try_into().unwrap()
}

/// Whether the neighbour gets such a packet, which one in the container's own
/// name follows.
fn gets_arp(network: &Network<'_>, frame: &str, packet: &str) -> bool {
    let container = &network.world.container;
    let own = bytes(&Dump::of(container).mac(INTERFACE));
    let packet = bytes(packet);
    let mut capture = Capture::start(&network.other);
    capture::send(container, INTERFACE, &request(bytes(frame), packet));
    capture::send(container, INTERFACE, &request(own, own));
    let seen = capture.expect("ARP packet from 10.88.0.77", |frame| {
        frame.get(28..32) == Some(&[10, 88, 0, 77])
            && [Some(&packet[..]), Some(&own)].contains(&frame.get(22..28))
    });
    seen[22..28] == packet
}

fn arp() {
    for (check, passes) in [("true", false), ("false", true)] {
        let world = World::forwarding();
        let network = Network::new(&world, "managed", check);
        let own = Dump::of(&world.container).mac(INTERFACE);
        assert_eq!(gets_arp(&network, &own, FALSE_MAC), passes);
        assert_eq!(gets_arp(&network, FALSE_MAC, FALSE_MAC), passes);
        network.end();
    }
}

fn flushed() {
    let world = World::forwarding();
    let before = world.dump();
    let network = Network::new(&world, "managed", "true");
    let own = Dump::of(&world.container).mac(INTERFACE);
    let connected = Dump::of(&world.host);
    for command in [
        "flush ruleset",
        "delete table bridge TABLE",
        "flush chain bridge TABLE senders",
        "flush set bridge TABLE checked",
    ] {
        let mut nft = world.host.command(places::NFT);
        let command = command.replace("TABLE", TABLE);
        let output = process::run(nft.args(["-f", "-"]), command.as_bytes());
        assert_eq!(output.code, Some(0), "{output:?}");
        let output = network.installed.wasmvark.administer(&["reload"]);
        assert_eq!(output.code, Some(0), "{output:?}");
        let now = Dump::of(&world.host);
        assert_eq!(connected.differences(&now), "", "{command}: {output:?}");
    }
    network.reaches(true);
    network.set_mac(FALSE_MAC);
    network.reaches(false);
    network.set_mac(&own);
    network.reaches(true);
    network.end();
    world.assert_unchanged(&before);
}
