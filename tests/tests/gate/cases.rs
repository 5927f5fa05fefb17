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

/// What an address takes before it can be announced.
const ANNOUNCE: &[(&str, &str)] = &[
    GET,
    CREATE,
    ("links.set-up", "{}"),
    (
        "addresses.add",
        r#"{ address = ["10.77.0.0/24", "fd77::/64"] }"#,
    ),
];

fn v4() -> Connection {
    Connection::v4(NAME)
}

fn v6() -> Connection {
    Connection::v6(NAME)
}

fn without_parent() -> Connection {
    v4().without_network("network_interface")
}

fn bridge() -> Connection {
    v4().network("network_interface", "br0")
}

/// A call that reaches own links, and the parent where the grant says so.
const fn on_link(call: &'static str, within: &'static str, beyond: &'static str) -> Case {
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
const fn on_port(call: &'static str, within: &'static str, beyond: &'static str) -> Case {
    Case {
        call,
        needs: MACVLAN,
        connection: bridge,
        with: &[
            ("links.get", r#"{ link = "p0" }"#),
            ("links.create-bridge", r#"{ link = "br0" }"#),
            ("links.create-veth", "{}"),
            ("links.set-master", r#"{ link = "p0" }"#),
        ],
        before: OWN_PORT,
        within,
        beyond: Some((FOREIGN_PORT, beyond, r#"link = "p0""#)),
    }
}

/// The bridge is handle 0, its port 2.
const OWN_PORT: &str = "links.create-bridge shared -; links.create-veth -; links.set-master 2 0";
/// Its port is handle 0.
const FOREIGN_PORT: &str =
    "links.get host p0; links.create-bridge shared br0; links.set-master 0 1";

/// A call that reaches own WireGuard links.
const fn on_tunnel(
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

const TUNNEL: &str = "links.create-wireguard container -";

/// The operator has the secrets `named` and `other`.
fn naming_a_secret() -> Connection {
    v4().option("private_key_secret", "named")
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
    on_port(
        "bridge-ports.set-hairpin",
        "bridge-ports.set-hairpin 2 on",
        "bridge-ports.set-hairpin 0 on",
    ),
    on_port(
        "bridge-ports.set-isolated",
        "bridge-ports.set-isolated 2 on",
        "bridge-ports.set-isolated 0 on",
    ),
    on_port(
        "bridge-ports.set-learning",
        "bridge-ports.set-learning 2 off",
        "bridge-ports.set-learning 0 off",
    ),
    on_port(
        "bridge-ports.vlans",
        "bridge-ports.vlans 2",
        "bridge-ports.vlans 0",
    ),
    Case {
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::VlanBridge)],
        ..on_port(
            "bridge-ports.add-vlans",
            "bridge-ports.add-vlans 2 7 9",
            "bridge-ports.add-vlans 0 7 9",
        )
    },
    on_port(
        "bridge-ports.remove-vlans",
        "bridge-ports.remove-vlans 2 1 4094",
        "bridge-ports.remove-vlans 0 1 4094",
    ),
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
        call: "sysctl.enable-ip-forward",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "sysctl.enable-ip-forward container ipv6",
        beyond: Some((
            "",
            "sysctl.enable-ip-forward host ipv4",
            r#"key = "net.ipv4.ip_forward""#,
        )),
    },
    on_link(
        "sysctl.set-autoconf",
        "sysctl.set-autoconf 1 off",
        "sysctl.set-autoconf 0 off",
    ),
    on_link(
        "sysctl.set-arp-notify",
        "sysctl.set-arp-notify 1 on",
        "sysctl.set-arp-notify 0 on",
    ),
    on_link(
        "sysctl.set-ndisc-notify",
        "sysctl.set-ndisc-notify 1 on",
        "sysctl.set-ndisc-notify 0 on",
    ),
    on_link(
        "sysctl.set-rp-filter",
        "sysctl.set-rp-filter 1 loose",
        "sysctl.set-rp-filter 0 loose",
    ),
    on_link(
        "sysctl.set-route-localnet",
        "sysctl.set-route-localnet 1 on",
        "sysctl.set-route-localnet 0 on",
    ),
    on_link(
        "sysctl.set-forwarding",
        "sysctl.set-forwarding 1 ipv6 on",
        "sysctl.set-forwarding 0 ipv6 on",
    ),
    on_link(
        "sysctl.set-accept-ra",
        "sysctl.set-accept-ra 1 none",
        "sysctl.set-accept-ra 0 none",
    ),
    on_link(
        "sysctl.set-accept-dad",
        "sysctl.set-accept-dad 1 off",
        "sysctl.set-accept-dad 0 off",
    ),
    on_link(
        "sysctl.set-disable-ipv6",
        "sysctl.set-disable-ipv6 1 on",
        "sysctl.set-disable-ipv6 0 on",
    ),
    on_link(
        "sysctl.set-keep-addr-on-down",
        "sysctl.set-keep-addr-on-down 1 on",
        "sysctl.set-keep-addr-on-down 0 on",
    ),
    on_link(
        "sysctl.set-proxy-arp",
        "sysctl.set-proxy-arp 1 on",
        "sysctl.set-proxy-arp 0 on",
    ),
    on_link(
        "sysctl.set-proxy-ndp",
        "sysctl.set-proxy-ndp 1 on",
        "sysctl.set-proxy-ndp 0 on",
    ),
    Case {
        call: "sysctl.set",
        needs: MACVLAN,
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "sysctl.set container net.ipv4.conf.eth0.log_martians 1",
        beyond: Some((
            "",
            "sysctl.set container net.ipv4.conf.lo.log_martians 1",
            r#"key = "container:net.ipv4.conf.lo.log_martians""#,
        )),
    },
    Case {
        call: "announce.gratuitous-arp",
        needs: MACVLAN,
        connection: v4,
        with: ANNOUNCE,
        before: "links.get host p0; links.create-macvlan container eth0 0 bridge; \
                 addresses.add 1 10.88.0.2/16; links.set-up 1",
        within: "announce.gratuitous-arp 1 10.88.0.2",
        beyond: Some((
            "links.get host p0; links.create-macvlan container eth0 0 bridge; \
             addresses.add 1 10.77.0.1/24; links.set-up 1",
            "announce.gratuitous-arp 1 10.77.0.1",
            r#"address = "10.77.0.1/32""#,
        )),
    },
    Case {
        call: "announce.neighbour-advertisement",
        needs: MACVLAN,
        connection: v6,
        with: ANNOUNCE,
        before: "links.get host p0; links.create-macvlan container eth0 0 bridge; \
                 addresses.add 1 fd88::2/64; links.set-up 1",
        within: "announce.neighbour-advertisement 1 fd88::2",
        beyond: Some((
            "links.get host p0; links.create-macvlan container eth0 0 bridge; \
             addresses.add 1 fd77::1/64; links.set-up 1",
            "announce.neighbour-advertisement 1 fd77::1",
            r#"address = "fd77::1/128""#,
        )),
    },
    on_tunnel(
        "wireguard.set-private-key",
        "wireguard.set-private-key 0 named",
        Some((
            TUNNEL,
            "wireguard.set-private-key 0 other",
            r#"secret = "other""#,
        )),
    ),
    on_tunnel(
        "wireguard.set-listen-port",
        "wireguard.set-listen-port 0 51820",
        None,
    ),
    on_tunnel(
        "wireguard.set-peer",
        "wireguard.set-peer 0 pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk= 192.0.2.1 51820 named 25 10.0.0.0/8",
        Some((
            TUNNEL,
            "wireguard.set-peer 0 pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk= - 0 other 0 fd00::/8",
            r#"secret = "other""#,
        )),
    ),
    on_tunnel(
        "wireguard.remove-peer",
        "wireguard.remove-peer 0 pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk=",
        None,
    ),
    on_tunnel("wireguard.info", "wireguard.info 0", None),
    Case {
        call: "offloads.set",
        needs: MACVLAN,
        connection: v4,
        with: &[GET, CREATE],
        before: MAKE,
        within: "offloads.set 1 rx-gro off",
        beyond: Some((
            PARENT,
            "offloads.set 0 tx-checksum-ip-generic off",
            r#"link = "p0""#,
        )),
    },
    Case {
        call: "offloads.list",
        needs: MACVLAN,
        connection: v4,
        with: &[("links.get", r#"{ link = "x0" }"#)],
        before: PARENT,
        within: "offloads.list 0",
        beyond: Some(("links.get host x0", "offloads.list 0", r#"link = "x0""#)),
    },
    Case {
        call: "state.get",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "state.get some.key",
        beyond: None,
    },
    Case {
        call: "state.set",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "state.set some.key a value",
        beyond: None,
    },
    Case {
        call: "state.remove",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "state.remove some.key",
        beyond: None,
    },
    Case {
        call: "state.keys",
        needs: MACVLAN,
        connection: v4,
        with: &[],
        before: "",
        within: "state.keys",
        beyond: None,
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
