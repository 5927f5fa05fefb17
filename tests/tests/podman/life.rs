//! The events in the life of a container.

use wasmvark_tests::dump::Dump;

use crate::case::{Cases, HOST_DEVICE, LAN, MACVLAN};
use crate::podman::Podman;

const DEVICE: &str = "-o parent=p0 --subnet 10.88.0.0/16 --gateway 10.88.0.1 --subnet fd88::/64 \
     --gateway fd88::1 device";

pub(crate) fn register(cases: &mut Cases) {
    cases.add("life/connect and disconnect", connect);
    cases.add("life/reload", reload);
    cases.add("life/restart", restart);
    cases.add("life/stop and start", stop_and_start);
    cases.add("life/pod", pod);
    cases.add("life/dies by itself", dies_by_itself);
    cases.add("life/killed with its monitor", killed_with_its_monitor);
    cases
        .add("life/host-device", host_device)
        .proves("host-device", &["parent"]);
    cases.add("life/host-device restart", host_device_restart);
}

fn connect(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    let container = podman.start("c", "--network podman");
    container.wait_for_addresses();
    let alone = container.dump();
    podman
        .run("network connect --ip 10.88.0.9 --ip6 fd88::9 --mac-address 02:00:00:00:00:09 lan c");
    let dump = container.assert_inspect_is_true("lan", "eth1");
    assert_eq!(dump.mac("eth1"), "02:00:00:00:00:09");
    assert_eq!(dump.cidrs("eth1"), ["10.88.0.9/16", "fd88::9/64"]);
    container.assert_hosts_have(&dump, "eth1");
    container.reaches("10.88.0.9", "10.88.0.1");
    container.reaches("fd88::9", "fd88::1");
    podman.run("network disconnect lan c");
    assert_eq!(alone.differences(&container.dump()), "");
    let networks = container.inspect("/NetworkSettings/Networks");
    assert!(networks.get("lan").is_none(), "{networks:#}");
    assert!(!container.sh("cat /etc/hosts").contains("10.88.0.9"));
    // The other way round: what is left is ours.
    podman.run("network connect lan c");
    podman.run("network disconnect podman c");
    container.assert_inspect_is_true("lan", "eth1");
}

/// Teardown and setup in the same namespace, with the same addresses.
fn reload(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    let container = podman.start("c", "--network lan:mac=02:00:00:00:00:09");
    let chosen = podman.start("chosen", "--network lan");
    for container in [container, chosen] {
        let path = container.netns_path();
        container.wait_for_addresses();
        let before = container.assert_inspect_is_true("lan", "eth0");
        podman.run(&format!("network reload {}", container.name));
        container.wait_for_addresses();
        let after = container.assert_inspect_is_true("lan", "eth0");
        assert_eq!(container.netns_path(), path, "the same namespace");
        assert_eq!(before.differences(&after), "");
        container.reaches(&first_address(&after), "10.88.0.1");
    }
}

fn restart(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    let container = podman.start("c", "--network lan:ip=10.88.0.9,mac=02:00:00:00:00:09");
    let path = container.netns_path();
    podman.run("restart -t 0 c");
    assert_ne!(container.netns_path(), path, "a new namespace");
    let dump = container.assert_inspect_is_true("lan", "eth0");
    assert_eq!(dump.mac("eth0"), "02:00:00:00:00:09");
    assert!(dump.cidrs("eth0").contains(&"10.88.0.9/16".to_owned()));
    container.assert_hosts_have(&dump, "eth0");
    container.reaches("10.88.0.9", "10.88.0.1");
}

fn stop_and_start(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    let before = podman.machine.before();
    let container = podman.start("c", "--network lan:ip=10.88.0.9");
    podman.run("stop -t 0 c");
    podman.machine.assert_nothing_left(&before);
    podman.run("start c");
    let dump = container.assert_inspect_is_true("lan", "eth0");
    container.assert_hosts_have(&dump, "eth0");
    container.reaches("10.88.0.9", "10.88.0.1");
}

/// The pod has the network, and its containers share it.
fn pod(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    let before = podman.machine.before();
    podman.run("pod create --name pod --network lan:ip=10.88.0.9,mac=02:00:00:00:00:09");
    for name in ["one", "two"] {
        podman.run(&format!("run -d --pod pod --name {name} test sleep 1000"));
    }
    let (one, two) = (podman.container("one"), podman.container("two"));
    one.sh("echo hello > /tmp/index.html && httpd -p 127.0.0.1:80 -h /tmp");
    assert_eq!(two.sh("wget -q -T 5 -O - http://127.0.0.1/"), "hello");
    let infra = podman.run("pod inspect pod --format {{.InfraContainerID}}");
    let infra = podman.container(&infra);
    let dump = infra.assert_inspect_is_true("lan", "eth0");
    assert_eq!(dump.mac("eth0"), "02:00:00:00:00:09");
    infra.reaches("10.88.0.9", "10.88.0.1");
    assert!(two.sh("cat /etc/hosts").contains("10.88.0.9"));
    podman.run("pod stop -t 0 pod");
    podman.machine.assert_nothing_left(&before);
    podman.run("pod start pod");
    infra.assert_inspect_is_true("lan", "eth0");
    infra.reaches("10.88.0.9", "10.88.0.1");
    podman.run("pod rm -f -t 0 pod");
    podman.machine.assert_nothing_left(&before);
}

