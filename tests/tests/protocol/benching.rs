//! `wasmvark bench`: what it measures, and that its limits suffice.

use std::fs;

use serde_json::Value;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::NO_LINKS;

const CASES: &str = "guest-examples/macvlan/cases";

pub(crate) fn register(suite: &mut Suite) {
    suite.test("bench/measures", NO_LINKS, measures);
    suite.test("bench/limits", NO_LINKS, limits);
    suite.test("bench/what is refused", NO_LINKS, refused);
}

fn bench(world: &World, more: &[&str]) -> Output {
    let cases = places::workspace().join(CASES);
    let driver = places::guest("macvlan");
    let paths = [&cases, &driver].map(|path| path.to_str().unwrap());
    let command = [&["bench"], &paths[..], more].concat();
    Wasmvark::new(world).administer(&command)
}

fn measures() {
    let world = World::new();
    let output = bench(&world, &["--runs", "3", "--format", "json"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let measured: Value = serde_json::from_str(&output.stdout).unwrap();
    let of = |name: &str| {
        let rows = measured.as_array().unwrap().iter();
        let mut rows = rows.filter(|row| row["case"].as_str().unwrap().ends_with(name));
        rows.next()
            .unwrap_or_else(|| panic!("{name}: {measured}"))
            .clone()
    };
    let setup = of("dual-stack.toml");
    assert_eq!(setup["error"], Value::Null, "{setup}");
    let page = 64 << 10;
    let memory = setup["usage"]["memory"].as_u64().unwrap();
    assert!(memory >= page && memory % page == 0, "{setup}");
    assert!(setup["usage"]["calls"].as_u64().unwrap() > 5, "{setup}");
    for time in ["mapping", "start", "function"] {
        let time = &setup["usage"][time];
        assert!(time["nanos"].as_u64().unwrap() > 0, "{setup}");
    }
    // It's refused before the driver runs.
    let refused = of("unknown-option.toml");
    assert_eq!(refused["usage"]["calls"], 0, "{refused}");
    assert!(
        refused["error"].as_str().unwrap().contains("mtuu"),
        "{refused}"
    );
}

/// A grant with the limits that are suggested lets the cases pass.
fn limits() {
    let world = World::new();
    let output = bench(&world, &["--runs", "3"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let (_, limits) = output.stdout.split_once("[limits]\n").unwrap();
    assert!(limits.contains("memory = "), "{output:?}");
    let wasmvark = Wasmvark::new(&world);
    let driver = places::guest("macvlan");
    let driver = driver.to_str().unwrap();
    let install = ["install", driver, "--name", "lan", "--grant-requested"];
    assert_eq!(wasmvark.administer(&install).code, Some(0));
    let grant = fs::read_to_string(wasmvark.grant_file("lan")).unwrap();
    let (head, rest) = grant.split_once("[limits]\n").unwrap();
    let (_, calls) = rest.split_once("[calls]\n").unwrap();
    let grant = format!("{head}[limits]\n{limits}\n[calls]\n{calls}");
    // The driver's own name is that of its manifest.
    let grant = grant.replace("driver = \"lan\"", "driver = \"macvlan\"");
    fs::write(world.file("grant.toml"), grant).unwrap();
    let case = places::workspace().join(CASES).join("dual-stack.toml");
    let case = fs::read_to_string(case).unwrap();
    let file = world.file("case.toml");
    fs::write(&file, format!("grant = \"grant.toml\"\n{case}")).unwrap();
    let output = wasmvark.administer(&["test", file.to_str().unwrap(), driver]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn refused() {
    let world = World::new();
    for (more, mention) in [(["--runs", "0"], "1..=1000"), (["--format", "xml"], "json")] {
        let output = bench(&world, &more);
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.stderr.contains(mention), "{output:?}");
    }
}
