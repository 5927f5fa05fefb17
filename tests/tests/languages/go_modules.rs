//! Modules of Go, as its registry serves them: the one that bindings need, which the
//! generator's crate has, and this project's own.

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

/// Makes the archive of a module. All of its names begin with the module's, and folders have
/// no entries.
const ZIP: &str = "
import os, sys, zipfile
name, source, archive = sys.argv[1:]
with zipfile.ZipFile(archive, 'w') as file:
    for folder, _, names in os.walk(source):
        for each in sorted(names):
            path = os.path.join(folder, each)
            file.write(path, os.path.join(name, os.path.relpath(path, source)))
";

/// Returns the variables by which Go finds modules, if the crate is there.
pub(crate) fn environment(world: &World) -> Vec<(&'static str, String)> {
    let Some(source) = places::crate_source(CRATE) else {
        return Vec::new();
    };
    let registry = world.file("go-modules");
    if !registry.exists() {
        serve(world, &source.join("src/pkg"), MODULE, VERSION);
    }
    vec![
        ("GOPROXY", format!("file://{}", registry.display())),
        ("GONOSUMDB", "*".to_owned()),
        // Nothing is taken from what this machine has fetched before.
        ("GOMODCACHE", world.file("go-cache").display().to_string()),
        ("GOFLAGS", "-modcacherw".to_owned()),
        ("GOTOOLCHAIN", "local".to_owned()),
    ]
}

/// Has the registry serve a module.
pub(crate) fn serve(world: &World, source: &Path, module: &str, version: &str) {
    let registry = world.file("go-modules");
    let folder = registry.join(module).join("@v");
    fs::create_dir_all(&folder).unwrap();
    let info = format!(r#"{{"Version":"{version}","Time":"2026-01-01T00:00:00Z"}}"#);
    fs::write(folder.join(format!("{version}.info")), info).unwrap();
    let file = folder.join(format!("{version}.mod"));
    fs::copy(source.join("go.mod"), file).unwrap();

    let archive = folder.join(format!("{version}.zip"));
    let mut zip = Command::new("python3");
    zip.args(["-c", ZIP, &format!("{module}@{version}")])
        .args([source, &archive]);
    let zipped = process::run(&mut zip, b"");
    assert_eq!(zipped.code, Some(0), "{zipped:?}");
}
