//! The command on each driver's page that makes a network. Real Podman runs it as it's
//! written, and a container on the network must reach its peers.

use std::collections::BTreeSet;
use std::fs;

use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Need;
use wasmvark_tests::kind::Kind;
use wasmvark_tests::process;
use wasmvark_tests::tap::{self, TapReader};
use wasmvark_tests::{places, wire};

use crate::case::Cases;
use crate::machine::{Account, Machine};
use crate::podman::{Container, Podman};

/// A driver with its page, `docs/drivers/DRIVER.md`.
pub(crate) struct Page {
    pub(crate) driver: &'static str,
    /// What the kernel must have for its links, and the neighbour.
    needs: &'static [Need],
    /// The kind of the container's link, as `ip` names it.
    kind: &'static str,
    /// What `podman run` needs besides the network.
    run: &'static str,
    /// Links that the container has besides its own.
    beside: &'static [&'static str],
    /// The options of the line whose effect is looked at.
    proves: &'static [&'static str],
    /// Lays what the line speaks of, besides the machine's interface.
    lay: fn(&Machine),
    /// Checks that packets pass.
    check: fn(&Container<'_>),
}

/// All of them; each has a test of its own.
pub(crate) const PAGES: &[Page] = &[
    Page {
        driver: "bridge",
        needs: &[],
        kind: "veth",
        run: "",
        beside: &[],
        proves: &[],
        // What stays is there already.
        lay: |machine| machine.host.forward(),
        check: reaches_gateway_on_host,
    },
    Page {
        driver: "dummy",
        needs: &[Need::Link(Kind::Dummy)],
        kind: "dummy",
        run: "",
        beside: &[],
        proves: &[],
        lay: |_| (),
        check: reaches_itself,
    },
    Page {
        driver: "host-device",
        needs: &[],
        kind: "veth",
        run: "",
        beside: &[],
        proves: &["parent"],
        lay: |machine| lay_gateways(machine, NEIGHBOUR),
        check: reaches_gateways,
    },
    Page {
        driver: "ipvlan",
        needs: &[Need::Link(Kind::Ipvlan)],
        kind: "ipvlan",
        run: "",
        beside: &[],
        proves: &["parent"],
        lay: |machine| lay_gateways(machine, NEIGHBOUR),
        check: reaches_gateways,
    },
    Page {
        driver: "macvlan",
        needs: &[],
        kind: "macvlan",
        run: "",
        beside: &[],
        proves: &["parent"],
        lay: |machine| lay_gateways(machine, NEIGHBOUR),
        check: reaches_gateways,
    },
    Page {
        driver: "ptp",
        needs: &[],
        kind: "veth",
        run: "",
        beside: &[],
        proves: &[],
        // What stays is there already.
        lay: |machine| machine.host.forward(),
        check: reaches_gateway_on_host,
    },
    Page {
        driver: "sriov",
        needs: &[Need::Vfs],
        kind: "",
        run: "",
        beside: &[],
        proves: &[],
        lay: |_| (),
        check: reaches_gateways,
    },
    Page {
        driver: "tap",
        needs: &[],
        kind: "tun",
        run: "--device /dev/net/tun",
        beside: &[],
        proves: &["owner"],
        lay: |_| (),
        check: is_read_by_a_program,
    },
    Page {
        driver: "vlan",
        needs: &[Need::Link(Kind::Vlan)],
        kind: "vlan",
        run: "",
        beside: &[],
        proves: &["vlan", "parent"],
        lay: |machine| {
            machine.neighbour.ip("link add far0 link n0 type vlan id 7");
            lay_gateways(machine, "far0");
        },
        check: reaches_gateways,
    },
    Page {
        driver: "vrf",
        needs: &[Need::Link(Kind::Vrf)],
        kind: "macvlan",
        run: "",
        beside: &["blue"],
        proves: &["parent", "vrf_name"],
        lay: |machine| lay_gateways(machine, NEIGHBOUR),
        check: reaches_gateways_through_vrf,
    },
    Page {
        driver: "vxlan",
        needs: &[Need::Link(Kind::Vxlan)],
        kind: "vxlan",
        run: "",
        beside: &[],
        proves: &["id", "remote"],
        lay: |machine| {
            lay_outside(machine);
            let far = "link add far0 type vxlan id 7 remote 198.51.100.1 dstport 4789";
            machine.neighbour.ip(far);
            lay_gateways(machine, "far0");
        },
        check: reaches_gateways,
    },
    Page {
        driver: "wireguard",
        needs: &[Need::Link(Kind::Wireguard), Need::WireguardTools],
        kind: "wireguard",
        run: "",
        beside: &[],
        proves: &[
            "private_key_secret",
            "peer.NAME.key",
            "peer.NAME.endpoint",
            "peer.NAME.allowed_ips",
        ],
        lay: lay_tunnel,
        check: reaches_gateways,
    },
];

