//! Tests with hostile drivers, which are small components that each attack one thing.
//! None gets beyond its grant and the user's request. Each run ends with one error, and
//! both namespaces are as before.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod addresses;
mod attack;
mod create;
mod encoding;
mod firewall;
mod links;
mod misbehaviour;
mod module;
mod parent;
mod routes;
mod settings;
mod stamp;
mod teardown;
mod words;

use wasmvark_tests::harness::Suite;

use attack::Count;

fn main() {
    let mut suite = Suite::default();
    let count = Count::default();
    attack::register(&mut suite, &count, "links", links::ATTACKS);
    attack::register(&mut suite, &count, "parent", parent::ATTACKS);
    attack::register(&mut suite, &count, "addresses", addresses::ATTACKS);
    attack::register(&mut suite, &count, "routes", routes::ATTACKS);
    attack::register(&mut suite, &count, "settings", settings::ATTACKS);
    attack::register(&mut suite, &count, "firewall", firewall::ATTACKS);
    attack::register(&mut suite, &count, "words", words::ATTACKS);
    attack::register(&mut suite, &count, "create", create::ATTACKS);
    attack::register(&mut suite, &count, "misbehaviour", misbehaviour::ATTACKS);
    attack::register(&mut suite, &count, "teardown", teardown::ATTACKS);
    encoding::register(&mut suite, &count);
    suite.has_its_rows("hostile");
    suite.run_then(move || println!("{count}"));
}
