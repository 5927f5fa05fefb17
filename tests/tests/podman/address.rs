//! Addresses and names of one container on one network.

use crate::case::{Cases, LAN, MACVLAN, MACVLAN_C};
use crate::machine::NAME_SERVER;
use crate::podman::Podman;

const MAC: &str = "02:00:00:00:00:09";

pub(crate) fn register(cases: &mut Cases) {
    for (title, driver) in [("macvlan", MACVLAN), ("macvlan-c", MACVLAN_C)] {
        cases
            .add(&format!("address/{title}/static"), move |podman| {
                let options =
                    format!("--network lan --ip 10.88.0.9 --ip6 fd88::9 --mac-address {MAC}");
                fixed(podman, driver, &options, "eth0");
            })
            .proves(title, &["parent"]);
        cases.add(&format!("address/{title}/of the network"), move |podman| {
            let options = format!(
                "--network lan:ip=10.88.0.9,ip6=fd88::9,mac={MAC},interface_name=lan7,alias=nick"
            );
            fixed(podman, driver, &options, "lan7");
        });
        cases.add(
            &format!("address/{title}/chosen by Podman"),
            move |podman| {
                chosen(podman, driver);
            },
        );
    }
    cases.add("address/several of one family", several);
    cases.add("address/IPv6 only", v6_only);
    cases.add("address/ping", ping);
    cases.add("address/name server of the user's", name_server);
}

/// The kernel has what was asked for, Podman tells it, packets pass, and the
/// container's files name it.
fn fixed(podman: &Podman, driver: &str, options: &str, link: &str) {
    podman.run(&format!("network create -d {driver} {LAN}"));
    let container = podman.start("c", options);
    let dump = container.assert_inspect_is_true("lan", link);
    assert_eq!(dump.link_names(), sorted(["lo", link]));
    assert_eq!(dump.kind(link), "macvlan");
    assert_eq!(dump.mac(link), MAC);
    assert_eq!(dump.cidrs(link), ["10.88.0.9/16", "fd88::9/64"]);
    container.reaches("10.88.0.9", "192.0.2.1");
    container.reaches("fd88::9", "2001:db8::1");
    container.assert_hosts_have(&dump, link);
    let resolv_conf = container.sh("cat /etc/resolv.conf");
    assert_eq!(resolv_conf, format!("nameserver {NAME_SERVER}"));
}

/// Two containers get addresses of their own, and reach each other by TCP.
fn chosen(podman: &Podman, driver: &str) {
    podman.run(&format!("network create -d {driver} {LAN}"));
    let one = podman.start("one", "--network lan");
    let two = podman.start("two", "--network lan");
    let first = one.assert_inspect_is_true("lan", "eth0");
    let second = two.assert_inspect_is_true("lan", "eth0");
    assert_eq!(first.cidrs("eth0"), ["10.88.0.2/16", "fd88::2/64"]);
    assert_eq!(second.cidrs("eth0"), ["10.88.0.3/16", "fd88::3/64"]);
    assert_ne!(first.mac("eth0"), second.mac("eth0"));
    one.assert_hosts_have(&first, "eth0");
    two.assert_hosts_have(&second, "eth0");
    one.wait_for_addresses();
    two.wait_for_addresses();
    one.sh("echo hello > /tmp/index.html && httpd -h /tmp");
    for url in ["http://10.88.0.2/", "http://[fd88::2]/"] {
        assert_eq!(two.sh(&format!("wget -q -T 5 -O - {url}")), "hello");
    }
    // The address is free again.
    podman.remove("one");
    let three = podman.start("three", "--network lan:ip=10.88.0.2");
    three.assert_inspect_is_true("lan", "eth0");
    three.reaches("10.88.0.2", "10.88.0.1");
}

fn several(podman: &Podman) {
    podman.run(&format!(
        "network create -d {MACVLAN} -o parent=p0 --subnet 10.88.0.0/16 --gateway 10.88.0.1 \
         --subnet 10.89.0.0/16 --gateway 10.89.0.1 --subnet fd88::/64 --gateway fd88::1 \
         --subnet fd89::/64 --gateway fd89::1 lan"
    ));
    let container = podman.start("c", "--network lan");
    let dump = container.assert_inspect_is_true("lan", "eth0");
    assert_eq!(
        dump.cidrs("eth0"),
        ["10.88.0.2/16", "10.89.0.2/16", "fd88::2/64", "fd89::2/64"]
    );
    container.assert_hosts_have(&dump, "eth0");
    for (own, neighbours) in [
        ("10.88.0.2", "10.88.0.1"),
        ("10.89.0.2", "10.89.0.1"),
        ("fd88::2", "fd88::1"),
        ("fd89::2", "fd89::1"),
    ] {
        container.reaches(own, neighbours);
    }
}

fn v6_only(podman: &Podman) {
    podman.run(&format!(
        "network create -d {MACVLAN} --ipv6 -o parent=p0 --subnet fd88::/64 --gateway fd88::1 lan"
    ));
    let container = podman.start("c", "--network lan");
    let dump = container.assert_inspect_is_true("lan", "eth0");
    assert_eq!(dump.cidrs("eth0"), ["fd88::2/64"]);
    assert_eq!(
        dump.made_routes(),
        ["default via fd88::1 dev eth0 metric 99"]
    );
    container.reaches("fd88::2", "2001:db8::1");
    container.assert_hosts_have(&dump, "eth0");
}

fn ping(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    let container = podman.start("c", "--network lan --cap-add NET_RAW");
    container.wait_for_addresses();
    for address in ["10.88.0.1", "fd88::1", "192.0.2.1", "2001:db8::1"] {
        let told = container.sh(&format!("ping -c 1 -W 5 {address}"));
        assert!(told.contains("1 packets received"), "{told}");
    }
}

fn name_server(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {LAN}"));
    let container = podman.start(
        "c",
        "--network lan --dns 192.0.2.7 --dns-search example.net",
    );
    let resolv_conf = container.sh("cat /etc/resolv.conf");
    assert_eq!(resolv_conf, "search example.net\nnameserver 192.0.2.7");
}

fn sorted(mut names: [&str; 2]) -> [&str; 2] {
    names.sort_unstable();
    names
}
