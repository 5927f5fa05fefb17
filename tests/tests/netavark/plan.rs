//! The comparison of plans with real runs.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wasmvark_tests::audit;
use wasmvark_tests::connection::{Connection, mapping};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::plan::Trial;
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::wire;
use wasmvark_tests::world::{PARENT, World};

/// A driver's request, in a world that is prepared for it.
#[derive(Clone)]
struct Case {
    name: &'static str,
    driver: &'static str,
    needs: &'static [Need],
    prepare: fn(&World),
    connection: fn(Connection) -> Connection,
}

const NOTHING: fn(&World) = |_| {};

const CASES: [Case; 18] = [
    Case {
        name: "macvlan",
        driver: "macvlan",
        needs: &[Need::Macvlan],
        prepare: NOTHING,
        connection: |connection| connection,
    },
    Case {
        name: "macvlan with options",
        driver: "macvlan",
        needs: &[Need::Macvlan],
        prepare: |world| world.give_host_a_default_route(),
        connection: |connection| {
            connection
                .without_network("network_interface")
                .option("mtu", "1400")
                .option("metric", "77")
                .option("mode", "private")
                .join("static_mac", "aa:bb:cc:dd:ee:ff")
                .route(json!({"destination": "192.0.2.0/24", "gateway": "10.88.0.1"}))
                .route(json!({"destination": "198.51.100.0/24", "route_type": "blackhole"}))
        },
    },
    Case {
        name: "rates, source routing and settings",
        driver: "macvlan",
        needs: &[Need::Macvlan],
        prepare: NOTHING,
        connection: |connection| {
            connection
                .option("ingress_rate", "8m")
                .option("egress_rate", "4m")
                .option("source_routing", "true")
                .option("allmulti", "true")
                .option("txqlen", "77")
                .option("sysctl.net.ipv4.conf.IFNAME.log_martians", "1")
        },
    },
    Case {
        name: "bridge",
        driver: "bridge",
        needs: &[Need::Nft],
        prepare: |world| world.host.forward(),
        connection: |connection| connection.network("network_interface", "br0"),
    },
    Case {
        name: "bridge that isn't routed yet",
        driver: "bridge",
        needs: &[Need::Nft],
        prepare: NOTHING,
        connection: |connection| {
            let connection = connection.network("network_interface", "br0");
            connection.network("internal", true)
        },
    },
    Case {
        name: "bridge with ports and isolation",
        driver: "bridge",
        needs: &[Need::Nft],
        prepare: |world| world.host.forward(),
        connection: |connection| {
            connection
                .network("network_interface", "br0")
                .option("isolate", "true")
                .option("mac_spoof_check", "true")
                .join("static_mac", "aa:bb:cc:dd:ee:ff")
                .port(mapping("", 8080, 80, 1, "tcp"))
                .port(mapping("127.0.0.1", 9000, 90, 3, "udp"))
        },
    },
    Case {
        name: "bridge that is there",
        driver: "bridge",
        needs: &[Need::Nft],
        prepare: |world| {
            let lines = "link add br7 type bridge\nlink set br7 up\nlink set p0 master br7";
            world.host.ip_batch(&[], lines);
            wire::wait_for_carrier(&world.host, "br7");
        },
        connection: |connection| {
            connection
                .network("network_interface", "br7")
                .option("mode", "unmanaged")
        },
    },
    Case {
        name: "ptp",
        driver: "ptp",
        needs: &[],
        prepare: |world| world.host.forward(),
        connection: |connection| {
            connection
                .without_network("network_interface")
                .join("options", json!({"host_interface_name": "end0"}))
        },
    },
    Case {
        name: "ptp with ports",
        driver: "ptp",
        needs: &[Need::Nft],
        prepare: |world| world.host.forward(),
        connection: |connection| {
            connection
                .without_network("network_interface")
                .option("masquerade", "true")
                .port(mapping("", 8080, 80, 1, "tcp"))
        },
    },
    Case {
        name: "host-device",
        driver: "host-device",
        needs: &[],
        prepare: |world| {
            let lines = format!(
                "addr add 192.0.2.7/24 dev {PARENT}\naddr add 2001:db8::7/64 dev {PARENT} nodad\n\
                 route add 198.51.100.0/24 via 192.0.2.1\nlink set {PARENT} mtu 1400"
            );
            world.host.ip_batch(&[], &lines);
        },
        connection: |connection| connection.option("parent", PARENT),
    },
    Case {
        name: "tap",
        driver: "tap",
        needs: &[],
        prepare: NOTHING,
        connection: |connection| connection.without_network("network_interface"),
    },
    Case {
        name: "vxlan",
        driver: "vxlan",
        needs: &[Need::Link(Kind::Vxlan)],
        prepare: |world| world.host.ip("addr add 10.89.0.250/16 dev p0"),
        connection: |connection| connection.option("id", "7").option("remote", "10.89.0.1"),
    },
    Case {
        name: "ipvlan",
        driver: "ipvlan",
        needs: &[Need::Link(Kind::Ipvlan)],
        prepare: NOTHING,
        connection: |connection| connection,
    },
    Case {
        name: "vlan",
        driver: "vlan",
        needs: &[Need::Link(Kind::Vlan)],
        prepare: NOTHING,
        connection: |connection| connection.option("vlan", "7"),
    },
    Case {
        name: "vrf",
        driver: "vrf",
        needs: &[Need::Macvlan, Need::Link(Kind::Vrf)],
        prepare: NOTHING,
        connection: |connection| connection.option("vrf_name", "blue"),
    },
    Case {
        name: "dummy",
        driver: "dummy",
        needs: &[Need::Link(Kind::Dummy)],
        prepare: NOTHING,
        connection: |connection| connection.without_network("network_interface"),
    },
    Case {
        name: "ptp without a default route",
        driver: "ptp",
        needs: &[],
        prepare: |world| world.host.forward(),
        connection: |connection| {
            connection
                .without_network("network_interface")
                .join("options", json!({"host_interface_name": "end0"}))
                .option("no_default_route", "true")
        },
    },
    Case {
        name: "IPv4 alone",
        driver: "macvlan",
        needs: &[Need::Macvlan],
        prepare: NOTHING,
        connection: |_| Connection::v4("wasm-macvlan"),
    },
];

