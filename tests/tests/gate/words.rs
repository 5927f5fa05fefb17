//! The separation of the user's request from a driver's return values. A value that
//! `create` returns never counts as the request's, and the values of `setup` are
//! decided on. The grants are those of `just install`.

use std::fs;

use serde_json::{Value, json};
use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe, STRANGER};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    for case in CHANGES {
        let name = format!("words::create-{}", case.name);
        suite.test(name, NEEDS, || needs_its_line(case));
    }
    for (name, change, words) in REFUSED {
        let name = format!("words::create-refuses-{name}");
        suite.test(name, NEEDS, || is_refused(change, words));
    }
    let mut test = |name: &str, test: fn()| suite.test(format!("words::{name}"), NEEDS, test);
    test(
        "a-granted-parent-is-not-named",
        a_granted_parent_is_not_named,
    );
    test("an-edited-network-is-adopted", an_edited_network_is_adopted);
    test("a-subnet-of-the-drivers-reaches-nothing", drivers_subnet);
    test("a-secret-of-the-drivers-stays-unused", drivers_secret);
    test("nothing-is-changed-in-create", nothing_is_changed_in_create);
    test("a-bridge-gets-a-free-name", a_bridge_gets_a_free_name);
    test("changes-are-on-record", changes_are_on_record);
    test("answers-are-decided", answers_are_decided);
    test("gc-forgets-what-podman-has-no-more", gc_forgets);
}

/// A change that a driver wants in the user's place.
struct Change {
    name: &'static str,
    /// The driver whose grant it has.
    grant: &'static str,
    script: &'static str,
    /// The line that would allow it.
    line: &'static str,
}

const CHANGES: &[Change] = &[
    Change {
        name: "parent",
        grant: "host-device",
        script: "change network-interface x0",
        line: r#""create.parent" = { link = "x0" }"#,
    },
    Change {
        name: "parent-by-option",
        grant: "macvlan",
        script: "change set-option parent x0",
        line: r#""create.parent" = { link = "x0" }"#,
    },
    Change {
        name: "parent-by-mac",
        grant: "host-device",
        script: "change set-option hwaddr 02:00:00:00:00:f0",
        line: r#""create.parent" = { link = "*" }"#,
    },
    Change {
        name: "parent-by-patch",
        grant: "bridge",
        script: r#"change {"network_interface":"x0"}"#,
        line: r#""create.parent" = { link = "x0" }"#,
    },
    Change {
        name: "parent-by-another-bridges-name",
        grant: "bridge",
        script: "change network-interface wv-000000000000",
        line: r#""create.parent" = { link = "wv-000000000000" }"#,
    },
    Change {
        name: "subnets",
        grant: "ptp",
        script: r#"change {"subnets":[{"subnet":"10.88.0.0/16"},{"subnet":"128.0.0.0/1"}]}"#,
        line: r#""create.subnets" = { address = "128.0.0.0/1" }"#,
    },
    Change {
        name: "gateway",
        grant: "bridge",
        script: r#"change {"subnets":[{"subnet":"10.88.0.0/16","gateway":"10.88.0.9"}]}"#,
        line: r#""create.subnets" = { address = "10.88.0.9/32" }"#,
    },
    Change {
        name: "routes",
        grant: "dummy",
        script: r#"change {"routes":[{"destination":"203.0.113.0/24","gateway":"10.88.0.1"}]}"#,
        line: r#""create.routes" = { destination = "203.0.113.0/24" }"#,
    },
    Change {
        name: "secret",
        grant: "wireguard",
        script: "change set-option private_key_secret other",
        line: r#""create.secret" = { secret = "other" }"#,
    },
    Change {
        name: "vrf",
        grant: "bridge",
        script: "change set-option vrf x0",
        line: r#""create.vrf" = { link = "x0" }"#,
    },
    Change {
        name: "vrf-name",
        grant: "vrf",
        script: "change set-option vrf_name eth9",
        line: r#""create.vrf" = { link = "container:eth9" }"#,
    },
    Change {
        name: "host-interface-name",
        grant: "ptp",
        script: "change set-option host_interface_name x9",
        line: r#""create.host-interface-name" = { link = "x9" }"#,
    },
    Change {
        name: "outbound-address",
        grant: "bridge",
        script: "change set-option outbound_addr4 192.0.2.9",
        line: r#""create.outbound-address" = { address = "192.0.2.9/32" }"#,
    },
    Change {
        name: "name-servers",
        grant: "bridge",
        script: r#"change {"network_dns_servers":["198.51.100.66"]}"#,
        line: r#""create.name-servers" = { address = "198.51.100.66/32" }"#,
    },
];

