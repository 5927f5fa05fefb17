//! What the README shows is what a user sees.

use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("readme::inspect", &[Need::Root, Need::Macvlan], inspect);
}

fn inspect() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let component = places::guest("macvlan");
    let component = component.to_string_lossy();
    let name = "wasm-macvlan";
    let install = ["install", &*component, "--name", name, "--grant-requested"];
    let output = wasmvark.administer(&install);
    assert_eq!(output.code, Some(0), "{output:?}");
    let output = wasmvark.administer(&["inspect", name]);
    let digest = format!(
        "sha256:{}",
        wasmvark.component("macvlan").file_stem().unwrap().display()
    );
    let grant = wasmvark.grant_file(name);
    let shown = output.stdout.replace(&digest, "sha256:…").replace(
        &*grant.to_string_lossy(),
        "/etc/wasmvark/grants/wasm-macvlan.toml",
    );
    // It depends on the compiler.
    let sizes = shown.lines().find(|line| line.starts_with("size "));
    let shown = shown.replace(
        sizes.expect("the sizes are shown"),
        "size     84 KiB, compiled 230 KiB",
    );
    let (shown, _options) = shown.split_once("\nOPTIONS\n").expect("options come last");
    assert_eq!(shown, block_of_readme("$ wasmvark inspect wasm-macvlan\n"));
}

/// What the README shows after a command, to the end of the block.
fn block_of_readme(command: &str) -> String {
    let path = places::workspace().join("README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (_, rest) = readme
        .split_once(command)
        .expect("the README has the command");
    rest.split_once("```").expect("the block ends").0.to_owned()
}
