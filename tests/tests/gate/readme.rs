//! The output that the pages show to users.

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
    let command = "$ wasmvark inspect wasm-macvlan\n";
    assert_eq!(shown, block("docs/install.md", command));
    has_in_order(shown, &block("README.md", command));
}

/// The output that a page shows of a command, to the end of the block.
fn block(page: &str, command: &str) -> String {
    let text = std::fs::read_to_string(places::workspace().join(page)).unwrap();
    let (_, rest) = text
        .split_once(command)
        .unwrap_or_else(|| panic!("{page} has no {command}"));
    rest.split_once("```").expect("the block ends").0.to_owned()
}

/// Checks that an excerpt has only lines of the whole, in their order; `…` stands
/// for lines that it leaves out.
fn has_in_order(whole: &str, excerpt: &str) {
    let mut rest = whole.lines();
    let excerpt: Vec<&str> = excerpt.lines().filter(|line| *line != "…").collect();
    assert!(excerpt.len() >= 5, "{excerpt:?}");
    for line in excerpt {
        assert!(rest.any(|shown| shown == line), "{line:?} of:\n{whole}");
    }
}
