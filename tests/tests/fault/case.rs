//! The drivers, each with a request that has it do all that it can.

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::world::{PARENT, World};

/// A driver and what it's asked for.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// The name in the tests' names.
    pub(crate) title: &'static str,
    /// The component.
    pub(crate) guest: &'static str,
    /// What it may do.
    pub(crate) grant: fn() -> Grant,
    /// Changes the request.
    pub(crate) connect: fn(Connection) -> Connection,
    /// Changes the world before the driver comes.
    pub(crate) prepare: fn(&World),
    /// Links whose MAC address the kernel chooses anew in each setup.
    pub(crate) chosen: &'static [&'static str],
    /// Faults that every run gets, besides the one that is tried.
    pub(crate) always: &'static str,
}

/// What it's called in this installation.
pub(crate) const NAME: &str = "driver";

/// All of them.
pub(crate) const ALL: [Case; 6] = [
    Case {
        title: "macvlan",
        guest: "macvlan",
        grant: Grant::macvlan,
        connect: |connection| connection,
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "macvlan-c",
        guest: "macvlan-c",
        grant: Grant::macvlan,
        connect: |connection| connection,
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "host-device",
        guest: "host-device",
        grant: Grant::host_device,
        connect: |connection| connection,
        prepare: dress_parent,
        chosen: &[],
        always: "",
    },
    Case {
        title: "bridge",
        guest: "bridge",
        grant: Grant::bridge,
        connect: on_a_bridge,
        prepare: |_| {},
        chosen: &[BRIDGE, HOST_END],
        always: "",
    },
    // Somebody else's bridge stays as it is.
    Case {
        title: "bridge unmanaged",
        guest: "bridge",
        grant: Grant::bridge,
        connect: |connection| on_a_bridge(connection).option("mode", "unmanaged"),
        prepare: |world| {
            // Without an address of its own it takes its ports', and what it
            // can send it takes from its first port.
            let commands = [
                format!("link add {BRIDGE} address 02:00:00:00:00:b0 type bridge"),
                format!("link add other0 master {BRIDGE} type veth peer other1"),
            ];
            world.host.ip_batch(&[], &commands.join("\n"));
        },
        chosen: &[HOST_END],
        always: "",
    },
    // As on kernels before 6.15, where the link is made under another name
    // first if the host has one of its name.
    Case {
        title: "macvlan with a temporary name",
        guest: "macvlan",
        grant: Grant::macvlan,
        connect: |connection| connection,
        prepare: |world| {
            world
                .host
                .ip(&format!("link add {INTERFACE} type veth peer v1"));
        },
        chosen: &[],
        always: "fail:MAKE:EEXIST",
    },
];

impl Case {
    /// The request: both families, static routes, a MAC address, an MTU.
    pub(crate) fn connection(&self) -> Connection {
        let connection = Connection::dual(NAME)
            .join("static_mac", "aa:bb:cc:dd:ee:0f")
            .option("mtu", "1400")
            .route(json!({"destination": "10.90.0.0/24", "gateway": "10.88.0.3"}))
            .route(json!({"destination": "fd90::/64", "gateway": "fd88::3", "metric": 7}));
        (self.connect)(connection)
    }
}

/// The bridge of the bridge driver's network.
pub(crate) const BRIDGE: &str = "br0";

/// The host's end of the container's link there.
const HOST_END: &str = "end0";

fn on_a_bridge(connection: Connection) -> Connection {
    connection
        .network("network_interface", BRIDGE)
        .join("options", json!({"host_interface_name": HOST_END}))
}

/// The parent has a state of its own, which must come back: addresses, routes,
/// MAC address, MTU, settings. The other end of its wire is down: the kernel deals with
/// carriers only once a second, which would be a second's wait at each point.
fn dress_parent(world: &World) {
    let commands = [
        format!("link set {PARENT} address 02:00:00:00:00:77 mtu 1470 up"),
        format!("addr add 10.88.0.200/16 broadcast + dev {PARENT}"),
        format!("addr add 10.89.0.200/24 dev {PARENT}"),
        format!("addr add 192.0.2.200/32 dev {PARENT}"),
        format!("addr add fd88::200/64 dev {PARENT}"),
        "route add 198.51.100.0/24 via 10.88.0.1 metric 5".to_owned(),
        "route add default via 10.88.0.1".to_owned(),
        "route add 2001:db8:1::/64 via fd88::1 metric 6".to_owned(),
    ];
    world.neighbour.ip("link set n0 down");
    world.host.ip_batch(&[], &commands.join("\n"));
    world.host.run(|| {
        for (setting, value) in [
            ("ipv4/conf/p0/arp_notify", "1"),
            ("ipv6/conf/p0/hop_limit", "77"),
        ] {
            std::fs::write(format!("/proc/sys/net/{setting}"), value).unwrap();
        }
    });
}
