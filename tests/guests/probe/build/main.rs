//! Makes the probe's calls out of the WIT: for each type that a call takes, how a
//! line's words are read as one, and for each function a branch that calls it.
//! `src/calls.rs` has the grammar, and the functions that this code uses.

mod functions;
mod names;
mod types;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wit_parser::{FunctionKind, Resolve, WorldItem};

use types::Types;

/// From this package's folder.
const WIT: &str = "../../../wit";
const WORLD: &str = "driver";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed={WIT}");
    println!("cargo::rerun-if-changed=build");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(WIT))?;
    let world = resolve.select_world(&[package], Some(WORLD))?;

    let mut types = Types::new(&resolve);
    let mut branches = String::new();
    let world = resolve.worlds.get(world).context("the world is there")?;
    for import in world.imports.values() {
        let WorldItem::Interface { id, .. } = import else {
            continue;
        };
        let interface = resolve.interfaces.get(*id);
        let interface = interface.context("an interface of the world is there")?;
        let name = interface
            .name
            .as_deref()
            .context("an interface has a name")?;
        let all = interface.functions.values();
        for function in all.filter(|function| function.kind == FunctionKind::Freestanding) {
            branches += &functions::branch(&mut types, name, function)
                .with_context(|| format!("{name}.{}", function.name))?;
        }
    }
    let text = format!("{}\n{}", functions::run(&branches), types.code());
    let out: PathBuf = env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?.into();
    fs::write(out.join("calls.rs"), text)?;
    Ok(())
}
