//! A host between containers on bridges and a neighbour on a wire.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::places::NFT;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

/// The host's addresses on the wire, and the neighbour's.
pub(super) const HOST: [&str; 2] = ["198.51.100.1", "2001:db8:5::1"];
pub(super) const NEIGHBOUR: [&str; 2] = ["198.51.100.2", "2001:db8:5::2"];

/// The table of the driver.
pub(super) const TABLE: &str = "wasmvark-probe";

/// Lets the host forward, with the filter on for packets that come in where
/// nobody would send their answers, gives host and neighbour addresses on the
/// wire, and the neighbour routes to the containers, so that it answers whoever
/// it sees.
pub(super) fn world() -> World {
    let world = World::new();
    for (netns, addresses) in [(&world.host, HOST), (&world.neighbour, NEIGHBOUR)] {
        let link = if std::ptr::eq(netns, &world.host) {
            "p0"
        } else {
            "n0"
        };
        let commands = [
            format!("addr add {}/24 dev {link}", addresses[0]),
            format!("addr add {}/64 dev {link} nodad", addresses[1]),
        ];
        netns.ip_batch(&[], &commands.join("\n"));
    }
    world.neighbour.ip_batch(
        &[],
        &format!(
            "route add 10.96.0.0/12 via {}\nroute add fd96::/16 via {}",
            HOST[0], HOST[1]
        ),
    );
    world.host.forward();
    world.host.set("ipv4/conf/all/rp_filter", "1");
    world
}

/// Whether bridged packets pass the host's firewall as well, as they do where
/// other software has loaded `br_netfilter`. False where that's always so, or
/// never.
pub(super) fn filter_bridged(world: &World, on: bool) -> bool {
    let value = if on { "1" } else { "0" };
    world.host.run(|| {
        let mut settings = ["iptables", "ip6tables"].into_iter();
        settings.all(|tables| {
            let setting = format!("/proc/sys/net/bridge/bridge-nf-call-{tables}");
            std::fs::write(setting, value).is_ok() || !on
        })
    })
}

/// Has the tool `nft` change a namespace's firewall.
pub(super) fn nft(netns: &Netns, commands: &str) {
    let mut nft = netns.command(NFT);
    let output = process::run(nft.args(["-f", "-"]), commands.as_bytes());
    assert_eq!(output.code, Some(0), "nft {commands}: {}", output.stderr);
}

/// All calls that the scripts need.
pub(super) fn grant() -> Grant {
    Grant::of(&[
        "addresses.add",
        "bridge-ports.set-hairpin",
        "links.create-bridge",
        "links.create-veth",
        "links.set-master",
        "links.set-up",
        "routes.add",
        "sysctl.set-route-localnet",
        "firewall.masquerade",
        "firewall.source-address",
    ])
    .on_host()
}

/// A container on network number N: 10.(96+N).0.0/16 and fd96:N::/64, where the
/// host has the addresses that end in 1.
pub(super) struct Container {
    pub(super) netns: Netns,
    pub(super) connection: Connection,
    network: u8,
    number: u8,
}

impl Container {
    pub(super) fn new(network: u8, number: u8) -> Self {
        let [v4, v6] = addresses(network, number);
        let [gateway4, gateway6] = addresses(network, 1);
        let connection = Connection::new(NAME)
            .network("network_interface", format!("br{network}"))
            .network("id", format!("{network:064x}"))
            .container(&id(network, number))
            .subnet(&subnets(network)[0], &gateway4)
            .subnet(&subnets(network)[1], &gateway6)
            .ip(&v4)
            .ip(&v6);
        Self {
            netns: Netns::new(),
            connection,
            network,
            number,
        }
    }

    /// Its IPv4 and IPv6 address.
    pub(super) fn addresses(&self) -> [String; 2] {
        addresses(self.network, self.number)
    }

    /// Sets it up on its bridge, which is handle 0; its own link is handle 1,
    /// and the host's end handle 2. Then come the lines of a script.
    #[track_caller]
    pub(super) fn up(&self, probe: &Probe<'_>, script: &str) {
        answer_of(&self.try_up(probe, script));
    }

    pub(super) fn try_up(&self, probe: &Probe<'_>, script: &str) -> Output {
        let [v4, v6] = self.addresses();
        let [gateway4, gateway6] = addresses(self.network, 1);
        let script = format!(
            "links.create-bridge shared -; ?addresses.add 0 {gateway4}/16; ?addresses.add 0 {gateway6}/64; \
             links.set-up 0; links.create-veth -; links.set-master 2 0; links.set-up 2; \
             addresses.add 1 {v4}/16; addresses.add 1 {v6}/64; links.set-up 1; \
             routes.add container 0.0.0.0/0 unicast gateway={gateway4}; \
             routes.add container ::/0 unicast gateway={gateway6}; {script}"
        );
        self.run(probe, "setup", &script)
    }

    /// Sets it up as a script says.
    #[track_caller]
    pub(super) fn up_with(&self, probe: &Probe<'_>, script: &str) {
        answer_of(&self.try_up_with(probe, script));
    }

    pub(super) fn try_up_with(&self, probe: &Probe<'_>, script: &str) -> Output {
        self.run(probe, "setup", script)
    }

    #[track_caller]
    pub(super) fn down(&self, probe: &Probe<'_>) {
        let output = self.run(probe, "teardown", "");
        assert_eq!(output.code, Some(0), "{output:?}");
    }

    fn run(&self, probe: &Probe<'_>, command: &str, script: &str) -> Output {
        let document = self.connection.clone().option("script", script);
        let netns = self.netns.path();
        let arguments = [command, &*netns.to_string_lossy()];
        probe
            .wasmvark
            .plugin(NAME, &arguments, document.for_plugin())
    }
}

/// The id of a container.
pub(super) fn id(network: u8, number: u8) -> String {
    format!("{network:032x}{number:032x}")
}

/// The subnets of a network.
pub(super) fn subnets(network: u8) -> [String; 2] {
    [
        format!("10.{}.0.0/16", 96 + network),
        format!("fd96:{network}::/64"),
    ]
}

fn addresses(network: u8, number: u8) -> [String; 2] {
    [
        format!("10.{}.0.{number}", 96 + network),
        format!("fd96:{network}::{number}"),
    ]
}

/// With a port behind, as connections take it.
pub(super) fn at(address: &str, port: u16) -> String {
    match address.contains(':') {
        true => format!("[{address}]:{port}"),
        false => format!("{address}:{port}"),
    }
}

/// Nothing is on the host that wasn't there, and no journal.
#[track_caller]
pub(super) fn assert_clean(probe: &Probe<'_>, before: &Dump) {
    assert_unchanged(&probe.world.host, before, "the host");
    let left = probe.wasmvark.run_files();
    assert!(left.is_empty(), "{left:?}");
}
