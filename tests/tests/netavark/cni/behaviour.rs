//! The effects of firewall rules on packets. The rules themselves can't be compared,
//! because CNI's are in iptables and those of the drivers in nftables.

use serde_json::{Value, json};
use wasmvark_tests::cni::Attached;
use wasmvark_tests::connection::{CONTAINER_ID, INTERFACE, mapping};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::Transport::Tcp;
use wasmvark_tests::flow::{cannot_connect, connect, from};
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::world::World;

use super::converted::Converted;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark, Need::Cni];

/// The host's and the neighbour's addresses on the wire.
const HOST: &str = "198.51.100.1";
const NEIGHBOUR: &str = "198.51.100.2";
const CONTAINER: &str = "10.10.0.2";

pub(crate) fn register(suite: &mut Suite) {
    for kind in ["bridge", "ptp"] {
        let mut test = |name: &str, test: fn(&'static str)| {
            let name = format!("{kind}/as CNI's: {name}");
            suite.test(name, NEEDS, move || test(kind));
        };
        test("masquerade", masquerade);
        test("no masquerade", no_masquerade);
        test("published ports", ports);
    }
    suite.test("bridge/as CNI's: networks apart", NEEDS, apart);
    // CNI's plugin runs nft.
    let needs = [NEEDS, &[Need::Nft]].concat();
    suite.test("bridge/as CNI's: senders", &needs, senders);
}

fn world() -> World {
    let world = World::forwarding();
    world.host.ip(&format!("addr add {HOST}/24 dev p0"));
    world
        .neighbour
        .ip(&format!("addr add {NEIGHBOUR}/24 dev n0"));
    world
}

fn document(kind: &str, masquerade: bool, chained: Option<Value>) -> Value {
    let first = json!({
        "type": kind, "bridge": "mynet0", "isGateway": true, "hairpinMode": true,
        "ipMasq": masquerade,
        "ipam": {"type": "host-local", "subnet": "10.10.0.0/16", "routes": [{"dst": "0.0.0.0/0"}]},
    });
    let plugins: Vec<Value> = [first].into_iter().chain(chained).collect();
    json!({"name": "mynet", "plugins": plugins})
}

/// Connects a container to a network of CNI's, and one to ours, and has both
/// looked at.
fn both(document: &Value, ports: &[(u16, u16)], check: impl Fn(&World)) {
    let theirs = world();
    let passed: Vec<Value> = ports
        .iter()
        .map(|(host, inside)| json!({"hostPort": host, "containerPort": inside, "protocol": "tcp"}))
        .collect();
    let attached = Attached::new(&theirs, document, &passed);
    check(&theirs);
    attached.detach();
    let ours = world();
    let before = ours.dump();
    let converted = Converted::new(&ours, document);
    let connection = ports.iter().fold(
        converted.connection.clone().ip(CONTAINER),
        |connection, (host, inside)| connection.port(mapping("", *host, *inside, 1, "tcp")),
    );
    let netavark = converted.netavark();
    netavark
        .setup(&connection)
        .unwrap_or_else(|error| panic!("setup: {error}"));
    check(&ours);
    netavark
        .teardown(&connection)
        .unwrap_or_else(|error| panic!("teardown: {error}"));
    ours.assert_unchanged(&before);
}

/// Whom the neighbour sees when the container calls.
fn seen_outside(world: &World) -> String {
    let to = format!("{NEIGHBOUR}:80");
    connect(Tcp, from(&world.container), &to, (&world.neighbour, &to)).to_string()
}

fn masquerade(kind: &str) {
    both(&document(kind, true, None), &[], |world| {
        assert_eq!(seen_outside(world), HOST);
    });
}

fn no_masquerade(kind: &str) {
    both(&document(kind, false, None), &[], |world| {
        world
            .neighbour
            .ip(&format!("route add 10.10.0.0/16 via {HOST}"));
        assert_eq!(seen_outside(world), CONTAINER);
    });
}

