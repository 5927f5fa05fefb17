//! The effects of the calls of `firewall` on packets. All of them must be undone.

mod internal;
mod isolation;
mod live;
mod many;
mod ports;
mod reload;
mod senders;
mod site;
mod sources;
mod traffic;

use wasmvark_tests::harness::{Need, Suite};

/// What all of these tests need.
const NEEDS: &[Need] = &[Need::Root, Need::Macvlan, Need::Nft];

pub(crate) fn register(suite: &mut Suite) {
    sources::register(suite);
    ports::register(suite);
    isolation::register(suite);
    internal::register(suite);
    traffic::register(suite);
    reload::register(suite);
    senders::register(suite);
    live::register(suite);
    many::register(suite);
}