/// Its monitor cleans up, with nowhere to complain to.
fn dies_by_itself(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    podman.run(&format!("network create -d {HOST_DEVICE} {DEVICE}"));
    for network in ["lan", "device"] {
        let before = podman.machine.before();
        let container = podman.start("c", &format!("--network {network}"));
        container.assert_inspect_is_true(network, "eth0");
        container.kill(false);
        // Also the monitor ends.
        podman.machine.assert_nothing_left(&before);
        assert_eq!(container.inspect("/State/Status"), "exited");
        podman.run("start c");
        container.assert_inspect_is_true(network, "eth0");
        container.kill(false);
        podman.machine.assert_nothing_left(&before);
        podman.run("rm c");
    }
}

/// Nobody cleans up until someone removes what is left.
fn killed_with_its_monitor(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    podman.run(&format!("network create -d {HOST_DEVICE} {DEVICE}"));
    for network in ["lan", "device"] {
        let before = podman.machine.before();
        let container = podman.start("c", &format!("--network {network}"));
        let path = container.netns_path();
        container.kill(true);
        assert!(podman.machine.path(&path).exists(), "its namespace stays");
        remove_dead(podman);
        podman.machine.assert_nothing_left(&before);
    }
    // What was held is free again.
    let container = podman.start("c", "--network device");
    container.assert_inspect_is_true("device", "eth0");
    container.reaches("10.88.0.3", "10.88.0.1");
}

/// The interface moves, and comes back as it was.
fn host_device(podman: &Podman) {
    let host = &podman.machine.host;
    let mac = Dump::of(host).mac("p0");
    host.ip_batch(
        &[],
        "link set p0 address 02:00:00:00:00:77 mtu 1470\naddr add 10.89.0.200/24 dev p0",
    );
    podman.run(&format!("network create -d {HOST_DEVICE} {DEVICE}"));
    let before = podman.machine.before();
    let container = podman.start("c", "--network device:ip=10.88.0.9,ip6=fd88::9");
    let dump = container.assert_inspect_is_true("device", "eth0");
    assert_eq!(dump.kind("eth0"), "veth");
    assert_eq!(dump.mac("eth0"), "02:00:00:00:00:77");
    assert_eq!(dump.cidrs("eth0"), ["10.88.0.9/16", "fd88::9/64"]);
    assert!(!Dump::of(host).has_link("p0"), "the interface has moved");
    container.assert_hosts_have(&dump, "eth0");
    container.reaches("10.88.0.9", "192.0.2.1");
    container.reaches("fd88::9", "2001:db8::1");
    let taken = podman.fails("run --rm --network device test true");
    assert!(taken.contains("p0"), "{taken}");
    podman.remove("c");
    podman.machine.assert_nothing_left(&before);
    let back = format!("addr del 10.89.0.200/24 dev p0\nlink set p0 mtu 1500 address {mac}");
    host.ip_batch(&[], &back);
}

fn host_device_restart(podman: &Podman) {
    podman.run(&format!("network create -d {HOST_DEVICE} {DEVICE}"));
    let container = podman.start("c", "--network device:ip=10.88.0.9");
    podman.run("restart -t 0 c");
    container.assert_inspect_is_true("device", "eth0");
    podman.run("network reload c");
    container.assert_inspect_is_true("device", "eth0");
    container.reaches("10.88.0.9", "10.88.0.1");
    podman.run("network disconnect device c");
    assert_eq!(container.dump().link_names(), ["lo"]);
    assert!(Dump::of(&podman.machine.host).has_link("p0"));
}

/// Podman 5.4 takes the network down, then complains that there was nothing
/// to stop, and removes the container the next time.
fn remove_dead(podman: &Podman) {
    let output = podman.output(&["rm", "-f", "-t", "0", "c"]);
    if output.code == Some(0) {
        return;
    }
    let old = podman.machine.edition.podman < (5, 8);
    let told = output.stderr.contains("conmon exited prematurely");
    assert!(old && told, "{output:?}");
    podman.remove("c");
}

/// The first IPv4 address of `eth0`, without its length.
fn first_address(dump: &Dump) -> String {
    let cidrs = dump.cidrs("eth0");
    cidrs[0].split('/').next().expect("an address").to_owned()
}
