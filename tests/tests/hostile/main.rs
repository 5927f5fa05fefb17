//! Hostile drivers: small components that each attack one thing, and what must
//! come of it. None gets further than its grant and the user's words, and each
//! ends as one clean error with both namespaces as they were.

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
