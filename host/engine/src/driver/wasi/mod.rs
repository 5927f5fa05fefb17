//! Inert WASI, for components whose language imports it.
//!
//! There are no files, no sockets and no environment, and nothing waits. Clocks and
//! random numbers are real. Standard output and error become log messages. Every other
//! function returns the refusal that its type has, or ends the run. So each patch level
//! of WASI 0.2 can be served under the name that the component imports.

mod clocks;
mod handles;
mod random;
mod refusal;
mod streams;

use wasmtime::component::types::{Component, ComponentItem};
use wasmtime::component::{Linker, LinkerInstance, ResourceType};
use wasmtime::{Engine, Result, StoreContextMut};

use super::run::State;
use handles::{Error, Handles, Inert, Input, Output, Pollable};

/// The prefix of all imports of WASI.
pub(super) const PREFIX: &str = "wasi:";

/// The served packages.
const PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];
/// The served version, with any patch level.
const VERSION: &str = "0.2.";

/// The WASI state of a run.
pub(super) struct Wasi {
    handles: Handles,
    output: Vec<u8>,
    capacity: usize,
}

impl Wasi {
    /// Makes the state of a run whose output may have `log_bytes`.
    pub(super) fn new(log_bytes: u64) -> Self {
        Self {
            handles: Handles::default(),
            output: Vec::new(),
            capacity: usize::try_from(log_bytes).unwrap_or(usize::MAX),
        }
    }

    /// Whether the component's output has reached its limit.
    pub(super) fn is_full(&self) -> bool {
        self.output.len() >= self.capacity
    }

    /// Returns the component's output.
    pub(super) fn output(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }
}

/// Serves a component's imports of WASI.
pub(super) fn link(
    linker: &mut Linker<State>,
    component: &Component,
    engine: &Engine,
) -> Result<()> {
    for (name, item) in component.imports(engine) {
        let (Some(interface), ComponentItem::ComponentInstance(instance)) =
            (interface(name), item.ty)
        else {
            continue;
        };
        let mut served = linker.instance(name)?;
        for (export, item) in instance.exports(engine) {
            match item.ty {
                ComponentItem::Resource(_) => serve_resource(&mut served, export)?,
                ComponentItem::ComponentFunc(_) => serve(&mut served, interface, export)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Returns the name of an interface with its package, if it's served.
fn interface(import: &str) -> Option<&str> {
    let (name, version) = import.strip_prefix(PREFIX)?.split_once('@')?;
    let (package, _) = name.split_once('/')?;
    (PACKAGES.contains(&package) && version.starts_with(VERSION)).then_some(name)
}

/// Serves a resource type. A name means the same type in every interface.
fn serve_resource(served: &mut LinkerInstance<'_, State>, name: &str) -> Result<()> {
    let resource = match name {
        "pollable" => ResourceType::host::<Pollable>(),
        "input-stream" => ResourceType::host::<Input>(),
        "output-stream" => ResourceType::host::<Output>(),
        "error" => ResourceType::host::<Error>(),
        _ => ResourceType::host::<Inert>(),
    };
    let dropped = |mut store: StoreContextMut<'_, State>, _| {
        store.data_mut().wasi().handles.drop_one();
        Ok(())
    };
    served.resource(name, resource, dropped)
}

fn serve(served: &mut LinkerInstance<'_, State>, interface: &str, function: &str) -> Result<()> {
    match interface {
        "cli/exit" => refusal::end(served, function),
        "cli/stdin" | "cli/stdout" | "cli/stderr" | "io/streams" | "io/poll" => {
            streams::serve(served, function)
        }
        "clocks/monotonic-clock" => clocks::serve_monotonic(served, function),
        "clocks/wall-clock" => clocks::serve_wall(served, function),
        "random/random" | "random/insecure" | "random/insecure-seed" => {
            random::serve(served, function)
        }
        "sockets/instance-network" => handles::serve_network(served, function),
        _ => refusal::serve(served, function),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_patch_level_of_the_served_packages_is_served() {
        assert_eq!(interface("wasi:cli/stdout@0.2.0"), Some("cli/stdout"));
        assert_eq!(interface("wasi:io/poll@0.2.17"), Some("io/poll"));
        for other in [
            "wasi:io/poll@0.3.0",
            "wasi:io/poll@0.20.0",
            "wasi:io/poll",
            "wasi:http/types@0.2.0",
            "wasmvark:driver/links@0.2.0",
        ] {
            assert_eq!(interface(other), None, "{other}");
        }
    }
}
