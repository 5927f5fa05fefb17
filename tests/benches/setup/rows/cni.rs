//! Drivers against CNI's plugins of the same kind, both called directly. CNI's plugins get
//! their addresses from `static`, as drivers get theirs from the request.

use serde_json::{Value, json};
use wasmvark_tests::connection::{Connection, NETWORK, mapping};
use wasmvark_tests::harness::Need;
use wasmvark_tests::world::{PARENT, World};

use super::{Line, Row, installed, lines, name};
use crate::contender::{Cni, Pair};
use crate::options::Options;
use crate::series::Series;

/// What all of these rows need.
const NEEDS: &[Need] = &[Need::Root, Need::Macvlan, Need::Cni];
/// The network's bridge.
const BRIDGE_LINK: &str = "br0";

pub(super) const MACVLAN: Row = Row {
    name: "cni-macvlan",
    what: "macvlan : CNI's macvlan",
    needs: NEEDS,
    released: &[],
    measure: macvlan,
};

pub(super) const PTP: Row = Row {
    name: "cni-ptp",
    what: "ptp : CNI's ptp",
    needs: NEEDS,
    released: &[],
    measure: ptp,
};

pub(super) const BRIDGE: Row = Row {
    name: "cni-bridge",
    what: "bridge with masquerade and a port : CNI's bridge + portmap",
    needs: NEEDS,
    released: &[],
    measure: bridge,
};

fn macvlan(options: &Options) -> Vec<Line> {
    let document = json!({
        "name": NETWORK, "type": "macvlan", "master": PARENT, "mode": "bridge", "ipam": ipam(),
    });
    let worlds = [(); 2].map(|()| World::forwarding());
    let mut theirs = Cni::new(&worlds[1], &document, &[]);
    let series = compare(
        options,
        "macvlan",
        &worlds[0],
        &Connection::v4(&name("macvlan")),
        &mut theirs,
    );
    lines(MACVLAN.what, &series, Some(0.4), 0.75)
}

/// Without masquerade, which CNI's plugin doesn't do by default.
fn ptp(options: &Options) -> Vec<Line> {
    let connection = Connection::v4(&name("ptp"))
        .without_network("network_interface")
        .option("masquerade", "false");
    let document = json!({ "name": NETWORK, "type": "ptp", "ipam": ipam() });
    let worlds = [(); 2].map(|()| World::forwarding());
    let mut theirs = Cni::new(&worlds[1], &document, &[]);
    let series = compare(options, "ptp", &worlds[0], &connection, &mut theirs);
    lines(PTP.what, &series, Some(0.4), 0.75)
}

/// Both make the bridge anew. CNI's plugin leaves it behind, which the driver doesn't.
fn bridge(options: &Options) -> Vec<Line> {
    let connection = Connection::v4(&name("bridge"))
        .network("network_interface", BRIDGE_LINK)
        .port(mapping("", 8080, 80, 1, "tcp"));
    let document = json!({
        "name": NETWORK,
        "plugins": [
            {
                "type": "bridge", "bridge": BRIDGE_LINK, "isGateway": true, "ipMasq": true,
                "ipam": ipam(),
            },
            { "type": "portmap", "capabilities": { "portMappings": true }, "snat": true },
        ],
    });
    let ports = [json!({ "hostPort": 8080, "containerPort": 80, "protocol": "tcp" })];
    let worlds = [(); 2].map(|()| World::forwarding());
    let mut theirs = Cni::new(&worlds[1], &document, &ports).leaving(BRIDGE_LINK);
    let series = compare(options, "bridge", &worlds[0], &connection, &mut theirs);
    lines(BRIDGE.what, &series, Some(0.4), 0.7)
}

/// The address and the route of [`Connection::v4`].
fn ipam() -> Value {
    json!({
        "type": "static",
        "addresses": [{ "address": "10.88.0.2/16", "gateway": "10.88.0.1" }],
        "routes": [{ "dst": "0.0.0.0/0" }],
    })
}

fn compare(
    options: &Options,
    driver: &str,
    world: &World,
    connection: &Connection,
    theirs: &mut Cni<'_>,
) -> Series {
    let wasmvark = installed(world, &[driver]);
    let program = wasmvark.plugins().join(name(driver));
    let mut ours = Pair::plugin(world, &program, wasmvark.root(), connection);
    Series::run(options.rounds(60), &mut ours, theirs)
}
