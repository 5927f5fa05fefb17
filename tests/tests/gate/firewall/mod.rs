//! What the calls of `firewall` do to packets, and that nothing of it stays.

mod site;
mod sources;

use wasmvark_tests::harness::{Need, Suite};

/// What all of these tests need.
const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    sources::register(suite);
}
