//! The functions that a driver of 0.2 exports: outside of an interface, and with other
//! requests.

use request::{Network, Request};
use wasmtime::component::{InstancePre, TypedFunc};
use wasmtime::{AsContextMut, Store};

use super::records::{PreviousCreateRequest, PreviousRequest};
use crate::driver::bindings::wasmvark::driver::types as wit;
use crate::driver::engine::Code;
use crate::driver::exports::{Created, SetUp, TornDown};

/// The names of the functions.
pub(in crate::driver) const FUNCTIONS: [&str; 3] = ["create", "setup", "teardown"];

/// A driver of 0.2 that is linked to the host's functions.
pub(in crate::driver) struct Linked<T: 'static>(InstancePre<T>);

/// The exported functions of a running driver of 0.2.
pub(in crate::driver) struct Exports {
    create: TypedFunc<(PreviousCreateRequest,), (Created,)>,
    setup: TypedFunc<(PreviousRequest,), (SetUp,)>,
    teardown: TypedFunc<(PreviousRequest,), (TornDown,)>,
}

impl<T> Linked<T> {
    /// Checks that the component has the functions.
    pub(in crate::driver) fn new(code: &Code, instance: InstancePre<T>) -> wasmtime::Result<Self> {
        for function in FUNCTIONS {
            if code.component.get_export_index(None, function).is_none() {
                wasmtime::bail!("no exported function `{function}`, which version 0.2 has");
            }
        }
        Ok(Self(instance))
    }

    /// Instantiates the driver.
    pub(in crate::driver) fn instantiate(&self, store: &mut Store<T>) -> wasmtime::Result<Exports> {
        let instance = self.0.instantiate(&mut *store)?;
        Ok(Exports {
            create: instance.get_typed_func(&mut *store, "create")?,
            setup: instance.get_typed_func(&mut *store, "setup")?,
            teardown: instance.get_typed_func(&mut *store, "teardown")?,
        })
    }
}

impl Exports {
    pub(in crate::driver) fn create(
        &self,
        store: impl AsContextMut,
        network: &Network,
        current: wit::CreateRequest,
    ) -> wasmtime::Result<Created> {
        let request = PreviousCreateRequest::new(network, current);
        Ok(self.create.call(store, (request,))?.0)
    }

    pub(in crate::driver) fn setup(
        &self,
        store: impl AsContextMut,
        request: &Request,
        current: wit::Request,
    ) -> wasmtime::Result<SetUp> {
        let request = PreviousRequest::new(request, current);
        Ok(self.setup.call(store, (request,))?.0)
    }

    pub(in crate::driver) fn teardown(
        &self,
        store: impl AsContextMut,
        request: &Request,
        current: wit::Request,
    ) -> wasmtime::Result<TornDown> {
        let request = PreviousRequest::new(request, current);
        Ok(self.teardown.call(store, (request,))?.0)
    }
}
