//! The intended differences, each with its reason.

use super::compare::Meant;

pub(crate) const AUTOCONF: &[Meant] = &[
    (
        "container: - ipv6/conf/eth0/autoconf = 1",
        "CNI lets router advertisements add addresses",
    ),
    (
        "container: + ipv6/conf/eth0/autoconf = 0",
        "Podman alone chooses addresses",
    ),
];

/// The reverse path filter of the container's end, and of the host's end or the
/// network's bridge.
pub(crate) const LOOSE: &[Meant] = &[
    (
        "container: - ipv4/conf/eth0/rp_filter = 0",
        "CNI leaves it as the kernel has it",
    ),
    (
        "container: + ipv4/conf/eth0/rp_filter = 2",
        "it's loose, as with netavark, for containers on two networks",
    ),
];
pub(crate) const LOOSE_ON_HOST: &[Meant] = &[
    ("host: - ipv4/conf/*/rp_filter = 0", "the same"),
    ("host: + ipv4/conf/*/rp_filter = 2", "the same"),
];

/// The differences of all containers on an own bridge that has addresses, and of all with
/// a link of their own.
pub(crate) const ON_BRIDGE: &[&[Meant]] = &[
    AUTOCONF,
    QUEUES,
    HOST_QUEUES,
    BRIDGE_NOTIFIES,
    LOOSE,
    LOOSE_ON_HOST,
];
pub(crate) const ON_LINK: &[&[Meant]] = &[
    AUTOCONF,
    QUEUES,
    HOST_QUEUES,
    POINT_TO_POINT,
    LOOSE,
    LOOSE_ON_HOST,
];

/// New links have the kernel's queue length; CNI's of this version have none.
pub(crate) const QUEUES: &[Meant] = &[(
    "container: + link eth0 txqlen = 1000",
    "the kernel's default",
)];
pub(crate) const HOST_QUEUES: &[Meant] = &[(
    "host: + link the veth txqlen = 1000",
    "the kernel's default",
)];

/// Later versions have `txQLen`.
pub(crate) const QUEUE_LENGTH: &[Meant] = &[(
    "container: + link eth0 txqlen = 500",
    "this version doesn't set it",
)];

/// With addresses.
pub(crate) const BRIDGE_NOTIFIES: &[Meant] = &[
    (
        "container: - ipv4/conf/eth0/arp_notify = 1",
        "it's said before the bridge passes it on",
    ),
    (
        "container: + ipv4/conf/eth0/arp_notify = 0",
        "the option `announce` would wait for the bridge",
    ),
];

/// With IPv6 addresses.
pub(crate) const BRIDGE_DAD: &[Meant] = &[
    (
        "container: - address of eth0: *\"family\":\"inet6\"*",
        "CNI turns duplicate address detection off for the link",
    ),
    (
        "container: + address of eth0: *\"family\":\"inet6\"*\"nodad\":true*",
        "ours for the address, too, as the setting for all links could have it on",
    ),
    (
        "host: - address of mynet0: *\"family\":\"inet6\"*",
        "CNI leaves it on for the gateway",
    ),
    (
        "host: + address of mynet0: *\"family\":\"inet6\"*\"nodad\":true*",
        "the gateway answers at once",
    ),
];

pub(crate) const BRIDGE_MAC: &[Meant] = &[
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

pub(crate) const NDISC: &[Meant] = &[
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
pub(crate) const POINT_TO_POINT: &[Meant] = &[
    (
        "container: - address of eth0: *\"family\":\"inet\"*",
        "CNI removes the network's route after the address",
    ),
    (
        "container: + address of eth0: *\"family\":\"inet\"*\"noprefixroute\":true*",
        "ours has none from the start",
    ),
    (
        "container: - route {\"dev\":\"eth0\",\"dst\":\"1*\"prefsrc\":\"1*",
        "CNI names the source",
    ),
    (
        "container: + route {\"dev\":\"eth0\",\"dst\":\"1*",
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
        "host: + route {\"dev\":\"the veth\",\"dst\":\"1*\"protocol\":\"kernel\"*\"type\":\"broadcast\"}",
        "the same",
    ),
    (
        "host: - route {\"dev\":\"the veth\",\"dst\":\"1*\"scope\":\"host\"*",
        "the container isn't the host",
    ),
    (
        "host: + route {\"dev\":\"the veth\",\"dst\":\"1*\"scope\":\"link\"*",
        "it's behind the link",
    ),
];
pub(crate) const POINT_TO_POINT_6: &[Meant] = &[
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

pub(crate) const OTHERS_BRIDGE: &[Meant] = &[
    (
        "host: - ipv6/conf/mynet0/accept_ra = 0",
        "CNI changes a bridge that is there already",
    ),
    (
        "host: + ipv6/conf/mynet0/accept_ra = 1",
        "one that isn't the network's own stays as it is",
    ),
];

pub(crate) const ALIAS: &[Meant] = &[(
    "container: - link eth0 ifalias = \"p0\"",
    "CNI keeps the name there; ours is in the journal",
)];

/// CNI doesn't give settings back.
pub(crate) const SETTINGS: &[&str] = &[
    "- ipv4/conf/all/log_martians = 0",
    "+ ipv4/conf/all/log_martians = 1",
];

/// `mtu` is both ends' and the bridge's, `tuning` changes the container's only.
pub(crate) const BOTH_ENDS: &[Meant] = &[
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

pub(crate) const RATES: &[Meant] = &[
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
    (
        "host: - ipv6/conf/the ifb/accept_ra = 1",
        "CNI leaves it as the kernel has it",
    ),
    (
        "host: + ipv6/conf/the ifb/accept_ra = 0",
        "no link of ours on the host takes router advertisements",
    ),
];

/// Rates at which nothing would pass.
pub(crate) const SLOW_RATES: &[Meant] = &[
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
pub(crate) const VLAN: &[Meant] = &[
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
pub(crate) const VRF: &[Meant] = &[
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
pub(crate) const SOURCE_ROUTING: &[Meant] = &[
    (
        "container: - rule *\"protocol\":\"unspec\",\"src\":\"10.*\",\"table\":\"100\"}",
        "nobody's",
    ),
    (
        "container: + rule *\"protocol\":\"static\",\"src\":\"10.*\",\"table\":\"100\"}",
        "the administrator's",
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
        "container: - route *\"dst\":\"10.**\"prefsrc\":\"10.*\",\"protocol\":\"kernel\"*\"table\":\"100\"*",
        "the same",
    ),
    (
        "container: + route *\"dst\":\"10.**\"table\":\"100\"*",
        "the same",
    ),
];

pub(crate) const SOURCE_ROUTING_6: &[Meant] = &[
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
        "container: - rule *\"protocol\":\"unspec\",\"src\":\"fd10::10\",\"table\":\"101\"}",
        "a table for each address",
    ),
    (
        "container: + rule *\"protocol\":\"static\",\"src\":\"fd10::10\",\"table\":\"100\"}",
        "a table for the network",
    ),
];
