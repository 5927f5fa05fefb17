//! CNI's documents, converted to networks of real Podman. Podman must accept each flag,
//! and containers must get the document's properties.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::{echo, places};

use crate::case::Cases;
use crate::podman::Podman;

pub(crate) fn register(cases: &mut Cases) {
    cases.add("convert/apply", apply);
    cases.add("convert/documented", documented);
    cases.add("convert/name servers are for containers only", name_servers);
}

fn documents() -> [(&'static str, Value); 4] {
    let ranges = json!({"type": "host-local", "ranges": [
        [{"subnet": "10.10.0.0/16", "rangeStart": "10.10.1.20", "rangeEnd": "10.10.3.50",
          "gateway": "10.10.0.254"}],
        [{"subnet": "fd10::/64", "rangeStart": "fd10::10", "rangeEnd": "fd10::20"}],
    ], "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.90.0.0/16", "gw": "10.10.5.1", "priority": 7}]});
    [
        (
            "10-home.conflist",
            json!({"name": "home", "plugins": [
                {"type": "bridge", "bridge": "mynet0", "isGateway": true, "ipam": ranges},
                {"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1",
                                              "net.ipv4.conf.all.log_martians": "1"}},
            ]}),
        ),
        (
            "20-inside.conf",
            json!({"name": "inside", "type": "bridge", "bridge": "inside0",
            "ipam": {"type": "host-local", "subnet": "10.20.0.0/24"}}),
        ),
        (
            "30-lan.conf",
            json!({"name": "lan", "type": "macvlan", "master": "p0", "ipam": {
            "type": "static", "addresses": [{"address": "10.30.0.1/24", "gateway": "10.30.0.254"}]}}),
        ),
        (
            "40-none.conf",
            json!({"name": "bare", "type": "macvlan", "master": "p0", "ipam": {}}),
        ),
    ]
}

fn apply(podman: &Podman) {
    // With the grant that `just install` gives, so that something is to be added.
    let grant = Grant::example("bridge").to_toml("wasm-bridge", &places::guest("bridge"));
    podman.install_with("bridge", "wasm-bridge", &grant);
    podman.machine.host.forward();
    let before = podman.machine.before();
    for (name, document) in documents() {
        let file = format!("/etc/networks/{name}");
        podman.machine.write(&file, &document.to_string());
    }
    let said = podman.wasmvark(&["convert", "--apply", "/etc/networks"]);
    assert!(
        said.contains("\"sysctl.set\" = { key = \"container:net.ipv4.conf.all.log_martians\" }"),
        "{said}"
    );
    let home = podman.start("home", "--network home");
    let dump = home.assert_inspect_is_true("home", "eth0");
    assert_eq!(dump.cidrs("eth0"), ["10.10.1.20/16", "fd10::10/64"]);
    assert_eq!(
        dump.made_routes(),
        [
            "10.90.0.0/16 via 10.10.5.1 dev eth0 metric 7",
            "default via 10.10.0.254 dev eth0 metric 100",
        ]
    );
    assert_eq!(dump.setting("ipv4/conf/eth0/arp_filter"), Some("1"));
    assert_eq!(dump.setting("ipv4/conf/all/log_martians"), Some("1"));
    echo::exchange(
        (&home.netns(), "10.10.1.20"),
        (&podman.machine.host, "10.10.0.254"),
    );
    let inside = podman.start("inside", "--network inside");
    let other = podman.start("other", "--network inside");
    let dump = inside.assert_inspect_is_true("inside", "eth0");
    assert!(dump.made_routes().is_empty(), "{:?}", dump.made_routes());
    // The bridge has no address, and neither has anybody the gateway's.
    assert!(Dump::of(&podman.machine.host).cidrs("inside0").is_empty());
    echo::exchange(
        (&inside.netns(), "10.20.0.2"),
        (&other.netns(), "10.20.0.3"),
    );
    assert!(
        said.contains("podman run --network lan:ip=10.30.0.1 …"),
        "{said}"
    );
    let lan = podman.start("lan", "--network lan:ip=10.30.0.1");
    let dump = lan.assert_inspect_is_true("lan", "eth0");
    assert_eq!(dump.cidrs("eth0"), ["10.30.0.1/24"]);
    let bare = podman.start("bare", "--network bare");
    assert!(
        bare.assert_inspect_is_true("bare", "eth0")
            .cidrs("eth0")
            .is_empty()
    );
    // Once more: Podman has them already, and nothing more is done.
    let words = ["wasmvark", "convert", "--apply", "/etc/networks"];
    let again = podman.machine.run(podman.account, &words);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("already used"), "{again:?}");
    podman.remove_all();
    podman.machine.assert_nothing_left(&before);
    podman.machine.host.set("ipv6/conf/all/forwarding", "0");
}

/// Podman takes each command that a documented configuration becomes.
fn documented(podman: &Podman) {
    let drivers = ["bridge", "dummy", "ipvlan", "ptp", "tap", "vlan", "vrf"];
    for driver in drivers {
        podman.install(driver, &format!("wasm-{driver}"));
    }
    let folder = places::documents();
    let mut made = 0;
    for folder in [folder.clone(), folder.join("completed")] {
        for entry in fs::read_dir(folder).unwrap() {
            made += usize::from(is_made(podman, &entry.unwrap().path()));
        }
    }
    assert!(made > 30, "{made}");
}

/// Whether a file is a configuration that is converted; then it's applied.
fn is_made(podman: &Podman, file: &Path) -> bool {
    let Ok(expected) = fs::read_to_string(file.with_extension("expected")) else {
        return false;
    };
    let is_document = file
        .extension()
        .is_some_and(|extension| extension != "expected");
    if !is_document || expected.contains("error: ") {
        return false;
    }
    let text = fs::read_to_string(file).unwrap().replace("eth0", "p0");
    podman.machine.write("/etc/one.conflist", &text);
    podman.wasmvark(&["convert", "--apply", "/etc/one.conflist"]);
    let command = expected.lines().find(|line| line.starts_with("podman "));
    let name = command
        .and_then(|command| command.rsplit(' ').next())
        .unwrap();
    podman.run(&format!("network rm {name}"));
    true
}

/// That is why `convert` puts them into the flags of `podman run`.
fn name_servers(podman: &Podman) {
    let refused = podman.fails(
        "network create -d wasm-macvlan -o parent=p0 --subnet 10.30.0.0/24 --dns 192.0.2.7 named",
    );
    assert!(refused.contains("DNS"), "{refused}");
}
