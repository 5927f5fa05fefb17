//! Drivers that attack in `teardown`. Their own objects are removed anyway, and nothing
//! else.

use crate::attack::{Attack, Does, Granted, plain};

const MAKE: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge; \
     addresses.add 1 10.88.0.2/16; links.set-up 1";

const fn attack(
    name: &'static str,
    grant: Granted,
    teardown: &'static str,
    says: &'static [&'static str],
) -> Attack {
    Attack {
        name,
        grant,
        asked: plain,
        does: Does::Teardown {
            setup: MAKE,
            teardown,
        },
        says,
    }
}

const SHIPPED: Granted = Granted::Shipped("macvlan");

/// The shipped calls, and some that take away.
const DELETES: Granted = Granted::Calls(&[
    ("addresses.add", "{}"),
    ("addresses.remove", "{}"),
    ("links.create-macvlan", "{}"),
    ("links.delete", "{}"),
    ("links.get", "{}"),
    ("links.set-down", "{}"),
    ("links.set-up", "{}"),
    ("routes.remove", "{}"),
]);

const fn short(limit: &'static str, value: u64) -> Granted {
    Granted::Limited(
        &[
            ("addresses.add", "{}"),
            ("links.create-macvlan", "{}"),
            ("links.get", "{}"),
            ("links.set-up", "{}"),
            ("log.write", "{}"),
        ],
        limit,
        value,
    )
}

pub(crate) const ATTACKS: &[Attack] = &[
    attack(
        "deletes the parent",
        DELETES,
        "links.get host p0; links.delete 0",
        &["links.delete"],
    ),
    attack(
        "takes the parent down",
        DELETES,
        "links.get host p0; links.set-down 0",
        &["links.set-down", "denied"],
    ),
    attack(
        "takes the host's address",
        DELETES,
        "links.get host p0; addresses.remove 0 10.88.0.250/16",
        &["addresses.remove", "denied"],
    ),
    attack(
        "takes the host's router",
        DELETES,
        "routes.remove host 0.0.0.0/0 unicast gateway=10.88.0.1",
        &["routes.remove", "denied"],
    ),
    attack(
        "makes a link on the host",
        SHIPPED,
        "links.get host p0; links.create-macvlan host - 0 bridge",
        &["links.create-macvlan", "denied"],
    ),
    attack(
        "makes a link in the container, and stays",
        SHIPPED,
        "links.get host p0; links.create-macvlan container eth9 0 bridge; links.set-up 1",
        &[],
    ),
    attack(
        "makes a route of the host's",
        SHIPPED,
        "routes.add host 198.51.100.0/24 unicast gateway=10.88.0.1",
        &["routes.add", "denied"],
    ),
    attack(
        "sets a setting of the host's",
        SHIPPED,
        "sysctl.set host net.ipv4.ip_forward 1",
        &["sysctl.set", "denied"],
    ),
    attack("traps", SHIPPED, "trap", &["crashed"]),
    attack("panics", SHIPPED, "panic", &["crashed"]),
    attack("recurses", SHIPPED, "recurse", &["crashed"]),
    attack("loops", short("deadline-ms", 300), "loop", &["deadline-ms"]),
    attack(
        "floods the log",
        short("log-bytes", 4096),
        "flood 100",
        &["log-bytes"],
    ),
    attack("fails", SHIPPED, "fail no", &["no"]),
];
