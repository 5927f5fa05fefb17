//! `podman network create`, `inspect` and `rm`.

use serde_json::json;

use crate::case::{Cases, LAN, MACVLAN};
use crate::podman::Podman;

const V4: &str = "-o parent=p0 --subnet 10.88.0.0/16 --gateway 10.88.0.1";

pub(crate) fn register(cases: &mut Cases) {
    cases.add("network/inspect shows what was asked for", inspect);
    let all = ["parent", "mode", "mtu", "metric"];
    cases
        .add("network/options reach the kernel", options)
        .proves("macvlan", &all);
    cases
        .add("network/routes", routes)
        .proves("macvlan", &["no_default_route"]);
    cases.add("network/internal", internal);
    cases.add("network/ipam none", ipam_none);
    cases.add("network/disabled DNS", disabled_dns);
    cases.add("network/interface name", interface_name);
    cases.add("network/no parent", no_parent);
    cases.add("network/without a subnet", without_subnet);
    cases.add_rootless("network/without a subnet, rootless", without_subnet);
    cases.add("network/rm", rm);
}

fn inspect(podman: &Podman) {
    podman.run(&format!(
        "network create -d {MACVLAN} -o mode=private -o mtu=1400 --label one=1 --label two=zwei \
         --ip-range 10.88.7.0/24 --route 10.91.0.0/24,10.88.0.7,50 {LAN}"
    ));
    let network = podman.network("lan");
    assert_eq!(network["driver"], MACVLAN);
    assert_eq!(network["network_interface"], "p0");
    assert_eq!(
        network["subnets"],
        json!([
            {
                "subnet": "10.88.0.0/16",
                "gateway": "10.88.0.1",
                "lease_range": {"start_ip": "10.88.7.1", "end_ip": "10.88.7.255"}
            },
            {"subnet": "fd88::/64", "gateway": "fd88::1"}
        ])
    );
    assert_eq!(
        network["routes"],
        json!([{"destination": "10.91.0.0/24", "gateway": "10.88.0.7", "metric": 50}])
    );
    assert_eq!(
        network["options"],
        json!({"mode": "private", "mtu": "1400"})
    );
    assert_eq!(network["labels"], json!({"one": "1", "two": "zwei"}));
    assert_eq!(network["ipam_options"], json!({"driver": "host-local"}));
    assert_eq!(network["ipv6_enabled"], true);
    assert_eq!(network["internal"], false);
    assert_eq!(network["dns_enabled"], false);
    let listed = podman.run("network ls --filter label=two=zwei --format {{.Name}}={{.Driver}}");
    assert_eq!(listed, format!("lan={MACVLAN}"));
    let container = podman.start("c", "--network lan");
    let dump = container.assert_inspect_is_true("lan", "eth0");
    let cidrs = dump.cidrs("eth0");
    assert!(cidrs[0].starts_with("10.88.7."), "in the range: {cidrs:?}");
}

fn options(podman: &Podman) {
    podman.run(&format!(
        "network create -d {MACVLAN} -o mode=vepa -o mtu=1400 -o metric=77 -o bclim=7 {LAN}"
    ));
    let container = podman.start("c", "--network lan");
    let dump = container.assert_inspect_is_true("lan", "eth0");
    assert_eq!(dump.link_names(), ["eth0", "lo"]);
    assert_eq!(dump.kind("eth0"), "macvlan");
    assert_eq!(dump.kind_data("eth0", "mode"), "vepa");
    assert_eq!(dump.mtu("eth0"), 1400);
    assert_eq!(
        dump.made_routes(),
        [
            "default via 10.88.0.1 dev eth0 metric 77",
            "default via fd88::1 dev eth0 metric 77"
        ]
    );
    container.reaches("10.88.0.2", "192.0.2.1");
    container.reaches("fd88::2", "2001:db8::1");
}

fn routes(podman: &Podman) {
    podman.run(&format!(
        "network create -d {MACVLAN} -o no_default_route=true --route 192.0.2.0/24,10.88.0.1,50 \
         --route 2001:db8::/32,fd88::1 {LAN}"
    ));
    let container = podman.start("c", "--network lan");
    let dump = container.assert_inspect_is_true("lan", "eth0");
    assert_eq!(
        dump.made_routes(),
        [
            "192.0.2.0/24 via 10.88.0.1 dev eth0 metric 50",
            "2001:db8::/32 via fd88::1 dev eth0 metric 100"
        ]
    );
    container.reaches("10.88.0.2", "192.0.2.1");
    container.reaches("fd88::2", "2001:db8::1");
}

