//! A driver's exported functions, in the version of the interface that it was built
//! for.

use request::{Network, Request};
use wasmtime::component::types::{ComponentItem, Type};
use wasmtime::component::{ComponentType, InstancePre, Lower, TypedFunc};
use wasmtime::{AsContextMut, Store};

use super::bindings::wasmvark::driver::types as wit;
use super::bindings::{Driver, DriverPre};
use super::engine::Code;
use super::{Version, convert};

type Created = Result<Vec<wit::NetworkChange>, wit::Error>;
type SetUp = Result<wit::SetupAnswer, wit::Error>;
type TornDown = Result<(), wit::Error>;

/// A driver that is linked to the host's functions.
pub(super) enum Linked<T: 'static> {
    Current(DriverPre<T>),
    Previous(InstancePre<T>),
}

/// The exported functions of a running driver.
pub(super) enum Exports {
    Current(Driver),
    Previous(Previous),
}

/// The exported functions of version 0.1. Only the type of the request differs, except
/// for `create`.
pub(super) struct Previous {
    create: TypedFunc<(wit::CreateRequest,), (Created,)>,
    setup: TypedFunc<(PreviousRequest,), (SetUp,)>,
    teardown: TypedFunc<(PreviousRequest,), (TornDown,)>,
}

/// The WIT record `request` of version 0.1.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
struct PreviousRequest {
    network: wit::Network,
    #[component(name = "container-id")]
    container_id: String,
    #[component(name = "container-name")]
    container_name: String,
    #[component(name = "container-exists")]
    container_exists: bool,
    #[component(name = "interface-name")]
    interface_name: String,
    mac: Option<String>,
    addresses: Vec<String>,
    #[component(name = "default-routes")]
    default_routes: Vec<wit::Route>,
    routes: Vec<wit::Route>,
    ports: Vec<wit::Port>,
    options: Vec<wit::OptionValue>,
    json: String,
}

impl From<wit::Request> for PreviousRequest {
    fn from(request: wit::Request) -> Self {
        Self {
            network: request.network,
            container_id: request.container_id,
            container_name: request.container_name,
            container_exists: request.container_exists,
            interface_name: request.interface_name,
            mac: request.mac,
            addresses: request.addresses,
            default_routes: request.default_routes,
            routes: request.routes,
            ports: request.ports,
            options: request.container_options,
            json: request.json,
        }
    }
}

impl Code {
    /// Returns the version of the interface whose functions the component exports. It's
    /// 0.1 if `setup` takes that version's record, else the current one.
    pub fn version(&self) -> Version {
        let fields = self.fields("setup");
        let has = |field: &str| fields.iter().any(|name| name == field);
        match has("container-exists") && !has("container-options") {
            true => Version::V0_1,
            false => Version::V0_2,
        }
    }

    /// Returns the fields of the record that a function takes.
    fn fields(&self, function: &str) -> Vec<String> {
        let component = self.component.component_type();
        let item = component.get_export(&self.engine, function);
        let Some(ComponentItem::ComponentFunc(function)) = item.map(|item| item.ty) else {
            return Vec::new();
        };
        let mut parameters = function.params();
        match parameters.next() {
            Some((_, Type::Record(record))) => {
                record.fields().map(|field| field.name.to_owned()).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl<T> Linked<T> {
    /// Finds the exported functions of a component.
    pub(super) fn new(code: &Code, instance: InstancePre<T>) -> wasmtime::Result<Self> {
        match code.version() {
            Version::V0_2 => DriverPre::new(instance).map(Self::Current),
            Version::V0_1 => {
                for function in ["create", "setup", "teardown"] {
                    if code.component.get_export_index(None, function).is_none() {
                        wasmtime::bail!("no exported function `{function}`");
                    }
                }
                Ok(Self::Previous(instance))
            }
        }
    }

    /// Instantiates the driver.
    pub(super) fn instantiate(&self, store: &mut Store<T>) -> wasmtime::Result<Exports> {
        let instance = match self {
            Self::Current(driver) => return driver.instantiate(store).map(Exports::Current),
            Self::Previous(instance) => instance.instantiate(&mut *store)?,
        };
        Ok(Exports::Previous(Previous {
            create: instance.get_typed_func(&mut *store, "create")?,
            setup: instance.get_typed_func(&mut *store, "setup")?,
            teardown: instance.get_typed_func(&mut *store, "teardown")?,
        }))
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
            Self::Current(driver) => driver.call_create(store, &request),
            Self::Previous(driver) => Ok(driver.create.call(store, (request,))?.0),
        }
    }

    pub(super) fn setup(
        &self,
        store: impl AsContextMut,
        request: &Request,
        json: &str,
    ) -> wasmtime::Result<SetUp> {
        let request = convert::request(request, true, json);
        match self {
            Self::Current(driver) => driver.call_setup(store, &request),
            Self::Previous(driver) => Ok(driver.setup.call(store, (request.into(),))?.0),
        }
    }

    pub(super) fn teardown(
        &self,
        store: impl AsContextMut,
        request: &Request,
        container_exists: bool,
        json: &str,
    ) -> wasmtime::Result<TornDown> {
        let request = convert::request(request, container_exists, json);
        match self {
            Self::Current(driver) => driver.call_teardown(store, &request),
            Self::Previous(driver) => Ok(driver.teardown.call(store, (request.into(),))?.0),
        }
    }
}
