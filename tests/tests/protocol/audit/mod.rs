//! `wasmvark audit`.

mod documented;
mod findings;
mod page;
mod schema;

use serde_json::Value;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::PROBE;

pub(crate) fn register(suite: &mut Suite) {
    documented::register(suite);
    findings::register(suite);
    schema::register(suite);
    page::register(suite);
}

/// A driver that has used some of its grant, and one that has none.
fn used(world: &World) -> Wasmvark<'_> {
    let wasmvark = Wasmvark::new(world);
    let grant = Grant::nothing()
        .call("links.get", r#"{ link = ["lo", "container:*"] }"#)
        .call("links.set-mtu", "{}")
        .call("sysctl.set", r#"{ key = "net.*.ip_forward" }"#)
        .strict();
    wasmvark.install(PROBE, "used", &grant);
    wasmvark.install("wasi", "idle", &Grant::of(&["routes.add"]).strict());
    let script = "links.get host lo; ?links.get host x0; ?routes.list host -";
    for network in ["a", "b"] {
        let request = Connection::v4("used")
            .network("name", network)
            .option("create-script", script);
        let output = wasmvark.plugin("used", &["create"], request.for_create());
        answer_of(&output);
    }
    wasmvark
}

/// The report, and the exit code.
fn report(wasmvark: &Wasmvark, arguments: &[&str]) -> (Value, Option<i32>) {
    let output = wasmvark.administer(&[&["audit", "--format", "json"], arguments].concat());
    let report = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("no report ({error}): {output:?}"));
    (report, output.code)
}

/// One driver's call in a report.
fn call<'a>(report: &'a Value, driver: &str, call: &str) -> &'a Value {
    let drivers = report["drivers"].as_array().unwrap();
    let driver = drivers.iter().find(|it| it["name"] == driver).unwrap();
    let calls = driver["calls"].as_array().unwrap();
    calls.iter().find(|it| it["call"] == call).unwrap()
}
