//! Malformed documents, and documents for other programs.

use serde_json::{Value, json};
use wasmvark_tests::harness::Suite;
use wasmvark_tests::wasmvark::error_of;
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, LINKS, fails, good, installed};

/// More than any pipe holds, and more than a plugin should keep.
const HUGE: usize = 64 << 20;

/// No documents at all: what each is, and what the error mentions.
const NO_DOCUMENTS: [(&str, &[u8], &str); 13] = [
    ("empty", b"", "standard input"),
    ("spaces", b" \n\t\r\n", "standard input"),
    ("a word", b"hello", "not a valid"),
    ("one bracket", b"{", "not a valid"),
    ("a NUL", b"\0", "not a valid"),
    ("a NUL behind", b"{}\0", "not a valid"),
    ("no UTF-8", b"{\"name\":\"\xff\xfe\"}", "not a valid"),
    ("a list", b"[]", "not a valid"),
    ("null", b"null", "not a valid"),
    ("a number", b"17", "not a valid"),
    ("a text", b"\"x\"", "not a valid"),
    ("an empty object", b"{}", "missing field"),
    ("a single quote", b"{'name':'x'}", "not a valid"),
];

pub(crate) fn register(suite: &mut Suite) {
    for verb in ["create", "setup", "teardown"] {
        suite.test(format!("malformed/{verb}: no document"), LINKS, move || {
            no_document(verb);
        });
        suite.test(format!("malformed/{verb}: truncated"), LINKS, move || {
            truncated(verb);
        });
        suite.test(
            format!("malformed/{verb}: two documents"),
            LINKS,
            move || two(verb),
        );
        suite.test(
            format!("malformed/{verb}: no UTF-8 where nobody looks"),
            LINKS,
            move || no_utf8(verb),
        );
        suite.test(format!("malformed/{verb}: deep"), LINKS, move || deep(verb));
        suite.test(format!("malformed/{verb}: huge"), LINKS, move || huge(verb));
    }
    suite.test(
        "malformed/wrong shapes of a network",
        LINKS,
        shapes_of_a_network,
    );
    suite.test(
        "malformed/wrong shapes of a connection",
        LINKS,
        shapes_of_a_connection,
    );
    suite.test(
        "malformed/huge for an unknown driver",
        LINKS,
        huge_for_an_unknown_driver,
    );
    suite.test("malformed/command line", LINKS, command_line);
}

fn document(verb: &str) -> String {
    match verb {
        "create" => good().for_create(),
        _ => good().for_plugin(),
    }
}

/// Runs each input, and checks its error.
fn refuses<'a>(verb: &str, cases: impl IntoIterator<Item = (String, Vec<u8>, &'a str)>) {
    let world = World::new();
    let wasmvark = installed(&world);
    let netns = world.container.path();
    let before = world.dump();
    let arguments = match verb {
        "create" => vec![verb],
        _ => vec![verb, netns.to_str().expect("the path is text")],
    };
    for (title, input, mention) in cases {
        let output = wasmvark.plugin(DRIVER, &arguments, &input);
        let error = error_of(&output);
        assert!(
            error.contains(mention),
            "{title}: {error:?} doesn't mention {mention:?}"
        );
    }
    world.assert_unchanged(&before);
}

fn no_document(verb: &str) {
    let cases = NO_DOCUMENTS.map(|(title, input, mention)| (title.into(), input.into(), mention));
    refuses(verb, cases);
}

fn truncated(verb: &str) {
    let document = document(verb);
    let cuts = (1..document.len()).step_by(41).chain([document.len() - 1]);
    let cut = |end: usize| {
        (
            format!("{end} bytes"),
            document[..end].into(),
            "not a valid",
        )
    };
    refuses(verb, cuts.map(cut));
}

/// Drivers get the document's text, also of fields that the host doesn't know.
fn no_utf8(verb: &str) {
    let mut input = document(verb).into_bytes();
    input.splice(1..1, *b"\"later\":\"\xff\",");
    refuses(verb, [("a field".into(), input, "not a valid")]);
}

fn two(verb: &str) {
    let document = document(verb);
    refuses(
        verb,
        [("two".into(), document.repeat(2).into(), "not a valid")],
    );
}

