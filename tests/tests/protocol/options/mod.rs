//! The options that a driver's manifest declares: what the host refuses, and what it
//! leaves to the driver.

mod manifests;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::plan::Trial;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of, error_of};
use wasmvark_tests::world::World;

use crate::bench::NO_LINKS;

/// The name of the drivers in these tests.
const LAN: &str = "wasm-lan";

/// The beginning of a manifest.
const HEAD: &str = "name = \"n\"\nversion = \"1\"\ndescription = \"d\"\nlicence = \"MIT\"\n";

/// The options of the probe.
const SCRIPTS: &str = r#"
[[options]]
name = "create-script"
description = "d"
scope = "network"

[[options]]
name = "script"
description = "d"

[[options]]
name = "vlan"
description = "d"
type = "integer"
min = 1
max = 4094
scope = "network"

[[options]]
name = "hash"
description = "d"
scope = "driver"
"#;

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("options/{name}"), NO_LINKS, test);
    test("create", create);
    test("setup", setup);
    test("plan", plan);
    test("the driver's own answer", own_answer);
    test("none declared", none_declared);
    test("not declared", not_declared);
    test("a driver for 0.2", of_previous_version);
    test("many and odd ones", many);
    manifests::register(suite);
}

/// Such a driver lists options for its readers, and checks them itself.
fn of_previous_version() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    wasmvark.install_file(&places::frozen("0.2", "probe"), LAN, &Grant::nothing());
    let connection = network().option("colour", "red");
    answer_of(&wasmvark.plugin(LAN, &["create"], connection.for_create()));
    let inspected = wasmvark.administer(&["inspect", LAN]).stdout;
    let title = "\nOPTIONS (the driver checks them itself, because it's for an older interface)\n";
    assert!(inspected.contains(title), "{inspected}");
    assert!(inspected.contains("\ncreate-script "), "{inspected}");
}

fn dummy(world: &World) -> Wasmvark<'_> {
    let wasmvark = Wasmvark::new(world);
    wasmvark.install("dummy", LAN, &Grant::example("dummy"));
    wasmvark
}

fn network() -> Connection {
    Connection::v4(LAN).without_network("network_interface")
}

/// Puts a manifest into the probe's component, and installs it.
fn probe<'a>(world: &'a World, rest: &str) -> Wasmvark<'a> {
    let wasmvark = Wasmvark::new(world);
    let file = with_manifest(&wasmvark, "probe", rest);
    wasmvark.install_file(Path::new(&file), LAN, &Grant::nothing());
    wasmvark
}

/// Returns the file of a component with another manifest.
fn with_manifest(wasmvark: &Wasmvark<'_>, guest: &str, rest: &str) -> String {
    let world = wasmvark.world();
    let manifest = world.file("manifest.toml");
    fs::write(&manifest, format!("{HEAD}{rest}")).unwrap();
    let file = world.file("lan.wasm").display().to_string();
    let component = places::guest(guest).display().to_string();
    let manifest = manifest.display().to_string();
    let set = ["manifest", "set", &component, &manifest, "--output", &file];
    let output = wasmvark.administer(&set);
    assert_eq!(output.code, Some(0), "{output:?}");
    file
}

#[track_caller]
fn refuses_create(wasmvark: &Wasmvark<'_>, connection: &Connection, texts: &[&str]) {
    let error = error_of(&wasmvark.plugin(LAN, &["create"], connection.for_create()));
    for text in texts {
        assert!(error.contains(text), "{text:?} is not in {error:?}");
    }
}

