//! The handles of WASI. No object is behind them, so only their number is kept.

use wasmtime::component::{LinkerInstance, Resource};
use wasmtime::{Result, StoreContextMut, bail};

use super::{State, refusal};

/// The most handles that a component may have at once.
const MAX: u32 = 1024;

/// A `pollable`, which is always ready.
pub(super) struct Pollable;
/// Standard input, which is always at its end.
pub(super) struct Input;
/// Standard output or error.
pub(super) struct Output;
/// The error of a stream. No stream ever fails.
pub(super) struct Error;
/// Any other resource, which has no use.
pub(super) struct Inert;

/// The number of open handles.
#[derive(Default)]
pub(super) struct Handles(u32);

impl Handles {
    pub(super) fn drop_one(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }
}

/// Makes a handle for the component.
pub(super) fn new<T: 'static>(mut store: StoreContextMut<'_, State>) -> Result<(Resource<T>,)> {
    let handles = &mut store.data_mut().wasi().handles;
    if handles.0 >= MAX {
        bail!("it has more than the {MAX} handles of WASI that can be open at once");
    }
    handles.0 += 1;
    Ok((Resource::new_own(0),))
}

/// Serves `instance-network`, whose network allows nothing.
pub(super) fn serve_network(served: &mut LinkerInstance<'_, State>, function: &str) -> Result<()> {
    match function {
        "instance-network" => served.func_wrap(function, |store, ()| new::<Inert>(store)),
        _ => refusal::serve(served, function),
    }
}