pub(crate) fn register(suite: &mut Suite) {
    for case in CASES {
        let needs: Vec<Need> = [&[Need::Root], case.needs].concat();
        let needs: &'static [Need] = needs.leak();
        let name = format!("plan/the same: {}", case.name);
        suite.test(name, needs, move || is_the_same(&case));
    }
    let needs = &[Need::Root, Need::Nft];
    suite.test("plan/a second container", needs, second_container);
    let needs = &[Need::Root];
    suite.test("plan/connected already", needs, connected_already);
    suite.test("plan/what stays", needs, what_stays);
}

fn is_the_same(case: &Case) {
    let world = World::new();
    (case.prepare)(&world);
    let trial = Trial::of(&world, case.driver);
    let connection = (case.connection)(Connection::dual(&trial.name));
    compare(&trial, &connection);
}

/// Forwarding is turned on for all, and what others may rely on stays.
fn what_stays() {
    for (world, end) in [
        (
            World::new(),
            "Then this is left:\nhost\n  + setting net.ipv4.ip_forward = 1\n\n",
        ),
        (World::forwarding(), "Then all is as it was.\n\n"),
    ] {
        let trial = Trial::of(&world, "bridge");
        let connection = Connection::v4(&trial.name).network("network_interface", "br0");
        let output = trial.run(&connection.for_plugin(), &[]);
        assert_eq!(output.code, Some(0), "{output:?}");
        for words in [end, "  (by { key = \"net.ipv4.ip_forward\" })\n"] {
            assert!(output.stdout.contains(words), "{output:?}");
        }
    }
}

