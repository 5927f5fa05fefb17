//! Guests in WebAssembly's text form.

use std::path::Path;

use anyhow::{Context, Result};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::places::Places;

/// Converts a file in text form.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    Ok(::wat::parse_file(path)?)
}

/// Converts the core module `driver.wat`, and adds the types of a world to it. The
/// world is in `world.wit` in the same folder, or else the drivers' world.
pub(crate) fn module(places: &Places, folder: &Path) -> Result<Vec<u8>> {
    let mut wasm = read(&folder.join("driver.wat"))?;
    let mut resolve = Resolve::default();
    let (mut package, _) = resolve.push_path(places.wit())?;
    let own = folder.join("world.wit");
    if own.exists() {
        (package, _) = resolve
            .push_path(&own)
            .with_context(|| format!("can't read {}", own.display()))?;
    }
    let world = resolve.select_world(&[package], None)?;
    embed_component_metadata(&mut wasm, &resolve, world, StringEncoding::UTF8, false)?;
    Ok(wasm)
}
