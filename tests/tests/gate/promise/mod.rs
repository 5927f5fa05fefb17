//! Tests of the promise that a driver reaches only what the operator's grant and the
//! user's request allow. A hostile driver has the grant of one of this project's
//! drivers, and changes nothing of the host.

mod attacks;
mod kept;
mod others;
mod parent;

use serde_json::json;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

/// What one hostile driver tries.
pub(crate) struct Attack {
    /// The driver whose grant it has.
    grant: &'static str,
    /// What else the kernel must have.
    needs: &'static [Need],
    /// What the user asked for.
    connection: fn() -> Connection,
    /// Lines that are allowed; the attack comes after them.
    before: &'static str,
    /// The call.
    call: &'static str,
    /// Its error: `denied`, or `busy` for what no grant allows.
    error: &'static str,
}

pub(crate) fn register(suite: &mut Suite) {
    for attack in attacks::ATTACKS.iter().chain(parent::ATTACKS) {
        let needs = [&[Need::Root, Need::Macvlan], attack.needs].concat();
        let name = format!(
            "promise::{}::{}::{}",
            attack.grant,
            attack.error,
            name(attack)
        );
        suite.test(name, &needs, || fails(attack));
    }
    kept::register(suite);
    others::register(suite);
    parent::register(suite);
}

/// The attack as a part of a test's name.
fn name(attack: &Attack) -> String {
    let words = attack.call.split_whitespace();
    words.collect::<Vec<_>>().join("-").replace('/', "_")
}

/// A host with an address of each family on its wire, a default route, and a
/// route to another network.
fn world() -> World {
    let world = World::new();
    world.give_host_a_default_route();
    world.host.ip_batch(
        &[],
        "addr add fd88::250/64 dev p0 nodad\nroute add 203.0.113.0/24 via 10.88.0.1",
    );
    world
}

/// The call gets its error, the run goes on, and nothing on the host is other
/// than without the call.
fn fails(attack: &Attack) {
    let world = world();
    let probe = Probe::new(&world, &shipped(attack.grant));
    fails_with(&probe, (attack.connection)(), attack);
}

fn fails_with(probe: &Probe<'_>, connection: Connection, attack: &Attack) {
    let call = attack.call.split(' ').next().unwrap();
    let marked = format!("{}; ?{}", attack.before, attack.call);
    let before = Dump::of(&probe.world.host);
    let answer = answer_of(&probe.setup(connection.clone(), &marked));
    let result = format!("{call}.{}", attack.error);
    assert_eq!(answer["dns_search_domains"], json!([result]), "{marked}");
    if attack.before.is_empty() {
        assert!(
            Dump::of(&probe.world.host) == before,
            "the host has changed"
        );
    }
    probe.teardown(&connection);
    // As the only error, it's the user's to read, and what came before is undone.
    let error = probe.setup_fails(connection, &format!("{}; {}", attack.before, attack.call));
    assert!(error.contains(call), "{error}");
}

/// The grant of a driver, and what lets the probe tell results.
fn shipped(driver: &str) -> Grant {
    Grant::example(driver).call("answer.search", "{}")
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

/// The host's end of a pair is called end0.
fn with_end(connection: Connection) -> Connection {
    connection.join("options", json!({"host_interface_name": "end0"}))
}
