//! Tests of the plugin protocol. Invalid input gets one error and changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod adding;
mod answers;
mod audit;
mod authoring;
mod bench;
mod benching;
mod captures;
mod cases;
mod commands;
mod convert;
mod costs;
mod disk;
mod doctor;
mod grant_files;
mod granting;
mod grants_page;
mod house;
mod install;
mod installing;
mod link_kind;
mod living;
mod log;
mod malformed;
mod manifests;
mod names;
mod namespaces;
mod options;
mod pages;
mod plan;
mod recording;
mod steps;
mod store;
mod survival;
mod trail;
mod tries;
mod trusting;
mod upstream;
mod versions;
mod wit;

use wasmvark_tests::harness::Suite;

fn main() {
    let mut suite = Suite::default();
    adding::register(&mut suite);
    answers::register(&mut suite);
    authoring::register(&mut suite);
    benching::register(&mut suite);
    captures::register(&mut suite);
    cases::register(&mut suite);
    commands::register(&mut suite);
    convert::register(&mut suite);
    costs::register(&mut suite);
    survival::register(&mut suite);
    malformed::register(&mut suite);
    names::register(&mut suite);
    namespaces::register(&mut suite);
    grant_files::register(&mut suite);
    grants_page::register(&mut suite);
    granting::register(&mut suite);
    house::register(&mut suite);
    recording::register(&mut suite);
    steps::register(&mut suite);
    install::register(&mut suite);
    installing::register(&mut suite);
    manifests::register(&mut suite);
    options::register(&mut suite);
    store::register(&mut suite);
    disk::register(&mut suite);
    doctor::register(&mut suite);
    trail::register(&mut suite);
    tries::register(&mut suite);
    trusting::register(&mut suite);
    link_kind::register(&mut suite);
    upstream::register(&mut suite);
    living::register(&mut suite);
    log::register(&mut suite);
    audit::register(&mut suite);
    pages::register(&mut suite);
    versions::register(&mut suite);
    wit::register(&mut suite);
    plan::register(&mut suite);
    suite.test(
        "threat-model::rows",
        &[],
        wasmvark_tests::threat_model::check_rows,
    );
    suite.has_its_rows("protocol");
    suite.run();
}
