//! The links that the calls of `links` read and make.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
const FULL: &[Need] = &[
    Need::Root,
    Need::Macvlan,
    Need::Link(Kind::Dummy),
    Need::Link(Kind::Ipvlan),
    Need::Link(Kind::Vlan),
    Need::Link(Kind::Vrf),
    Need::Link(Kind::Wireguard),
];

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, needs: &[Need], test: fn()| suite.test(format!("links::{name}"), needs, test);
    test("names-info-and-ports", NEEDS, reads);
    test("wait-carrier-gives-up", NEEDS, no_carrier);
    test("set-master-of-no-master", NEEDS, stays_in_place);
    test("kinds-and-their-options", NEEDS, kinds);
    test("kinds-of-a-full-kernel", FULL, full_kinds);
    test("all-that-is-changed-is-put-back", NEEDS, put_back);
    test("names-that-the-host-chooses-differ", NEEDS, chosen_names);
    test("delete-is-for-what-was-made-alone", NEEDS, delete);
    test("a-shared-link-stays-on-the-host", NEEDS, move_shared);
    test(
        "one-that-moved-goes-after-a-delete",
        NEEDS,
        moved_and_deleted,
    );
    test(
        "own-links-of-another-kind-are-no-parents",
        NEEDS,
        another_kind,
    );
    test("moved-links-are-no-parents", NEEDS, moved_below);
    test("bridges-keep-from-a-new-ipv6", NEEDS, small_bridge);
    test("wrong-numbers-are-refused", NEEDS, wrong_numbers);
}

fn grant() -> Grant {
    let calls = [
        "links.names",
        "links.get",
        "links.info",
        "links.ports",
        "links.wait-carrier",
        "links.create-bridge",
        "links.create-veth",
        "links.create-macvlan",
        "links.create-macvtap",
        "links.create-vxlan",
        "links.create-ifb",
        "links.create-tap",
        "links.create-dummy",
        "links.create-vlan",
        "links.create-vrf",
        "links.create-wireguard",
        "links.create-ipvlan",
        "links.set-master",
        "links.set-mac",
        "links.set-mtu",
        "links.set-up",
        "links.set-down",
        "links.set-tx-queue-length",
        "links.set-promiscuous",
        "links.set-all-multicast",
        "links.set-alias",
    ];
    let all = r#"{ link = ["*", "container:*"] }"#;
    let grant = calls
        .iter()
        .fold(Grant::nothing(), |grant, call| grant.call(call, all));
    let numbered = |kind: &str| {
        let key = if kind == "vlan" { kind } else { "vni" };
        format!(r#"{{ link = ["*", "container:*"], {key} = "*" }}"#)
    };
    ["vlan", "vxlan"]
        .into_iter()
        .fold(grant, |grant, kind| {
            let call = format!("links.create-{kind}");
            grant.without(&call).call(&call, &numbered(kind))
        })
        .call("links.delete", "{}")
        .call("links.move-to-container", "{}")
        .call("log.write", "{}")
        .on_host()
}

/// A link that was made and moved goes, whatever is deleted meanwhile.
fn moved_and_deleted() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let make = "links.create-macvlan host m9 0 bridge";
    let script = format!(
        "links.get host p0; {make}; links.move-to-container 1 eth0; {make}; links.delete 2"
    );
    answer_of(&probe.setup(v4(), &script));
    probe.teardown(&v4());
}

/// A link on a macvlan or macvtap link lies on what is below that. Its own call must have
/// been allowed there.
fn another_kind() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = world.dump();
    let script = |first: &str, second: &str| {
        format!(
            "links.get host p0; links.create-{first} container eth0 0 bridge; \
             links.create-{second} container m0 1 bridge"
        )
    };
    for (first, second) in [("macvtap", "macvlan"), ("macvlan", "macvtap")] {
        let error = probe.setup_fails(v4(), &script(first, second));
        assert!(error.contains("would lie on what is below eth0"), "{error}");
        world.assert_unchanged(&before);
        answer_of(&probe.setup(v4(), &script(first, first)));
        probe.teardown(&v4());
        world.assert_unchanged(&before);
    }
}

/// Nobody asked what is below it when it was moved.
fn moved_below() {
    let world = World::new();
    world
        .host
        .ip("link add m9 link p0 type macvlan mode bridge");
    let probe = Probe::new(&world, &grant());
    let moved = "links.get host m9; links.move-to-container 0 eth0; \
                 links.create-macvlan container m0 0 bridge";
    let error = probe.setup_fails(v4().network("network_interface", "m9"), moved);
    assert!(error.contains("would lie on what is below eth0"), "{error}");
}

