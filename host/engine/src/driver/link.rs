//! Linking a component to the host's functions.

use std::collections::BTreeSet;

use wasmtime::component::{HasSelf, Linker};

use super::ComponentError;
use super::bindings::wasmvark::driver as served;
use super::engine::Code;
use super::exports::Linked;
use super::run::State;
use super::version::Interface;
use super::{Version, previous, wasi};

/// Links a component to the host's functions, and to WASI if it imports WASI. What it
/// doesn't import isn't served, which saves its share of each start.
pub(super) fn link(code: &Code) -> Result<Linked<State>, ComponentError> {
    let world = |error: wasmtime::Error| ComponentError::World(format!("{error:#}"));
    let mut linker = Linker::new(&code.engine);
    let component_type = code.component.component_type();
    let imports = component_type.imports(&code.engine).map(|(name, _)| name);
    let imports: BTreeSet<&str> = imports.collect();
    let is_previous = code.version() != Version::CURRENT;
    linker.allow_shadowing(is_previous);
    let own = imports.iter().filter_map(|name| Interface::parse(name));
    for interface in own {
        serve(&mut linker, interface.name).map_err(world)?;
        if is_previous {
            previous::serve(&mut linker, interface.name).map_err(world)?;
        }
    }
    if imports.iter().any(|name| name.starts_with(wasi::PREFIX)) {
        wasi::link(&mut linker, &component_type, &code.engine).map_err(world)?;
    }
    let instance = linker.instantiate_pre(&code.component).map_err(world)?;
    Linked::new(code, instance).map_err(world)
}

/// Serves the functions of one interface. A name that isn't here is refused when the
/// component is instantiated.
fn serve(linker: &mut Linker<State>, interface: &str) -> wasmtime::Result<()> {
    macro_rules! of {
        ($($name:literal: $module:ident),* $(,)?) => {
            match interface {
                $($name => served::$module::add_to_linker::<_, HasSelf<_>>(linker, State::gate),)*
                _ => Ok(()),
            }
        };
    }
    of! {
        "addresses": addresses,
        "announce": announce,
        "bridge-ports": bridge_ports,
        "dhcp": dhcp,
        "dns": dns,
        "firewall": firewall,
        "links": links,
        "log": log,
        "neighbours": neighbours,
        "offloads": offloads,
        "routes": routes,
        "rules": rules,
        "state": state,
        "sysctl": sysctl,
        "traffic": traffic,
        "types": types,
        "wireguard": wireguard,
    }
}
