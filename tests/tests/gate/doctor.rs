//! The findings of `wasmvark doctor` on a full kernel.

use serde_json::Value;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::places;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

/// It imports every call.
const PROBE: &str = "probe";

pub(crate) fn register(suite: &mut Suite) {
    suite.test(
        "doctor of-a-full-kernel",
        &[Need::Root, Need::Link(Kind::Dummy)],
        full_kernel,
    );
}

/// It has all that the drivers need, and says so of whatever is a module. How
/// it was configured isn't on each machine.
fn full_kernel() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let component = places::guest(PROBE);
    let component = component.to_string_lossy();
    let words = ["install", &component, "--name", PROBE, "--grant-requested"];
    let output = wasmvark.administer(&words);
    assert_eq!(output.code, Some(0), "{output:?}");
    let output = wasmvark.administer(&["doctor", "--format", "json"]);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let told: Vec<_> = findings
        .iter()
        .filter(|finding| finding["check"] == "kernel")
        .collect();
    assert!(!told.is_empty(), "{findings:#?}");
    for finding in told {
        let remedy = finding["remedy"].as_str().unwrap_or_default();
        let fits = match finding["state"].as_str() {
            Some("ok") => true,
            Some("unknown") => !remedy.contains("modinfo"),
            _ => false,
        };
        assert!(fits, "{finding}");
    }
}
