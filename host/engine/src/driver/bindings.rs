//! The bindings of the WIT, which wasmtime generates from `wit/`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "driver",
    imports: { default: trappable },
    with: {
        "wasmvark:driver/links.link": crate::gate::LinkHandle,
    },
    trappable_error_type: {
        "wasmvark:driver/types.error" => crate::gate::CallError,
    },
});