/// The neighbour's interface.
const NEIGHBOUR: &str = "n0";

/// The pages' name for somebody's bridge.
const BRIDGE: &str = "br0";

/// The container's addresses, the first that Podman chooses in the subnets of
/// the pages, and the gateways that it chooses.
const ADDRESSES: [(&str, &str); 2] = [("192.0.2.2", "192.0.2.1"), ("2001:db8::2", "2001:db8::1")];

/// The key that goes with the page's public one, and the container's with its
/// public one (X25519, RFC 7748).
const PEER_KEY: &str = "AAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAkI=";
const OWN_KEY: &str = "AAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAUE=";
const OWN_PUBLIC_KEY: &str = "pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk=";

pub(crate) fn register(cases: &mut Cases) {
    cases.add_clean("pages/all lines make networks", all_lines);
    for page in PAGES {
        let name = match page.needs {
            [] => format!("pages/{}", page.driver),
            _ => format!("pages of a full kernel/{}", page.driver),
        };
        let added = cases.add_clean_with(page.needs, &name, |machine| one_page(machine, page));
        added.proves(page.driver, page.proves);
    }
    let needs = &[Need::Link(Kind::VlanBridge)];
    let name = "pages of a full kernel/bridge of somebody";
    let added = cases.add_clean_with(needs, name, bridge_of_somebody);
    added.proves("bridge", &["mode", "parent", "vlan"]);
}

