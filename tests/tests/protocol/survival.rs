//! Unknown fields of future versions. `create` returns them, and `setup` and `teardown`
//! tolerate them.

use serde_json::{Value, json};
use wasmvark_tests::harness::Suite;
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, LINKS, NO_LINKS, good, installed, with_probe};

/// Values that a parser may lose something of.
const FRAGILE: [&str; 12] = [
    "1e400",
    "-1e-400",
    "123456789012345678901234567890",
    "0.1000000000000000055511151231257827021181583404541015625",
    "1.0",
    "-0",
    "1E2",
    r#""é\/""#,
    r#"{"z":1,"a":{"b":[null,true,{"c":1e400}]}}"#,
    r#"{"twice":1,"twice":2}"#,
    "[[[[[]]]]]",
    r#"{ "spaced" : [ 1 , 2 ] }"#,
];

pub(crate) fn register(suite: &mut Suite) {
    suite.test(
        "survival/unknown fields of a network",
        NO_LINKS,
        unknown_fields_of_a_network,
    );
    suite.test(
        "survival/unknown fields deeper",
        NO_LINKS,
        unknown_fields_deeper,
    );
    suite.test(
        "survival/null and absent fields",
        NO_LINKS,
        null_and_absent_fields,
    );
    suite.test(
        "survival/unknown fields in setup",
        LINKS,
        unknown_fields_in_setup,
    );
}

fn unknown_fields_of_a_network() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    for value in FRAGILE {
        let document = format!(
            r#"{{"name":"n","id":"i","driver":"{DRIVER}","internal":false,"ipv6_enabled":false,
            "dns_enabled":false,"of_tomorrow":{value}}}"#
        );
        let output = wasmvark.plugin(DRIVER, &["create"], &document);
        assert_eq!(output.code, Some(0), "{output:?}");
        let field = format!(r#""of_tomorrow":{value}"#);
        assert!(
            output.stdout.contains(&field),
            "{field} is not in {}",
            output.stdout
        );
    }
}

fn unknown_fields_deeper() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    for value in FRAGILE {
        let subnets = format!(
            r#"[{{"subnet":"10.0.0.0/24","lease_range":{{"start_ip":"10.0.0.9","new":{value}}},"new":{value}}}]"#
        );
        let routes =
            format!(r#"[{{"destination":"10.1.0.0/24","gateway":"10.0.0.1","new":{value}}}]"#);
        let document = format!(
            r#"{{"name":"n","id":"i","driver":"{DRIVER}","internal":false,"ipv6_enabled":false,
            "dns_enabled":false,"subnets":{subnets},"routes":{routes}}}"#
        );
        let output = wasmvark.plugin(DRIVER, &["create"], &document);
        assert_eq!(output.code, Some(0), "{output:?}");
        for part in [subnets, routes] {
            assert!(
                output.stdout.contains(&part),
                "{part} is not in {}",
                output.stdout
            );
        }
    }
}

fn null_and_absent_fields() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    let network = json!({"name": "n", "id": "i", "driver": DRIVER, "internal": false,
        "ipv6_enabled": false, "dns_enabled": false});
    answer_of(&wasmvark.plugin(DRIVER, &["create"], network.to_string()));
    let mut nulls = network.clone();
    for field in [
        "network_interface",
        "subnets",
        "routes",
        "options",
        "ipam_options",
        "labels",
        "network_dns_servers",
        "created",
    ] {
        nulls[field] = Value::Null;
    }
    let output = wasmvark.plugin(DRIVER, &["create"], nulls.to_string());
    assert_eq!(answer_of(&output), nulls);
    let mut document = json!({"container_id": "c", "container_name": "n", "network": nulls,
        "network_options": {"interface_name": "eth0"}});
    answer_of(&wasmvark.setup(DRIVER, document.to_string()));
    for field in ["aliases", "static_ips", "static_mac", "options"] {
        document["network_options"][field] = Value::Null;
    }
    document["port_mappings"] = Value::Null;
    answer_of(&wasmvark.setup(DRIVER, document.to_string()));
}

fn unknown_fields_in_setup() {
    let world = World::new();
    let wasmvark = installed(&world);
    let before = world.dump();
    let document: Value = serde_json::from_str(&good().for_plugin()).unwrap();
    for place in ["", "/network", "/network/subnets/0", "/network_options"] {
        for value in FRAGILE {
            let mut document = document.clone();
            let fields = document.pointer_mut(place).expect("the place is there");
            fields["of_tomorrow"] = "FRAGILE".into();
            let text = document.to_string().replace("\"FRAGILE\"", value);
            answer_of(&wasmvark.setup(DRIVER, &text));
            let output = wasmvark.teardown(DRIVER, &text);
            assert_eq!(output.code, Some(0), "{place} {value}: {output:?}");
        }
    }
    world.assert_unchanged(&before);
}
