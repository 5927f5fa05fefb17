//! Reading a component without running it: its imports, function by function,
//! and its manifest.

use std::collections::BTreeSet;

use wasmparser::component_types::ComponentEntityType;
use wasmparser::{Parser, Payload, Validator};

use super::{Manifest, ManifestError, wasi};
use crate::grant::Call;

/// The worlds that this host serves.
pub const WORLDS: [&str; 1] = ["wasmvark:driver@0.1.0"];
/// The interfaces of the one world that this host serves.
const PACKAGE: &str = "wasmvark:driver/";
const VERSION: &str = "@0.1.0";
/// The custom section with the manifest.
const MANIFEST_SECTION: &str = "wasmvark:manifest";

/// Why a file is no driver.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// It isn't WebAssembly, or isn't valid.
    #[error("the file is not a valid WebAssembly component: {0}")]
    Invalid(wasmparser::BinaryReaderError),
    /// It's a core module.
    #[error(
        "the file is a core WebAssembly module, not a component: make one of it with \
         `wasm-tools component new`"
    )]
    CoreModule,
    /// It wants something that no host of drivers has.
    #[error(
        "the component imports {0}, which is not part of the world wasmvark:driver@0.1.0 that this \
         host serves"
    )]
    ForeignImport(String),
    /// It isn't a driver.
    #[error("the component doesn't fit the world wasmvark:driver@0.1.0: {0}")]
    World(String),
    /// Its manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// What a component says of itself by its form and by its manifest.
#[derive(Debug, Clone)]
pub struct Description {
    /// The calls that it can make: the functions that it imports.
    pub imports: BTreeSet<Call>,
    /// Whether it imports WASI, which is served inert.
    pub wasi: bool,
    /// Its manifest, if it carries one.
    pub manifest: Option<Manifest>,
}

impl Description {
    /// Reads a component.
    pub fn read(bytes: &[u8]) -> Result<Self, ComponentError> {
        if Parser::is_core_wasm(bytes) {
            return Err(ComponentError::CoreModule);
        }
        let mut validator = Validator::new();
        let types = validator
            .validate_all(bytes)
            .map_err(ComponentError::Invalid)?;
        let mut description = Self {
            imports: BTreeSet::new(),
            wasi: false,
            manifest: None,
        };
        for name in import_names(bytes).map_err(ComponentError::Invalid)? {
            let import = types.as_ref().component_item_for_import(&name);
            match import.map(|item| &item.ty) {
                // A type that the exports use: it does nothing.
                Some(ComponentEntityType::Type { .. }) => {}
                Some(item) => description.add_import(&name, functions(&types, item))?,
                None => return Err(ComponentError::ForeignImport(name)),
            }
        }
        description.manifest = manifest(bytes)?;
        Ok(description)
    }

    fn add_import(&mut self, name: &str, functions: Vec<String>) -> Result<(), ComponentError> {
        if name.starts_with(wasi::PREFIX) {
            self.wasi = true;
            return Ok(());
        }
        let foreign = |name: &str| ComponentError::ForeignImport(name.to_owned());
        let interface = name
            .strip_prefix(PACKAGE)
            .and_then(|rest| rest.strip_suffix(VERSION))
            .ok_or_else(|| foreign(name))?;
        for function in functions {
            let call = format!("{interface}.{function}");
            self.imports
                .insert(call.parse().map_err(|_| foreign(&call))?);
        }
        Ok(())
    }
}

/// The names of the outermost component's imports.
fn import_names(bytes: &[u8]) -> wasmparser::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut depth = 0u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    names.push(import?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// The functions of an imported interface.
fn functions(types: &wasmparser::types::Types, item: &ComponentEntityType) -> Vec<String> {
    let ComponentEntityType::Instance(instance) = item else {
        return Vec::new();
    };
    let Some(instance) = types.as_ref().get(*instance) else {
        return Vec::new();
    };
    let exports = instance.exports.iter();
    exports
        .filter(|(_, export)| matches!(export.ty, ComponentEntityType::Func(_)))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The one manifest, at any depth: languages that can only put sections into
/// their core module leave it there.
fn manifest(bytes: &[u8]) -> Result<Option<Manifest>, ComponentError> {
    let mut found = None;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(ComponentError::Invalid)?;
        let Payload::CustomSection(section) = payload else {
            continue;
        };
        if section.name() != MANIFEST_SECTION {
            continue;
        }
        if found.is_some() {
            let twice = "the component carries more than one".to_owned();
            return Err(ManifestError(twice).into());
        }
        found = Some(Manifest::parse(section.data())?);
    }
    Ok(found)
}
