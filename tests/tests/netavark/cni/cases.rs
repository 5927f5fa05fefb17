//! The configurations, and in what the networks differ on purpose.

use serde_json::{Value, json};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::harness::Need;
use wasmvark_tests::kind::Kind;
use wasmvark_tests::poll;
use wasmvark_tests::world::World;

use super::Case;
use super::compare::Meant;

const AUTOCONF: &[Meant] = &[
    (
        "container: - ipv6/conf/eth0/autoconf = 1",
        "CNI lets router advertisements add addresses",
    ),
    (
        "container: + ipv6/conf/eth0/autoconf = 0",
        "Podman alone chooses addresses",
    ),
];

/// New links have the kernel's queue length; CNI's of this version have none.
const QUEUES: &[Meant] = &[(
    "container: + link eth0 txqlen = 1000",
    "the kernel's default",
)];
const HOST_QUEUES: &[Meant] = &[(
    "host: + link the veth txqlen = 1000",
    "the kernel's default",
)];

const PORT: &[Meant] = &[
    (
        "host: - ipv6/conf/the veth/accept_ra = 0",
        "CNI treats each end of a veth on the host alike",
    ),
    (
        "host: + ipv6/conf/the veth/accept_ra = 1",
        "a bridge's port takes no packets for itself",
    ),
];

/// With addresses.
const BRIDGE_NOTIFIES: &[Meant] = &[
    (
        "container: - ipv4/conf/eth0/arp_notify = 1",
        "it's said before the bridge passes it on",
    ),
    (
        "container: + ipv4/conf/eth0/arp_notify = 0",
        "the option `announce` would wait for the bridge",
    ),
];

const BRIDGE_MAC: &[Meant] = &[
    (
        "host: - bridge {\"flags\":[],\"ifname\":\"the veth\",\"mac\":\"MAC of mynet0\",\"master\":\"mynet0\",\"state\":\"permanent\"}",
        "without an address, CNI's bridge takes the MAC address of a port",
    ),
    (
        "host: - link the veth address = \"MAC of mynet0\"",
        "the same",
    ),
    (
        "host: + bridge {\"flags\":[],\"ifname\":\"the veth\",\"mac\":\"MAC of the veth\",\"master\":\"mynet0\",\"state\":\"permanent\"}",
        "ours has one of its own that stays",
    ),
    (
        "host: + bridge {\"flags\":[],\"ifname\":\"mynet0\",\"mac\":\"MAC of mynet0\",\"master\":\"mynet0\",\"state\":\"permanent\"}",
        "the same",
    ),
    (
        "host: + link the veth address = \"MAC of the veth\"",
        "the same",
    ),
];

const NDISC: &[Meant] = &[
    (
        "container: - ipv6/conf/eth0/ndisc_notify = 0",
        "this version tells of IPv4 addresses only",
    ),
    (
        "container: + ipv6/conf/eth0/ndisc_notify = 1",
        "`announce` is about both, as in later versions",
    ),
];

/// Which ends of a veth are whose: always by itself, without the kernel's
/// routes to networks, which CNI removes later.
const POINT_TO_POINT: &[Meant] = &[
    (
        "container: - address of eth0: *\"family\":\"inet\"*",
        "CNI removes the network's route after the address",
    ),
    (
        "container: + address of eth0: *\"family\":\"inet\"*\"noprefixroute\":true*",
        "ours has none from the start",
    ),
    (
        "container: - route {\"dev\":\"eth0\",\"dst\":\"10.10.0.*\"prefsrc\":\"10.10.*",
        "CNI names the source",
    ),
    (
        "container: + route {\"dev\":\"eth0\",\"dst\":\"10.10.0.*",
        "the kernel takes the only one that there is",
    ),
    (
        "host: - address of the veth: *\"family\":\"inet\"*",
        "an address alone has no broadcast address",
    ),
    (
        "host: + address of the veth: *\"family\":\"inet\"*\"noprefixroute\":true*",
        "nor any route; the kernel shows the address itself",
    ),
    (
        "host: + route {\"dev\":\"the veth\",\"dst\":\"10.10.0.*\"protocol\":\"kernel\"*\"type\":\"broadcast\"}",
        "the same",
    ),
    (
        "host: - route {\"dev\":\"the veth\",\"dst\":\"10.10.*\"scope\":\"host\"*",
        "the container isn't the host",
    ),
    (
        "host: + route {\"dev\":\"the veth\",\"dst\":\"10.10.*\"scope\":\"link\"*",
        "it's behind the link",
    ),
];
const POINT_TO_POINT_6: &[Meant] = &[
    (
        "container: - address of eth0: *\"family\":\"inet6\"*",
        "CNI removes the network's route after the address",
    ),
    (
        "container: + address of eth0: *\"family\":\"inet6\"*\"nodad\":true,\"noprefixroute\":true*",
        "ours has none from the start, and only two are on the link",
    ),
    (
        "container: - route {\"dev\":\"eth0\",\"dst\":\"fd10::*\"prefsrc\":\"fd10::*",
        "CNI names the source",
    ),
    (
        "container: + route {\"dev\":\"eth0\",\"dst\":\"fd10::*",
        "the kernel takes the only one that there is",
    ),
    (
        "host: - address of the veth: *\"family\":\"inet6\"*",
        "only two are on the link",
    ),
    (
        "host: + address of the veth: *\"family\":\"inet6\"*\"nodad\":true,\"noprefixroute\":true*",
        "only two are on the link",
    ),
    (
        "host: - route {\"dev\":\"the veth\",\"dst\":\"fd10::1\"*\"protocol\":\"kernel\"*",
        "the host's own address needs none",
    ),
];