fn internal(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} --internal {LAN}"));
    assert_eq!(podman.network("lan")["internal"], true);
    let container = podman.start("c", "--network lan");
    let dump = container.assert_inspect_is_true("lan", "eth0");
    assert!(dump.made_routes().is_empty(), "{:?}", dump.made_routes());
    container.reaches("10.88.0.2", "10.88.0.1");
    container.reaches("fd88::2", "fd88::1");
}

fn ipam_none(podman: &Podman) {
    podman.run(&format!(
        "network create -d {MACVLAN} --ipam-driver none -o parent=p0 lan"
    ));
    let network = podman.network("lan");
    assert_eq!(network["ipam_options"], json!({"driver": "none"}));
    assert!(network["subnets"].as_array().is_none_or(Vec::is_empty));
    let container = podman.start("c", "--network lan");
    let dump = container.assert_inspect_is_true("lan", "eth0");
    assert!(dump.is_up("eth0"));
    assert!(dump.cidrs("eth0").is_empty());
    // Whoever hands out addresses now can be reached.
    container.netns().ip("addr add 10.88.0.44/16 dev eth0");
    container.reaches("10.88.0.44", "10.88.0.1");
}

fn disabled_dns(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} --disable-dns {LAN}"));
    assert_eq!(podman.network("lan")["dns_enabled"], false);
    podman
        .start("c", "--network lan")
        .assert_inspect_is_true("lan", "eth0");
}

/// For drivers that put containers on an interface of the host, this names it.
fn interface_name(podman: &Podman) {
    podman.run(&format!(
        "network create -d {MACVLAN} --interface-name p0 --subnet 10.88.0.0/16 lan"
    ));
    assert_eq!(podman.network("lan")["network_interface"], "p0");
    let container = podman.start("c", "--network lan");
    container.assert_inspect_is_true("lan", "eth0");
    container.reaches("10.88.0.2", "10.88.0.1");
}

fn no_parent(podman: &Podman) {
    let host = &podman.machine.host;
    host.ip_batch(
        &[],
        "addr add 10.88.0.250/16 dev p0\nroute add default via 10.88.0.1",
    );
    podman.run(&format!(
        "network create -d {MACVLAN} --subnet 10.88.0.0/16 --gateway 10.88.0.1 lan"
    ));
    let container = podman.start("c", "--network lan");
    container.assert_inspect_is_true("lan", "eth0");
    container.reaches("10.88.0.2", "192.0.2.1");
    podman.remove("c");
    host.ip_batch(&[], "route del default\naddr del 10.88.0.250/16 dev p0");
}

/// Podman's own networks and those of the drivers leave each other's subnets, in the pool
/// of the machine's containers.conf.
fn without_subnet(podman: &Podman) {
    podman.install("bridge", "wasm-bridge");
    podman.install("ptp", "wasm-ptp");
    let drivers = ["bridge", "wasm-bridge", "wasm-ptp", "wasm-bridge", "bridge"];
    let names: Vec<String> = (0..drivers.len())
        .map(|number| format!("net{number}"))
        .collect();
    for (name, driver) in names.iter().zip(drivers) {
        podman.run(&format!("network create -d {driver} --ipv6 {name}"));
    }
    let mut subnets = Vec::new();
    for name in &names {
        let network = podman.network(name);
        let of_network = network["subnets"].as_array().expect("a list").clone();
        assert_eq!(of_network.len(), 2, "{network}");
        assert_eq!(network["ipam_options"], json!({"driver": "host-local"}));
        subnets.push(of_network);
    }
    let v4: Vec<_> = subnets
        .iter()
        .map(|subnets| subnets[0]["subnet"].clone())
        .collect();
    let expected: Vec<_> = (0..drivers.len())
        .map(|third| json!(format!("10.78.{third}.0/24")))
        .collect();
    assert_eq!(v4, expected);
    for (number, name) in names.iter().enumerate() {
        let container = format!("c{number}");
        let container = podman.start(&container, &format!("--network {name}"));
        container.assert_inspect_is_true(name, "eth0");
    }
    podman.remove_all();
    // netavark leaves forwarding on.
    podman.machine.host.set("ipv6/conf/all/forwarding", "0");
}

fn rm(podman: &Podman) {
    podman.run(&format!("network create -d {MACVLAN} {V4} lan"));
    podman.start("c", "--network lan");
    let refused = podman.fails("network rm lan");
    assert!(refused.contains("is being used"), "{refused}");
    podman.run("network rm -f -t 0 lan");
    assert_eq!(
        podman.run("ps -a -q"),
        "",
        "the containers are gone as well"
    );
    assert_eq!(podman.run("network ls -q"), "podman");
    // The name is free again.
    podman.run(&format!("network create -d {MACVLAN} {V4} lan"));
    podman.run("network rm lan");
}
