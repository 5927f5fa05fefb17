//! The drivers of the fault tests, each with a request that uses all of its abilities.

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE, mapping};
use wasmvark_tests::executable;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Need;
use wasmvark_tests::kind::Kind;
use wasmvark_tests::sriov;
use wasmvark_tests::world::{PARENT, World};

use crate::fail::NEEDS;
use crate::points;

/// A driver and what it's asked for.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// The name in the tests' names.
    pub(crate) title: &'static str,
    /// What the kernel must have for it.
    pub(crate) needs: &'static [Need],
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

impl Case {
    /// Whether it's one that makes a link, that moves one, or that shares some
    /// and has firewall rules: others do nothing else, in another order.
    pub(crate) fn stands_for_all(&self) -> bool {
        ["macvlan", "host-device", "bridge"].contains(&self.title)
    }

    /// Whether each point is tried in each way, rather than the ways in turn.
    pub(crate) fn is_tried_in_full(&self) -> bool {
        self.stands_for_all() || points::all_are_wanted()
    }
}

/// What it's called in this installation.
pub(crate) const NAME: &str = "driver";

/// The MAC address of a VF.
const VF_MAC: &str = "02:00:00:00:00:99";

/// All of them.
pub(crate) const ALL: &[Case] = &[
    Case {
        title: "macvlan",
        needs: NEEDS,
        guest: "macvlan",
        grant: || Grant::example("macvlan"),
        connect: |connection| connection.option("incoming", "tcp/80"),
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "macvlan-c",
        needs: NEEDS,
        guest: "macvlan-c",
        grant: Grant::macvlan,
        connect: |connection| connection,
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "host-device",
        needs: NEEDS,
        guest: "host-device",
        grant: || Grant::example("host-device"),
        connect: tuned,
        prepare: dress_parent,
        chosen: &[],
        always: "",
    },
    Case {
        title: "macvlan beside the host",
        needs: NEEDS,
        guest: "macvlan",
        grant: || {
            let call = "links.create-macvlan";
            let grant = Grant::example("macvlan").without(call);
            grant
                .call(call, r#"{ place = "shared" }"#)
                .call("sysctl.set-arp-ignore", "{}")
        },
        connect: |connection| connection.option("host_address", "10.88.0.5 fd88::5"),
        prepare: |world| {
            let address = format!("addr add 10.88.0.250/16 dev {PARENT}");
            world.host.ip_batch(&[], &address);
        },
        chosen: &[],
        always: "",
    },
    Case {
        title: "macvlan on a new VLAN",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Vlan)],
        guest: "macvlan",
        grant: || {
            let grant = Grant::example("macvlan");
            grant.call("links.create-vlan", r#"{ place = "shared" }"#)
        },
        connect: |connection| connection.network("network_interface", "p0.7"),
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    // The VF has its address already, because its driver would keep another one.
    Case {
        title: "sriov",
        needs: &[Need::Root, Need::Vfs],
        guest: "sriov",
        grant: || Grant::example("sriov"),
        connect: |connection| {
            tuned(connection)
                .option("vlan", "7")
                .option("trust", "true")
                .option("spoof_check", "false")
                .option("max_tx_rate", "100")
                .join("static_mac", VF_MAC)
        },
        prepare: |world| {
            sriov::lay(world, 1);
            let vf = sriov::link(0);
            world.host.ip(&format!("link set {vf} address {VF_MAC}"));
            sriov::settle(world, &vf);
        },
        chosen: &[],
        always: "",
    },
    Case {
        title: "bridge",
        needs: NEEDS,
        guest: "bridge",
        grant: || Grant::example("bridge"),
        connect: |connection| {
            on_a_bridge(connection)
                .option("outbound_addr4", "192.0.2.1")
                .option("mac_spoof_check", "true")
                .port(mapping("", 8080, 80, 1, "tcp"))
        },
        // What stays is there already.
        prepare: |world| world.host.forward(),
        chosen: &[BRIDGE, HOST_END],
        always: "",
    },
    // With all that needs more of the kernel.
    Case {
        title: "bridge of a full kernel",
        needs: &[
            Need::Root,
            Need::Macvlan,
            Need::Link(Kind::VlanBridge),
            Need::Link(Kind::Vrf),
        ],
        guest: "bridge",
        grant: || Grant::example("bridge"),
        connect: |connection| {
            on_a_bridge(connection)
                .option("masquerade", "false")
                .option("vrf", "blue")
                .option("trunk", "10,20-29")
                .option("native_vlan", "7")
                .option("hairpin", "true")
                .option("port_isolation", "true")
        },
        prepare: |world| {
            let commands = "link add blue type vrf table 77\nlink set blue up";
            world.host.ip_batch(&[], commands);
            world.host.forward();
        },
        chosen: &[BRIDGE, HOST_END],
        always: "",
    },
    // Somebody else's bridge stays as it is.
    Case {
        title: "bridge unmanaged",
        needs: NEEDS,
        guest: "bridge",
        grant: || Grant::example("bridge"),
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
    // The network's, but somebody else's, too: it gets what it lacks, and loses that.
    Case {
        title: "bridge used",
        needs: NEEDS,
        guest: "bridge",
        grant: || Grant::example("bridge"),
        connect: |connection| on_a_bridge(connection).network("internal", true),
        prepare: |world| {
            // The first port raises what it can send for good.
            let commands = [
                format!("link add {BRIDGE} address 02:00:00:00:00:b0 type bridge"),
                format!("link add other0 master {BRIDGE} type veth peer other1"),
                "link del other0".to_owned(),
            ];
            world.host.ip_batch(&[], &commands.join("\n"));
        },
        chosen: &[HOST_END],
        always: "",
    },
    Case {
        title: "ptp internal",
        needs: NEEDS,
        guest: "ptp",
        grant: || Grant::example("ptp"),
        connect: |connection| {
            connection
                .network("internal", true)
                .network("routes", json!([]))
                .join("options", json!({"host_interface_name": HOST_END}))
        },
        prepare: |_| {},
        chosen: &[HOST_END],
        always: "",
    },
    Case {
        title: "ptp",
        needs: NEEDS,
        guest: "ptp",
        grant: || Grant::example("ptp"),
        connect: |connection| {
            let routes = json!([
                {"destination": "10.90.0.0/24", "gateway": "10.88.0.1"},
                {"destination": "fd90::/64", "gateway": "fd88::1", "metric": 7},
            ]);
            tuned(connection)
                .option("ingress_rate", "8m")
                .option("egress_rate", "8m")
                .option("incoming", "tcp/80")
                .option("ndp_proxy", PARENT)
                .option("publish_interface", PARENT)
                .port(mapping("", 8080, 80, 1, "tcp"))
                .network("routes", routes)
                .join("options", json!({"host_interface_name": HOST_END}))
        },
        // What stays is there already.
        prepare: |world| {
            world.host.forward();
            world.host.set("ipv6/conf/p0/proxy_ndp", "1");
        },
        chosen: &[HOST_END, IFB],
        always: "",
    },
    Case {
        title: "ipvlan",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Ipvlan)],
        guest: "ipvlan",
        grant: || Grant::example("ipvlan"),
        connect: |connection| {
            connection
                .option("mode", "l3s")
                .option("incoming", "tcp/80")
        },
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "vlan",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Vlan)],
        guest: "vlan",
        grant: || Grant::example("vlan"),
        connect: |connection| connection.option("vlan", "7"),
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "vrf",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Vrf)],
        guest: "vrf",
        grant: || Grant::example("vrf"),
        connect: |connection| connection.option("vrf_name", "blue"),
        prepare: |_| {},
        chosen: &["blue"],
        always: "",
    },
    Case {
        title: "dummy",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Dummy)],
        guest: "dummy",
        grant: || Grant::example("dummy"),
        connect: |connection| connection.option("no_default_route", "false"),
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "vxlan",
        needs: &[Need::Root, Need::Macvlan, Need::Link(Kind::Vxlan)],
        guest: "vxlan",
        grant: || Grant::example("vxlan"),
        // Of a parent `ip` shows the link in the container with the same index.
        connect: |connection| {
            connection
                .without_network("network_interface")
                .option("id", "7")
        },
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "tap",
        needs: NEEDS,
        guest: "tap",
        grant: || Grant::example("tap"),
        connect: |connection| connection.option("owner", "1001"),
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "links",
        needs: NEEDS,
        guest: "probe",
        grant: links,
        connect: |connection| on_a_bridge(connection).option("script", LINKS),
        prepare: dress_parent,
        chosen: &[BRIDGE, HOST_END, "own0", "own1", "own2"],
        always: "",
    },
    Case {
        title: "links of a full kernel",
        needs: &[
            Need::Root,
            Need::Macvlan,
            Need::Link(Kind::Dummy),
            Need::Link(Kind::Ipvlan),
            Need::Link(Kind::Vlan),
            Need::Link(Kind::Vrf),
            Need::Link(Kind::Wireguard),
        ],
        guest: "probe",
        grant: links,
        connect: |connection| on_a_bridge(connection).option("script", FULL),
        prepare: dress_parent,
        chosen: &[BRIDGE, "own0", "own1", "own2", "own3"],
        always: "",
    },
    Case {
        title: "offloads",
        needs: NEEDS,
        guest: "probe",
        grant: || Grant::of(&["links.get"]).call("offloads.set", r#"{ link = "p0" }"#),
        connect: |connection| connection.option("script", OFFLOADS),
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "names",
        needs: NEEDS,
        guest: "probe",
        grant: || {
            Grant::of(&["addresses.add", "dns.register"])
                .call("links.create-veth", r#"{ link = "end0", place = "host" }"#)
        },
        connect: |connection| {
            connection
                .network("dns_enabled", true)
                .option("script", NAMES)
        },
        prepare: |world| {
            // It starts nothing that would stay.
            executable::script(&world.file("root/podman/aardvark-dns"), "");
        },
        chosen: &[],
        always: "",
    },
    Case {
        title: "kept state",
        needs: NEEDS,
        guest: "probe",
        grant: || Grant::of(&["links.create-ifb", "state.set", "state.remove"]),
        connect: |connection| connection.option("script", STATE),
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    Case {
        title: "addresses",
        needs: NEEDS,
        guest: "probe",
        grant: addresses,
        connect: |connection| connection.option("script", ADDRESSES),
        prepare: dress_parent,
        chosen: &[],
        always: "",
    },
    Case {
        title: "routes",
        needs: NEEDS,
        guest: "probe",
        grant: routes,
        connect: |connection| connection.option("script", ROUTES),
        prepare: dress_parent,
        chosen: &[],
        always: "",
    },
    Case {
        title: "traffic",
        needs: NEEDS,
        guest: "probe",
        grant: traffic,
        connect: |connection| connection.option("script", TRAFFIC),
        prepare: |_| {},
        chosen: &["own0"],
        always: "",
    },
    Case {
        title: "rules",
        needs: NEEDS,
        guest: "probe",
        grant: rules,
        connect: |connection| connection.option("script", RULES),
        prepare: |world| {
            let rule = "rule add from 10.66.0.0/16 iif p0 lookup 77 priority 9 protocol dhcp";
            world.host.ip(rule);
        },
        chosen: &[],
        always: "",
    },
    Case {
        title: "neighbours",
        needs: NEEDS,
        guest: "probe",
        grant: neighbours,
        connect: |connection| connection.option("script", NEIGHBOURS),
        prepare: dress_parent,
        chosen: &[],
        always: "",
    },
    Case {
        title: "renames",
        needs: NEEDS,
        guest: "probe",
        grant: renames,
        connect: |connection| connection.option("script", RENAMES),
        prepare: dress_parent,
        chosen: &[],
        always: "",
    },
    Case {
        title: "firewall",
        needs: NEEDS,
        guest: "probe",
        grant: firewall,
        connect: |connection| connection.option("script", FIREWALL),
        prepare: |_| {},
        chosen: &[],
        always: "",
    },
    // As on kernels before 6.15, where the link is made under another name
    // first if the host has one of its name.
    Case {
        title: "macvlan with a temporary name",
        needs: NEEDS,
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

/// Makes, changes and removes links, and changes the host's.
const LINKS: &str = "links.create-bridge shared -; links.create-veth - mac=02:00:00:00:00:01; links.set-master 2 0; \
    links.create-tap host own0 mtu=1400; links.create-ifb host own1; links.get host p0; \
    links.create-vxlan host own2 5 7; links.create-macvtap container own3 5 bridge mac=02:00:00:00:00:02; \
    links.delete 4; links.set-mac 5 02:00:00:00:00:78; links.set-mtu 5 1450; links.set-alias 5 mine; \
    links.set-tx-queue-length 5 77; links.set-promiscuous 5 on; links.set-all-multicast 5 on; \
    bridge-ports.set-isolated 2 on; sysctl.set-arp-notify 5 on; \
    sysctl.set host net.ipv4.conf.all.log_martians 1; links.set-down 5";

/// The same with what few kernels have.
const FULL: &str = "links.get host p0; links.create-dummy host own0; links.create-vlan host own1 0 7 dot1q; \
    links.create-vrf shared - 77; links.create-wireguard host own2; links.set-master 1 3; \
    links.create-ipvlan container - 0 l2 bridge; links.set-down 0";

/// Changes features of the host's link, one of them twice.
const OFFLOADS: &str = "links.get host p0; offloads.set 0 tx-checksum-ip-generic off; \
    offloads.set 0 tx-tcp-segmentation off; offloads.set 0 tx-tcp-segmentation off; \
    offloads.set 0 tx-checksum-ip-generic on";

/// Has the container's names served.
const NAMES: &str = "links.create-veth - mac=02:00:00:00:00:01 host-name=end0 host-mac=02:00:00:00:00:02; \
    addresses.add 1 10.88.0.1/16; dns.register 1";

/// Keeps something for the network.
const STATE: &str = "state.set key value; links.create-ifb container - mac=02:00:00:00:00:05; state.set other text; \
    state.remove key";

/// With what drivers have in common, but for rates.
fn tuned(connection: Connection) -> Connection {
    connection
        .option("sysctl.net.ipv4.conf.IFNAME.arp_filter", "1")
        .option("txqlen", "77")
        .option("promisc", "true")
        .option("source_routing", "true")
}

/// Takes addresses from the host's link and gives it others.
const ADDRESSES: &str = "links.get host p0; addresses.remove 0 192.0.2.200/32; \
    addresses.remove 0 fd88::200/64; addresses.add 0 10.77.0.1/24 no-prefix-route=on; \
    addresses.add 0 10.78.0.1/24; addresses.remove 0 10.78.0.1/24; addresses.wait-dad 0 2000";

fn addresses() -> Grant {
    let reach = r#"{ link = "p0", address = "*" }"#;
    let grant = Grant::of(&["addresses.wait-dad", "links.get"]);
    grant
        .call("addresses.add", reach)
        .call("addresses.remove", reach)
}

/// Adds, replaces and removes routes of its own, and the host's.
const ROUTES: &str = "links.create-veth - mac=02:00:00:00:00:01 host-name=end0 host-mac=02:00:00:00:00:02; \
    addresses.add 0 10.88.0.2/16; links.set-up 0; links.set-up 1; \
    routes.add container 0.0.0.0/0 unicast next-hops=10.88.0.1,eth0,1 next-hops=10.88.0.1,-,2; \
    routes.add host 10.66.9.0/24 blackhole; routes.remove host 10.66.9.0/24 blackhole; \
    routes.add host 203.0.113.0/24 unicast gateway=10.88.0.9 metric=5; \
    routes.replace host 203.0.113.0/24 unicast gateway=10.88.0.10 metric=5; \
    routes.remove host 2001:db8:1::/64 unicast gateway=fd88::1 metric=6; routes.add host 10.66.7.0/24 prohibit table=77";

fn routes() -> Grant {
    let destination = r#"destination = ["10.66.0.0/16", "203.0.113.0/24", "2001:db8:1::/64"]"#;
    let beyond = format!("{{ {destination}, table = 77 }}");
    let calls = ["routes.add", "routes.replace", "routes.remove"];
    let grant = Grant::of(&["addresses.add", "links.set-up"]);
    let grant = grant.call("links.create-veth", r#"{ link = "end0", place = "host" }"#);
    calls
        .iter()
        .fold(grant, |grant, call| grant.call(call, &beyond))
}

/// Limits the host's link both ways, one after the other.
const TRAFFIC: &str = "links.get host p0; links.create-ifb host own0; traffic.redirect-ingress 0 1; \
    traffic.set-tbf 0 8000000 50000 50; traffic.set-htb 0 8000000 50000; \
    traffic.add-htb-class 0 800000 5000 ceiling=8000000,5000 source=10.88.0.2/32; \
    traffic.add-htb-class 0 800000 5000 ceiling=8000000,5000 destination=fd88::/64; \
    traffic.add-htb-filter 0 - fd88::/64 direct";

fn traffic() -> Grant {
    let calls = [
        "links.get",
        "links.create-ifb",
        "traffic.redirect-ingress",
        "traffic.set-tbf",
        "traffic.set-htb",
        "traffic.add-htb-class",
        "traffic.add-htb-filter",
    ];
    let reach = r#"{ link = ["p0", "own0"] }"#;
    let grant = Grant::of(&[]);
    calls
        .iter()
        .fold(grant, |grant, call| grant.call(call, reach))
        .on_host()
}

/// Adds rules of its own, removes one of them and the host's, and adds what it
/// removed.
const RULES: &str = "rules.add container 100 77 source=10.88.0.2/32; rules.add host 100 77 source=10.88.0.2/32 incoming-link=p0; \
    rules.add host 101 77 destination=fd88::2/128; rules.remove host 101 77 destination=fd88::2/128; \
    rules.remove host 9 77 source=10.66.0.0/16 incoming-link=p0; rules.add host 9 77 source=10.66.0.0/16 incoming-link=p0; \
    rules.remove host 32766 254 version=ipv6; rules.remove container 0 255 version=ipv4";

fn rules() -> Grant {
    let reach = r#"{ address = "*", table = "*" }"#;
    let grant = Grant::nothing().call("rules.add", reach);
    grant.call("rules.remove", reach)
}

/// Sets and removes neighbours of the host's link and of an own one.
const NEIGHBOURS: &str = "links.get host p0; links.create-veth - mac=02:00:00:00:00:01 host-name=end0 \
    host-mac=02:00:00:00:00:02; links.set-up 1; neighbours.add 1 10.88.0.1 02:00:00:00:00:02; \
    neighbours.add 0 10.88.0.2 02:00:00:00:00:01; neighbours.add-proxy 0 fd88::2; \
    neighbours.add-proxy 0 10.88.0.2; neighbours.remove-proxy 0 10.88.0.2; \
    neighbours.remove 0 fd88::77; neighbours.remove-proxy 0 10.88.0.78; \
    neighbours.add 0 fd88::77 02:00:00:00:00:03; neighbours.add-proxy 0 10.88.0.78";

fn neighbours() -> Grant {
    let reach = r#"{ link = "p0", address = "*" }"#;
    let calls = [
        "neighbours.add",
        "neighbours.remove",
        "neighbours.add-proxy",
        "neighbours.remove-proxy",
    ];
    let grant = Grant::of(&["links.get", "links.set-up"]);
    let grant = grant.call("links.create-veth", r#"{ link = "end0", place = "host" }"#);
    calls
        .iter()
        .fold(grant, |grant, call| grant.call(call, reach))
}

/// Renames links of its own, one of which a route leads through in another's
/// place, and the host's link, before and after it moves.
const RENAMES: &str = "links.create-veth - mac=02:00:00:00:00:01 host-name=own0 host-mac=02:00:00:00:00:02; \
    links.set-up 0; links.set-up 1; routes.add host 203.0.113.0/24 unicast metric=5 link=own0; \
    routes.replace host 203.0.113.0/24 unicast metric=5 link=own0; \
    links.rename 1 own1; links.rename 0 own3; links.get host p0; links.set-alias 2 before; \
    links.rename 2 own2; links.set-alias 2 after; links.move-to-container 2 eth0; links.rename 2 own4";

fn renames() -> Grant {
    let names = r#"{ link = ["p0", "own0", "own1", "own2", "container:own3", "container:own4"] }"#;
    let calls = ["links.create-veth", "links.rename", "links.set-alias"];
    let grant = Grant::of(&["links.get", "links.set-up", "links.move-to-container"])
        .call("routes.add", r#"{ destination = "203.0.113.0/24" }"#)
        .call("routes.replace", r#"{ destination = "203.0.113.0/24" }"#);
    calls
        .iter()
        .fold(grant, |grant, call| grant.call(call, names))
        .on_host()
}

/// Adds rules to the host's firewall.
const FIREWALL: &str = "links.create-veth - mac=02:00:00:00:00:01 host-name=end0 host-mac=02:00:00:00:00:02; \
    firewall.masquerade 10.88.0.2/32 192.0.2.0/24; firewall.source-address fd88::2/128 2001:db8::1; \
    firewall.publish 1 10.88.0.2 8080:80/tcp 192.0.2.2@5353:53/udp; firewall.isolate 1 strict; \
    firewall.accept incoming 10.88.0.2 peer=192.0.2.0/24 protocol=tcp ports=80,80 ports=8000,8010; firewall.drop incoming 10.88.0.2; \
    firewall.drop outgoing 10.88.0.2 protocol=udp; firewall.spoof-check 1 02:00:00:00:00:01; \
    firewall.accept-in-container 0 incoming protocol=tcp ports=80,80 ports=8000,8010; firewall.drop-in-container 0 incoming";

fn firewall() -> Grant {
    let address = r#"{ address = "2001:db8::1/128" }"#;
    let own = [
        "firewall.masquerade",
        "firewall.isolate",
        "firewall.spoof-check",
        "firewall.accept",
        "firewall.drop",
        "firewall.accept-in-container",
        "firewall.drop-in-container",
    ];
    Grant::of(&own)
        .call("firewall.source-address", address)
        .call("firewall.publish", r#"{ port = "*" }"#)
        .call("links.create-veth", r#"{ link = "end0", place = "host" }"#)
}

/// All calls of `links`, on the host's link and with names of its own.
fn links() -> Grant {
    let names = r#"{ link = ["p0", "own0", "own1", "own2", "container:own3"] }"#;
    let calls = [
        "links.get",
        "links.set-mac",
        "links.set-mtu",
        "links.set-alias",
        "links.set-tx-queue-length",
        "links.set-promiscuous",
        "links.set-all-multicast",
        "links.set-down",
        "links.set-master",
        "bridge-ports.set-isolated",
        "sysctl.set-arp-notify",
        "links.create-bridge",
        "links.create-veth",
        "links.create-tap",
        "links.create-ifb",
        "links.create-vxlan",
        "links.create-macvtap",
        "links.create-dummy",
        "links.create-vlan",
        "links.create-vrf",
        "links.create-wireguard",
        "links.create-ipvlan",
    ];
    let grant = calls
        .iter()
        .fold(Grant::nothing(), |grant, call| grant.call(call, names));
    let numbered = [("vlan", "vlan"), ("vxlan", "vni"), ("vrf", "table")];
    let grant = numbered.iter().fold(grant, |grant, (kind, key)| {
        let call = format!("links.create-{kind}");
        let reach = format!("{}, {key} = \"*\" }}", names.trim_end_matches(" }"));
        grant.without(&call).call(&call, &reach)
    });
    grant
        .on_host()
        .call("links.delete", "{}")
        .call("wireguard.set-listen-port", "{}")
        .call("wireguard.set-peer", "{}")
        .call(
            "sysctl.set",
            r#"{ key = "net.ipv4.conf.all.log_martians" }"#,
        )
}

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

/// The host's name for the ifb that limited packets pass.
const IFB: &str = "ifb7c478a340d0";

fn on_a_bridge(connection: Connection) -> Connection {
    connection
        .network("network_interface", BRIDGE)
        .join("options", json!({"host_interface_name": HOST_END}))
}

/// The parent has a state of its own, which must come back: addresses, routes,
/// neighbours, MAC address, MTU, settings. The other end of its wire is down: the kernel deals with
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
        format!("neigh add 10.88.0.77 lladdr 02:00:00:00:00:55 dev {PARENT}"),
        format!("neigh add fd88::77 lladdr 02:00:00:00:00:55 dev {PARENT} router"),
        format!("neigh add proxy 10.88.0.78 dev {PARENT}"),
        format!("neigh add proxy fd88::78 dev {PARENT} protocol dhcp"),
    ];
    world.neighbour.ip("link set n0 down");
    world.host.ip_batch(&[], &commands.join("\n"));
    world.host.set("ipv4/conf/p0/arp_notify", "1");
    world.host.set("ipv6/conf/p0/hop_limit", "77");
}