const OTHERS_BRIDGE: &[Meant] = &[
    (
        "host: - ipv6/conf/mynet0/accept_ra = 0",
        "CNI changes a bridge that is there already",
    ),
    (
        "host: + ipv6/conf/mynet0/accept_ra = 1",
        "one that isn't the network's own stays as it is",
    ),
];

const ALIAS: &[Meant] = &[(
    "container: - link eth0 ifalias = \"p0\"",
    "CNI keeps the name there; ours is in the journal",
)];

/// CNI doesn't give settings back.
const SETTINGS: &[&str] = &[
    "- ipv4/conf/all/log_martians = 0",
    "+ ipv4/conf/all/log_martians = 1",
];

/// `mtu` is both ends' and the bridge's, `tuning` changes the container's only.
const BOTH_ENDS: &[Meant] = &[
    (
        "host: - link mynet0 mtu = 1500",
        "tuning is about the container's end",
    ),
    (
        "host: + link mynet0 mtu = 1454",
        "the option is about the network",
    ),
    (
        "host: - link the veth mtu = 1500",
        "tuning is about the container's end",
    ),
    (
        "host: + link the veth mtu = 1454",
        "the option is about the network",
    ),
    ("host: - ipv6/conf/mynet0/mtu = 1500", "the same"),
    ("host: + ipv6/conf/mynet0/mtu = 1454", "the same"),
    ("host: - ipv6/conf/the veth/mtu = 1500", "the same"),
    ("host: + ipv6/conf/the veth/mtu = 1454", "the same"),
];

const RATES: &[Meant] = &[
    (
        "host: - queue {\"dev\":\"the ifb\",\"handle\":\"1:\",\"kind\":\"tbf\",\"options\":{\"burst\":500000,\"lat\":24999,\"rate\":500000},*",
        "packets wait 25 ms at most",
    ),
    (
        "host: + queue {\"dev\":\"the ifb\",\"handle\":\"*\",\"kind\":\"tbf\",\"options\":{\"burst\":500000,\"lat\":100000,\"rate\":500000},*",
        "or 100 ms, and the handle is another",
    ),
    (
        "host: - queue {\"dev\":\"the veth\",\"handle\":\"1:\",\"kind\":\"tbf\",\"options\":{\"burst\":1000000,\"lat\":24999,\"rate\":1000000},*",
        "the same",
    ),
    (
        "host: + queue {\"dev\":\"the veth\",\"handle\":\"*\",\"kind\":\"tbf\",\"options\":{\"burst\":1000000,\"lat\":100000,\"rate\":1000000},*",
        "the same",
    ),
    ("host: - filter class tbf 1:1 parent 1: ", "the handle"),
    ("host: + filter class tbf *", "the handle"),
    ("host: + link the ifb txqlen = 32", "the kernel's default"),
];

/// Rates at which nothing would pass.
const SLOW_RATES: &[Meant] = &[
    (
        "host: - queue {*\"burst\":57,\"lat\":0,\"rate\":15}*",
        "packets don't wait",
    ),
    (
        "host: + queue {*\"burst\":56,\"lat\":66667,\"rate\":15}*",
        "or as long as one byte takes",
    ),
    ("host: - filter class tbf 1:1 parent 1: ", "the handle"),
    ("host: + filter class tbf *", "the handle"),
    ("host: - link the ifb mtu = 512", "CNI's has the link's"),
    (
        "host: + link the ifb mtu = 1500",
        "ours the kernel's, as what comes in is no larger",
    ),
    ("host: + link the ifb txqlen = 32", "the kernel's default"),
    (
        "host: + ipv6/conf/the ifb/*",
        "the kernel has no IPv6 on links below 1280 bytes",
    ),
    (
        "host: + link the ifb inet6_addr_gen_mode = \"eui64\"",
        "the same",
    ),
];

