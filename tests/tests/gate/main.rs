//! The gate: every call of the WIT is allowed where the grant says so, denied
//! where it doesn't, and a driver that misbehaves is stopped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod addresses;
mod administer;
mod announce;
mod calls;
mod case;
mod cases;
mod doctor;
mod find;
mod firewall;
mod hostile;
mod links;
mod neighbours;
mod offloads;
mod own;
mod probe;
mod promise;
mod readme;
mod rename;
mod reuse;
mod routes;
mod rules;
mod settings;
mod shared;
mod state;
mod suggest;
mod traffic;
mod turns;
mod vfs;
mod wasi;

use wasmvark_tests::harness::Suite;

fn main() {
    let mut suite = Suite::default();
    addresses::register(&mut suite);
    administer::register(&mut suite);
    calls::register(&mut suite);
    own::register(&mut suite);
    reuse::register(&mut suite);
    settings::register(&mut suite);
    hostile::register(&mut suite);
    links::register(&mut suite);
    rename::register(&mut suite);
    doctor::register(&mut suite);
    find::register(&mut suite);
    announce::register(&mut suite);
    neighbours::register(&mut suite);
    offloads::register(&mut suite);
    traffic::register(&mut suite);
    routes::register(&mut suite);
    rules::register(&mut suite);
    wasi::register(&mut suite);
    firewall::register(&mut suite);
    promise::register(&mut suite);
    readme::register(&mut suite);
    shared::register(&mut suite);
    state::register(&mut suite);
    suggest::register(&mut suite);
    turns::register(&mut suite);
    vfs::register(&mut suite);
    suite.run();
}