fn deep(verb: &str) {
    let list = "[".repeat(1 << 20);
    let object = r#"{"a":"#.repeat(1 << 20);
    let inside = document(verb).replacen('{', &format!(r#"{{"deep":{list},"#), 1);
    let cases = [("list", list), ("object", object), ("inside", inside)];
    refuses(
        verb,
        cases.map(|(title, text)| (title.into(), text.into(), "not a valid")),
    );
}

fn huge(verb: &str) {
    let label = format!(r#"{{"label":"{}","#, "x".repeat(HUGE));
    let valid = document(verb).replacen('{', &label, 1);
    let cases = [
        ("valid", valid.into_bytes()),
        ("words", vec![b'x'; HUGE]),
        ("spaces", vec![b' '; HUGE]),
    ];
    refuses(
        verb,
        cases.map(|(title, input)| (title.into(), input, "larger")),
    );
}

fn huge_for_an_unknown_driver() {
    let world = World::new();
    let wasmvark = installed(&world);
    let link = wasmvark.plugins().join("unknown");
    std::os::unix::fs::symlink(wasmvark_tests::places::wasmvark(), link).unwrap();
    let input = vec![b'x'; HUGE];
    fails(&world, "unknown driver", &[], || {
        wasmvark.setup("unknown", &input)
    });
    fails(&world, "unknown command", &["remove"], || {
        wasmvark.plugin(DRIVER, &["remove"], &input)
    });
}

fn shapes_of_a_network() {
    let cases = [
        ("name", json!(7)),
        ("name", json!(null)),
        ("id", json!(["a"])),
        ("internal", json!("no")),
        ("ipv6_enabled", json!(1)),
        ("network_interface", json!(5)),
        ("subnets", json!({})),
        ("subnets", json!("10.88.0.0/16")),
        ("subnets", json!([null])),
        ("subnets", json!([{"gateway": "10.88.0.1"}])),
        ("subnets", json!([{"subnet": "10.88.0.0"}])),
        ("subnets", json!([{"subnet": "10.88.0.0/33"}])),
        ("subnets", json!([{"subnet": "10.88.0/16"}])),
        ("subnets", json!([{"subnet": "fd88::/129"}])),
        (
            "subnets",
            json!([{"subnet": "10.88.0.0/16", "gateway": "10.88.0.256"}]),
        ),
        (
            "subnets",
            json!([{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1/16"}]),
        ),
        ("routes", json!([{}])),
        ("routes", json!([{"destination": "default"}])),
        (
            "routes",
            json!([{"destination": "10.9.0.0/24", "gateway": "10.88.0.1", "metric": -1}]),
        ),
        (
            "routes",
            json!([{"destination": "10.9.0.0/24", "gateway": "10.88.0.1",
            "metric": 4_294_967_296_u64}]),
        ),
        ("options", json!([])),
        ("options", json!({"mtu": 1400})),
        ("options", json!({"mtu": null})),
        ("ipam_options", json!("none")),
    ];
    for (verb, pointer) in [("create", ""), ("setup", "/network")] {
        refuses(
            verb,
            cases
                .iter()
                .map(|(field, value)| shape(verb, pointer, field, value)),
        );
    }
}

fn shapes_of_a_connection() {
    let ports = |port: Value| json!([port]);
    let connection = [
        ("container_id", json!(null)),
        ("container_id", json!(12)),
        ("network", json!(null)),
        ("network", json!([])),
        ("network_options", json!(null)),
        ("network_options", json!("eth0")),
        ("port_mappings", json!({})),
        (
            "port_mappings",
            ports(json!({"host_port": 70_000, "container_port": 80,
            "range": 1, "host_ip": "", "protocol": "tcp"})),
        ),
        (
            "port_mappings",
            ports(json!({"host_port": -1, "container_port": 80,
            "range": 1, "host_ip": "", "protocol": "tcp"})),
        ),
    ];
    let join = [
        ("interface_name", json!(null)),
        ("interface_name", json!(3)),
        ("static_ips", json!("10.88.0.2")),
        ("static_ips", json!(["300.88.0.2"])),
        ("static_ips", json!(["10.88.0.2/16"])),
        ("static_ips", json!([null])),
        ("static_mac", json!(1)),
        ("options", json!({"a": 1})),
    ];
    let of_connection = connection
        .iter()
        .map(|(field, value)| shape("setup", "", field, value));
    let of_join = join
        .iter()
        .map(|(field, value)| shape("setup", "/network_options", field, value));
    refuses("setup", of_connection.chain(of_join));
}

/// The good document with one field of another shape.
fn shape<'a>(verb: &str, pointer: &str, field: &str, value: &Value) -> (String, Vec<u8>, &'a str) {
    let mut document: Value = serde_json::from_str(&document(verb)).unwrap();
    document.pointer_mut(pointer).expect("the place is there")[field] = value.clone();
    let title = format!("{verb} {pointer}/{field} = {value}");
    (title, document.to_string().into_bytes(), "not a valid")
}

fn command_line() {
    let world = World::new();
    let wasmvark = installed(&world);
    let cases: [(&[&str], &str); 5] = [
        (&["setup"], "path"),
        (&["setup", ""], "path"),
        (&["teardown"], "path"),
        (&["Create"], "Create"),
        (&["--help"], "--help"),
    ];
    for (arguments, mention) in cases {
        fails(&world, &format!("{arguments:?}"), &[mention], || {
            wasmvark.plugin(DRIVER, arguments, good().for_plugin())
        });
    }
}
