//! The information that a driver may read, store and print.

use wasmvark_tests::connection::Connection;

use crate::attack::{Attack, Does, Granted, plain};

fn with_secret(connection: Connection) -> Connection {
    connection.option("private_key_secret", "users-key")
}

const fn attack(
    name: &'static str,
    grant: Granted,
    script: &'static str,
    says: &'static [&'static str],
) -> Attack {
    Attack {
        name,
        grant,
        asked: with_secret,
        does: Does::Setup(script),
        says,
    }
}

const WIREGUARD: Granted = Granted::Shipped("wireguard");
const MACVLAN: Granted = Granted::Shipped("macvlan");
const STATE: Granted = Granted::Calls(&[("state.get", "{}"), ("state.set", "{}")]);

pub(crate) const ATTACKS: &[Attack] = &[
    attack(
        "a secret that nobody named",
        WIREGUARD,
        "links.create-ifb container -; wireguard.set-private-key 0 others-key",
        &["wireguard.set-private-key", "denied"],
    ),
    attack(
        "a file beside the secrets",
        WIREGUARD,
        "links.create-ifb container -; wireguard.set-private-key 0 ../trail.toml",
        &["wireguard.set-private-key"],
    ),
    attack(
        "a peer's secret that nobody named",
        WIREGUARD,
        "links.create-ifb container -; wireguard.set-peer 0 \
         GCYSgu0E3f4zz0yCEwWVWgKkFEsRJzoyFmYQmSpLQlA= preshared-key=others-key allowed-ips=10.88.0.0/16 keepalive=0",
        &["wireguard.set-peer"],
    ),
    attack(
        "the names of the host's links",
        MACVLAN,
        "links.names host",
        &["links.names", "denied"],
    ),
    attack(
        "a link that nobody named",
        MACVLAN,
        "links.get host x0",
        &["links.get", "denied"],
    ),
    attack(
        "the host's routes",
        MACVLAN,
        "routes.list host -",
        &["routes.list", "denied"],
    ),
    attack(
        "the host's rules",
        MACVLAN,
        "rules.list host",
        &["rules.list", "denied"],
    ),
    attack(
        "a name server",
        MACVLAN,
        "dns 203.0.113.66",
        &["answer.dns", "denied"],
    ),
    attack(
        "the gateway as a name server",
        MACVLAN,
        "dns 10.88.0.1",
        &["answer.dns", "denied"],
    ),
    attack(
        "a search domain",
        MACVLAN,
        "?log.write info x",
        &["answer.search", "denied"],
    ),
    attack(
        "a name server that is none",
        Granted::Calls(&[("answer.dns", r#"{ address = "0.0.0.0/0" }"#)]),
        "dns 203.0.113.66\u{1b}[2J",
        &["203.0.113.66"],
    ),
    attack(
        "state out of its place",
        STATE,
        "state.set ../../audit x",
        &["key"],
    ),
    attack(
        "state under a name that is none",
        STATE,
        "state.set \"\" x",
        &["key"],
    ),
    attack(
        "a value without end",
        STATE,
        "state.set a *65537",
        &["65536"],
    ),
    attack(
        "values without end",
        STATE,
        "state.set a0 *65536; state.set a1 *65536; state.set a2 *65536; state.set a3 *65536; \
         state.set a4 *65536; state.set a5 *65536; state.set a6 *65536; state.set a7 *65536; \
         state.set a8 *65536; state.set a9 *65536; state.set b0 *65536; state.set b1 *65536; \
         state.set b2 *65536; state.set b3 *65536; state.set b4 *65536; state.set b5 *65536",
        &["1048576"],
    ),
    Attack {
        name: "nothing is granted, and all is tried",
        grant: Granted::Calls(&[]),
        asked: plain,
        does: Does::Setup("links.get host p0"),
        says: &["links.get", "denied"],
    },
];