/// `preserveDefaultVlan`, which later versions have, is true; and the bridge is
/// in its containers' VLAN.
const VLAN: &[Meant] = &[
    (
        "host: - bridge {*\"ifname\":\"the veth\",\"mac\":\"MAC of mynet0\"*",
        "without an address, CNI's bridge takes the MAC address of a port",
    ),
    (
        "host: - link the veth address = \"MAC of mynet0\"",
        "the same",
    ),
    (
        "host: + bridge {*\"ifname\":\"mynet0\",\"mac\":\"MAC of mynet0\"*",
        "ours has one of its own that stays",
    ),
    (
        "host: + bridge {*\"ifname\":\"the veth\",\"mac\":\"MAC of the veth\"*",
        "the same",
    ),
    (
        "host: + link the veth address = \"MAC of the veth\"",
        "the same",
    ),
    (
        "host: - bridge {\"ifname\":\"the veth\",\"vlans\":[{\"flags\":[\"Egress Untagged\"],\"vlan\":1},{\"flags\":[\"PVID\",\"Egress Untagged\"],\"vlan\":100}]}",
        "the port stays in the default VLAN too",
    ),
    (
        "host: + bridge {\"ifname\":\"the veth\",\"vlans\":[{\"flags\":[\"PVID\",\"Egress Untagged\"],\"vlan\":100}]}",
        "it's in no other",
    ),
    (
        "host: - bridge {\"ifname\":\"mynet0\",\"vlans\":[{\"flags\":[\"PVID\",\"Egress Untagged\"],\"vlan\":1}]}",
        "the bridge is in the default VLAN",
    ),
    (
        "host: + bridge {\"ifname\":\"mynet0\",\"vlans\":[{\"flags\":[\"PVID\",\"Egress Untagged\"],\"vlan\":100}]}",
        "it's in the containers'",
    ),
];

/// This version loses routes through gateways when the link goes into the VRF.
const VRF: &[Meant] = &[
    (
        "container: + route {*\"gateway\":*\"table\":\"the table\"*",
        "ours are added to the VRF's table",
    ),
    (
        "container: + link blue txqlen = 1000",
        "the kernel's default",
    ),
];

/// CNI gives each address a table, and moves what it finds in the main one each
/// time; ours has one for all that are the network's.
const SOURCE_ROUTING: &[Meant] = &[
    (
        "container: - route *\"table\":\"101\"*",
        "a table for each address",
    ),
    (
        "container: - route *\"dst\":\"fd10::/64\"*\"table\":\"100\"*",
        "and what an earlier one has moved",
    ),
    (
        "container: + route *\"fd1*\"table\":\"100\"*",
        "a table for the network",
    ),
    (
        "container: - rule *\"protocol\":\"unspec\",\"src\":\"10.10.1.20\",\"table\":\"100\"}",
        "nobody's",
    ),
    (
        "container: + rule *\"protocol\":\"static\",\"src\":\"10.10.1.20\",\"table\":\"100\"}",
        "the administrator's",
    ),
    (
        "container: - rule *\"protocol\":\"unspec\",\"src\":\"fd10::10\",\"table\":\"101\"}",
        "a table for each address",
    ),
    (
        "container: + rule *\"protocol\":\"static\",\"src\":\"fd10::10\",\"table\":\"100\"}",
        "a table for the network",
    ),
    (
        "container: - address of eth0: {*}",
        "CNI moves the kernel's route to the network",
    ),
    (
        "container: + address of eth0: {*\"noprefixroute\":true*}",
        "ours has none to be moved",
    ),
    (
        "container: - route *\"dst\":\"10.10.0.0/16\"*\"prefsrc\":\"10.10.1.20\",\"protocol\":\"kernel\"*\"table\":\"100\"*",
        "the same",
    ),
    (
        "container: + route *\"dst\":\"10.10.0.0/16\"*\"table\":\"100\"*",
        "the same",
    ),
];

fn case(name: &'static str, document: Value) -> Case {
    Case {
        name,
        needs: Vec::new(),
        document,
        lay: |_| (),
        meant: Vec::new(),
        leaves: &[],
    }
}

