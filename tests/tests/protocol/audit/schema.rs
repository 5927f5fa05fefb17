//! The published schema. It must accept the program's output, and nothing else.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use super::{report, used};

const NEEDS: &[Need] = &[Need::Root, Need::JsonSchema];

/// Checks the schema itself, then documents; prints one word for each.
const CHECK: &str = "
import json, sys
from jsonschema import Draft202012Validator as Validator
schema, documents = json.load(sys.stdin)
Validator.check_schema(schema)
validator = Validator(schema)
for document in documents:
    error = next(validator.iter_errors(document), None)
    print('fits' if error is None else 'no: ' + error.message.split('\\n')[0][:200])
";

pub(crate) fn register(suite: &mut Suite) {
    suite.test("audit/its schema", NEEDS, schema);
}

fn check(documents: &[Value]) -> Vec<String> {
    let file = places::workspace().join("docs/audit.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let input = json!([schema, documents]).to_string();
    let mut python = Command::new(places::PYTHON);
    let output = process::run(python.args(["-c", CHECK]), input.as_bytes());
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout.lines().map(str::to_owned).collect()
}

fn schema() {
    let world = World::new();
    let (empty, _) = report(&Wasmvark::new(&world), &[]);
    let wasmvark = used(&world);
    let (good, _) = report(&wasmvark, &["--unused-after", "1"]);
    fs::write(wasmvark.grant_file("idle"), "no grant").unwrap();
    fs::write(wasmvark.plugins().join("other"), "").unwrap();
    let (broken, _) = report(&wasmvark, &[]);
    let seen = check(&[empty, good.clone(), broken]);
    assert_eq!(seen, ["fits"; 3]);
    // What is another form must not fit.
    let wrong = [
        ("/version", json!(2)),
        ("/findings/0/level", json!("bad")),
        ("/findings/0/kind", json!("new")),
        ("/drivers/0/digest", json!("sha256:0")),
        ("/drivers/0/grant/state", json!("odd")),
        ("/drivers/0/calls/0/used", json!(-1)),
        ("/drivers/0/calls/0/reach", json!({"links": ["a"]})),
        ("/trail/first", json!("yesterday")),
        ("/trail", json!({})),
    ];
    let wrong = wrong.map(|(place, value)| {
        let mut document = good.clone();
        *document.pointer_mut(place).unwrap() = value;
        document
    });
    for (document, seen) in wrong.iter().zip(check(&wrong)) {
        assert!(seen.starts_with("no: "), "{document}");
    }
}
