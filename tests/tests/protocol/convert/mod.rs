//! `wasmvark convert` on every configuration in the documentation of CNI's reference
//! plugins.

mod apply;
mod documented;
mod folder;

use wasmvark_tests::harness::Suite;

pub(crate) fn register(suite: &mut Suite) {
    documented::register(suite);
    folder::register(suite);
    apply::register(suite);
}