/// A bridge follows its ports, and a new IPv6 would come with the settings of a new link.
fn small_bridge() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.create-bridge shared br9 mtu=1000; links.create-veth - host-name=end0; \
                  links.set-master 2 0; links.set-up 0; links.set-up 2";
    answer_of(&probe.setup(v4(), script));
    let host = Dump::of(&world.host);
    assert_eq!((host.mtu("end0"), host.mtu("br9")), (1500, 1000));
    assert_eq!(host.setting("ipv6/conf/br9/accept_ra"), None);
    probe.teardown(&v4());
    let script = "links.create-bridge shared br9; links.create-veth - host-name=end0 mtu=1000; \
                  links.set-master 2 0";
    let error = probe.setup_fails(v4(), script);
    assert!(error.contains("would lose its IPv6 settings"), "{error}");
    let script = "links.create-bridge shared br9; links.create-veth - host-name=end0; \
                  links.set-master 2 0; links.set-mtu 2 1000";
    let error = probe.setup_fails(v4(), script);
    assert!(error.contains("its bridge would lose its IPv6"), "{error}");
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

fn reads() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    world.host.ip_batch(
        &[],
        "link add br7 type bridge\nlink set br7 alias some-text\n\
         link set p0 master br7\nlink set x0 master br7",
    );
    let script = "links.names host tell; links.get host br7; links.ports 0 tell; \
                  links.info 0 tell; links.wait-carrier 1 2000";
    let script = script.replace("links.wait", "links.get host p0; links.wait");
    let output = probe.setup(v4(), &script);
    answer_of(&output);
    for text in [
        "names: lo p0 x0-peer x0 br7",
        "ports: p0 x0",
        "kind: Some(\"bridge\")",
        "alias: Some(\"some-text\")",
        "up: false",
        "mtu: 1500",
    ] {
        assert!(output.stderr.contains(text), "{text}: {}", output.stderr);
    }
}

/// The kernel itself takes the link from its old master first.
fn stays_in_place() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.create-bridge shared br9; links.create-veth - host-name=end0; \
        links.set-master 2 0; ?links.set-master 2 2; links.get host p0; ?links.set-master 2 3; \
        links.ports 0 tell";
    let output = probe.setup(v4(), script);
    let errors = ["links.set-master.invalid", "links.set-master.unsupported"];
    let answer = answer_of(&output);
    assert_eq!(answer["dns_search_domains"], serde_json::json!(errors));
    assert!(output.stderr.contains("ports: end0"), "{}", output.stderr);
    probe.teardown(&v4());
}

fn no_carrier() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let error = probe.setup_fails(v4(), "links.get host x0; links.wait-carrier 0 50");
    assert!(
        error.contains("links.wait-carrier on link host:x0"),
        "{error}"
    );
    assert!(error.contains("EBUSY"), "{error}");
    // The deadline of the run ends it too.
    probe.grant(&grant().limit("deadline-ms", 300));
    let error = probe.setup_fails(v4(), "links.get host x0; links.wait-carrier 0 60000");
    assert!(error.contains("deadline-ms"), "{error}");
}

fn kinds() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.get host p0; \
        links.create-macvtap container mt0 0 vepa mac=02:00:00:00:00:01; \
        links.create-vxlan container vx0 - 77 remote=10.9.9.9 local=10.9.9.8 port=4790 ttl=9 mtu=1400; \
        links.create-vxlan container vx1 0 78 remote=ff05::100 learning=on; \
        links.create-tap container tap0 owner=1001 group=1002 multi-queue=on mac=02:00:00:00:00:02; \
        links.create-ifb container ifb7; \
        links.create-bridge container br0 mac=02:00:00:00:00:03 mtu=1400";
    answer_of(&probe.setup(v4(), script));
    let dump = Dump::of(&world.container);
    assert_eq!(dump.kind("mt0"), "macvtap");
    assert_eq!(dump.kind_data("mt0", "mode"), "vepa");
    assert_eq!(dump.mac("mt0"), "02:00:00:00:00:01");
    assert_eq!(dump.kind("vx0"), "vxlan");
    assert_eq!(dump.mtu("vx0"), 1400);
    for (field, value) in [("id", 77), ("port", 4790), ("ttl", 9)] {
        assert_eq!(*dump.kind_data("vx0", field), value, "{field}");
    }
    assert_eq!(dump.kind_data("vx0", "remote"), "10.9.9.9");
    assert_eq!(dump.kind_data("vx0", "local"), "10.9.9.8");
    assert_eq!(*dump.kind_data("vx0", "learning"), false);
    assert_eq!(dump.kind_data("vx1", "group6"), "ff05::100");
    assert_eq!(*dump.kind_data("vx1", "port"), 4789);
    assert_eq!(*dump.kind_data("vx1", "learning"), true);
    assert_eq!(dump.kind("tap0"), "tun");
    assert_eq!(dump.kind_data("tap0", "type"), "tap");
    assert_eq!(*dump.kind_data("tap0", "user"), 1001);
    assert_eq!(*dump.kind_data("tap0", "group"), 1002);
    assert_eq!(*dump.kind_data("tap0", "multi_queue"), true);
    assert_eq!(dump.mac("tap0"), "02:00:00:00:00:02");
    assert_eq!(dump.kind("ifb7"), "ifb");
    assert_eq!(dump.mac("br0"), "02:00:00:00:00:03");
    assert_eq!(dump.mtu("br0"), 1400);
    probe.teardown(&v4());
}

