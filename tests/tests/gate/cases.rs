//! One case for each call: a script that the call's reach allows, and one that
//! goes beyond it.

use wasmvark_tests::connection::Connection;

use crate::probe::NAME;

/// What is tried with one call.
pub(crate) struct Case {
    /// The call.
    pub(crate) call: &'static str,
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

const GET: (&str, &str) = ("links.get", "{}");
const CREATE: (&str, &str) = ("links.create-macvlan", "{}");
const MAKE: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge";
const PARENT: &str = "links.get host p0";

fn v4() -> Connection {
    Connection::v4(NAME)
}

fn without_parent() -> Connection {
    v4().without_network("network_interface")
}

fn bridge() -> Connection {
    v4().network("network_interface", "br0")
}

/// A case for every call, in the order of the WIT.
pub(crate) const CASES: &[Case] = &[
    Case {
        call: "links.get",
        connection: v4,
        with: &[],
        before: "",
        within: "links.get host p0",
        beyond: Some(("", "links.get host x0", r#"link = "x0""#)),
    },
    Case {
        call: "links.get-default",
        connection: without_parent,
        with: &[],
        before: "",
        within: "links.get-default",
        // The request that goes beyond names a parent; see `calls`.
        beyond: Some(("", "links.get-default", r#"link = "*""#)),
    },
    Case {
        call: "links.create-macvlan",
        connection: v4,
        with: &[GET],
        before: PARENT,
        within: "links.create-macvlan container eth0 0 bridge",
        beyond: Some((
            PARENT,
            "links.create-macvlan container other0 0 bridge",
            r#"link = "container:other0""#,
        )),
    },
    Case {
        call: "links.create-bridge",
        connection: bridge,
        with: &[],
        before: "",
        within: "links.create-bridge shared br0",
        beyond: Some((
            "",
            "links.create-bridge shared other0",
            r#"link = "other0""#,
        )),
    },
    Case {
        call: "links.create-veth",
        connection: v4,
        with: &[],
        before: "",
        within: "links.create-veth eth0",
        beyond: Some((
            "",
            "links.create-veth eth0 host-name=other0",
            r#"link = "other0""#,
        )),
    },
    Case {
        call: "links.move-to-container",
        connection: v4,
        with: &[("links.get", r#"{ link = "x0" }"#)],
        before: PARENT,
        within: "links.move-to-container 0 eth0",
        beyond: Some((
            "links.get host x0",
            "links.move-to-container 0 eth0",
            r#"link = "x0""#,
        )),
    },
    Case {
        call: "links.set-mac",
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "links.set-mac 1 02:00:00:00:00:07",
        beyond: Some((
            PARENT,
            "links.set-mac 0 02:00:00:00:00:07",
            r#"link = "p0""#,
        )),
    },
    Case {
        call: "links.set-mtu",
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "links.set-mtu 1 1300",
        beyond: Some((PARENT, "links.set-mtu 0 1300", r#"link = "p0""#)),
    },
    Case {
        call: "links.set-up",
        connection: v4,
        with: &[("links.get", r#"{ link = "x0" }"#), CREATE],
        before: MAKE,
        within: "links.set-up 1",
        beyond: Some(("links.get host x0", "links.set-up 0", r#"link = "x0""#)),
    },
    Case {
        call: "links.set-master",
        connection: bridge,
        with: &[
            ("links.create-bridge", r#"{ link = "br0" }"#),
            ("links.create-veth", "{}"),
            ("links.get", r#"{ link = "x0" }"#),
        ],
        before: "links.create-bridge shared br0; links.create-veth eth0",
        within: "links.set-master 2 0",
        beyond: Some((
            "links.create-bridge shared br0; links.get host x0",
            "links.set-master 1 0",
            r#"link = "x0""#,
        )),
    },
    Case {
        call: "addresses.add",
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "addresses.add 1 10.88.0.2/16",
        beyond: Some((
            MAKE,
            "addresses.add 1 10.77.0.1/24",
            r#"address = "10.77.0.0/24""#,
        )),
    },
    Case {
        call: "routes.add",
        connection: v4,
        with: &[GET, CREATE, ("links.set-up", "{}"), ("addresses.add", "{}")],
        before: "links.get host p0; links.create-macvlan container eth0 0 bridge; \
                 addresses.add 1 10.88.0.2/16; links.set-up 1",
        within: "routes.add container 0.0.0.0/0 10.88.0.1 - unicast",
        beyond: Some((
            "",
            "routes.add host 10.66.0.0/16 - - blackhole",
            r#"destination = "10.66.0.0/16""#,
        )),
    },
    Case {
        call: "sysctl.set-autoconf",
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "sysctl.set-autoconf 1 off",
        beyond: Some((PARENT, "sysctl.set-autoconf 0 off", r#"link = "p0""#)),
    },
    Case {
        call: "log.write",
        connection: v4,
        with: &[],
        before: "",
        within: "log.write info hello",
        beyond: None,
    },
];
