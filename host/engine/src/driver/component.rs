//! The description of a component that isn't run: its imported functions and its
//! manifest.

use std::collections::BTreeSet;

use policy::Call;
use request::Declared;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::{Parser, Validator};

use super::version::{
    Interface, Version, current_name, export_names, import_names, remedy, served,
};
use super::{Manifest, ManifestError, manifest_section, previous, wasi};

/// The reason why a file is no driver.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// The file isn't valid WebAssembly.
    #[error("the file is not a valid WebAssembly component: {0}")]
    Invalid(wasmparser::BinaryReaderError),
    /// The file is a core module.
    #[error(
        "the file is a core WebAssembly module, not a component: make one of it with \
         `wasmvark component`"
    )]
    CoreModule,
    /// The component imports something outside the world of drivers.
    #[error(
        "the component imports {0}, which is not part of the world wasmvark:driver that this host \
         serves, in versions {versions}",
        versions = served()
    )]
    ForeignImport(String),
    /// The component is built for a version of the interface that isn't served.
    #[error(
        "the component is built for version {0} of wasmvark:driver, and this host serves \
         {versions}: {remedy}",
        versions = served(),
        remedy = remedy(.0)
    )]
    Version(String),
    /// The component imports two versions of the interface.
    #[error(
        "the component imports versions {0} and {1} of wasmvark:driver: it can have only one, so \
         build all of it with the same"
    )]
    Versions(Version, Version),
    /// The component doesn't fit the world of drivers.
    #[error("the component doesn't fit the world wasmvark:driver: {0}")]
    World(String),
    /// The component lacks an export that each driver has.
    #[error(
        "the component exports no {0}, which each driver has: build it for the world `driver`, \
         which `wasmvark wit DIR` writes"
    )]
    NoExport(String),
    /// The manifest isn't valid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// The interface that drivers export.
const HANDLER: &str = "handler";

/// The method of links, which is no call.
const LINK_NAME: &str = "links.[method]link.name";

/// The imports and the manifest of a component.
#[derive(Debug, Clone)]
pub struct Description {
    /// The version of the imported interface, or `None` if the component imports none
    /// of it.
    pub version: Option<Version>,
    /// The calls that the component can make: its imported functions.
    pub imports: BTreeSet<Call>,
    /// Whether the component imports WASI, which is served inert.
    pub wasi: bool,
    /// The manifest, if the component has one.
    pub manifest: Option<Manifest>,
}

impl Description {
    /// Reads a component.
    ///
    /// # Errors
    ///
    /// The file is no driver, or its manifest isn't valid.
    pub fn read(bytes: &[u8]) -> Result<Self, ComponentError> {
        let mut description = Self::of_imports(bytes)?;
        check_exports(bytes)?;
        description.manifest = manifest(bytes)?;
        Ok(description)
    }

    /// Reads a component without its manifest.
    ///
    /// # Errors
    ///
    /// The file is no driver.
    pub fn of_imports(bytes: &[u8]) -> Result<Self, ComponentError> {
        if Parser::is_core_wasm(bytes) {
            return Err(ComponentError::CoreModule);
        }
        let mut validator = Validator::new();
        let types = validator
            .validate_all(bytes)
            .map_err(ComponentError::Invalid)?;
        let mut description = Self {
            version: None,
            imports: BTreeSet::new(),
            wasi: false,
            manifest: None,
        };
        for name in import_names(bytes).map_err(ComponentError::Invalid)? {
            let import = types.as_ref().component_item_for_import(name);
            match import.map(|item| &item.ty) {
                // The exports use this type. It gives the component no function.
                Some(ComponentEntityType::Type { .. }) => {}
                Some(item) => description.add_import(name, functions(&types, item))?,
                None => return Err(ComponentError::ForeignImport(name.to_owned())),
            }
        }
        Ok(description)
    }

    /// Whether the component can make a call. It must import the function, unless the
    /// call stands for a return value.
    pub fn can_make(&self, call: Call) -> bool {
        call.is_returned() || self.imports.contains(&call)
    }

    fn add_import(&mut self, name: &str, functions: Vec<String>) -> Result<(), ComponentError> {
        if name.starts_with(wasi::PREFIX) {
            self.wasi = true;
            return Ok(());
        }
        let foreign = |name: &str| ComponentError::ForeignImport(name.to_owned());
        let interface = Interface::parse(name).ok_or_else(|| foreign(name))?;
        self.add_version(&interface)?;
        for function in functions {
            let name = format!("{}.{function}", interface.name);
            if name == LINK_NAME {
                continue;
            }
            let call: Call = name.parse().map_err(|_| foreign(&name))?;
            if call.is_returned() {
                return Err(foreign(&name));
            }
            self.imports.insert(call);
        }
        Ok(())
    }

    /// Notes the version of an import. All imports must have the same one.
    fn add_version(&mut self, interface: &Interface<'_>) -> Result<(), ComponentError> {
        let version = interface.served()?;
        match self.version.replace(version) {
            Some(before) if before != version => Err(ComponentError::Versions(before, version)),
            _ => Ok(()),
        }
    }
}

/// Checks that a component has the exports of a driver. Their types are checked when the
/// code is linked.
fn check_exports(bytes: &[u8]) -> Result<(), ComponentError> {
    let exported = export_names(bytes).map_err(ComponentError::Invalid)?;
    let is_handler = |name: &&str| Interface::parse(name).is_some_and(|it| it.name == HANDLER);
    if exported.iter().any(is_handler) {
        return Ok(());
    }
    let (there, lacking): (Vec<&str>, Vec<&str>) = previous::FUNCTIONS
        .into_iter()
        .partition(|name| exported.contains(name));
    match lacking.first() {
        None => Ok(()),
        Some(name) if !there.is_empty() => Err(ComponentError::NoExport((*name).to_owned())),
        Some(_) => Err(ComponentError::NoExport(current_name(HANDLER))),
    }
}

/// Returns the functions of an imported interface.
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

/// Returns the options that a component's manifest declares, if the host checks them: a
/// driver for 0.2 lists options for its readers, and checks them itself.
///
/// # Errors
///
/// The file isn't valid WebAssembly, or its manifest isn't valid.
pub fn declared_options(bytes: &[u8]) -> Result<Declared, ComponentError> {
    if !checks_options(bytes)? {
        return Ok(Declared::Undeclared);
    }
    let manifest = manifest(bytes)?;
    Ok(manifest
        .map(|manifest| manifest.options)
        .unwrap_or_default())
}

/// Whether the host checks the options of a component's version.
fn checks_options(bytes: &[u8]) -> Result<bool, ComponentError> {
    for name in import_names(bytes).map_err(ComponentError::Invalid)? {
        let Some(interface) = Interface::parse(name) else {
            continue;
        };
        if !interface.served()?.checks_options() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn manifest(bytes: &[u8]) -> Result<Option<Manifest>, ComponentError> {
    let found = manifest_section::find(bytes)?;
    let manifest = found.map(|found| Manifest::parse(found.data)).transpose();
    Ok(manifest?)
}
