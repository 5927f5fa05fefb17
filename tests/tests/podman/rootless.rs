//! Podman of an ordinary user. The host of its drivers is rootless Podman's own network
//! namespace, which exists while a container runs.

use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::echo;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::wire;
use wasmvark_tests::{places, process};

use crate::case::{Cases, HOST_DEVICE, MACVLAN, MACVLAN_C};
use crate::machine::Account;
use crate::podman::Podman;

const SUBNETS: &str = "--subnet 10.66.0.0/24 --gateway 10.66.0.1 --subnet fd66::/64 \
     --gateway fd66::1";

/// The name that the bridge driver gets here.
const BRIDGE: &str = "wasm-bridge";

/// What a user can do about a link that isn't there.
const REMEDY: &str = "links.get on link host:p0 failed: No such device (ENODEV); rootless Podman \
     has a network namespace of its own, without the machine's interfaces: `podman unshare \
     --rootless-netns ip link` shows what is there";

pub(crate) fn register(cases: &mut Cases) {
    cases.add_rootless("rootless/info lists the drivers", info);
    for (title, driver) in [("macvlan", MACVLAN), ("macvlan-c", MACVLAN_C)] {
        cases.add_rootless(&format!("rootless/{title}"), move |podman| {
            macvlan(podman, driver);
        });
    }
    cases.add_rootless("rootless/a bridge beside", bridge_beside);
    cases.add_rootless("rootless/dies by itself", dies_by_itself);
    cases.add_rootless("rootless/host-device", host_device);
    cases.add_rootless("rootless/interfaces of the machine", machines_interfaces);
    cases.add_rootless("rootless/reload", reload);
    cases.add_rootless("rootless/the remedy in a denial works", denied);
}

fn info(podman: &Podman) {
    let drivers = podman.run("info --format {{.Plugins.Network}}");
    for driver in [MACVLAN, HOST_DEVICE] {
        assert!(drivers.contains(driver), "{drivers}");
    }
    let rootless = podman.run("info --format {{.Host.Security.Rootless}}");
    assert_eq!(rootless, "true");
}

/// On the link by which rootless Podman reaches the world.
fn macvlan(podman: &Podman, driver: &str) {
    podman.run(&format!("network create -d {driver} {SUBNETS} lan"));
    let one = podman.start("one", "--network lan:ip=10.66.0.9,mac=02:00:00:00:00:09");
    let two = podman.start("two", "--network lan");
    let dump = one.assert_inspect_is_true("lan", "eth0");
    assert_eq!(dump.kind("eth0"), "macvlan");
    assert_eq!(dump.mac("eth0"), "02:00:00:00:00:09");
    assert_eq!(dump.cidrs("eth0"), ["10.66.0.9/24", "fd66::2/64"]);
    one.assert_hosts_have(&dump, "eth0");
    two.assert_inspect_is_true("lan", "eth0");
    one.wait_for_addresses();
    two.wait_for_addresses();
    let (one_netns, two_netns) = (one.netns(), two.netns());
    let second = two.dump();
    // Podman's connection to the world answers for every address there is,
    // so each has to know where the other is.
    introduce(&one_netns, &["10.66.0.2", "fd66::3"], &second.mac("eth0"));
    introduce(&two_netns, &["10.66.0.9", "fd66::2"], &dump.mac("eth0"));
    echo::exchange((&one_netns, "10.66.0.9"), (&two_netns, "10.66.0.2"));
    echo::exchange((&two_netns, "fd66::3"), (&one_netns, "fd66::2"));
    podman.run("network reload one");
    one.assert_inspect_is_true("lan", "eth0");
    podman.run("restart -t 0 one");
    one.assert_inspect_is_true("lan", "eth0");
    podman.remove("one");
    podman.remove("two");
    podman.run("network rm lan");
}

fn introduce(netns: &Netns, addresses: &[&str], mac: &str) {
    for address in addresses {
        netns.ip(&format!(
            "neigh replace {address} lladdr {mac} nud permanent dev eth0"
        ));
    }
}

fn bridge_beside(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {SUBNETS} lan"));
    podman.run("network create br");
    let container = podman.start(
        "c",
        "--network lan:interface_name=eth0 --network br:interface_name=eth1",
    );
    let dump = container.assert_inspect_is_true("lan", "eth0");
    container.assert_inspect_is_true("br", "eth1");
    assert_eq!(dump.kind("eth0"), "macvlan");
    podman.run("network disconnect lan c");
    assert_eq!(container.dump().link_names(), ["eth1", "lo"]);
    podman.run("network connect lan c");
    container.assert_inspect_is_true("lan", "eth0");
}

fn dies_by_itself(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {SUBNETS} lan"));
    let keep = podman.start("keep", "--network lan");
    let netns = rootless_netns(podman);
    let host = Dump::of(&netns);
    let container = podman.start("c", "--network lan");
    container.assert_inspect_is_true("lan", "eth0");
    container.kill(false);
    assert_unchanged(&netns, &host, "rootless Podman's namespace");
    assert_eq!(podman.run("wait c"), "137");
    podman.run("rm c");
    keep.assert_inspect_is_true("lan", "eth0");
}

