//! The conversion of a core module to a driver.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use wasm_encoder::{ComponentSection, CustomSection};
use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{FunctionKind, Resolve, WorldId, WorldItem};

use crate::manifest;

/// The custom section of a driver's manifest.
const MANIFEST: &str = "wasmvark:manifest";

/// The namespace and name of the WIT package whose functions are calls.
const PACKAGE: (&str, &str) = ("wasmvark", "driver");

/// The call that needs no grant, so that a manifest doesn't ask for it.
const WITHOUT_GRANT: &str = "log.write";

/// Makes a component from a core module that has its world's types.
pub(crate) fn encode(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)?
        .encode()
}

/// Adds the manifest to a component, and checks that it asks for just the
/// calls that the component imports.
pub(crate) fn finish(mut component: Vec<u8>, manifest: &str) -> Result<Vec<u8>> {
    let section = CustomSection {
        name: MANIFEST.into(),
        data: manifest.as_bytes().into(),
    };
    section.append_to_component(&mut component);

    manifest::check(manifest, &calls(&component)?)?;
    Ok(component)
}

/// Returns the calls that a component imports and that need a grant, as
/// `interface.function`.
pub(crate) fn calls(component: &[u8]) -> Result<BTreeSet<String>> {
    // Decoding validates.
    let decoded = wit_component::decode(component).context("the result isn't a component")?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        bail!("the result isn't a component");
    };
    Ok(calls_of(&resolve, world))
}

fn calls_of(resolve: &Resolve, world: WorldId) -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    let Some(world) = resolve.worlds.get(world) else {
        return calls;
    };
    for item in world.imports.values() {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let Some(interface) = resolve.interfaces.get(*id) else {
            continue;
        };
        let package = interface.package.and_then(|id| resolve.packages.get(id));
        let ours = package.is_some_and(|p| (&*p.name.namespace, &*p.name.name) == PACKAGE);
        let (true, Some(name)) = (ours, &interface.name) else {
            continue;
        };
        let functions = interface.functions.values();
        let free = functions.filter(|function| function.kind == FunctionKind::Freestanding);
        calls.extend(free.map(|function| format!("{name}.{}", function.name)));
    }
    calls.remove(WITHOUT_GRANT);
    calls
}
