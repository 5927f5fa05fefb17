//! The effects of the calls of `rules` on the paths of packets.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
const VRF: &[Need] = &[Need::Root, Need::Macvlan, Need::Link(Kind::Vrf)];

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, needs: &[Need], test: fn()| suite.test(format!("rules::{name}"), needs, test);
    test("a-source-goes-its-own-way", NEEDS, by_source);
    test("the-host-routes-by-a-granted-table", NEEDS, on_host);
    test("all-that-a-rule-names", NEEDS, all_options);
    test("one-that-is-there-is-not-own", NEEDS, there);
    test(
        "one-that-would-be-taken-for-it-is-in-the-way",
        NEEDS,
        mistaken,
    );
    test("remove-is-for-own-rules", NEEDS, remove_own);
    test("remove-gives-back-what-was-there", NEEDS, remove_other);
    test("rules-outlive-links-and-are-removed", NEEDS, without_link);
    test("an-own-link-of-the-host-is-enough", NEEDS, own_link);
    test("a-foreign-link-with-an-own-name-is-not", NEEDS, stolen_name);
    test("the-table-of-an-own-vrf-is-own", VRF, own_vrf);
    test("the-hosts-own-tables-are-granted-by-name", NEEDS, reserved);
    test(
        "what-the-host-is-connected-to-is-out-of-reach",
        NEEDS,
        connected,
    );
    test("wrong-rules-are-refused", NEEDS, wrong);
}

