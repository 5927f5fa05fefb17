//! `wasmvark manifest`: the way from a component without a manifest to one that can be
//! installed.

use std::fs;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::NO_LINKS;
use crate::installing::renamed;

/// What a finished manifest has beside its calls.
const HEAD: &str =
    "name = \"lan\"\nversion = \"1\"\ndescription = \"A LAN.\"\nlicence = \"Apache-2.0\"\n";

pub(crate) fn register(suite: &mut Suite) {
    suite.test("manifests/from-nothing-to-installed", NO_LINKS, whole_way);
    suite.test("manifests/behaviours", NO_LINKS, behaviours);
    suite.test("manifests/what-is-refused", NO_LINKS, refused);
}

/// A driver's file without a manifest, and other files.
struct Scene<'a> {
    world: &'a World,
    wasmvark: Wasmvark<'a>,
}

impl<'a> Scene<'a> {
    fn new(world: &'a World) -> Self {
        let scene = Self {
            world,
            wasmvark: Wasmvark::new(world),
        };
        let component = fs::read(places::guest("macvlan-c")).unwrap();
        let plain = renamed(component, "wasmvark:manifest", "somebody:manifest");
        fs::write(world.file("lan.wasm"), plain).unwrap();
        scene
    }

    fn file(&self, name: &str) -> String {
        self.world.file(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.file(name);
        fs::write(&file, text).unwrap();
        file
    }

    fn run(&self, command: &[&str]) -> Output {
        self.wasmvark.administer(command)
    }

    #[track_caller]
    fn succeeds(&self, command: &[&str]) -> String {
        let output = self.run(command);
        assert_eq!((output.code, &*output.stderr), (Some(0), ""), "{output:?}");
        output.stdout
    }

    #[track_caller]
    fn fails(&self, command: &[&str], words: &str) {
        let output = self.run(command);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains(words), "{words}: {output:?}");
    }
}

fn whole_way() {
    let world = World::new();
    let scene = Scene::new(&world);
    let component = scene.file("lan.wasm");
    let before = fs::read(&component).unwrap();
    scene.fails(&["manifest", &component], "has no manifest");
    scene.fails(&["manifest", "check", &component], "has no manifest");
    let begun = scene.succeeds(&["manifest", "init", &component]);
    assert!(
        begun.contains("\"links.create-macvlan\" = { reason = \"\" }"),
        "{begun}"
    );
    let file = scene.write("manifest.toml", &begun);
    scene.fails(&["manifest", "check", &file], "description is empty");
    scene.fails(
        &["manifest", "set", &component, &file],
        "description is empty",
    );
    assert_eq!(fs::read(&component).unwrap(), before);
    let finished = begun
        .replace("= \"\"", "= \"why\"")
        .replace("{ reason = \"\" }", "{ reason = \"why\" }");
    let file = scene.write("manifest.toml", &finished);
    scene.succeeds(&["manifest", "check", &file]);
    let other = scene.file("other.wasm");
    scene.succeeds(&["manifest", "set", &component, &file, "--output", &other]);
    assert_eq!(fs::read(&component).unwrap(), before);
    scene.succeeds(&["manifest", "set", &component, &file]);
    scene.succeeds(&["manifest", "check", &component]);
    assert_eq!(fs::read(&component).unwrap(), fs::read(&other).unwrap());
    let shown = scene.succeeds(&["manifest", &component]);
    assert!(shown.contains("links.create-macvlan: why\n"), "{shown}");
    // One manifest takes the place of the other.
    let less = format!("{HEAD}[calls]\n\"links.get\" = {{ reason = \"see it\" }}\n");
    let file = scene.write("manifest.toml", &less);
    scene.succeeds(&["manifest", "set", &component, &file]);
    let shown = scene.succeeds(&["manifest", &component]);
    assert_eq!(shown, "links.get: see it\n");
    scene.succeeds(&[
        "install",
        &component,
        "--name",
        "wasm-lan",
        "--grant-requested",
    ]);
}

/// A manifest names what drivers have in common; the one in the component has it all.
fn behaviours() {
    let world = World::new();
    let scene = Scene::new(&world);
    let component = scene.file("lan.wasm");
    let named = format!("{HEAD}behaviours = [\"waiting\"]\n");
    let file = scene.write("manifest.toml", &named);
    scene.succeeds(&["manifest", "check", &file]);
    scene.succeeds(&["manifest", "set", &component, &file]);
    scene.succeeds(&["manifest", "check", &component]);
    let shown = scene.succeeds(&["manifest", &component]);
    assert!(shown.starts_with("addresses.wait-dad: wait for"), "{shown}");
    let options = scene.succeeds(&["inspect", &component]);
    assert!(options.contains("wait_dad"), "{options}");
}

fn refused() {
    let world = World::new();
    let scene = Scene::new(&world);
    let component = scene.file("lan.wasm");
    let calls = |calls: &str| format!("{HEAD}[calls]\n{calls}\n");
    for (manifest, words) in [
        (calls("\"links.gett\" = { reason = \"r\" }"), "links.get"),
        (
            calls("\"wireguard.set-peer\" = { reason = \"r\" }"),
            "asks for wireguard.set-peer, which the component doesn't import",
        ),
        (format!("{HEAD}authors = 1\n"), "authors"),
        (
            format!("{HEAD}behaviours = [\"wait\"]\n"),
            "there are no behaviours \"wait\"; those that there are: announce,",
        ),
        (
            format!("{HEAD}behaviours = [\"rates\"]\n"),
            "asks for links.create-ifb, which the component doesn't import",
        ),
    ] {
        let file = scene.write("manifest.toml", &manifest);
        scene.fails(&["manifest", "set", &component, &file], words);
    }
    let file = scene.write("manifest.toml", &calls(""));
    let module = scene.write("module.wasm", "\0asm\u{1}\0\0\0");
    scene.fails(
        &["manifest", "set", &module, &file],
        "core WebAssembly module",
    );
    let torn = fs::read(&component).unwrap();
    let torn_file = scene.file("torn.wasm");
    fs::write(&torn_file, &torn[..torn.len() / 2]).unwrap();
    scene.fails(
        &["manifest", "set", &torn_file, &file],
        "not a valid WebAssembly component",
    );
    scene.fails(
        &["manifest", "set", "/nonexistent", &file],
        "can't read /nonexistent",
    );
}
