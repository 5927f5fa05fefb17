//! Tests of the gate. Every call of the WIT is allowed if the grant covers it, and
//! denied otherwise. A driver that misbehaves is stopped.

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
mod bounds;
mod calls;
mod case;
mod cases;
mod doctor;
mod find;
mod firewall;
mod hostile;
mod identity;
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
mod used;
mod vfs;
mod wasi;
mod words;

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
    identity::register(&mut suite);
    links::register(&mut suite);
    rename::register(&mut suite);
    doctor::register(&mut suite);
    find::register(&mut suite);
    announce::register(&mut suite);
    bounds::register(&mut suite);
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
    used::register(&mut suite);
    vfs::register(&mut suite);
    words::register(&mut suite);
    suite.has_its_rows("gate");
    suite.run();
}