fn grant() -> Grant {
    let grant = Grant::of(&[
        "addresses.add",
        "links.create-macvlan",
        "links.create-veth",
        "links.get",
        "links.set-up",
        "log.write",
        "routes.add",
    ]);
    grant.on_host().call("rules.list", r#"{ address = "*" }"#)
}

fn own() -> Grant {
    let grant = grant().call("rules.add", "{}");
    grant.call("rules.remove", "{}")
}

fn with_table() -> Grant {
    let grant = grant().call("rules.add", "{ table = 77 }");
    grant.call("rules.remove", "{}")
}

fn wide() -> Grant {
    let reach = r#"{ address = "*", table = "*" }"#;
    let grant = grant().call("rules.add", reach);
    grant.call("rules.remove", reach)
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

fn dual() -> Connection {
    Connection::dual(NAME)
}

/// The rules of a namespace as `ip` shows them, without the kernel's own.
fn rules(netns: &Netns) -> Vec<String> {
    let shown = ["-4", "-6"].map(|family| netns.ip_batch(&["-d", family], "rule show"));
    let lines = shown.iter().flat_map(|text| text.lines());
    lines
        .filter(|line| !line.contains("proto kernel"))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// How a namespace would send a packet.
fn way(netns: &Netns, packet: &str) -> String {
    let mut ip = netns.command("ip");
    let arguments = format!("route get {packet}");
    let output = process::run(ip.args(arguments.split(' ')), b"");
    format!("{}{}", output.stdout, output.stderr)
}

/// The container has two addresses of each family; one of them reaches the
/// neighbour's loopback addresses through a table of its own, the other not.
fn by_source() {
    let world = World::new();
    let grant = grant().call("rules.add", "{}").call("rules.remove", "{}");
    let grant = grant
        .without("addresses.add")
        .without("routes.add")
        .call(
            "addresses.add",
            r#"{ address = ["10.88.0.0/16", "fd88::/64"] }"#,
        )
        .call(
            "routes.add",
            r#"{ destination = ["192.0.2.0/24", "2001:db8::/64"] }"#,
        );
    let probe = Probe::new(&world, &grant);
    let connect = "links.get host p0; links.create-macvlan container eth0 0 bridge; \
        addresses.add 1 10.88.0.2/16; addresses.add 1 10.88.0.3/16; \
        addresses.add 1 fd88::2/64; addresses.add 1 fd88::3/64; links.set-up 1; \
        routes.add container 192.0.2.0/24 unicast gateway=10.88.0.1 table=77; \
        routes.add container 2001:db8::/64 unicast gateway=fd88::1 table=77; \
        rules.add container 100 77 source=10.88.0.2/32; \
        rules.add container 100 77 source=fd88::2/128";
    answer_of(&probe.setup_as_planned(dual(), connect));
    for (source, other, target) in [
        ("10.88.0.2", "10.88.0.3", "192.0.2.1"),
        ("fd88::2", "fd88::3", "2001:db8::1"),
    ] {
        echo::exchange((&world.container, source), (&world.neighbour, target));
        let unreachable = way(&world.container, &format!("{target} from {other}"));
        assert!(unreachable.contains("unreachable"), "{unreachable}");
    }
    probe.teardown(&dual());
}

/// What comes from the container leaves the host by a table that the host
/// itself doesn't use.
fn on_host() {
    let world = World::new();
    world
        .host
        .run(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap());
    world.host.ip_batch(
        &[],
        "addr add 10.89.0.250/16 dev p0\nroute add 192.0.2.0/24 via 10.89.0.1 table 77",
    );
    let back = "route add 10.88.0.2/32 via 10.89.0.250";
    world.neighbour.ip(back);
    let probe = Probe::new(&world, &with_table());
    let connect = "links.create-veth -; links.set-up 0; links.set-up 1; \
        addresses.add 0 10.88.0.2/16; addresses.add 1 10.88.0.1/16; \
        routes.add container 0.0.0.0/0 unicast gateway=10.88.0.1; \
        rules.add host 100 77 source=10.88.0.2/32";
    answer_of(&probe.setup_as_planned(v4(), connect));
    assert_eq!(
        rules(&world.host),
        ["100: from 10.88.0.2 lookup 77 proto static"]
    );
    echo::exchange(
        (&world.container, "10.88.0.2"),
        (&world.neighbour, "192.0.2.1"),
    );
    let of_host = way(&world.host, "192.0.2.1");
    assert!(of_host.contains("unreachable"), "{of_host}");
    probe.teardown(&v4());
}

fn all_options() {
    let world = World::new();
    let probe = Probe::new(&world, &own());
    let script = "rules.add container 0 1077 version=ipv4; \
        rules.add container 7 77 source=10.66.0.0/16 destination=10.67.0.1/32 incoming-link=eth0 outgoing-link=eth1 mark=1,255; \
        rules.add container 8 254 destination=fd66::/64 mark=0,2; \
        rules.add container 9 77 source=0.0.0.0/0; rules.list container tell; rules.list host";
    let output = probe.setup_as_planned(dual(), script);
    answer_of(&output);
    let shown = [
        "0: from all lookup 1077 proto static",
        "7: from 10.66.0.0/16 to 10.67.0.1 fwmark 0x1/0xff iif eth0 [detached] oif eth1 [detached] \
         lookup 77 proto static",
        "9: from all lookup 77 proto static",
        "8: from all to fd66::/64 fwmark 0/0x2 lookup main proto static",
    ];
    assert_eq!(rules(&world.container), shown);
    let told = "rules: 0 255 IpVersion::Ipv4 proto 2, 0 1077 IpVersion::Ipv4 proto 4, \
        7 77 source=10.66.0.0/16 destination=10.67.0.1/32 incoming-link=eth0 outgoing-link=eth1 mark=1,255 \
        IpVersion::Ipv4 proto 4, 9 77 IpVersion::Ipv4 proto 4, 32766 254 IpVersion::Ipv4 proto 2, \
        32767 253 IpVersion::Ipv4 proto 2, 0 255 IpVersion::Ipv6 proto 2, \
        8 254 destination=fd66::/64 mark=0,2 IpVersion::Ipv6 proto 4";
    assert!(output.stderr.contains(told), "{}", output.stderr);
    probe.teardown(&dual());
}

/// One that looks the same stays, whoever made it, and none is told that has
/// more than `rule` can say.
fn there() {
    let world = World::new();
    world.host.ip_batch(
        &[],
        "rule add from 10.88.0.2 lookup 77 priority 100 protocol boot\n\
         rule add from 10.88.0.2 lookup 77 priority 101 protocol static\n\
         rule add from 10.88.0.2 lookup 77 priority 102 suppress_prefixlength 0\n\
         rule add not from 10.88.0.2 lookup 77 priority 103",
    );
    let probe = Probe::new(&world, &with_table());
    let same = |priority| format!("?rules.add host {priority} 77 source=10.88.0.2/32; ");
    let script: String = (100..104).map(same).collect();
    let output = probe.setup_as_planned(v4(), &format!("{script} rules.list host tell"));
    let answer = answer_of(&output);
    let exists = ["rules.add.exists"; 4];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(exists));
    let told = |priority: u32| output.stderr.contains(&format!("{priority} 77"));
    assert_eq!([100, 101, 102, 103].map(told), [true, true, false, false]);
    probe.teardown(&v4());
}

/// The kernel removes the first rule that has all that a question names.
fn mistaken() {
    let world = World::new();
    world.host.ip_batch(
        &[],
        "rule add from 10.88.0.2 iif p0 lookup 77 priority 100\n\
         rule add from 10.88.0.2 lookup 77 priority 100",
    );
    let probe = Probe::new(&world, &wide());
    let error = probe.setup_fails(v4(), "rules.add host 100 77 version=ipv4");
    assert!(error.contains("(EEXIST)"), "{error}");
    let error = probe.setup_fails(v4(), "rules.remove host 100 77 source=10.88.0.2/32");
    let text = "would remove another rule of the same priority and table, \
        100: from 10.88.0.2/32 iif p0 lookup 77: remove that one first (EBUSY)";
    assert!(error.contains(text), "{error}");
    // Another way round they can be told apart.
    let script = "rules.add host 100 77 source=10.88.0.2/32 outgoing-link=p0; \
        rules.remove host 100 77 source=10.88.0.2/32 incoming-link=p0; \
        rules.add host 99 77 source=10.88.0.2/32";
    answer_of(&probe.setup_as_planned(v4(), script));
    let expected = [
        "99: from 10.88.0.2 lookup 77 proto static",
        "100: from 10.88.0.2 lookup 77 proto unspec",
        "100: from 10.88.0.2 oif p0 lookup 77 proto static",
    ];
    assert_eq!(rules(&world.host), expected);
    let output = probe.wasmvark.teardown(NAME, v4().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    let expected = [
        "100: from 10.88.0.2 lookup 77 proto unspec",
        "100: from 10.88.0.2 iif p0 lookup 77 proto unspec",
    ];
    assert_eq!(rules(&world.host), expected, "what comes back comes last");
}

fn remove_own() {
    let world = World::new();
    world
        .host
        .ip("rule add from 10.88.0.7 lookup 77 priority 100");
    let probe = Probe::new(&world, &with_table());
    let add = "rules.add host 100 77 source=10.88.0.2/32";
    let remove = "rules.remove host 100 77 source=10.88.0.2/32";
    let answer = answer_of(&probe.setup_as_planned(v4(), &format!("{add}; {remove}; ?{remove}")));
    let denied = ["rules.remove.denied"];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(denied));
    probe.teardown(&v4());
    let error = probe.setup_fails(v4(), "rules.remove host 100 77 source=10.88.0.7/32");
    assert!(error.contains("denied"), "{error}");
    let error = probe.setup_fails(v4(), "rules.remove container 32766 254 version=ipv4");
    assert!(error.contains("denied"), "{error}");
    probe.removes_in_teardown(&v4(), add, remove);
}

/// Also rules of the kernel's own, and where the driver adds the same again.
fn remove_other() {
    let world = World::new();
    world.host.ip_batch(
        &[],
        "rule add from 10.66.0.0/16 fwmark 0x1/0xf iif p0 lookup 77 priority 5 protocol dhcp\n\
         rule add from 10.66.0.0/16 lookup 78 priority 5",
    );
    let v6 = "rule add to fd66::/64 lookup 1077 priority 6";
    world.host.ip_batch(&["-6"], v6);
    let probe = Probe::new(&world, &wide());
    let script = "rules.remove host 5 77 source=10.66.0.0/16 incoming-link=p0 mark=1,15; \
        rules.remove host 6 1077 destination=fd66::/64; rules.remove host 0 255 version=ipv4; \
        rules.remove host 5 78 source=10.66.0.0/16; rules.add host 5 78 source=10.66.0.0/16; \
        rules.remove host 32766 254 version=ipv6; ?rules.remove host 7 77 source=10.66.0.0/16";
    let answer = answer_of(&probe.setup_as_planned(v4(), script));
    let gone = ["rules.remove.not-found"];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(gone));
    assert_eq!(
        rules(&world.host),
        ["5: from 10.66.0.0/16 lookup 78 proto static"]
    );
    let v4_rules = world.host.ip_batch(&["-4"], "rule show");
    assert!(!v4_rules.contains("lookup local"), "{v4_rules}");
    probe.teardown(&v4());
}

/// A rule names links by name. It stays when they go.
fn without_link() {
    let world = World::new();
    let probe = Probe::new(&world, &own());
    let script =
        "links.create-veth eth0; rules.add container 100 77 version=ipv4 incoming-link=eth0";
    answer_of(&probe.setup_as_planned(v4(), script));
    world.container.ip("link del eth0");
    assert_eq!(
        rules(&world.container),
        ["100: from all iif eth0 [detached] lookup 77 proto static"]
    );
    probe.teardown(&v4());
}

/// A veth pair whose end on the host is called so.
const END: &str = "links.create-veth - host-name=end0; ";
const BY_LINK: &str = "rules.add host 100 77 version=ipv4 incoming-link=end0";

fn with_end() -> Grant {
    let grant = with_table().without("links.create-veth");
    grant.call("links.create-veth", r#"{ link = "end0", place = "host" }"#)
}

fn own_link() {
    let world = World::new();
    let probe = Probe::new(&world, &with_end());
    answer_of(&probe.setup_as_planned(v4(), &format!("{END}{BY_LINK}")));
    assert_eq!(
        rules(&world.host),
        ["100: from all iif end0 lookup 77 proto static"]
    );
    probe.teardown(&v4());
    let error = probe.setup_fails(v4(), BY_LINK);
    let line = r#""rules.add" = { link = "end0", table = 77 }"#;
    assert!(error.contains(line), "{error}");
}

fn stolen_name() {
    let world = World::new();
    let probe = Probe::new(&world, &with_end());
    answer_of(&probe.setup_as_planned(v4(), END));
    world
        .host
        .ip_batch(&[], "link del end0\nlink add end0 type veth peer end1");
    let before = world.dump();
    let script = format!("{BY_LINK}; fail reached");
    let teardown = v4().option("teardown-script", &script).for_plugin();
    let output = probe.wasmvark.teardown(NAME, teardown);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(!output.stderr.contains("reached"), "{output:?}");
    assert!(output.stderr.contains("(ENODEV)"), "{output:?}");
    world.assert_unchanged(&before);
}

fn own_vrf() {
    let world = World::new();
    let grant = own().call(
        "links.create-vrf",
        r#"{ link = "vrf9", place = "shared", table = 1077 }"#,
    );
    let probe = Probe::new(&world, &grant);
    let script = "links.create-vrf shared vrf9 1077; rules.add host 100 1077 source=10.88.0.0/24";
    answer_of(&probe.setup_as_planned(v4(), script));
    probe.teardown(&v4());
}

fn reserved() {
    let world = World::new();
    let probe = Probe::new(&world, &with_table());
    for table in [253, 254, 255, 78] {
        let script = format!("rules.add host 100 {table} source=10.88.0.2/32");
        let error = probe.setup_fails(v4(), &script);
        let line = format!("\"rules.add\" = {{ table = [77, {table}] }}");
        assert!(error.contains(&line), "{error}");
    }
    for (rule, line) in [
        ("source=10.0.0.0/8", r#"address = "10.0.0.0/8", table = 77"#),
        (
            "destination=10.77.0.0/16",
            r#"destination = "10.77.0.0/16", table = 77"#,
        ),
        ("version=ipv6 mark=1,1", r#"address = "::/0", table = 77"#),
        (
            "version=ipv4 outgoing-link=p0",
            r#"link = "p0", table = 77"#,
        ),
    ] {
        let script = format!("rules.add host 100 77 {rule}");
        let error = probe.setup_fails(v4(), &script);
        assert!(error.contains(line), "{error}");
    }
}

/// Its packets go where they went, whatever the grant says.
fn connected() {
    let world = World::new();
    world.host.ip("addr add 10.88.0.250/16 dev p0");
    let probe = Probe::new(&world, &wide());
    for wide in [
        "destination=10.88.0.66/32",
        "source=10.88.0.66/32",
        "destination=10.88.64.0/18",
    ] {
        let error = probe.setup_fails(v4(), &format!("rules.add host 100 77 {wide}"));
        assert!(error.contains("(EBUSY)"), "{error}");
        assert!(error.contains("connected to 10.88.0.0/16"), "{error}");
    }
    for own in [
        "destination=10.88.0.2/32",
        "source=10.88.0.2/32 destination=10.88.0.66/32",
    ] {
        answer_of(&probe.setup_as_planned(v4(), &format!("rules.add host 100 77 {own}")));
        probe.teardown(&v4());
    }
}

fn wrong() {
    let world = World::new();
    let probe = Probe::new(&world, &own());
    for (rule, text) in [
        ("77", "needs a version of IP"),
        ("0 version=ipv4", "there is no table 0"),
        (
            "77 source=10.0.0.0/8 destination=fd00::/8",
            "mixes IPv4 and IPv6",
        ),
        ("77 source=10.0.0.0/8 version=ipv6", "mixes IPv4 and IPv6"),
        ("77 source=10.0.0.2", "\"10.0.0.2\" is no network"),
        ("77 version=ipv4 incoming-link=a/b", "can't be the name"),
        ("77 version=ipv4 mark=1,0", "a mask of 0"),
        (
            "77 version=ipv4 mark=4,3",
            "0x4 has bits beside its mask 0x3",
        ),
    ] {
        let script = format!("rules.add container 100 {rule}");
        let error = error_of(&probe.setup_as_planned(v4(), &script));
        assert!(error.contains(text), "{rule}: {error}");
    }
}