fn create() {
    let world = World::new();
    let wasmvark = dummy(&world);
    for (key, value, text) in [
        (
            "mtuu",
            "1400",
            "unsupported wasm-lan network option: mtuu; did you mean \"mtu\"? (options of a \
             network: allmulti, ",
        ),
        ("MTU", "1400", "did you mean \"mtu\"?"),
        (
            "mtu",
            "x",
            "\"x\" is not a whole number from 0 to 4294967295 (given for the network)",
        ),
        (
            "txqlen",
            "",
            "unable to parse \"txqlen\": \"\" is not a whole number",
        ),
        (
            "promisc",
            "yes",
            "\"yes\" is not true or false (given for the network)",
        ),
        (
            "ingress_rate",
            "7",
            "\"7\" is not a whole number of at least 8, which may end with k",
        ),
        (
            "shaped_subnets",
            "10.0.0.0/33",
            "is not a list of at most 100 subnets",
        ),
    ] {
        refuses_create(&wasmvark, &network().option(key, value), &[text]);
    }
    // The driver hasn't run: it would be on record, and the host would keep the network.
    assert!(!wasmvark.audit_file().exists());
    assert!(!wasmvark.root().join("lib/networks").exists());
    let given = network().option("txqlen", " 0100").option("promisc", "T");
    let answer = answer_of(&wasmvark.plugin(LAN, &["create"], given.for_create()));
    assert_eq!(
        answer["options"],
        json!({"txqlen": "100", "promisc": "true"})
    );
}

fn setup() {
    let world = World::new();
    let wasmvark = dummy(&world);
    let before = world.dump();
    let refused = |connection: &Connection, text: &str| {
        let error = error_of(&wasmvark.setup(LAN, connection.for_plugin()));
        assert!(error.contains(text), "{text:?} is not in {error:?}");
    };
    let own = |key: &str, value: &str| network().join("options", json!({ key: value }));
    refused(
        &own("mtuu", "1400"),
        "unsupported wasm-lan option for one container: mtuu; did you mean \"mtu\"? (options of \
         a container: ",
    );
    refused(
        &own("txqlen", "x"),
        "is not a whole number from 0 to 4294967295 (given for the container)",
    );
    refused(
        &own("metric", "x"),
        "is not a whole number from 0 to 4294967295 (given for the container)",
    );
    // A network that was made by hand, or with another version of the driver.
    let old = network().option("colour", "red");
    refused(&old, "`wasmvark rollback wasm-lan`");
    refused(
        &network().option("txqlen", "x"),
        "create it again with another value",
    );
    world.assert_unchanged(&before);
    // What can't be set up can be torn down all the same.
    for connection in [old, network().option("txqlen", "x"), own("mtuu", "1400")] {
        let output = wasmvark.teardown(LAN, connection.for_plugin());
        assert_eq!(output.code, Some(0), "{output:?}");
    }
}

fn plan() {
    let world = World::new();
    let trial = Trial::of(&world, "dummy");
    let connection = Connection::v4(&trial.name).without_network("network_interface");
    let wrong = connection.clone().option("mtuu", "1400");
    let own = connection
        .clone()
        .join("options", json!({"promisc": "maybe"}));
    let file = places::guest("dummy").display().to_string();
    for (document, text) in [
        (
            wrong.for_create(),
            "wasm-dummy network option: mtuu; did you mean \"mtu\"?",
        ),
        (
            wrong.for_plugin(),
            "wasm-dummy network option: mtuu; the network has it",
        ),
        (
            own.for_plugin(),
            "\"maybe\" is not true or false (given for the container)",
        ),
    ] {
        let of_file = document.replace(&trial.name, "dummy");
        for output in [
            trial.run(&document, &[]),
            trial.run_of(&file, &of_file, &["--grant-requested"]),
        ] {
            assert_eq!(output.code, Some(1), "{output:?}");
            let text = text.trim_start_matches("wasm-dummy ");
            assert!(output.stderr.contains(text), "{text}: {output:?}");
        }
    }
    assert_eq!(trial.run(&connection.for_create(), &[]).code, Some(0));
}