/// What no grant allows.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "another-name",
        r#"change {"name":"x"}"#,
        "no driver can change",
    ),
    ("another-id", r#"change {"id":"x"}"#, "no driver can change"),
    (
        "another-driver",
        r#"change {"driver":"x"}"#,
        "no driver can change",
    ),
    (
        "internal",
        r#"change {"internal":false}"#,
        "no driver can change",
    ),
    (
        "another-case",
        r#"change {"Network_Interface":"x0"}"#,
        "would take for",
    ),
    (
        "a-folded-letter",
        "change {\"\u{17f}ubnets\":[]}",
        "would take for",
    ),
    (
        "a-key-twice",
        r#"change {"options":{"a":"1","a":"2"}}"#,
        "twice",
    ),
    (
        "a-nested-case",
        r#"change {"subnets":[{"Subnet":"0.0.0.0/0"}]}"#,
        "keys that such items",
    ),
    (
        "a-field-of-its-own",
        r#"change {"mine":1}"#,
        "no field of that name",
    ),
    ("a-list", r#"change merge-patch [1]"#, "not a JSON object"),
];

/// A network as its user asks for it, on no parent.
fn network() -> Connection {
    Connection::new(NAME)
        .subnet("10.88.0.0/16", "10.88.0.1")
        .without_network("network_interface")
}

fn create(probe: &Probe<'_>, connection: &Connection, script: &str) -> Output {
    let request = connection.clone().option("create-script", script);
    probe
        .wasmvark
        .plugin(NAME, &["create"], request.for_create())
}

/// The network that `create` makes of it.
fn made(probe: &Probe<'_>, connection: &Connection, script: &str) -> Connection {
    let request = connection.clone().option("create-script", script);
    let answer = answer_of(&create(probe, connection, script));
    request.to_made(answer)
}

fn needs_its_line(case: &Change) {
    let world = World::new();
    let probe = Probe::new(&world, &Grant::example(case.grant));
    let before = world.dump();
    let error = error_of(&create(&probe, &network(), case.script));
    let call = case.line.split('"').nth(1).unwrap();
    let unlisted = format!("{call} on ");
    assert!(error.contains(&unlisted), "{error}");
    // To list it is not enough: it must reach what is named.
    probe.grant(&Grant::example(case.grant).call(call, "{}"));
    let error = error_of(&create(&probe, &network(), case.script));
    assert!(error.ends_with(case.line), "{error}");
    let (_, reach) = case.line.split_once(" = ").unwrap();
    probe.grant(&Grant::example(case.grant).call(call, reach));
    answer_of(&create(&probe, &network(), case.script));
    world.assert_unchanged(&before);
}

fn is_refused(change: &str, words: &str) {
    let world = World::new();
    let calls = ["create.parent", "create.subnets", "create.routes"];
    let grant = Grant::nothing()
        .call(calls[0], r#"{ link = "*" }"#)
        .call(calls[1], r#"{ address = "*" }"#)
        .call(calls[2], r#"{ destination = "*" }"#);
    let probe = Probe::new(&world, &grant);
    let error = error_of(&create(&probe, &network(), change));
    assert!(error.contains(words), "{error}");
}

/// The grant lets the driver write another parent into the network, and the
/// calls of `setup` still reach only what the user named.
fn a_granted_parent_is_not_named() {
    let world = World::new();
    let grant = Grant::example("host-device").call("create.parent", r#"{ link = "x0" }"#);
    let probe = Probe::new(&world, &grant);
    let network = made(&probe, &network(), "change network-interface x0").ip("10.88.0.2");
    let script = "links.get host x0; links.move-to-container 0 eth0";
    let error = probe.setup_fails(network, script);
    assert!(
        error.contains("links.get on link host:x0 is denied"),
        "{error}"
    );
    assert!(
        error.contains("the interface x0, the option \"script\"; if"),
        "{error}"
    );
    assert!(error.contains("`wasmvark adopt testnet`"), "{error}");
}

/// Where an operator has changed Podman's file, a run says what differs, and
/// the command that it names adopts that.
fn an_edited_network_is_adopted() {
    let world = World::new();
    let probe = Probe::new(&world, &Grant::of(&["links.get"]));
    let network = made(&probe, &Connection::v4(NAME), "");
    answer_of(&probe.setup(network.clone(), "links.get host p0"));
    probe.teardown(&network);
    let edited = network.network("network_interface", STRANGER);
    let error = probe.setup_fails(edited.clone(), "links.get host x0");
    assert!(error.contains("`wasmvark adopt testnet`"), "{error}");
    let error = probe.setup_fails(edited.clone(), "links.get host p0");
    assert!(
        error.contains("links.get on link host:p0 is denied"),
        "{error}"
    );
    let folder = world.file("networks");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("testnet.json"), edited.for_create()).unwrap();
    let folder = folder.to_string_lossy().into_owned();
    let adopt = |name: &str| {
        let arguments = ["adopt", name, "--networks-dir", &folder];
        probe.wasmvark.administer(&arguments)
    };
    assert!(adopt("nonet").stderr.contains("has no network nonet"));
    let output = adopt("testnet");
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("  interface x0\n"), "{output:?}");
    answer_of(&probe.setup(edited.clone(), "links.get host x0"));
    probe.teardown(&edited);
    let lines = probe.wasmvark.audit();
    let adopted = |line: &&wasmvark_tests::audit::Line| line.command.as_deref() == Some("adopt");
    assert!(lines.iter().any(|line| adopted(&line)));
}

/// The host's routes and addresses stay as they are, whatever subnets a driver
/// adds.
fn drivers_subnet() {
    let world = World::new();
    let grant = Grant::example("ptp").call("create.subnets", r#"{ address = "*" }"#);
    let probe = Probe::new(&world, &grant);
    let patch = r#"change {"subnets":[{"subnet":"10.88.0.0/16","gateway":"10.88.0.1"},
        {"subnet":"203.0.113.0/24","gateway":"203.0.113.254"}]}"#;
    let network = made(&probe, &network(), patch)
        .ip("10.88.0.2")
        .ip("203.0.113.2");
    for call in [
        "addresses.add 1 203.0.113.254/24",
        "addresses.add 0 203.0.113.2/24",
        "routes.add container 203.0.113.0/24 unicast link=eth0",
        "firewall.masquerade 203.0.113.0/24",
        "firewall.masquerade 203.0.113.2/32",
        "firewall.publish 1 203.0.113.2 8080:80/tcp",
    ] {
        let script = format!("links.create-veth -; links.set-up 0; links.set-up 1; {call}");
        let error = probe.setup_fails(network.clone(), &script);
        assert!(error.contains(" is denied: "), "{call}: {error}");
    }
}

fn drivers_secret() {
    let world = World::new();
    let grant = Grant::of(&["links.create-ifb", "wireguard.set-private-key"])
        .call("create.secret", r#"{ secret = "*" }"#);
    let probe = Probe::new(&world, &grant);
    let key = "AAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAUE=";
    probe.wasmvark.keep_secret("corp-vpn-key", key);
    let asked = network().ip("10.88.0.2");
    let script = "links.create-ifb container -; wireguard.set-private-key 0 corp-vpn-key";
    let network = made(&probe, &asked, "change set-option x_secret corp-vpn-key");
    let error = probe.setup_fails(network, script);
    assert!(
        error.contains("secret \"corp-vpn-key\" is denied"),
        "{error}"
    );
    // Nor does a network count that nobody is known to have asked for.
    let id = "a".repeat(64);
    let unknown = asked
        .network("id", id.as_str())
        .option("x_secret", "corp-vpn-key");
    let error = probe.setup_fails(unknown, script);
    assert!(error.contains("the secret \"corp-vpn-key\""), "{error}");
}

/// Whatever is granted: there is no container yet that would take it back.
fn nothing_is_changed_in_create() {
    let world = World::new();
    let grant = Grant::nothing()
        .call("links.get", r#"{ link = "*" }"#)
        .call(
            "sysctl.enable-ip-forward",
            r#"{ key = "net.ipv4.ip_forward" }"#,
        )
        .call("sysctl.set", r#"{ key = "net.ipv4.conf.*.forwarding" }"#)
        .call("sysctl.set-forwarding", r#"{ link = "*" }"#)
        .call("links.set-mtu", r#"{ link = "*" }"#)
        .call("links.rename", r#"{ link = "*" }"#)
        .call("addresses.add", r#"{ link = "*", address = "*" }"#)
        .call(
            "announce.gratuitous-arp",
            r#"{ link = "*", address = "*" }"#,
        )
        .call("firewall.masquerade", r#"{ address = "*" }"#)
        .call("links.create-bridge", r#"{ link = "container:br9" }"#);
    let probe = Probe::new(&world, &grant);
    let before = world.dump();
    for call in [
        "sysctl.enable-ip-forward host ipv4",
        "sysctl.set host net.ipv4.conf.p0.forwarding 1",
        "links.get host p0; sysctl.set-forwarding 0 ipv4 on",
        "links.get host p0; links.set-mtu 0 1400",
        "links.get host p0; links.rename 0 p9",
        "links.get host p0; addresses.add 0 192.0.2.7/24",
        "links.get host p0; announce.gratuitous-arp 0 10.88.0.9",
        "firewall.masquerade 192.0.2.0/24",
        "links.create-bridge container br9",
    ] {
        let error = error_of(&create(&probe, &Connection::v4(NAME), call));
        assert!(
            error.contains("there is no container yet"),
            "{call}: {error}"
        );
        world.assert_unchanged(&before);
    }
}

fn a_bridge_gets_a_free_name() {
    let world = World::new();
    let probe = Probe::new(&world, &Grant::example("bridge"));
    let asked = network().ip("10.88.0.2");
    let name = |network: &Connection| -> String {
        let document: Value = serde_json::from_str(&network.for_create()).unwrap();
        document["network_interface"].as_str().unwrap().to_owned()
    };
    let leave_open = r#"change network-interface """#;
    let first = made(&probe, &asked, leave_open);
    assert_eq!(name(&first), format!("wv-{}", &asked.network_id()[..12]));
    // A driver that gives just this name means the same.
    let same = made(
        &probe,
        &asked,
        &format!("change network-interface {}", name(&first)),
    );
    assert_eq!(name(&same), name(&first));
    answer_of(&probe.setup(first.clone(), "links.create-bridge shared -"));
    probe.teardown(&first);
    // It names a bridge to be made, and no link that is there.
    world
        .host
        .ip(&format!("link add {} type veth peer other", name(&first)));
    let error = error_of(&probe.setup(first.clone(), &format!("links.get host {}", name(&first))));
    assert!(error.contains(" is denied: "), "{error}");
    let second = made(&probe, &asked, leave_open);
    assert_ne!(name(&second), name(&first));
}

fn changes_are_on_record() {
    let world = World::new();
    let grant = Grant::nothing().call("create.parent", r#"{ link = "x0" }"#);
    let probe = Probe::new(&world, &grant);
    let script = r#"change set-option mtu 1400; change dns-enabled off; change {"labels":{"a":"b"}};
        change network-interface x0"#;
    answer_of(&create(&probe, &network(), script));
    let lines = probe.wasmvark.audit();
    let object = |line: &wasmvark_tests::audit::Line| line.object.clone().unwrap_or_default();
    let changes = lines.iter().filter(|line| line.event == "change");
    let changes: Vec<String> = changes.map(object).collect();
    assert_eq!(
        changes,
        [
            "option \"mtu\" set to \"1400\"",
            "dns_enabled set to false",
            "label \"a\" set to \"b\"",
            "network_interface set to \"x0\"",
        ]
    );
    let call = lines.iter().find(|line| line.event == "call").unwrap();
    assert_eq!(call.call.as_deref(), Some("create.parent"));
    assert_eq!(call.verdict.as_deref(), Some("allow"));
    assert_eq!(object(call), "link host:x0");
}

fn answers_are_decided() {
    let world = World::new();
    let probe = Probe::new(&world, &Grant::nothing().strict());
    let asked = || Connection::v4(NAME).network("network_dns_servers", json!(["192.0.2.53"]));
    let error = probe.setup_fails(asked(), "dns 10.88.0.1");
    assert!(
        error.contains("answer.dns on name server 10.88.0.1 is denied"),
        "{error}"
    );
    let error = probe.setup_fails(asked(), "?fail x");
    assert!(
        error.contains("answer.search on search domain fail.other is denied"),
        "{error}"
    );
    probe.grant(&Grant::of(&["answer.dns"]));
    let answer = answer_of(&probe.setup(asked(), "dns 10.88.0.1; dns 192.0.2.53; ?fail x"));
    assert_eq!(answer["dns_server_ips"], json!(["10.88.0.1", "192.0.2.53"]));
    assert_eq!(answer["dns_search_domains"], json!(["fail.other"]));
    probe.teardown(&asked());
    let error = probe.setup_fails(asked(), "dns 198.51.100.66");
    let line = r#""answer.dns" = { address = "198.51.100.66/32" }"#;
    assert!(error.ends_with(line), "{error}");
    probe.grant(&Grant::nothing().call("answer.dns", r#"{ address = "198.51.100.0/24" }"#));
    let answer = answer_of(&probe.setup(asked(), "dns 198.51.100.66"));
    assert_eq!(answer["dns_server_ips"], json!(["198.51.100.66"]));
    probe.teardown(&asked());
}

fn gc_forgets() {
    let world = World::new();
    let probe = Probe::new(&world, &Grant::nothing());
    let asked = network();
    made(&probe, &asked, "");
    let kept = probe.wasmvark.root().join("lib/networks");
    let kept = kept.join(format!("{}.json", asked.network_id()));
    let networks = world.file("podman");
    fs::create_dir(&networks).unwrap();
    let conf = world.file("containers.conf");
    let text = format!("[network]\nnetwork_config_dir = {networks:?}\n");
    fs::write(&conf, text).unwrap();
    let gc = || {
        let mut gc = probe.wasmvark.command("gc");
        process::run(gc.env("CONTAINERS_CONF", &conf), b"").stdout
    };
    // Podman may be about to write its file.
    assert!(!gc().contains("Forgot"));
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file = fs::File::options().write(true).open(&kept).unwrap();
    file.set_modified(long_ago).unwrap();
    let podmans = networks.join("testnet.json");
    fs::write(&podmans, asked.for_create()).unwrap();
    assert!(!gc().contains("Forgot"));
    fs::write(&podmans, "{").unwrap();
    // Any network may be the one that can't be read.
    assert!(!gc().contains("Forgot"));
    fs::remove_file(&podmans).unwrap();
    assert!(gc().contains("Forgot 1 network that Podman has no more.\n"));
    assert!(!kept.exists());
}
