//! A driver's exported functions, in the version of the interface that it was built
//! for.

use request::{Network, Request};
use wasmtime::component::InstancePre;
use wasmtime::component::types::ComponentItem;
use wasmtime::{AsContextMut, Store};

use super::bindings::wasmvark::driver::types as wit;
use super::bindings::{Driver, DriverPre};
use super::engine::Code;
use super::{Version, convert, previous};

pub(super) type Created = Result<Vec<wit::NetworkChange>, wit::Error>;
pub(super) type SetUp = Result<wit::SetupAnswer, wit::Error>;
pub(super) type TornDown = Result<(), wit::Error>;

/// A driver that is linked to the host's functions.
pub(super) enum Linked<T: 'static> {
    Current(DriverPre<T>),
    Previous(previous::Linked<T>),
}

/// The exported functions of a running driver.
pub(super) enum Exports {
    Current(Driver),
    Previous(previous::Exports),
}

impl Code {
    /// Returns the version of the interface whose functions the component exports. It's
    /// 0.2 if one of them stands outside of an interface, else the current one.
    pub(super) fn version(&self) -> Version {
        let component = self.component.component_type();
        let is_function = |name: &&str| {
            let item = component.get_export(&self.engine, name);
            item.is_some_and(|item| matches!(item.ty, ComponentItem::ComponentFunc(_)))
        };
        match previous::FUNCTIONS.iter().any(is_function) {
            true => Version::V0_2,
            false => Version::V0_3,
        }
    }
}

impl<T> Linked<T> {
    /// Finds the exported functions of a component.
    pub(super) fn new(code: &Code, instance: InstancePre<T>) -> wasmtime::Result<Self> {
        match code.version() {
            Version::V0_3 => DriverPre::new(instance).map(Self::Current),
            Version::V0_2 => previous::Linked::new(code, instance).map(Self::Previous),
        }
    }

    /// Instantiates the driver.
    pub(super) fn instantiate(&self, store: &mut Store<T>) -> wasmtime::Result<Exports> {
        match self {
            Self::Current(driver) => driver.instantiate(store).map(Exports::Current),
            Self::Previous(driver) => driver.instantiate(store).map(Exports::Previous),
        }
    }
}

impl Exports {
    pub(super) fn create(
        &self,
        store: impl AsContextMut,
        network: &Network,
        json: &str,
    ) -> wasmtime::Result<Created> {
        let request = convert::create_request(network, json);
        match self {
            Self::Current(driver) => driver
                .wasmvark_driver_handler()
                .call_create(store, &request),
            Self::Previous(driver) => driver.create(store, network, request),
        }
    }

    pub(super) fn setup(
        &self,
        store: impl AsContextMut,
        request: &Request,
        json: &str,
    ) -> wasmtime::Result<SetUp> {
        let current = convert::request(request, true, json);
        match self {
            Self::Current(driver) => driver.wasmvark_driver_handler().call_setup(store, &current),
            Self::Previous(driver) => driver.setup(store, request, current),
        }
    }

    pub(super) fn teardown(
        &self,
        store: impl AsContextMut,
        request: &Request,
        container_exists: bool,
        json: &str,
    ) -> wasmtime::Result<TornDown> {
        let current = convert::request(request, container_exists, json);
        match self {
            Self::Current(driver) => driver
                .wasmvark_driver_handler()
                .call_teardown(store, &current),
            Self::Previous(driver) => driver.teardown(store, request, current),
        }
    }
}
