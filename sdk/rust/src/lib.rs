//! Write network drivers for wasmvark in Rust.
//!
//! A driver implements [`Guest`] for a type of its own, and passes that type to
//! [`export!`]. A component imports only the functions that the driver calls. [`manifest!`]
//! puts the driver's manifest in, and [`test_cases!`] makes its cases a part of
//! `cargo test`. Besides the calls, the crate has what drivers share, from options to
//! [`Behaviours`].

mod behaviours;
mod configure;
mod create;
mod dad;
mod default_routes;
mod dhcp_client;
mod filter;
mod nat;
mod options;
mod panic_text;
mod setup;
mod stable_mac;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod vlan_parent;

#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    clippy::undocumented_unsafe_blocks,
    clippy::uninlined_format_args,
    reason = "generated"
)]
pub mod bindings {
    //! The bindings that `wit-bindgen` generates from `wit/`.
    wit_bindgen::generate!({
        path: "wit",
        world: "driver",
        pub_export_macro: true,
        default_bindings_module: "wasmvark_guest::bindings",
    });
}

pub use bindings::exports::wasmvark::driver::handler::Guest;
pub use bindings::wasmvark::driver::{
    addresses, announce, bridge_ports, dhcp, dns, firewall, links, log, neighbours, offloads,
    routes, rules, state, sysctl, traffic, types, wireguard,
};

pub use behaviours::Behaviours;
pub use configure::{
    PLAIN_ROUTE, accept_router_advertisements, add_routes, announce_addresses,
    announce_over_bridge, configure, configure_with, disable_autoconf,
    ignore_router_advertisements, loosen_reverse_path,
};
pub use create::{
    WithoutSubnets, allocate_subnets, changes_on_parent, check_ipam, check_parent, choose_ipam,
    create_on_parent, has_no_addresses, move_parent_option, no_names,
};
pub use dad::Dad;
pub use dhcp_client::{check_dhcp, check_ipam_or_dhcp, lease, uses_dhcp};
pub use filter::Filter;
pub use nat::{Nat, check_outside_links, close_internal, forward, proxy_ndp, publish, trust};
pub use options::{MACVLAN_MODES, Value, choose, find, not, parse, parse_bool, read};
pub use panic_text::log_panics;
pub use setup::{
    PARENT_METRIC, alone, find_parent, gateways, is_v6, no_name_servers, routed_mtu, serve_names,
    without_prefix,
};
pub use stable_mac::stable_mac;
pub use vlan_parent::{check_parent_or_base, find_or_make_parent};
pub use wasmvark_guest_macros::manifest;

/// Exports a type that implements [`Guest`] as the component's driver. A panic of its
/// functions logs its text.
#[macro_export]
macro_rules! export {
    ($driver:ident) => {
        const _: () = {
            use $crate::types::{CreateRequest, Error, NetworkChange, Request, SetupAnswer};

            /// The driver behind the hook for panics.
            struct Exported;

            impl $crate::Guest for Exported {
                fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
                    $crate::log_panics();
                    <$driver as $crate::Guest>::create(request)
                }

                fn setup(request: Request) -> Result<SetupAnswer, Error> {
                    $crate::log_panics();
                    <$driver as $crate::Guest>::setup(request)
                }

                fn teardown(request: Request) -> Result<(), Error> {
                    $crate::log_panics();
                    <$driver as $crate::Guest>::teardown(request)
                }
            }

    $crate::bindings::export!(Exported with_types_in $crate::bindings);
        };
    };
}
