//! The plugin protocol, and what bad input gets: one clean error, and nothing
//! changed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod bench;
mod captures;
mod convert;
mod disk;
mod install;
mod malformed;
mod names;
mod namespaces;
mod pages;
mod plan;
mod store;
mod survival;

use wasmvark_tests::harness::Suite;

fn main() {
    let mut suite = Suite::default();
    captures::register(&mut suite);
    convert::register(&mut suite);
    survival::register(&mut suite);
    malformed::register(&mut suite);
    names::register(&mut suite);
    namespaces::register(&mut suite);
    install::register(&mut suite);
    store::register(&mut suite);
    disk::register(&mut suite);
    pages::register(&mut suite);
    plan::register(&mut suite);
    suite.run();
}
