//! The functions that have other types in 0.2.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker};

use super::records::PreviousSubnet;
use crate::driver::GuestError;
use crate::driver::bindings::wasmvark::driver::{addresses, links, types};
use crate::driver::run::State;
use crate::driver::version::current_name;
use crate::gate::{CallError, Gate};

/// The WIT record `veth-options` of 0.2.
#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
struct PreviousVethOptions {
    #[component(name = "host-name")]
    host_name: Option<String>,
    mac: Option<String>,
    #[component(name = "host-mac")]
    host_mac: Option<String>,
    mtu: Option<u32>,
}

/// Serves the functions of one interface that have other types in 0.2, in the place of the
/// current ones. All others are the same functions.
pub(in crate::driver) fn serve(
    linker: &mut Linker<State>,
    interface: &str,
) -> wasmtime::Result<()> {
    let mut instance = match interface {
        "links" | "addresses" => linker.instance(&current_name(interface))?,
        _ => return Ok(()),
    };
    match interface {
        "links" => instance.func_wrap("create-veth", create_veth),
        _ => instance.func_wrap("allocate-subnet", allocate_subnet),
    }
}

fn create_veth(
    mut store: StoreContextMut<'_, State>,
    (name, options): (Option<String>, PreviousVethOptions),
) -> wasmtime::Result<(Result<links::VethPair, GuestError>,)> {
    let options = links::VethOptions {
        name,
        host_name: options.host_name,
        mac: options.mac,
        host_mac: options.host_mac,
        mtu: options.mtu,
    };
    let gate = store.data_mut().gate();
    let pair = links::Host::create_veth(gate, options);
    answer(gate, pair)
}

fn allocate_subnet(
    mut store: StoreContextMut<'_, State>,
    (version, with_gateway): (types::IpVersion, bool),
) -> wasmtime::Result<(Result<PreviousSubnet, GuestError>,)> {
    let gate = store.data_mut().gate();
    let subnet = addresses::Host::allocate_subnet(gate, version, with_gateway);
    answer(gate, subnet.map(PreviousSubnet::from))
}

fn answer<T>(
    gate: &mut Gate,
    result: Result<T, CallError>,
) -> wasmtime::Result<(Result<T, GuestError>,)> {
    Ok((match result {
        Ok(value) => Ok(value),
        Err(error) => Err(types::Host::convert_error(gate, error)?),
    },))
}