fn full_kinds() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.get host p0; \
        links.create-ipvlan container iv0 0 l3s private mtu=1400; \
        links.create-vlan container vl0 0 77 dot1q mac=02:00:00:00:00:01; \
        links.create-vlan container vl1 0 78 dot1ad; \
        links.create-vrf container vrf0 1077; \
        links.create-dummy container du0 mac=02:00:00:00:00:02 mtu=9000; \
        links.create-wireguard container wg0 1380";
    answer_of(&probe.setup(v4(), script));
    let dump = Dump::of(&world.container);
    assert_eq!(dump.kind("iv0"), "ipvlan");
    assert_eq!(dump.kind_data("iv0", "mode"), "l3s");
    assert_eq!(*dump.kind_data("iv0", "private"), true);
    assert_eq!(dump.mtu("iv0"), 1400);
    assert_eq!(*dump.kind_data("vl0", "id"), 77);
    assert_eq!(dump.kind_data("vl0", "protocol"), "802.1Q");
    assert_eq!(dump.mac("vl0"), "02:00:00:00:00:01");
    assert_eq!(dump.kind_data("vl1", "protocol"), "802.1ad");
    assert_eq!(*dump.kind_data("vrf0", "table"), 1077);
    assert_eq!(dump.kind("du0"), "dummy");
    assert_eq!(dump.mtu("du0"), 9000);
    assert_eq!(dump.kind("wg0"), "wireguard");
    assert_eq!(dump.mtu("wg0"), 1380);
    probe.teardown(&v4());
}

/// Also the routes and addresses that a link loses when it's set down.
fn put_back() {
    let world = World::new();
    world.host.ip_batch(
        &[],
        "link set p0 alias before txqueuelen 500\naddr add 10.88.0.250/16 dev p0\n\
         addr add fd88::250/64 dev p0\nroute add default via 10.88.0.1\n\
         route add 2001:db8:9::/64 via fd88::1",
    );
    let probe = Probe::new(&world, &grant());
    let script = "links.get host p0; links.set-down 0; links.set-mac 0 02:00:00:00:00:78; \
        links.set-mtu 0 1400; links.set-alias 0 after; links.set-tx-queue-length 0 77; \
        links.set-promiscuous 0 on; links.set-all-multicast 0 on; \
        links.create-bridge shared br9; links.set-master 0 1";
    answer_of(&probe.setup(v4(), script));
    let dump = Dump::of(&world.host);
    assert_eq!(dump.mac("p0"), "02:00:00:00:00:78");
    assert_eq!(dump.mtu("p0"), 1400);
    assert!(!dump.is_up("p0"));
    assert!(dump.has_flag("p0", "PROMISC") && dump.has_flag("p0", "ALLMULTI"));
    probe.teardown(&v4());
}

/// Two containers of a network don't get in each other's way.
fn chosen_names() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let script = "links.create-veth -; links.create-tap host -; links.create-ifb shared -";
    let other = Netns::new();
    let two = v4().container("0123456789abcdef").option("script", script);
    let netns = other.path();
    let run = |command: &str| {
        let arguments = [command, &*netns.to_string_lossy()];
        let output = probe.wasmvark.plugin(NAME, &arguments, two.for_plugin());
        assert_eq!(output.code, Some(0), "{output:?}");
    };
    answer_of(&probe.setup(v4(), script));
    run("setup");
    let now = Dump::of(&world.host);
    let new: Vec<String> = now
        .link_names()
        .into_iter()
        .filter(|name| !before.has_link(name))
        .map(|name| now.kind(name))
        .collect();
    let count = |kind: &str| new.iter().filter(|one| *one == kind).count();
    assert_eq!(
        (count("veth"), count("tun"), count("ifb")),
        (2, 2, 1),
        "{new:?}"
    );
    run("teardown");
    probe.teardown(&v4());
}

fn delete() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.create-veth -; links.delete 1";
    answer_of(&probe.setup(v4(), script));
    assert_eq!(Dump::of(&world.container).link_names(), ["lo"]);
    probe.teardown(&v4());
    for script in [
        "links.get host x0; links.delete 0",
        "links.create-bridge shared br9; links.delete 0",
        "links.get host p0; links.move-to-container 0 eth0; links.delete 0",
    ] {
        let error = probe.setup_fails(v4(), script);
        assert!(error.contains("for this container alone"), "{error}");
    }
}

/// What is allowed for all of a network's containers needs the shared link.
fn move_shared() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.get host p0; links.create-macvlan shared mv9 0 bridge; links.move-to-container 1 eth0";
    let error = probe.setup_fails(v4(), script);
    assert!(error.contains("is shared, so it stays"), "{error}");
}

fn wrong_numbers() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    for (script, text) in [
        (
            "links.get host p0; links.create-vlan container - 0 4095 dot1q",
            "there is no VLAN 4095: the highest is 4094",
        ),
        (
            "links.create-vxlan container - - 16777216",
            "there is no VXLAN 16777216: the highest is 16777215",
        ),
        (
            "links.create-vxlan container - - 7 remote=nowhere",
            "\"nowhere\" is no IP address",
        ),
    ] {
        let output = probe.setup(v4(), script);
        let error = error_of(&output);
        assert!(error.contains(text), "{error}");
    }
}
