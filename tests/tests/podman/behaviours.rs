//! The options that all drivers have, for networks and for containers.

use wasmvark_tests::dump::Dump;
use wasmvark_tests::wire::PARENT;

use crate::case::Cases;
use crate::machine::Machine;
use crate::pages::{Line, PAGES, installed, rename};
use crate::podman::Podman;

const BRIDGE: &str = "wasm-bridge";

pub(crate) fn register(cases: &mut Cases) {
    cases
        .add("behaviours/network and container", both)
        .proves("bridge", &["sysctl.KEY", "txqlen", "egress_rate", "metric"]);
    cases
        .add_clean("behaviours/line of the page", line_of_the_page)
        .proves("macvlan", &["egress_rate", "txqlen"]);
}

fn both(podman: &Podman) {
    let machine = &podman.machine;
    podman.install("bridge", BRIDGE);
    podman.run(&format!(
        "network create -d {BRIDGE} -o txqlen=77 -o egress_rate=8m \
         -o sysctl.net.ipv4.conf.IFNAME.arp_filter=1 --subnet 10.90.0.0/16 home"
    ));
    let own = "--network home:txqlen=55,metric=7,sysctl.net.ipv4.conf.IFNAME.log_martians=1";
    let container = podman.start("c", own);
    let dump = container.assert_inspect_is_true("home", "eth0");
    assert_eq!(dump.queue_length("eth0"), 55);
    let routes = container.netns().ip_batch(&[], "route show default");
    assert!(routes.contains("metric 7"), "{routes}");
    for setting in ["arp_filter", "log_martians"] {
        let file = format!("/proc/sys/net/ipv4/conf/eth0/{setting}");
        assert_eq!(container.sh(&format!("cat {file}")).trim(), "1", "{file}");
    }
    let host = Dump::of(&machine.host);
    let ifb = host.links_of_kind("ifb");
    let [ifb] = ifb.as_slice() else {
        panic!("{ifb:?}");
    };
    let (rate, _) = host.token_bucket(ifb).expect("a limit");
    assert_eq!(rate, 8_000_000);
    for (option, why) in [
        ("colour=red", "option for one container: colour"),
        ("vlan=7", "option for one container: vlan"),
        ("egress_rate=fast", "unable to parse \"egress_rate\""),
    ] {
        let seen = podman.fails(&format!("run --rm --network home:{option} test true"));
        assert!(seen.contains(why), "{seen}");
    }
}

fn line_of_the_page(machine: &Machine) {
    let page = PAGES.iter().find(|page| page.driver == "macvlan");
    let page = page.expect("macvlan has a page");
    let podman = installed(machine, std::slice::from_ref(page));
    let lines = Line::in_file("docs/behaviours.md");
    let [line] = lines.as_slice() else {
        panic!("one line, not {}", lines.len());
    };
    rename(machine, PARENT, &line.interface);
    let before = machine.before();
    line.run(machine);
    let container = podman.start("c", &format!("--network {}", line.network));
    let dump = container.assert_inspect_is_true(&line.network, "eth0");
    assert_eq!(dump.queue_length("eth0"), 500);
    let (rate, _) = dump.token_bucket("eth0").expect("a limit");
    assert_eq!(rate, 100_000_000);
    podman.remove("c");
    podman.run(&format!("network rm {}", line.network));
    machine.assert_nothing_left(&before);
}