/// Whatever the kernel has: the drivers make nothing yet.
fn all_lines(machine: &Machine) {
    let folder = fs::read_dir(places::workspace().join("docs/drivers")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path());
    let drivers: BTreeSet<String> = files
        .map(|file| file.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let tried: BTreeSet<String> = PAGES.iter().map(|page| page.driver.to_owned()).collect();
    assert_eq!(drivers, tried, "the pages, and those that are tried here");
    let podman = installed(machine, PAGES);
    let mut interface = wire::PARENT.to_owned();
    for page in PAGES {
        for line in Line::all(page)
            .iter()
            .filter(|line| line.interface != BRIDGE)
        {
            rename(machine, &interface, &line.interface);
            interface.clone_from(&line.interface);
            let before = machine.before();
            line.run(machine);
            let network = podman.network(&line.network);
            assert_eq!(network["driver"], format!("wasm-{}", page.driver));
            podman.run(&format!("network rm {}", line.network));
            machine.assert_nothing_left(&before);
        }
    }
}

/// A container in a VLAN of a bridge that is there already.
fn bridge_of_somebody(machine: &Machine) {
    let page = PAGES.iter().find(|page| page.driver == "bridge");
    let page = page.expect("the bridge has a page");
    let podman = installed(machine, std::slice::from_ref(page));
    let line = Line::all(page)
        .into_iter()
        .find(|line| line.interface == BRIDGE);
    let line = line.expect("the page has such a line");
    // Without an address of its own it takes its ports', and what it can send
    // it takes from its first port.
    let bridge = [
        Kind::VlanBridge.command(BRIDGE, ""),
        format!("link set {BRIDGE} address 02:00:00:00:00:b0"),
        format!("link add other0 master {BRIDGE} type veth peer other1"),
    ];
    machine.host.ip_batch(&[], &bridge.join("\n"));
    let before = machine.before();
    line.run(machine);
    let container = podman.start("c", &format!("--network {}", line.network));
    let dump = container.assert_inspect_is_true(&line.network, "eth0");
    assert_eq!(dump.kind("eth0"), "veth");
    let vlans = Dump::of(&machine.host).vlans();
    assert!(
        vlans.iter().any(|port| port.ends_with(" 7 pvid untagged")),
        "{vlans:?}"
    );
    podman.remove("c");
    podman.run(&format!("network rm {}", line.network));
    machine.assert_nothing_left(&before);
}

/// A container on the page's network.
fn one_page(machine: &Machine, page: &Page) {
    let podman = installed(machine, std::slice::from_ref(page));
    let line = Line::of(page);
    rename(machine, wire::PARENT, &line.interface);
    (page.lay)(machine);
    let before = machine.before();
    line.run(machine);
    let options = format!("{} --network {}", page.run, line.network);
    let container = podman.start("c", &options);
    let dump = container.assert_inspect_is_true(&line.network, "eth0");
    assert_eq!(dump.link_names(), [page.beside, &["eth0", "lo"]].concat());
    assert_eq!(dump.kind("eth0"), page.kind);
    (page.check)(&container);
    podman.remove("c");
    podman.run(&format!("network rm {}", line.network));
    machine.assert_nothing_left(&before);
}

/// The line of a page.
pub(crate) struct Line {
    /// The line, which a shell runs.
    text: String,
    /// The interface of the host that it names, or else one that hosts have.
    pub(crate) interface: String,
    /// The network's name.
    pub(crate) network: String,
}

impl Line {
    /// The one that the page begins with.
    fn of(page: &Page) -> Self {
        let mut all = Self::all(page);
        assert!(!all.is_empty(), "{}: no line makes a network", page.driver);
        all.swap_remove(0)
    }

    fn all(page: &Page) -> Vec<Self> {
        Self::in_file(&format!("docs/drivers/{}.md", page.driver))
    }

    /// Those of a file of the project.
    pub(crate) fn in_file(path: &str) -> Vec<Self> {
        let text = fs::read_to_string(places::workspace().join(path)).unwrap();
        let blocks = text.split("```sh\npodman network create ").skip(1);
        blocks.map(Self::new).collect()
    }

    /// From where its block goes on after `podman network create`.
    fn new(block: &str) -> Self {
        let (line, _) = block.split_once("\n```").expect("the block ends");
        let mut words = line.split_whitespace();
        let interface = words.clone().find_map(|word| word.strip_prefix("parent="));
        Self {
            text: format!("podman network create {line}"),
            interface: interface.unwrap_or("eth0").to_owned(),
            network: words.next_back().expect("a name").to_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn run(&self, machine: &Machine) {
        let output = machine.run(Account::Root, &["bash", "-c", &self.text]);
        assert_eq!(output.code, Some(0), "{}: {output:?}", self.text);
        assert_eq!(output.stdout.trim_end(), self.network);
    }
}

/// Podman with the drivers as `just install` grants them.
pub(crate) fn installed<'a>(machine: &'a Machine, pages: &[Page]) -> Podman<'a> {
    machine.copy(&places::wasmvark(), "/usr/local/bin/wasmvark");
    let podman = Podman::new(machine, Account::Root);
    for Page { driver, .. } in pages {
        let name = format!("wasm-{driver}");
        let grant = Grant::example(driver).to_toml(&name, &places::guest(driver));
        podman.install_with(driver, &name, &grant);
    }
    podman
}

/// The machine's interface gets the name that the page has for it.
pub(crate) fn rename(machine: &Machine, from: &str, to: &str) {
    if from != to {
        let commands = format!("link set {from} down\nlink set {from} name {to}\nlink set {to} up");
        machine.host.ip_batch(&[], &commands);
    }
    wire::wait_for_carrier(&machine.host, to);
}

/// The neighbour has the gateways' addresses on this link.
fn lay_gateways(machine: &Machine, link: &str) {
    let commands = ADDRESSES
        .map(|(_, gateway)| match gateway.contains(':') {
            true => format!("addr add {gateway}/64 dev {link} nodad\n"),
            false => format!("addr add {gateway}/24 dev {link}\n"),
        })
        .concat();
    let lo = "addr del 192.0.2.1/32 dev lo\naddr del 2001:db8::1/128 dev lo\n";
    machine
        .neighbour
        .ip_batch(&[], &format!("{lo}{commands}link set {link} up"));
}

/// Host and neighbour have addresses by which tunnels reach the other end.
fn lay_outside(machine: &Machine) {
    machine.host.ip("addr add 198.51.100.1/24 dev eth0");
    machine.neighbour.ip("addr add 198.51.100.2/24 dev n0");
}

/// The neighbour is the page's peer, and knows the container by its key.
fn lay_tunnel(machine: &Machine) {
    lay_outside(machine);
    machine.neighbour.ip("link add far0 type wireguard");
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, PEER_KEY).unwrap();
    let mut wg = machine.neighbour.command("wg");
    wg.args(["set", "far0", "listen-port", "51820", "private-key"]);
    wg.arg(key).args(["peer", OWN_PUBLIC_KEY, "allowed-ips"]);
    let output = process::run(wg.arg("192.0.2.2/32,2001:db8::2/128"), b"");
    assert_eq!(output.code, Some(0), "{output:?}");
    lay_gateways(machine, "far0");
    machine.write("/etc/wasmvark/secrets/office", OWN_KEY);
    let secret = ["chmod", "600", "/etc/wasmvark/secrets/office"];
    assert_eq!(machine.run(Account::Root, &secret).code, Some(0));
}