fn ports(kind: &str) {
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    both(
        &document(kind, true, Some(portmap)),
        &[(8080, 80)],
        |world| {
            let server = (&world.container, &*format!("{CONTAINER}:80"));
            let published = format!("{HOST}:8080");
            let peer = connect(Tcp, from(&world.neighbour), &published, server);
            assert_eq!(peer.to_string(), NEIGHBOUR);
            connect(Tcp, from(&world.host), &published, server);
            connect(Tcp, from(&world.host), "127.0.0.1:8080", server);
            connect(Tcp, from(&world.container), &published, server);
            cannot_connect(Tcp, from(&world.neighbour), &format!("{HOST}:8081"), server);
        },
    );
}

/// A container that takes another MAC address reaches nobody until it has its
/// own again.
fn senders() {
    let mut document = document("bridge", false, None);
    document["plugins"][0]["macspoofchk"] = true.into();
    both(&document, &[], |world| {
        let (container, gateway) = (&world.container, "10.10.0.1:80");
        let become_another = |mac: &str| {
            container.ip(&format!("link set {INTERFACE} address {mac}"));
            for netns in [container, &world.host] {
                netns.ip("neigh flush all");
            }
        };
        let own = Dump::of(container).mac(INTERFACE);
        connect(Tcp, from(container), gateway, (&world.host, gateway));
        become_another("02:00:00:00:00:99");
        cannot_connect(Tcp, from(container), gateway, (&world.host, gateway));
        become_another(&own);
        connect(Tcp, from(container), gateway, (&world.host, gateway));
    });
}

/// Containers of one network reach each other, and those of the other not.
fn apart() {
    let network = |number: u8| {
        let mut document = document(
            "bridge",
            false,
            Some(json!({"type": "firewall", "ingressPolicy": "same-bridge"})),
        );
        document["name"] = format!("net{number}").into();
        document["plugins"][0]["bridge"] = format!("mynet{number}").into();
        document["plugins"][0]["ipam"]["subnet"] = format!("10.1{number}.0.0/16").into();
        document
    };
    let check = |one: &Netns, neighbour: &Netns, other: &Netns| {
        connect(Tcp, from(one), "10.10.0.3:80", (neighbour, "10.10.0.3:80"));
        cannot_connect(Tcp, from(one), "10.11.0.2:80", (other, "10.11.0.2:80"));
        cannot_connect(Tcp, from(other), "10.10.0.2:80", (one, "10.10.0.2:80"));
    };
    let (neighbour, other) = (Netns::new(), Netns::new());
    let theirs = world();
    let one = Attached::new(&theirs, &network(0), &[]);
    let two = Attached::at(&theirs, &neighbour, "neighbour", &network(0), &[]);
    let three = Attached::at(&theirs, &other, "other", &network(1), &[]);
    check(&theirs.container, &neighbour, &other);
    for attached in [three, two, one] {
        attached.detach();
    }
    let ours = world();
    let before = ours.dump();
    let first = Converted::new(&ours, &network(0));
    let id = first.connection.network_id().replace('2', "3");
    let second = Converted::with_id(&ours, &network(1), &id);
    let id_of = |name: &str| format!("{name}{}", &CONTAINER_ID[name.len()..]);
    let joins = [
        (&ours.container, first.connection.clone().ip("10.10.0.2")),
        (
            &neighbour,
            first
                .connection
                .clone()
                .ip("10.10.0.3")
                .container(&id_of("a")),
        ),
        (
            &other,
            second
                .connection
                .clone()
                .ip("10.11.0.2")
                .container(&id_of("b")),
        ),
    ];
    let netavark = first.netavark();
    for (netns, connection) in &joins {
        let setup = netavark.setup_at(connection, &netns.path());
        setup.unwrap_or_else(|error| panic!("setup: {error}"));
    }
    check(&ours.container, &neighbour, &other);
    for (netns, connection) in &joins {
        let teardown = netavark.teardown_at(connection, &netns.path());
        teardown.unwrap_or_else(|error| panic!("teardown: {error}"));
    }
    ours.assert_unchanged(&before);
}