impl Case {
    fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    fn meant(mut self, meant: &[&'static [Meant]]) -> Self {
        self.meant.extend(meant);
        self
    }

    fn lay(mut self, lay: fn(&World)) -> Self {
        self.lay = lay;
        self
    }
}

fn host_local() -> Value {
    json!({"type": "host-local", "subnet": "10.10.0.0/16"})
}

fn dual() -> Value {
    json!({"type": "host-local", "ranges": [[{"subnet": "10.10.0.0/16"}], [{"subnet": "fd10::/64"}]]})
}

fn dual_with_routes() -> Value {
    json!({
        "type": "host-local",
        "ranges": [
            [{"subnet": "10.10.0.0/16", "rangeStart": "10.10.1.20", "rangeEnd": "10.10.3.50",
              "gateway": "10.10.0.254"}],
            [{"subnet": "fd10::/64", "rangeStart": "fd10::10", "rangeEnd": "fd10::20"}],
        ],
        "routes": [
            {"dst": "0.0.0.0/0"}, {"dst": "::/0"}, {"dst": "192.168.0.0/16", "gw": "10.10.5.1"},
            {"dst": "fd11::/64"},
        ],
    })
}

/// A document of one plugin.
fn one(kind: &str, ipam: Value, more: Value) -> Value {
    let mut document = json!({"name": "mynet", "type": kind, "ipam": ipam});
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

fn chain(first: Value, second: Value) -> Value {
    json!({"name": "mynet", "plugins": [first, second]})
}

fn bridge(ipam: Value, more: Value) -> Value {
    let mut document = one("bridge", ipam, more);
    document["bridge"] = "mynet0".into();
    document
}

fn macvlan(ipam: Value, more: Value) -> Value {
    let mut document = one("macvlan", ipam, more);
    document["master"] = "p0".into();
    document
}

pub(crate) fn all() -> Vec<Case> {
    let groups = [bridges(), point_to_point(), on_parent(), others(), chains()];
    groups.into_iter().flatten().collect()
}

/// What all bridges differ in, and those with addresses.
fn bridges() -> Vec<Case> {
    let documented = json!({"isDefaultGateway": true, "forceAddress": false, "ipMasq": true,
        "hairpinMode": true});
    let promiscuous = json!({"isDefaultGateway": true, "promiscMode": true});
    let l2: &[&[Meant]] = &[AUTOCONF, QUEUES, HOST_QUEUES, PORT];
    let l3: &[&[Meant]] = &[AUTOCONF, QUEUES, HOST_QUEUES, PORT, BRIDGE_NOTIFIES];
    vec![
        case("as documented", bridge(host_local(), documented)).meant(l3),
        case("layer 2", bridge(json!({}), json!({})))
            .meant(l2)
            .meant(&[BRIDGE_MAC]),
        case(
            "gateway",
            bridge(dual(), json!({"isGateway": true, "mtu": 1400})),
        )
        .meant(l3),
        case(
            "routes",
            bridge(dual_with_routes(), json!({"isGateway": true})),
        )
        .meant(l3),
        case("promiscuous", bridge(dual(), promiscuous)).meant(l3),
        case("no gateway", bridge(host_local(), json!({})))
            .meant(l3)
            .meant(&[BRIDGE_MAC]),
        case("another's gateway", bridge(dual_with_routes(), json!({})))
            .lay(lay_bridge)
            .meant(l3)
            .meant(&[OTHERS_BRIDGE]),
        case("vlan", bridge(json!({}), json!({"vlan": 100})))
            .needs(Need::Link(Kind::VlanBridge))
            .meant(l2)
            .meant(&[VLAN]),
    ]
}

/// A bridge of somebody else's, with a port of its own.
fn lay_bridge(world: &World) {
    world.host.ip_batch(
        &[],
        "link add mynet0 address 02:00:00:00:00:99 type bridge\n\
         link add s0 address 02:00:00:00:00:98 type veth peer name s1 address 02:00:00:00:00:97\n\
         link set s0 master mynet0 up\nlink set s1 up\nlink set mynet0 up",
    );
    poll::until(
        || Dump::of(&world.host).has_flag("mynet0", "NO-CARRIER"),
        |without| !without,
    );
}

fn point_to_point() -> Vec<Case> {
    let mut routed = dual_with_routes();
    // CNI takes a route through a gateway where nobody is, and ours not.
    routed["routes"].as_array_mut().unwrap().remove(2);
    let all: &[&[Meant]] = &[AUTOCONF, QUEUES, HOST_QUEUES, POINT_TO_POINT];
    vec![
        case("as documented", one("ptp", host_local(), json!({}))).meant(all),
        case(
            "default routes",
            one("ptp", routed, json!({"ipMasq": true, "mtu": 1400})),
        )
        .meant(all)
        .meant(&[POINT_TO_POINT_6]),
    ]
}

fn on_parent() -> Vec<Case> {
    let fixed = json!({"type": "static", "addresses": [
        {"address": "10.10.0.1/24", "gateway": "10.10.0.254"},
        {"address": "fd10::1/64", "gateway": "fd10::fe"},
    ], "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]});
    let l3: &[&[Meant]] = &[AUTOCONF, QUEUES, NDISC];
    let mut cases = vec![
        case("as documented", macvlan(host_local(), json!({}))).meant(l3),
        case("routes", macvlan(dual_with_routes(), json!({"mtu": 1400}))).meant(l3),
        case("layer 2", macvlan(json!({}), json!({}))).meant(&[AUTOCONF, QUEUES]),
        case("static", macvlan(fixed, json!({}))).meant(l3),
    ];
    for mode in ["private", "vepa", "passthru"] {
        cases.push(case(mode, macvlan(host_local(), json!({"mode": mode}))).meant(l3));
    }
    for mode in ["l2", "l3", "l3s"] {
        let document = one("ipvlan", dual(), json!({"master": "p0", "mode": mode}));
        let case = case(mode, document).needs(Need::Link(Kind::Ipvlan));
        cases.push(case.meant(&[AUTOCONF, QUEUES, NDISC]));
    }
    let more = json!({"master": "p0", "vlanId": 5, "mtu": 1400});
    let case = case("as documented", one("vlan", dual_with_routes(), more));
    cases.push(
        case.needs(Need::Link(Kind::Vlan))
            .meant(&[AUTOCONF, QUEUES]),
    );
    cases
}

fn others() -> Vec<Case> {
    let device = |ipam| one("host-device", ipam, json!({"device": "p0"}));
    let tap = json!({"mtu": 1400, "multiQueue": true, "owner": 0, "group": 0});
    vec![
        case("alone", device(Value::Null)).meant(&[AUTOCONF, ALIAS]),
        case("addresses", device(dual_with_routes())).meant(&[AUTOCONF, ALIAS]),
        case("as documented", one("dummy", host_local(), json!({})))
            .needs(Need::Link(Kind::Dummy))
            .meant(&[AUTOCONF]),
        case("as documented", one("tap", Value::Null, tap)).meant(&[AUTOCONF]),
    ]
}

fn chains() -> Vec<Case> {
    let routed = || bridge(dual(), json!({"isDefaultGateway": true}));
    let settings = json!({"type": "tuning", "sysctl": {
        "net.core.somaxconn": "500",
        "net.ipv4.conf.IFNAME.arp_filter": "1",
        "net.ipv4.conf.all.log_martians": "1",
    }});
    let interface = json!({"type": "tuning", "mac": "c2:b0:57:49:47:f1", "mtu": 1454,
        "promisc": true, "allmulti": true});
    let rates = json!({"type": "bandwidth", "ingressRate": 8_000_000, "ingressBurst": 8_000_000,
        "egressRate": 4_000_000, "egressBurst": 4_000_000});
    let documented = json!({"type": "bandwidth", "ingressRate": 123, "ingressBurst": 456,
        "egressRate": 123, "egressBurst": 456});
    let all: &[&[Meant]] = &[AUTOCONF, QUEUES, HOST_QUEUES, PORT, BRIDGE_NOTIFIES];
    vec![
        Case {
            leaves: SETTINGS,
            ..case("tuning", chain(routed(), settings)).meant(all)
        },
        case("tuning the interface", chain(routed(), interface))
            .meant(all)
            .meant(&[BOTH_ENDS]),
        case("bandwidth", chain(one("ptp", dual(), json!({})), rates)).meant(&[
            AUTOCONF,
            QUEUES,
            POINT_TO_POINT,
            POINT_TO_POINT_6,
            RATES,
        ]),
        case(
            "bandwidth as documented",
            chain(one("ptp", host_local(), json!({"mtu": 512})), documented),
        )
        .meant(&[QUEUES, POINT_TO_POINT, SLOW_RATES]),
        case(
            "sbr",
            chain(
                macvlan(dual_with_routes(), json!({})),
                json!({"type": "sbr"}),
            ),
        )
        .meant(&[AUTOCONF, QUEUES, NDISC, SOURCE_ROUTING]),
        case("vrf", {
            let vrf = json!({"type": "vrf", "vrfname": "blue"});
            chain(macvlan(dual_with_routes(), json!({})), vrf)
        })
        .needs(Need::Link(Kind::Vrf))
        .meant(&[AUTOCONF, QUEUES, NDISC, VRF]),
    ]
}