/// What a driver makes of a network is what its manifest says, too.
fn own_answer() {
    let world = World::new();
    let wasmvark = probe(&world, SCRIPTS);
    let with = |script: &str| network().option("create-script", script);
    for (change, text) in [
        (
            "set-option colour red",
            "the driver wasm-lan gave the option colour in its answer",
        ),
        (
            "set-option vlan 0",
            "\"0\" is not a whole number from 1 to 4094 (the driver gave it",
        ),
        (
            "{\"options\":{\"colour\":\"red\"}}",
            "tell its author to declare it there",
        ),
    ] {
        refuses_create(&wasmvark, &with(&format!("change {change}")), &[text]);
    }
    let own = with("change set-option hash 7").option("vlan", "07");
    let answer = answer_of(&wasmvark.plugin(LAN, &["create"], own.for_create()));
    assert_eq!(answer["options"]["hash"], "7");
    assert_eq!(answer["options"]["vlan"], "7", "{answer}");
    let user = network().option("hash", "7");
    refuses_create(
        &wasmvark,
        &user,
        &["network option: hash; the driver sets it itself"],
    );
    // What it has set is there in its later runs, but no container can give it.
    let kept = network().option("hash", "7");
    assert_eq!(wasmvark.setup(LAN, kept.for_plugin()).code, Some(0));
    let container = network().join("options", json!({"hash": "7"}));
    let error = error_of(&wasmvark.setup(LAN, container.for_plugin()));
    assert!(error.contains("option for one container: hash"), "{error}");
    let container = network().join("options", json!({"vlan": "7"}));
    let error = error_of(&wasmvark.setup(LAN, container.for_plugin()));
    assert!(
        error.contains("option for one container: vlan; it is for a network"),
        "{error}"
    );
}

fn none_declared() {
    let world = World::new();
    let wasmvark = probe(&world, "options = []\n");
    let text = "unsupported wasm-lan network option: script (options of a network: metric, mtu, \
                no_default_route;";
    refuses_create(&wasmvark, &network().option("script", ""), &[text]);
    let known = network()
        .option("mtu", "1400")
        .option("no_default_route", "1");
    let answer = answer_of(&wasmvark.plugin(LAN, &["create"], known.for_create()));
    assert_eq!(
        answer["options"],
        json!({"mtu": "1400", "no_default_route": "true"})
    );
}

/// A driver without a manifest, or without a list of options, judges them itself.
fn not_declared() {
    let world = World::new();
    let wasmvark = probe(&world, "");
    let odd = network().option("mtuu", "x").option("ОПЦИЯ", "\u{7f}");
    let odd = odd.join("options", json!({"colour": "red"}));
    answer_of(&wasmvark.plugin(LAN, &["create"], odd.for_create()));
    assert_eq!(wasmvark.setup(LAN, odd.for_plugin()).code, Some(0));
    let inspected = wasmvark.administer(&["inspect", LAN]).stdout;
    assert!(inspected.contains("\nOPTIONS\nnot declared"), "{inspected}");
    // What the host reads itself it checks for every driver.
    let error = "\"x\" is not a whole number from 0 to 4294967295 (given for the network)";
    refuses_create(&wasmvark, &network().option("mtu", "x"), &[error]);
}

fn many() {
    let world = World::new();
    let wasmvark = probe(&world, SCRIPTS);
    let options: serde_json::Map<String, Value> = (0..10_000)
        .map(|n| (format!("option{n:05}"), json!("x")))
        .collect();
    let many = network().network("options", options.clone());
    refuses_create(
        &wasmvark,
        &many,
        &["network option: option00000 (options of"],
    );
    let error = error_of(&wasmvark.setup(LAN, network().join("options", options).for_plugin()));
    assert!(error.contains("for one container: option00000"), "{error}");
    for name in ["vlan ", "Vlan", "vlаn", "", "vlan\u{0}", "vlan\u{202e}"] {
        refuses_create(
            &wasmvark,
            &network().option(name, "7"),
            &["network option: "],
        );
    }
    let long = network().option(&"o".repeat(20_000), "");
    let error = error_of(&wasmvark.plugin(LAN, &["create"], long.for_create()));
    assert!(error.len() < 1000, "{error}");
    for value in [
        "9".repeat(10_000),
        "７".to_owned(),
        "7\u{0}".to_owned(),
        String::new(),
    ] {
        let error = "is not a whole number from 1 to 4094 (given for the network)";
        refuses_create(&wasmvark, &network().option("vlan", &value), &[error]);
    }
    let twice = network().option("vlan", "7").for_create();
    let twice = twice.replace("\"vlan\":\"7\"", "\"vlan\":\"7\",\"vlan\":\"0\"");
    let error = error_of(&wasmvark.plugin(LAN, &["create"], twice));
    assert!(error.contains("vlan"), "{error}");
}
