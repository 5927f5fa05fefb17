//! Drivers in C.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wit_bindgen_core::Files;
use wit_parser::Resolve;

use crate::places::Places;
use crate::tool;

/// The remedy for a missing compiler, with Debian's package names. `CLANG` may name
/// another compiler, such as that of wasi-sdk.
const REMEDY: &str =
    "the C drivers need: apt-get install clang lld wasi-libc libclang-rt-dev-wasm32";

/// The name of the world and of the generated files.
const WORLD: &str = "driver";

/// Compiles the C files of a folder to a core module with the world's types.
pub(crate) fn build(places: &Places, name: &str, source: &Path) -> Result<Vec<u8>> {
    let work = places.target.join("guests-c").join(name);
    let bindings = work.join("bindings");
    generate(places, &bindings)?;

    let module = work.join("module.wasm");
    let clang = std::env::var_os("CLANG").unwrap_or_else(|| "clang".into());
    let mut command = Command::new(clang);
    command
        .args(["--target=wasm32-wasi", "-mexec-model=reactor", "-std=c17"])
        .args(["-Os", "-flto", "-Wall", "-Wextra", "-Werror"])
        .args(["-Wl,--gc-sections", "-Wl,--strip-debug"])
        .arg("-isystem")
        .arg(&bindings)
        .arg("-o")
        .arg(&module)
        .args(files(source)?)
        .arg(bindings.join(format!("{WORLD}.c")))
        .arg(bindings.join(format!("{WORLD}_component_type.o")));
    tool::run(&mut command, REMEDY)?;
    std::fs::read(&module).with_context(|| format!("can't read {}", module.display()))
}

/// Writes `driver.h`, `driver.c` and an object file with the world's types.
fn generate(places: &Places, folder: &Path) -> Result<()> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(places.wit())?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    let mut files = Files::default();
    let options = wit_bindgen_c::Opts::default();
    options.build().generate(&mut resolve, world, &mut files)?;

    std::fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    for (name, content) in files.iter() {
        let path = folder.join(name);
        std::fs::write(&path, content)
            .with_context(|| format!("can't write {}", path.display()))?;
    }
    Ok(())
}

/// Returns the C files of a folder, sorted.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("can't read {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
