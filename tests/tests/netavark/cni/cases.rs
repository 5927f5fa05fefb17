//! Configurations beyond the documented ones, each with its intended differences.

use serde_json::{Value, json};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::harness::Need;
use wasmvark_tests::kind::Kind;
use wasmvark_tests::poll;
use wasmvark_tests::world::World;

use super::compare::Meant;
use super::meant::*;
use super::{Case, documented};

pub(crate) fn case(name: &str, document: Value) -> Case {
    Case {
        name: name.to_owned(),
        needs: Vec::new(),
        document,
        lay: |_| (),
        meant: Vec::new(),
        leaves: &[],
    }
}

impl Case {
    pub(crate) fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    pub(crate) fn meant(mut self, meant: &[&'static [Meant]]) -> Self {
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
#[expect(
    clippy::needless_pass_by_value,
    reason = "`json!` is read best where it's used"
)]
fn one(kind: &str, ipam: Value, more: Value) -> Value {
    let mut document = json!({"name": "mynet", "type": kind, "ipam": ipam});
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "`json!` is read best where it's used"
)]
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
    let groups = [
        documented::all(),
        bridges(),
        point_to_point(),
        on_parent(),
        others(),
        chains(),
    ];
    groups.into_iter().flatten().collect()
}

/// What all bridges differ in, and those with addresses.
fn bridges() -> Vec<Case> {
    let promiscuous = json!({"isDefaultGateway": true, "promiscMode": true});
    let others: &[&[Meant]] = &[AUTOCONF, QUEUES, HOST_QUEUES, BRIDGE_NOTIFIES, LOOSE];
    vec![
        case(
            "gateway",
            bridge(dual(), json!({"isGateway": true, "mtu": 1400})),
        )
        .meant(ON_BRIDGE)
        .meant(&[BRIDGE_DAD]),
        case(
            "routes",
            bridge(dual_with_routes(), json!({"isGateway": true})),
        )
        .meant(ON_BRIDGE)
        .meant(&[BRIDGE_DAD]),
        case("promiscuous", bridge(dual(), promiscuous))
            .meant(ON_BRIDGE)
            .meant(&[BRIDGE_DAD]),
        case("no gateway", bridge(host_local(), json!({})))
            .meant(ON_BRIDGE)
            .meant(&[BRIDGE_MAC]),
        case("another's gateway", bridge(dual_with_routes(), json!({})))
            .lay(lay_bridge)
            .meant(others)
            .meant(&[OTHERS_BRIDGE]),
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
    vec![
        case(
            "default routes",
            one("ptp", routed, json!({"ipMasq": true, "mtu": 1400})),
        )
        .meant(ON_LINK)
        .meant(&[POINT_TO_POINT_6]),
    ]
}

fn on_parent() -> Vec<Case> {
    let l3: &[&[Meant]] = &[AUTOCONF, QUEUES, NDISC];
    let mut cases = vec![
        case("routes", macvlan(dual_with_routes(), json!({"mtu": 1400}))).meant(l3),
        case("layer 2", macvlan(json!({}), json!({}))).meant(&[AUTOCONF, QUEUES]),
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
    let case = case("routes", one("vlan", dual_with_routes(), more));
    cases.push(
        case.needs(Need::Link(Kind::Vlan))
            .meant(&[AUTOCONF, QUEUES]),
    );
    cases
}

fn others() -> Vec<Case> {
    let device = |ipam| one("host-device", ipam, json!({"device": "p0"}));
    vec![case("addresses", device(dual_with_routes())).meant(&[AUTOCONF, ALIAS])]
}

fn chains() -> Vec<Case> {
    let routed = || bridge(dual(), json!({"isDefaultGateway": true}));
    let settings = json!({"type": "tuning", "sysctl": {
        "net.core.somaxconn": "500",
        "net.ipv4.conf.IFNAME.arp_filter": "1",
        "net.ipv4.conf.all.log_martians": "1",
    }});
    let rates = json!({"type": "bandwidth", "ingressRate": 8_000_000, "ingressBurst": 8_000_000,
        "egressRate": 4_000_000, "egressBurst": 4_000_000});
    vec![
        Case {
            leaves: SETTINGS,
            ..case("tuning", chain(routed(), settings))
                .meant(ON_BRIDGE)
                .meant(&[BRIDGE_DAD])
        },
        case("bandwidth", chain(one("ptp", dual(), json!({})), rates)).meant(&[
            AUTOCONF,
            QUEUES,
            POINT_TO_POINT,
            POINT_TO_POINT_6,
            LOOSE,
            LOOSE_ON_HOST,
            RATES,
        ]),
        case(
            "sbr",
            chain(
                macvlan(dual_with_routes(), json!({})),
                json!({"type": "sbr"}),
            ),
        )
        .meant(&[AUTOCONF, QUEUES, NDISC, SOURCE_ROUTING, SOURCE_ROUTING_6]),
        case("vrf", {
            let vrf = json!({"type": "vrf", "vrfname": "blue"});
            chain(macvlan(dual_with_routes(), json!({})), vrf)
        })
        .needs(Need::Link(Kind::Vrf))
        .meant(&[AUTOCONF, QUEUES, NDISC, VRF]),
    ]
}