/// Compares plans of a connection with what then becomes of it.
fn compare(trial: &Trial<'_>, connection: &Connection) {
    let world = trial.world;
    let before = world.dump();
    let netns = world.container.path().display().to_string();
    let imagined = trial.plan(connection, &[]);
    let plan = trial.plan(connection, &["--netns", &netns]);
    for field in ["operations", "answer", "undo", "leaves_nothing"] {
        assert_eq!(imagined[field], plan[field], "{field}");
    }
    assert_eq!(plan["leaves_nothing"], true, "{plan:#}");
    let lines = trial.wasmvark.audit().len();
    let output = trial.wasmvark.setup(&trial.name, connection.for_plugin());
    let mut answer = answer_of(&output);
    let trail: Vec<audit::Line> = trial.wasmvark.audit().into_iter().skip(lines).collect();
    assert_eq!(told(&plan["operations"]), recorded(trail, "call"));
    let mut planned = plan["answer"].clone();
    leave_out_chosen_macs(&plan, &mut answer, &mut planned);
    assert_eq!(answer, planned);
    let after = world.dump();
    for (place, before, after) in [
        (0, &before.host, &after.host),
        (1, &before.container, &after.container),
    ] {
        compare_namespace(&plan, &plan["topology"]["namespaces"][place], before, after);
    }
    let lines = trial.wasmvark.audit().len();
    let output = trial
        .wasmvark
        .teardown(&trial.name, connection.for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    let trail: Vec<audit::Line> = trial.wasmvark.audit().into_iter().skip(lines).collect();
    assert_eq!(told(&plan["undo"]), recorded(trail, "undo"));
}

/// What a plan tells of its operations.
fn told(operations: &Value) -> Vec<String> {
    let lines: Vec<audit::Line> =
        serde_json::from_value(operations.clone()).expect("they are lines of a trail");
    audit::operations(&lines)
}

/// The same of a trail, as far as it's about an event.
fn recorded(mut trail: Vec<audit::Line>, event: &str) -> Vec<String> {
    trail.retain(|line| line.event == event);
    audit::operations(&trail)
}

/// Nobody knows the MAC addresses that the kernel chooses.
fn leave_out_chosen_macs(plan: &Value, answer: &mut Value, planned: &mut Value) {
    for link in chosen(plan) {
        for document in [&mut *answer, &mut *planned] {
            document["interfaces"][&link]["mac_address"] = Value::Null;
        }
    }
    for document in [answer, planned] {
        let interfaces = document["interfaces"].as_object_mut().expect("an object");
        interfaces.retain(|_, interface| interface.get("subnets").is_some());
    }
}

/// The links of the container whose addresses the kernel would choose.
fn chosen(plan: &Value) -> Vec<String> {
    let links = plan["topology"]["namespaces"][1]["links"].as_array();
    let chosen = links.expect("a list").iter();
    let chosen = chosen.filter(|link| link["mac_assumed"] == true);
    chosen.map(|link| text(&link["name"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(text).collect()
}

/// Compares what a plan says of a namespace with what the kernel has.
fn compare_namespace(plan: &Value, planned: &Value, before: &Dump, after: &Dump) {
    let links = planned["links"].as_array().expect("a list");
    let names: BTreeSet<String> = links.iter().map(|link| text(&link["name"])).collect();
    let real: BTreeSet<String> = after.link_names().into_iter().map(str::to_owned).collect();
    assert_eq!(names, real);
    for link in links {
        compare_link(plan, &planned["name"], link, after);
    }
    let is_by_hand = |route: &String| !route.ends_with(" proto kernel");
    let short = |route: String| {
        let route = route.replace("0.0.0.0/0", "default");
        let route = route.replace("::/0", "default");
        route.replace("/32 ", " ").replace("/128 ", " ")
    };
    let changed = |key: &str| -> Vec<String> {
        let routes = texts(&planned["routes"][key]).into_iter();
        let routes = routes.filter(is_by_hand).map(short);
        // Other tables aren't compared here.
        routes.filter(|route| !route.contains(" table ")).collect()
    };
    let mut expected = before.made_routes();
    let removed = changed("removed");
    expected.retain(|route| !removed.contains(route));
    expected.extend(changed("added"));
    expected.sort();
    assert_eq!(expected, after.made_routes(), "routes");
    for setting in texts(&planned["settings"]) {
        let (key, value) = setting.split_once(" = ").expect("a setting has a value");
        let key = key.trim_start_matches("net.").replace('.', "/");
        let real = after.setting(&key);
        assert!(real.is_none_or(|real| real == value), "{setting}: {real:?}");
    }
    let rules = |dump: &Dump| dump.source_rules().len();
    let added = texts(&planned["rules"]["added"]).len();
    assert_eq!(rules(before) + added, rules(after), "rules");
}

fn compare_link(plan: &Value, namespace: &Value, link: &Value, after: &Dump) {
    let name = text(&link["name"]);
    assert_eq!(text(&link["kind"]), after.kind(&name), "{name}");
    assert_eq!(link["mtu"], after.mtu(&name), "{name}");
    assert_eq!(link["up"], after.is_up(&name), "{name}");
    let mut addresses = texts(&link["addresses"]);
    addresses.retain(|address| !address.starts_with("fe80::"));
    addresses.sort();
    let mut real = after.cidrs(&name);
    real.sort();
    assert_eq!(addresses, real, "{name}");
    if link["mac_assumed"] == false && link["mac"].is_string() {
        // A bridge takes the address of a port that has one.
        let is_bridge = link["kind"] == "bridge" && link["mark"] == "new";
        assert!(
            is_bridge || text(&link["mac"]) == after.mac(&name),
            "{name}"
        );
    }
    let edges = plan["topology"]["edges"].as_array().expect("a list");
    let master = edges.iter().find(|edge| {
        edge["kind"] == "master"
            && edge["from"]["namespace"] == *namespace
            && edge["from"]["link"] == link["name"]
    });
    let master = master.map(|edge| edge["to"]["link"].clone());
    let facts = after.facts();
    let prefix = format!("link {name} master = ");
    let real = facts.iter().find_map(|fact| fact.strip_prefix(&prefix));
    let real = real.map(|master| Value::from(master.trim_matches('"')));
    assert_eq!(master, real, "{name}'s master");
}

/// What the containers of a network share is there for the second one, as the
/// journals say.
fn second_container() {
    let world = World::forwarding();
    let trial = Trial::of(&world, "bridge");
    let one = Connection::dual(&trial.name).network("network_interface", "br0");
    let other = wasmvark_tests::netns::Netns::new();
    let netns = other.path().display().to_string();
    let arguments = ["setup", netns.as_str()];
    let first = one
        .clone()
        .container("0123456789abcdef")
        .join("static_ips", vec!["10.88.0.3", "fd88::3"]);
    let output = trial
        .wasmvark
        .plugin(&trial.name, &arguments, first.for_plugin());
    answer_of(&output);
    compare(&trial, &one);
    let arguments = ["teardown", netns.as_str()];
    let output = trial
        .wasmvark
        .plugin(&trial.name, &arguments, first.for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
}

/// A setup undoes first what an earlier one has left, or has done: so does its
/// plan, by the journal that the earlier one wrote.
fn connected_already() {
    let world = World::new();
    let lines = format!(
        "addr add 192.0.2.7/24 dev {PARENT}\nroute add 198.51.100.0/24 via 192.0.2.1\n\
         neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev {PARENT} nud permanent"
    );
    world.host.ip_batch(&[], &lines);
    let trial = Trial::of(&world, "host-device");
    let connection = Connection::dual(&trial.name).option("parent", PARENT);
    answer_of(&trial.wasmvark.setup(&trial.name, connection.for_plugin()));
    let netns = world.container.path().display().to_string();
    let plan = trial.plan(&connection, &["--netns", &netns]);
    let lines = trial.wasmvark.audit().len();
    answer_of(&trial.wasmvark.setup(&trial.name, connection.for_plugin()));
    let trail: Vec<audit::Line> = trial.wasmvark.audit().into_iter().skip(lines).collect();
    let planned = told(&plan["operations"]);
    assert_eq!(planned, audit::operations(&trail));
    assert!(planned[0].starts_with("undo"), "{planned:?}");
    let output = trial
        .wasmvark
        .teardown(&trial.name, connection.for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
}
