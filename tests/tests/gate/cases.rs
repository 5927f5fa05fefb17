//! One case for each call: a script that the call's reach allows, and one that
//! goes beyond it.

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

const MACVLAN: &[Need] = &[Need::Root, Need::Macvlan];
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
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "links.get host p0",
        beyond: Some(("", "links.get host x0", r#"link = "x0""#)),
    },
    Case {
        call: "links.get-default",
        needs: MACVLAN,
        connection: without_parent,
        with: &[],
        before: "",
        within: "links.get-default",
        // The request that goes beyond names a parent; see `calls`.
        beyond: Some(("", "links.get-default", r#"link = "*""#)),
    },
    Case {
        call: "links.names",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "links.names container",
        beyond: Some(("", "links.names host", r#"link = "*""#)),
    },
    Case {
        call: "links.info",
        needs: MACVLAN,
        connection: v4,
        with: &[("links.get", r#"{ link = "x0" }"#)],
        before: PARENT,
        within: "links.info 0",
        beyond: Some(("links.get host x0", "links.info 0", r#"link = "x0""#)),
    },
    Case {
        call: "links.ports",
        needs: MACVLAN,
        connection: v4,
        with: &[("links.get", r#"{ link = "x0" }"#)],
        before: PARENT,
        within: "links.ports 0",
        beyond: Some(("links.get host x0", "links.ports 0", r#"link = "x0""#)),
    },
    Case {
        call: "links.wait-carrier",
        needs: MACVLAN,
        connection: v4,
        with: &[("links.get", r#"{ link = "lo" }"#)],
        before: PARENT,
        within: "links.wait-carrier 0 1000",
        beyond: Some((
            "links.get host lo",
            "links.wait-carrier 0 1000",
            r#"link = "lo""#,
        )),
    },
    Case {
        call: "links.create-macvlan",
        needs: MACVLAN,
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
        needs: MACVLAN,
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
        needs: MACVLAN,
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
        call: "links.create-ipvlan",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Ipvlan)],
        connection: v4,
        with: &[GET],
        before: PARENT,
        within: "links.create-ipvlan container - 0 l2 bridge",
        beyond: Some((
            PARENT,
            "links.create-ipvlan container other0 0 l3 private",
            r#"link = "container:other0""#,
        )),
    },
    Case {
        call: "links.create-macvtap",
        needs: MACVLAN,
        connection: v4,
        with: &[GET],
        before: PARENT,
        within: "links.create-macvtap container - 0 bridge",
        beyond: Some((
            PARENT,
            "links.create-macvtap host other0 0 bridge",
            r#"link = "other0""#,
        )),
    },
    Case {
        call: "links.create-vlan",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Vlan)],
        connection: v4,
        with: &[GET],
        before: PARENT,
        within: "links.create-vlan container - 0 7 dot1q",
        beyond: Some((
            PARENT,
            "links.create-vlan container other0 0 8 dot1ad",
            r#"link = "container:other0""#,
        )),
    },
    Case {
        call: "links.create-vxlan",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Vxlan)],
        connection: v4,
        with: &[("links.get", r#"{ link = "x0" }"#)],
        before: PARENT,
        within: "links.create-vxlan container - 0 7 remote=10.88.0.1 learning=on",
        beyond: Some((
            "links.get host x0",
            "links.create-vxlan container - 0 8 port=4790",
            r#"link = "x0""#,
        )),
    },
    Case {
        call: "links.create-vrf",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Vrf)],
        connection: bridge,
        with: &[],
        before: "",
        within: "links.create-vrf shared - 77",
        beyond: Some(("", "links.create-vrf host other0 77", r#"link = "other0""#)),
    },
    Case {
        call: "links.create-dummy",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Dummy)],
        connection: v4,
        with: &[],
        before: "",
        within: "links.create-dummy container -",
        beyond: Some(("", "links.create-dummy host other0", r#"link = "other0""#)),
    },
    Case {
        call: "links.create-ifb",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "links.create-ifb host -",
        beyond: Some(("", "links.create-ifb host other0", r#"link = "other0""#)),
    },
    Case {
        call: "links.create-tap",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "links.create-tap container - owner=1000 mtu=1400",
        beyond: Some((
            "",
            "links.create-tap host other0 multi-queue=on",
            r#"link = "other0""#,
        )),
    },
    Case {
        call: "links.create-wireguard",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Wireguard)],
        connection: v4,
        with: &[],
        before: "",
        within: "links.create-wireguard container -",
        beyond: Some((
            "",
            "links.create-wireguard host other0",
            r#"link = "other0""#,
        )),
    },
    Case {
        call: "links.delete",
        needs: MACVLAN,
        connection: v4,
        with: &[("links.create-veth", "{}")],
        before: "links.create-veth -",
        within: "links.delete 0",
        beyond: None,
    },
    Case {
        call: "links.move-to-container",
        needs: MACVLAN,
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
        needs: MACVLAN,
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
        needs: MACVLAN,
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "links.set-mtu 1 1300",
        beyond: Some((PARENT, "links.set-mtu 0 1300", r#"link = "p0""#)),
    },
    Case {
        call: "links.set-up",
        needs: MACVLAN,
        connection: v4,
        with: &[("links.get", r#"{ link = "x0" }"#), CREATE],
        before: MAKE,
        within: "links.set-up 1",
        beyond: Some(("links.get host x0", "links.set-up 0", r#"link = "x0""#)),
    },
    Case {
        call: "links.set-down",
        needs: MACVLAN,
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "links.set-down 1",
        beyond: Some((PARENT, "links.set-down 0", r#"link = "p0""#)),
    },
    Case {
        call: "links.set-tx-queue-length",
        needs: MACVLAN,
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "links.set-tx-queue-length 1 77",
        beyond: Some((PARENT, "links.set-tx-queue-length 0 77", r#"link = "p0""#)),
    },
    Case {
        call: "links.set-promiscuous",
        needs: MACVLAN,
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "links.set-promiscuous 1 on",
        beyond: Some((PARENT, "links.set-promiscuous 0 on", r#"link = "p0""#)),
    },
    Case {
        call: "links.set-all-multicast",
        needs: MACVLAN,
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "links.set-all-multicast 1 on",
        beyond: Some((PARENT, "links.set-all-multicast 0 on", r#"link = "p0""#)),
    },
    Case {
        call: "links.set-alias",
        needs: MACVLAN,
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "links.set-alias 1 for people",
        beyond: Some((PARENT, "links.set-alias 0 for people", r#"link = "p0""#)),
    },
    Case {
        call: "links.set-master",
        needs: MACVLAN,
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
        needs: MACVLAN,
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
        call: "addresses.remove",
        needs: MACVLAN,
        connection: v4,
        with: &[
            ("links.get", "{}"),
            CREATE,
            (
                "addresses.add",
                r#"{ address = "10.77.0.0/24", link = "p0" }"#,
            ),
        ],
        before: "links.get host p0; addresses.add 0 10.77.0.1/24",
        within: "addresses.remove 0 10.77.0.1/24",
        beyond: Some((
            PARENT,
            "addresses.remove 0 10.88.0.250/16",
            r#"link = "p0", address = "10.88.0.0/16""#,
        )),
    },
    Case {
        call: "addresses.list",
        needs: MACVLAN,
        connection: v4,
        with: &[("links.get", r#"{ link = "x0" }"#)],
        before: PARENT,
        within: "addresses.list 0",
        beyond: Some(("links.get host x0", "addresses.list 0", r#"link = "x0""#)),
    },
    Case {
        call: "addresses.wait-dad",
        needs: MACVLAN,
        connection: v4,
        with: &[("links.get", r#"{ link = "x0" }"#)],
        before: PARENT,
        within: "addresses.wait-dad 0 5000",
        beyond: Some((
            "links.get host x0",
            "addresses.wait-dad 0 5000",
            r#"link = "x0""#,
        )),
    },
    Case {
        call: "routes.add",
        needs: MACVLAN,
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
        call: "routes.replace",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "routes.replace host 10.88.0.0/24 - - blackhole",
        beyond: Some((
            "",
            "routes.replace host 10.88.0.0/24 - - blackhole table=77",
            "table = 77",
        )),
    },
    Case {
        call: "routes.remove",
        needs: MACVLAN,
        connection: v4,
        with: &[("routes.add", "{}")],
        before: "routes.add host 10.88.0.0/24 - - blackhole",
        within: "routes.remove host 10.88.0.0/24 - - blackhole",
        beyond: Some((
            "",
            "routes.remove host 0.0.0.0/0 10.88.0.1 0 unicast",
            r#"destination = "0.0.0.0/0""#,
        )),
    },
    Case {
        call: "routes.list",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "routes.list container -",
        beyond: Some(("", "routes.list host -", r#"destination = "*""#)),
    },
    Case {
        call: "sysctl.set-autoconf",
        needs: MACVLAN,
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "sysctl.set-autoconf 1 off",
        beyond: Some((PARENT, "sysctl.set-autoconf 0 off", r#"link = "p0""#)),
    },
    Case {
        call: "log.write",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "log.write info hello",
        beyond: None,
    },
];
