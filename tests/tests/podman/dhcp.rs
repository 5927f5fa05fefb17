//! Addresses by DHCP, which netavark's own proxy asks a real server for.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use wasmvark_tests::echo;
use wasmvark_tests::harness::Need;
use wasmvark_tests::poll;
use wasmvark_tests::wire::NEIGHBOUR;

use crate::case::{Cases, MACVLAN};
use crate::machine::{Machine, Program, SLOW};
use crate::podman::{Container, Podman};

const SERVER: &str = "10.66.0.1";
const RANGE: (&str, &str) = ("10.66.0.50", "10.66.0.59");
const SOCKET: &str = "/run/podman/nv-proxy.sock";
const LEASES: &str = "/run/podman/nv-proxy.lease";

pub(crate) fn register(cases: &mut Cases) {
    let needs = [Need::InPodmanTrees("usr/sbin/dnsmasq")];
    cases.add_with(&needs, "dhcp/a lease and its end", a_lease_and_its_end);
}

/// A network without subnets gets its addresses so by itself.
fn a_lease_and_its_end(podman: &Podman) {
    let machine = podman.machine;
    let server = start_server(machine);
    let proxy = start_proxy(machine);
    podman.run(&format!("network create -d {MACVLAN} -o parent=p0 lan"));
    let network = podman.network("lan");
    assert_eq!(network["ipam_options"], json!({"driver": "dhcp"}));
    assert_eq!(network["dns_enabled"], false);
    let container = podman.start("c", "--network lan");
    assert_has_a_lease(&container);
    let [mac] = &leases(machine)[..] else {
        panic!("one lease: {:?}", leases(machine));
    };
    assert_eq!(*mac, container.dump().mac("eth0"));
    // The server knows the container's name.
    let told = machine.read("/tmp/dnsmasq.leases");
    assert!(
        told.contains(&format!("{mac} ")) && told.contains(" c "),
        "{told}"
    );
    podman.run("restart -t 0 c");
    assert_has_a_lease(&container);
    podman.remove("c");
    assert_eq!(poll::until(|| leases(machine), Vec::is_empty), [""; 0]);
    podman.run("network rm lan");
    proxy.stop();
    server.stop();
}

/// Podman tells of the address that the kernel has, and it works.
#[track_caller]
fn assert_has_a_lease(container: &Container) {
    let dump = container.assert_inspect_is_true("lan", "eth0");
    let told = container.inspect("/NetworkSettings/Networks/lan");
    assert_eq!(told["Gateway"], SERVER, "{told:#}");
    let address = told["IPAddress"].as_str().expect("an address");
    assert_eq!(dump.cidrs("eth0"), [format!("{address}/24")]);
    let [first, address_in, last] = [RANGE.0, address, RANGE.1]
        .map(|address| address.parse::<Ipv4Addr>().expect("an IPv4 address"));
    assert!((first..=last).contains(&address_in), "{address}");
    let configuration = container.sh("cat /etc/resolv.conf");
    assert_eq!(configuration, format!("nameserver {SERVER}"));
    let (own, server) = (container.netns(), &container.machine().neighbour);
    echo::exchange((&own, address), (server, SERVER));
}

fn start_server(machine: &Machine) -> Program<'_> {
    let neighbour = &machine.neighbour;
    neighbour.ip(&format!("addr add {SERVER}/24 dev {NEIGHBOUR}"));
    let options = format!(
        "--conf-file=/dev/null --user=root --port=0 --no-ping --keep-in-foreground \
         --dhcp-authoritative --bind-interfaces --except-interface=lo --interface={NEIGHBOUR} \
         --dhcp-range={},{},255.255.255.0,10m --dhcp-option=option:router,{SERVER} \
         --dhcp-option=option:dns-server,{SERVER} --log-facility=/tmp/dnsmasq.log \
         --dhcp-leasefile=/tmp/dnsmasq.leases --pid-file=/tmp/dnsmasq.pid",
        RANGE.0, RANGE.1
    );
    let mut words = vec!["dnsmasq"];
    words.extend(options.split_whitespace());
    let server = machine.start(neighbour, "/tmp/dnsmasq.err", &words);
    let listens = |log: &String| log.contains("DHCP, sockets bound");
    let log = poll::until_within(SLOW, || machine.read("/tmp/dnsmasq.log"), listens);
    assert!(listens(&log), "{log} {}", server.log());
    server
}

fn start_proxy(machine: &Machine) -> Program<'_> {
    let netavark = machine.edition.netavark_program();
    let words = [
        netavark,
        "dhcp-proxy",
        "--activity-timeout",
        "0",
        "--dir",
        "/run/podman",
    ];
    std::fs::create_dir_all(machine.path("/run/podman")).expect("a folder can be made");
    let proxy = machine.start(&machine.host, "/tmp/proxy.log", &words);
    let listens = || machine.path(SOCKET).exists();
    assert!(
        poll::until_within(SLOW, listens, |listens| *listens),
        "{}",
        proxy.log()
    );
    proxy
}

/// The MAC addresses that the proxy has leases for.
fn leases(machine: &Machine) -> Vec<String> {
    // It cuts the file, and goes on at its old end.
    let text = machine.read(LEASES);
    let leases: Value = serde_json::from_str(text.trim_matches('\0')).unwrap_or_default();
    let leases = leases.as_object().into_iter().flatten();
    leases.map(|(mac, _)| mac.clone()).collect()
}
