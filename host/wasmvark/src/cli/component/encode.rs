//! The conversion of a core module to a component.

use wasi_preview1_component_adapter_provider as adapter;
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use crate::cli::wit::Package;

/// The first bytes of a core module, with the version of its format.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
/// The first bytes of WebAssembly.
const WASM: &[u8] = b"\0asm";

/// How the name of a section begins that describes the world of a module.
const WORLD_SECTION: &str = "component-type";
/// How the names of the sections with DWARF begin.
const DEBUG_SECTION: &str = ".debug_";

/// Why a file can't become a component.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    /// The file is a component.
    #[error("it's a component already: `wasmvark manifest set` puts a manifest into it")]
    Component,
    /// The file is something else.
    #[error("it's no WebAssembly module")]
    NoModule,
    /// The module isn't as bindings make it.
    #[error("{0}")]
    Module(String),
}

impl From<anyhow::Error> for EncodeError {
    fn from(error: anyhow::Error) -> Self {
        Self::Module(format!("{error:#}"))
    }
}

/// Makes a component of a core module. A module that doesn't say which world it's for is
/// for that of the present interface.
///
/// # Errors
///
/// The file is no module, or doesn't export the functions of its world.
pub(super) fn encode(module: &[u8]) -> Result<Vec<u8>, EncodeError> {
    if !module.starts_with(MODULE) {
        return Err(match module.starts_with(WASM) {
            true => EncodeError::Component,
            false => EncodeError::NoModule,
        });
    }
    let Parts {
        mut module,
        has_world,
    } = parts(module)?;
    if !has_world {
        let (resolve, world) = Package::whole().resolve()?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    }
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter(
            adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )?
        .encode()?;
    Ok(component)
}

/// A module without its debug information, of which the host shows nothing. The names of
/// functions stay.
struct Parts {
    module: Vec<u8>,
    /// Whether the module says which world it's for.
    has_world: bool,
}

/// Reads a module's sections.
fn parts(module: &[u8]) -> Result<Parts, EncodeError> {
    let mut parts = Parts {
        module: MODULE.to_owned(),
        has_world: false,
    };
    // The byte after the section before, where the next one begins.
    let mut end = MODULE.len();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(|error| EncodeError::Module(error.to_string()))?;
        let custom = match &payload {
            Payload::CustomSection(section) => section.name(),
            _ => "",
        };
        let Some((_, range)) = payload.as_section() else {
            continue;
        };
        parts.has_world |= custom.starts_with(WORLD_SECTION);
        if !custom.starts_with(DEBUG_SECTION) {
            let section = module.get(end..range.end).unwrap_or_default();
            parts.module.extend_from_slice(section);
        }
        end = range.end;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{CustomSection, Module};

    use super::*;

    fn module(sections: &[&str]) -> Vec<u8> {
        let mut module = Module::new();
        for name in sections {
            module.section(&CustomSection {
                name: (*name).into(),
                data: name.as_bytes().into(),
            });
        }
        module.finish()
    }

    #[test]
    fn debug_information_is_left_out() {
        let given = module(&["name", ".debug_info", "producers", ".debug_str"]);
        let parts = parts(&given).unwrap();
        assert_eq!(parts.module, module(&["name", "producers"]));
        assert!(!parts.has_world);
        let bound = module(&["component-type:driver"]);
        assert!(super::parts(&bound).unwrap().has_world);
    }

    #[test]
    fn what_is_no_driver_is_refused() {
        let text = |bytes: &[u8]| encode(bytes).unwrap_err().to_string();
        assert!(text(b"#!/bin/sh").starts_with("it's no WebAssembly"));
        assert!(text(b"").starts_with("it's no WebAssembly"));
        assert!(text(b"\0asm\x0d\0\x01\0").starts_with("it's a component already"));
        let cut = module(&["name"]);
        assert!(text(&cut[..cut.len() - 1]).contains("unexpected end"));
        let error = text(&module(&[]));
        assert!(error.contains("wasmvark:driver/handler"), "{error}");
    }
}
