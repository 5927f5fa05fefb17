//! The Go module that bindings for Go need, in the place of Go's registry: the generator's
//! crate has it.

use std::fs;
use std::path::Path;
use std::process::Command;

use wasmvark_tests::places;
use wasmvark_tests::process;
use wasmvark_tests::world::World;

/// The crate.
pub(crate) const CRATE: &str = "wit-bindgen-go-0.60.0";
/// The module, and the version that the bindings ask for.
const MODULE: &str = "go.bytecodealliance.org/pkg";
const VERSION: &str = "v0.2.2";

/// Returns the variables by which Go finds the module, if the crate is there.
pub(crate) fn environment(world: &World) -> Vec<(&'static str, String)> {
    let Some(source) = places::crate_source(CRATE) else {
        return Vec::new();
    };
    let registry = world.file("go-modules");
    if !registry.exists() {
        write(&source.join("src/pkg"), &registry);
    }
    vec![
        ("GOPROXY", format!("file://{}", registry.display())),
        ("GONOSUMDB", "*".to_owned()),
        ("GOTOOLCHAIN", "local".to_owned()),
    ]
}

/// Writes a module as Go's registry serves it.
fn write(source: &Path, registry: &Path) {
    let folder = registry.join(MODULE).join("@v");
    fs::create_dir_all(&folder).unwrap();
    let info = format!(r#"{{"Version":"{VERSION}","Time":"2026-01-01T00:00:00Z"}}"#);
    fs::write(folder.join(format!("{VERSION}.info")), info).unwrap();
    let file = folder.join(format!("{VERSION}.mod"));
    fs::copy(source.join("go.mod"), file).unwrap();

    // All names in the archive begin with the module's.
    let all = registry.join("archive");
    let named = all.join(format!("{MODULE}@{VERSION}"));
    fs::create_dir_all(named.parent().unwrap()).unwrap();
    let mut copy = Command::new("cp");
    copy.arg("--recursive").arg(source).arg(&named);
    assert_eq!(process::run(&mut copy, b"").code, Some(0));
    let mut zip = Command::new("python3");
    let archive = folder.join(format!("{VERSION}.zip"));
    zip.args(["-m", "zipfile", "-c"])
        .arg(archive)
        .arg("go.bytecodealliance.org")
        .current_dir(&all);
    let zipped = process::run(&mut zip, b"");
    assert_eq!(zipped.code, Some(0), "{zipped:?}");
}
