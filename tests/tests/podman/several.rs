//! One container on several networks, including Podman's own.

use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::flow::{Transport::Tcp, connect, from as from_netns};

use crate::case::{Cases, HOST_DEVICE, LAN, MACVLAN};
use crate::podman::Podman;

const BRIDGE: &str = "wasm-bridge";

const OTHER: &str = "-o parent=p0 --subnet 10.89.0.0/16 --gateway 10.89.0.1 --subnet fd89::/64 \
     --gateway fd89::1 other";

pub(crate) fn register(cases: &mut Cases) {
    cases.add("several/two of ours", two_of_ours);
    for (order, ours, bridges) in [("first", "eth0", "eth1"), ("second", "eth1", "eth0")] {
        cases.add(
            &format!("several/ours {order} with a bridge"),
            move |podman| {
                with_bridge(podman, ours, bridges);
            },
        );
    }
    cases.add("several/on a bridge of ours", on_a_bridge);
    cases.add("several/a failure takes back all", failure_takes_back_all);
}

fn two_of_ours(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    podman.run(&format!("network create -d {MACVLAN} {OTHER}"));
    let container = podman.start(
        "c",
        "--network lan:ip=10.88.0.9,mac=02:00:00:00:00:88 \
         --network other:ip=10.89.0.9,interface_name=b7",
    );
    let dump = container.assert_inspect_is_true("lan", "eth0");
    container.assert_inspect_is_true("other", "b7");
    assert_eq!(dump.link_names(), ["b7", "eth0", "lo"]);
    assert_eq!(dump.mac("eth0"), "02:00:00:00:00:88");
    assert_eq!(dump.cidrs("eth0"), ["10.88.0.9/16", "fd88::2/64"]);
    assert_eq!(dump.cidrs("b7"), ["10.89.0.9/16", "fd89::2/64"]);
    container.assert_hosts_have(&dump, "eth0");
    container.assert_hosts_have(&dump, "b7");
    container.reaches("10.88.0.9", "10.88.0.1");
    container.reaches("10.89.0.9", "10.89.0.1");
    container.reaches("fd88::2", "fd88::1");
    container.reaches("fd89::2", "fd89::1");
}

/// Both work at once: packets on ours, names on Podman's.
fn with_bridge(podman: &Podman, ours: &str, bridges: &str) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    podman.run("network create br");
    let peer = podman.start("peer", "--network br");
    // Without names Podman takes the networks in any order.
    let networks =
        format!("--network lan:interface_name={ours} --network br:interface_name={bridges}");
    let container = podman.start("c", &networks);
    let dump = container.assert_inspect_is_true("lan", ours);
    container.assert_inspect_is_true("br", bridges);
    assert_eq!(dump.kind(ours), "macvlan");
    assert_eq!(dump.kind(bridges), "veth");
    container.assert_hosts_have(&dump, ours);
    container.assert_hosts_have(&dump, bridges);
    container.reaches("10.88.0.2", "10.88.0.1");
    container.reaches("fd88::2", "fd88::1");
    peer.sh("echo hello > /tmp/index.html && httpd -h /tmp");
    assert_eq!(container.sh("wget -q -T 5 -O - http://peer/"), "hello");
}

/// The second network can't be set up: what was made for the first is gone.
fn failure_takes_back_all(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    podman.run("network create br");
    podman.run(&format!(
        "network create -d {HOST_DEVICE} -o parent=nope --ipam-driver none device"
    ));
    let seen = podman.fails("run --rm --network lan,br,device test true");
    assert!(seen.contains("nope"), "{seen}");
    assert_eq!(podman.run("ps -a -q"), "");
}

/// Its containers, the host and who is elsewhere reach each other, and it goes
/// with the last.
fn on_a_bridge(podman: &Podman) {
    let machine = &podman.machine;
    podman.install("bridge", BRIDGE);
    podman.run(&format!(
        "network create -d {BRIDGE} --subnet 10.90.0.0/16 --subnet fd90::/64 home"
    ));
    let name = podman.network("home")["network_interface"].take();
    let name = name.as_str().expect("the bridge has a name");
    machine.host.forward();
    machine.host.ip("addr add 198.51.100.1/24 dev p0");
    machine.neighbour.ip("addr add 198.51.100.2/24 dev n0");
    let before = machine.before();
    let one = podman.start("one", "--network home:ip=10.90.0.8,ip6=fd90::8");
    let two = podman.start("two", "-p 8080:80 --network home:ip=10.90.0.9,ip6=fd90::9");
    one.assert_inspect_is_true("home", "eth0");
    two.assert_inspect_is_true("home", "eth0");
    one.wait_for_addresses();
    two.wait_for_addresses();
    let (from, to) = (one.netns(), two.netns());
    let host = &podman.machine.host;
    for (from_address, to_address, gateway) in [
        ("10.90.0.8", "10.90.0.9", "10.90.0.1"),
        ("fd90::8", "fd90::9", "fd90::1"),
    ] {
        echo::exchange((&from, from_address), (&to, to_address));
        echo::exchange((&from, from_address), (host, gateway));
    }
    let server = (&to, "10.90.0.9:80");
    connect(
        Tcp,
        from_netns(&machine.neighbour),
        "198.51.100.1:8080",
        server,
    );
    let outside = "198.51.100.2:80";
    let seen = connect(
        Tcp,
        from_netns(&from),
        outside,
        (&machine.neighbour, outside),
    );
    assert_eq!(seen.to_string(), "198.51.100.1");
    podman.remove("one");
    assert!(Dump::of(host).has_link(name));
    podman.remove("two");
    machine.assert_nothing_left(&before);
    machine.host.set("ipv6/conf/all/forwarding", "0");
    machine.host.ip("addr del 198.51.100.1/24 dev p0");
}
