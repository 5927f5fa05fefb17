//! The manifests that declare options, and what is kept of them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wasmvark_tests::grant::{Grant, digest};
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::wasmvark::{Wasmvark, error_of};
use wasmvark_tests::world::World;

use super::{HEAD, LAN, dummy, network, refuses_create, with_manifest};
use crate::bench::NO_LINKS;

pub(super) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("options/{name}"), NO_LINKS, test);
    test("code of an earlier version", earlier);
    test("a manifest that isn't valid any more", invalid_manifest);
    test("inspect", inspect);
    test("wrong manifests", wrong_manifests);
    test("the manifest on the page", page);
}

/// The stamp of code that an earlier version compiled has no options. They are read from
/// the component, and kept.
fn earlier() {
    let world = World::new();
    let wasmvark = dummy(&world);
    let stamp = wasmvark.code("dummy").with_added_extension("stamp");
    let read = || -> Value { serde_json::from_slice(&fs::read(&stamp).unwrap()).unwrap() };
    let mut old = read();
    assert!(
        old.as_object_mut().unwrap().remove("options").is_some(),
        "{old}"
    );
    fs::write(&stamp, old.to_string()).unwrap();
    let wrong = network().option("mtuu", "1400");
    refuses_create(&wasmvark, &wrong, &["network option: mtuu"]);
    assert!(read().get("options").is_some());
    // Another component's aren't taken.
    fs::remove_file(&stamp).unwrap();
    refuses_create(&wasmvark, &wrong, &["network option: mtuu"]);
    assert!(read().get("options").is_some());
}

/// An installed component whose manifest this version refuses: nothing new is made with
/// it, and what there is can be taken down.
fn invalid_manifest() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let rest = "[[options]]\nname = \"vlan\"\ndescription = \"d\"\ntype = \"bool\"\n";
    let file = with_manifest(&wasmvark, "probe", rest);
    let component = fs::read(&file).unwrap();
    let at = component
        .windows(4)
        .rposition(|part| part == b"bool")
        .unwrap();
    let mut wrong = component.clone();
    wrong[at..at + 4].copy_from_slice(b"cool");
    // It is installed as the earlier version would have done.
    wasmvark.install_file(Path::new(&file), LAN, &Grant::nothing());
    let digest_of = |bytes: &[u8]| {
        let path = world.file("bytes");
        fs::write(&path, bytes).unwrap();
        digest(&path)
    };
    let (was, is) = (digest_of(&component), digest_of(&wrong));
    let hex = |digest: &str| digest.trim_start_matches("sha256:").to_owned();
    let lib = wasmvark.root().join("lib");
    for (folder, extension) in [("components", "wasm"), ("code", "cwasm")] {
        for end in ["", ".stamp"] {
            let name = |digest: &str| {
                lib.join(folder)
                    .join(format!("{}.{extension}{end}", hex(digest)))
            };
            fs::rename(name(&was), name(&is)).unwrap();
        }
    }
    let path = lib.join("components").join(format!("{}.wasm", hex(&is)));
    fs::write(&path, &wrong).unwrap();
    let stamp_of = |path: &Path, change: &dyn Fn(&mut Value)| {
        let path = path.with_added_extension("stamp");
        let mut stamp: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut stamp);
        fs::write(&path, stamp.to_string()).unwrap();
    };
    stamp_of(&path, &|stamp| stamp["digest"] = is.clone().into());
    let code = lib.join("code").join(format!("{}.cwasm", hex(&is)));
    stamp_of(&code, &|stamp| {
        drop(stamp.as_object_mut().unwrap().remove("options"));
    });
    for file in [lib.join("drivers/wasm-lan.json"), wasmvark.grant_file(LAN)] {
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace(&was, &is)).unwrap();
    }
    let text = "the driver's manifest is not valid";
    refuses_create(&wasmvark, &network(), &[text]);
    let error = error_of(&wasmvark.setup(LAN, network().for_plugin()));
    assert!(error.contains(text), "{error}");
    let output = wasmvark.teardown(LAN, network().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn inspect() {
    let world = World::new();
    let wasmvark = dummy(&world);
    let text = wasmvark.administer(&["inspect", LAN]).stdout;
    for (option, words) in [
        ("NAME ", &["FOR", "TAKES", "DEFAULT", "WHAT FOR"][..]),
        (
            "no_default_route ",
            &["both", "true or false", "Whether to leave"],
        ),
        (
            "ingress_rate ",
            &["a whole number of at least 8, which may end with k, m or g"],
        ),
    ] {
        let line = text.lines().find(|line| line.starts_with(option));
        let line = line.unwrap_or_else(|| panic!("no {option} in {text}"));
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
    }
    let json = |driver: &str| -> Value {
        let output = wasmvark.administer(&["inspect", driver, "--format", "json"]);
        serde_json::from_str(&output.stdout).unwrap()
    };
    let options = json(LAN)["manifest"]["options"].clone();
    let options = options.as_array().unwrap();
    let burst = options
        .iter()
        .find(|it| it["name"] == "ingress_burst")
        .unwrap();
    assert_eq!((&burst["type"], &burst["min"]), (&json!("size"), &json!(1)));
    assert_eq!(burst["scope"], "both");
    let file = with_manifest(&wasmvark, "probe", "");
    assert!(json(&file)["manifest"]["options"].is_null());
    let file = with_manifest(&wasmvark, "probe", "options = []\n");
    assert_eq!(json(&file)["manifest"]["options"], json!([]));
    let text = wasmvark.administer(&["inspect", &file]).stdout;
    assert!(text.contains("\nOPTIONS\nnone, but metric"), "{text}");
}

/// `host/request` has more of them.
fn wrong_manifests() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let file = world.file("manifest.toml").display().to_string();
    let component = places::guest("probe").display().to_string();
    let output = world.file("lan.wasm").display().to_string();
    for (option, text) in [
        ("type = \"number\"", "unknown variant `number`"),
        ("typ = \"bool\"", "unknown field `typ`"),
        ("min = 1", "the option \"a\": min and max are for numbers"),
        (
            "type = \"integer\"\ndefault = \"x\"",
            "its default is not a whole number",
        ),
        ("values = [\"x\", \"x\"]", "the value \"x\" is there twice"),
        ("scope = \"all\"", "unknown variant `all`"),
        (
            "[[options]]\nname = \"a\"\ndescription = \"d\"",
            "it is declared twice",
        ),
    ] {
        let manifest = format!("{HEAD}[[options]]\nname = \"a\"\ndescription = \"d\"\n{option}\n");
        fs::write(&file, manifest).unwrap();
        for command in [
            &["manifest", "check", &file][..],
            &["manifest", "set", &component, &file, "--output", &output],
        ] {
            let output = wasmvark.administer(command);
            assert_eq!(output.code, Some(1), "{output:?}");
            assert!(output.stderr.contains(text), "{text}: {output:?}");
        }
    }
    assert!(!Path::new(&output).exists());
}

fn page() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let page = places::workspace().join("docs/writing-drivers.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, manifest) = page.split_once("```toml\n").unwrap();
    let (manifest, _) = manifest.split_once("```").unwrap();
    let file = world.file("manifest.toml");
    fs::write(&file, manifest).unwrap();
    let output = wasmvark.administer(&["manifest", "check", &file.display().to_string()]);
    assert_eq!((output.code, &*output.stderr), (Some(0), ""), "{output:?}");
}
