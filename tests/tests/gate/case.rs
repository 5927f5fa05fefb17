//! The cases of calls, and the code that several cases share.

use serde_json::json;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::Need;
use wasmvark_tests::kind::Kind;

use crate::probe::NAME;

/// What is tried with one call.
pub(crate) struct Case {
    /// The call.
    pub(crate) call: &'static str,
    /// What the kernel must have for it.
    pub(crate) needs: &'static [Need],
    /// The request that it's tried with.
    pub(crate) connection: fn() -> Connection,
    /// Other calls that the scripts need, with their reach.
    pub(crate) with: &'static [(&'static str, &'static str)],
    /// Lines before the call; it must be the next and last one.
    pub(crate) before: &'static str,
    /// The call as its reach allows it.
    pub(crate) within: &'static str,
    /// Lines before a call that goes beyond, and that call; the first word of
    /// the widening that allows it. `None` where a call has no objects.
    pub(crate) beyond: Option<(&'static str, &'static str, &'static str)>,
}

pub(crate) const MACVLAN: &[Need] = &[Need::Root, Need::Macvlan];
pub(crate) const GET: (&str, &str) = ("links.get", "{}");
pub(crate) const CREATE: (&str, &str) = ("links.create-macvlan", "{}");
pub(crate) const MAKE: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge";
pub(crate) const PARENT: &str = "links.get host p0";

/// The reach that a call needs for what its case has within it: none but for
/// those that always make a link on the host.
pub(crate) fn least(call: &str) -> &'static str {
    match call {
        "links.create-bridge" => r#"{ place = "shared" }"#,
        "links.create-veth" => r#"{ place = "host" }"#,
        _ => "{}",
    }
}

/// What an address takes before it can be announced.
pub(crate) const ANNOUNCE: &[(&str, &str)] = &[
    GET,
    CREATE,
    ("links.set-up", "{}"),
    (
        "addresses.add",
        r#"{ address = ["10.77.0.0/24", "fd77::/64"] }"#,
    ),
];

pub(crate) fn v4() -> Connection {
    Connection::v4(NAME)
}

pub(crate) fn v6() -> Connection {
    Connection::v6(NAME)
}

pub(crate) fn without_parent() -> Connection {
    v4().without_network("network_interface")
}

pub(crate) fn with_dns() -> Connection {
    v4().network("dns_enabled", true)
}

pub(crate) fn with_outbound_address() -> Connection {
    v4().option("outbound_addr4", "192.0.2.7")
}

pub(crate) fn with_port() -> Connection {
    v4().port(json!({
        "container_port": 80, "host_port": 8080, "range": 1, "host_ip": "", "protocol": "tcp",
    }))
}

pub(crate) fn bridge() -> Connection {
    v4().network("network_interface", "br0")
}

/// A call that reaches own links, and the parent where the grant says so.
pub(crate) const fn on_link(
    call: &'static str,
    within: &'static str,
    beyond: &'static str,
) -> Case {
    Case {
        call,
        needs: MACVLAN,
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within,
        beyond: Some((PARENT, beyond, r#"link = "p0""#)),
    }
}

/// The same for a bridge's ports.
pub(crate) const fn on_port(
    call: &'static str,
    within: &'static str,
    beyond: &'static str,
) -> Case {
    Case {
        call,
        needs: MACVLAN,
        connection: bridge,
        with: &[
            ("links.get", r#"{ link = "p0" }"#),
            (
                "links.create-bridge",
                r#"{ link = "br0", place = "shared" }"#,
            ),
            ("links.create-veth", r#"{ place = "host" }"#),
            ("links.set-master", r#"{ link = "p0" }"#),
        ],
        before: OWN_PORT,
        within,
        beyond: Some((FOREIGN_PORT, beyond, r#"link = "p0""#)),
    }
}

/// The bridge is handle 0, its port 2.
pub(crate) const OWN_PORT: &str =
    "links.create-bridge shared -; links.create-veth -; links.set-master 2 0";
/// Its port is handle 0.
pub(crate) const FOREIGN_PORT: &str =
    "links.get host p0; links.create-bridge shared br0; links.set-master 0 1";

/// A call that reaches own WireGuard links.
pub(crate) const fn on_tunnel(
    call: &'static str,
    within: &'static str,
    beyond: Option<(&'static str, &'static str, &'static str)>,
) -> Case {
    Case {
        call,
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Wireguard)],
        connection: naming_a_secret,
        with: &[("links.create-wireguard", "{}")],
        before: TUNNEL,
        within,
        beyond,
    }
}

pub(crate) const TUNNEL: &str = "links.create-wireguard container -";

/// The operator has the secrets `named` and `other`.
pub(crate) fn naming_a_secret() -> Connection {
    v4().option("private_key_secret", "named")
}
