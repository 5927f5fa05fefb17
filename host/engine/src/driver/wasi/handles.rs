//! Handles of WASI. They stand for nothing, so their number is all there is to
//! know of them.

use wasmtime::component::{LinkerInstance, Resource};
use wasmtime::{Result, StoreContextMut, bail};

use super::{State, refusal};

/// How many a component may have at once.
const MAX: u32 = 1024;

/// Something to wait for, which has always come.
pub(super) struct Pollable;
/// Standard input, which is at its end.
pub(super) struct Input;
/// Standard output or error.
pub(super) struct Output;
/// Why a stream failed, which none does.
pub(super) struct Error;
/// What can't be used for anything.
pub(super) struct Inert;

/// How many handles there are.
#[derive(Default)]
pub(super) struct Handles(u32);

impl Handles {
    pub(super) fn drop_one(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }
}

/// Gives the component a handle.
pub(super) fn new<T: 'static>(mut store: StoreContextMut<'_, State>) -> Result<(Resource<T>,)> {
    let handles = &mut store.data_mut().wasi().handles;
    if handles.0 >= MAX {
        bail!("it has more than the {MAX} handles of WASI that can be open at once");
    }
    handles.0 += 1;
    Ok((Resource::new_own(0),))
}

/// `instance-network`: a network that allows nothing.
pub(super) fn serve_network(served: &mut LinkerInstance<'_, State>, function: &str) -> Result<()> {
    match function {
        "instance-network" => served.func_wrap(function, |store, ()| new::<Inert>(store)),
        _ => refusal::serve(served, function),
    }
}