fn reaches_gateways(container: &Container<'_>) {
    for (own, gateway) in ADDRESSES {
        container.reaches(own, gateway);
    }
}

fn reaches_gateways_through_vrf(container: &Container<'_>) {
    container.wait_for_addresses();
    for (_, gateway) in ADDRESSES {
        let mut ping = container.netns().command("ping");
        ping.args(["-c", "1", "-w", "5", "-I", "blue", gateway]);
        let output = process::run(&mut ping, b"");
        assert_eq!(output.code, Some(0), "{gateway}: {output:?}");
    }
}

fn reaches_gateway_on_host(container: &Container<'_>) {
    container.wait_for_addresses();
    for (own, gateway) in ADDRESSES {
        let inside = (&container.netns(), own);
        echo::exchange(inside, (&container.machine().host, gateway));
    }
}

fn reaches_itself(container: &Container<'_>) {
    container.wait_for_addresses();
    let netns = container.netns();
    for (own, _) in ADDRESSES {
        echo::exchange((&netns, own), (&netns, own));
    }
}

/// The tap has no addresses by itself.
fn is_read_by_a_program(container: &Container<'_>) {
    container.sh("test -c /dev/net/tun");
    let netns = container.netns();
    let opened = tap::open_as(&netns, ["1000", "1000"]);
    assert_eq!(opened.code, Some(0), "the owner: {opened:?}");
    let refused = tap::open_as(&netns, ["1009", "1009"]);
    assert_ne!(refused.code, Some(0), "another: {refused:?}");
    let reader = TapReader::start(&netns);
    netns.ip_batch(
        &[],
        "addr add 192.0.2.2/24 dev eth0\naddr add 2001:db8::2/64 dev eth0 nodad",
    );
    netns.run(|| {
        for (own, other) in [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")] {
            let socket = std::net::UdpSocket::bind(own).unwrap();
            socket.send_to(b"there", other).unwrap();
        }
    });
    reader.sees_both();
}