/// Any link of rootless Podman's own namespace can be moved, and comes back.
fn host_device(podman: &Podman) {
    podman.run(&format!(
        "network create -d {HOST_DEVICE} -o parent=v0 {SUBNETS} device"
    ));
    podman.run(&format!("network create -d {MACVLAN} {SUBNETS} lan"));
    podman.start("keep", "--network lan");
    let netns = rootless_netns(podman);
    netns.ip_batch(
        &[],
        "link add v0 type veth peer name v1\naddr add 10.66.0.1/24 dev v1\nlink set v1 up\n\
         addr add 192.0.2.9/32 dev v0\nlink set v0 up",
    );
    wire::wait_for_carrier(&netns, "v0");
    wire::wait_for_carrier(&netns, "v1");
    let host = Dump::of(&netns);
    let container = podman.start("c", "--network device");
    let dump = container.assert_inspect_is_true("device", "eth0");
    assert_eq!(dump.kind("eth0"), "veth");
    assert!(!Dump::of(&netns).has_link("v0"), "it has moved");
    container.wait_for_addresses();
    echo::exchange((&container.netns(), "10.66.0.2"), (&netns, "10.66.0.1"));
    podman.remove("c");
    assert_unchanged(&netns, &host, "rootless Podman's namespace");
}

/// They can't be used, and the error says why.
fn machines_interfaces(podman: &Podman) {
    podman.run(&format!(
        "network create -d {MACVLAN} -o parent=p0 {SUBNETS} lan"
    ));
    podman.run(&format!(
        "network create -d {HOST_DEVICE} -o parent=p0 --ipam-driver none device"
    ));
    for network in ["lan", "device"] {
        let seen = podman.fails(&format!("run --rm --network {network} test true"));
        assert!(seen.trim_end().ends_with(REMEDY), "{seen}");
    }
    assert_eq!(podman.run("ps -a -q"), "");
    assert!(Dump::of(&podman.machine.host).has_link("p0"));
}

/// The rules are in rootless Podman's own namespace, and come back there.
fn reload(podman: &Podman) {
    podman.install("bridge", BRIDGE);
    podman.run(&format!("network create -d {BRIDGE} {SUBNETS} inside"));
    let container = podman.start("c", "--network inside -p 8080:80");
    container.assert_inspect_is_true("inside", "eth0");
    let netns = rootless_netns(podman);
    let connected = Dump::of(&netns);
    let table = format!("wasmvark-{BRIDGE}");
    assert!(!connected.table(&table).is_empty());
    let mut nft = netns.command(places::NFT);
    let output = process::run(nft.args(["delete", "table", "inet", &table]), b"");
    assert_eq!(output.code, Some(0), "{output:?}");
    // From elsewhere it says where to run it.
    let words = ["wasmvark", "reload"];
    let output = podman.machine.run(Account::User, &words);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output
            .stderr
            .contains("podman unshare --rootless-netns wasmvark reload"),
        "{output:?}"
    );
    let seen = podman.run("unshare --rootless-netns wasmvark reload");
    assert!(
        seen.ends_with("1 put back, 0 whole, 0 passed over."),
        "{seen}"
    );
    assert_eq!(Dump::of(&netns).table(&table), connected.table(&table));
    podman.remove("c");
    podman.run("network rm inside");
}

fn denied(podman: &Podman) {
    podman.install_again("macvlan", MACVLAN);
    let file = format!("/home/user/.config/wasmvark/grants/{MACVLAN}.toml");
    let grant = podman.machine.read(&file);
    let less: Vec<&str> = grant
        .lines()
        .filter(|line| !line.contains("links.create-macvlan"))
        .collect();
    assert_ne!(less.join("\n"), grant.trim_end());
    podman.machine.write_for_user(&file, &less.join("\n"));
    podman.run(&format!("network create -d {MACVLAN} {SUBNETS} lan"));
    let seen = podman.fails("run --rm --network lan test true");
    let (_, remedy) = seen
        .split_once("to allow it, write this line under [calls] in ")
        .unwrap_or_else(|| panic!("no remedy: {seen}"));
    let (named, line) = remedy.trim_end().split_once(": ").expect("a file: a line");
    assert_eq!(named, file);
    let more = format!("{}\n{line}\n", less.join("\n"));
    podman.machine.write_for_user(&file, &more);
    let container = podman.start("c", "--network lan");
    container.assert_inspect_is_true("lan", "eth0");
}

/// Rootless Podman's namespace; a container has to be there.
fn rootless_netns(podman: &Podman) -> Netns {
    podman.netns("/run/user/1000/containers/networks/rootless-netns/rootless-netns")
}
