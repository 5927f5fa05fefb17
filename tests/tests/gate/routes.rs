//! The effects of the calls of `routes`, except for the addition of a plain route.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
const VRF: &[Need] = &[Need::Root, Need::Macvlan, Need::Link(Kind::Vrf)];

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, needs: &[Need], test: fn()| suite.test(format!("routes::{name}"), needs, test);
    test("all-options", NEEDS, all_options);
    test("several-ways", NEEDS, several_ways);
    test("each-way-must-be-in-reach", NEEDS, each_way);
    test("replace-gives-back-what-was-there", NEEDS, replace);
    test("remove-is-for-own-routes", NEEDS, remove_own);
    test("remove-gives-back-what-was-there", NEEDS, remove_other);
    test("the-table-of-an-own-vrf-is-own", VRF, own_vrf);
    test("wrong-routes-are-refused", NEEDS, wrong);
}

fn grant() -> Grant {
    let calls = [
        "addresses.add",
        "links.create-veth",
        "links.set-up",
        "log.write",
    ];
    calls
        .iter()
        .fold(Grant::nothing(), |grant, call| grant.call(call, "{}"))
        .call("routes.list", r#"{ destination = "*" }"#)
        .on_host()
}

fn own_but_add() -> Grant {
    let grant = grant().call("routes.replace", "{}");
    grant.call("routes.remove", "{}")
}

fn own() -> Grant {
    own_but_add().call("routes.add", "{}")
}

fn wide() -> Grant {
    let reach = r#"{ destination = "*", table = "*", link = "*" }"#;
    let grant = grant()
        .call("routes.add", reach)
        .call("routes.replace", reach);
    grant.call("routes.remove", r#"{ destination = "*", table = "*" }"#)
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

/// A link in the container with the request's address.
const LINK: &str =
    "links.create-veth -; addresses.add 0 10.88.0.2/16; links.set-up 0; links.set-up 1; ";

fn script(rest: &str) -> String {
    format!("{LINK}{rest}")
}

fn dual() -> Connection {
    Connection::dual(NAME)
}

fn all_options() {
    let world = World::new();
    let probe = Probe::new(&world, &own());
    let script = script(
        "addresses.add 0 fd88::2/64; \
         routes.add container 10.88.9.0/24 unicast metric=7 link=eth0 source=10.88.0.2; \
         routes.add container 0.0.0.0/0 unicast gateway=10.88.0.1 link=eth0 on-link=on table=1077; \
         routes.add container 10.88.8.0/24 unreachable table=77; \
         routes.add container ::/0 unicast gateway=fd88::1 link=eth0 table=77; \
         routes.list container - tell; routes.list container 1077 tell; \
         routes.list container 77 tell",
    );
    let output = probe.setup_as_planned(dual(), &script);
    answer_of(&output);
    for text in [
        "10.88.9.0/24 kind RouteKind::Unicast dev eth0 metric 7 table 254 src 10.88.0.2 \
         scope RouteScope::Link proto 4",
        "10.88.0.0/16 kind RouteKind::Unicast dev eth0 metric 0 table 254 src 10.88.0.2 \
         scope RouteScope::Link proto 2",
        "routes: 0.0.0.0/0 kind RouteKind::Unicast via 10.88.0.1 dev eth0 metric 100 \
         table 1077 scope RouteScope::Global onlink on proto 4",
        "10.88.8.0/24 kind RouteKind::Unreachable metric 100 table 77",
        "::/0 kind RouteKind::Unicast via fd88::1 dev eth0 metric 100 table 77 proto 4",
    ] {
        assert!(output.stderr.contains(text), "{text}: {}", output.stderr);
    }
    probe.teardown(&dual());
}

fn several_ways() {
    let world = World::new();
    let wide = r#"{ destination = ["10.77.0.0/16", "fd77::/64"] }"#;
    let probe = Probe::new(&world, &own_but_add().call("routes.add", wide));
    let v4_route =
        "container 10.77.0.0/16 unicast next-hops=10.88.0.3,eth0,1 next-hops=10.88.0.4,-,256";
    let v6_route = "container fd77::/64 unicast next-hops=fd88::3,eth0,1 next-hops=fd88::4,eth0,1";
    let script = script(&format!(
        "addresses.add 0 fd88::2/64; routes.add {v4_route}; routes.add {v6_route}; \
         ?routes.add {v4_route}; ?routes.add container fd77::/64 unicast gateway=fd88::4"
    ));
    let answer = answer_of(&probe.setup_as_planned(dual(), &script));
    let exists = ["routes.add.exists", "routes.add.exists"];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(exists));
    let routes = Dump::of(&world.container).made_routes();
    let expected = [
        "10.77.0.0/16 via 10.88.0.3 dev eth0 metric 100",
        "10.77.0.0/16 via 10.88.0.4 dev eth0 metric 100",
        "fd77::/64 via fd88::3 dev eth0 metric 100",
        "fd77::/64 via fd88::4 dev eth0 metric 100",
    ];
    assert_eq!(routes, expected);
    let back = format!("routes.remove {v4_route}; routes.remove {v6_route}; fail removed");
    let teardown = dual().option("teardown-script", &back).for_plugin();
    let output = probe.wasmvark.teardown(NAME, teardown);
    assert!(output.stderr.contains("removed"), "{output:?}");
    probe.teardown(&dual());
}

fn each_way() {
    let world = World::new();
    let probe = Probe::new(&world, &own());
    let route =
        "routes.add container 0.0.0.0/0 unicast next-hops=10.88.0.1,eth0,1 next-hops=10.88.0.9,-,1";
    let error = probe.setup_fails(v4(), &script(route));
    assert!(error.contains("0.0.0.0/0 via 10.88.0.9"), "{error}");
    assert!(error.contains("denied"), "{error}");
    let error = probe.setup_fails(v4(), "routes.add host 10.88.3.0/24 unicast link=p0");
    let line = r#""routes.add" = { link = "p0", destination = "10.88.3.0/24" }"#;
    assert!(error.contains(line), "{error}");
}

/// Also where the driver removes what it put in a place. Whatever the grant says,
/// that of others' routes isn't one.
fn replace() {
    let world = World::new();
    world.host.ip_batch(
        &[],
        "addr add 10.88.0.250/16 dev p0\naddr add fd88::250/64 dev p0\n\
         route add 10.67.0.0/16 via 10.88.0.1 metric 5\nroute add fd67::/64 via fd88::1 metric 5\n\
         route add 10.68.0.0/16 dev p0 metric 5 table 77",
    );
    let probe = Probe::new(&world, &wide());
    for route in [
        "10.67.0.0/16 unicast gateway=10.88.0.7 metric=5",
        "10.67.0.0/16 unicast gateway=10.88.0.7 metric=6",
        "10.67.8.0/24 blackhole",
        "fd67::/64 unicast gateway=fd88::7 metric=5",
        "10.88.0.0/16 unicast metric=0 link=p0",
        "10.68.0.0/16 unicast metric=5 link=p0 table=77",
    ] {
        let error = probe.setup_fails(v4(), &format!("routes.replace host {route}"));
        assert!(
            error.contains("p0") && error.contains("EBUSY"),
            "{route}: {error}"
        );
    }
    let script = "routes.add host 10.66.0.0/16 unicast gateway=10.88.0.1 metric=5; \
        routes.add host fd66::/64 unicast gateway=fd88::1 metric=5; \
        routes.replace host 10.66.0.0/16 unicast gateway=10.88.0.7 metric=5; \
        routes.replace host fd66::/64 unicast gateway=fd88::7 metric=5; \
        routes.replace host 10.99.0.0/16 unicast gateway=10.88.0.7";
    answer_of(&probe.setup_as_planned(v4(), script));
    let routes = Dump::of(&world.host).made_routes();
    let expected = [
        "10.66.0.0/16 via 10.88.0.7 dev p0 metric 5",
        "10.67.0.0/16 via 10.88.0.1 dev p0 metric 5",
        "10.99.0.0/16 via 10.88.0.7 dev p0 metric 100",
        "fd66::/64 via fd88::7 dev p0 metric 5",
        "fd67::/64 via fd88::1 dev p0 metric 5",
    ];
    assert_eq!(routes, expected);
    probe.teardown(&v4());
    let script = format!(
        "{script}; routes.replace host 10.66.0.0/16 unicast gateway=10.88.0.8 metric=5; \
         routes.remove host 10.66.0.0/16 unicast gateway=10.88.0.8 metric=5; \
         routes.remove host 10.99.0.0/16 unicast gateway=10.88.0.7 metric=100"
    );
    answer_of(&probe.setup_as_planned(v4(), &script));
    probe.teardown(&v4());
}

fn remove_own() {
    let world = World::new();
    world.host.ip("route add blackhole 10.66.7.0/24 metric 100");
    let grant = own_but_add().call("routes.add", r#"{ destination = "10.66.0.0/16" }"#);
    let probe = Probe::new(&world, &grant);
    let add = "routes.add host 10.66.5.0/24 blackhole";
    let remove = "routes.remove host 10.66.5.0/24 blackhole";
    let answer = answer_of(&probe.setup_as_planned(v4(), &format!("{add}; {remove}; ?{remove}")));
    let denied = ["routes.remove.denied"];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(denied));
    probe.teardown(&v4());
    let error = probe.setup_fails(v4(), "routes.remove host 10.66.7.0/24 blackhole");
    assert!(error.contains("denied"), "{error}");
    probe.removes_in_teardown(&v4(), add, remove);
}

fn remove_other() {
    let world = World::new();
    world.host.ip_batch(
        &[],
        "addr add 10.88.0.250/16 dev p0\naddr add fd88::250/64 dev p0\n\
         route add 10.66.0.0/16 via 10.88.0.1 metric 5 src 10.88.0.250 proto boot\n\
         route add fd66::/64 via fd88::1 metric 5\nroute append fd66::/64 via fd88::2 metric 5\n\
         route add 10.67.0.0/16 dev p0 table 77",
    );
    let probe = Probe::new(&world, &wide());
    let script = "routes.remove host 10.66.0.0/16 unicast gateway=10.88.0.1 metric=5; \
        routes.remove host fd66::/64 unicast gateway=fd88::2 metric=5; \
        routes.remove host 10.67.0.0/16 unicast metric=0 link=p0 table=77; \
        ?routes.remove host 10.99.0.0/16 unicast gateway=10.88.0.1 metric=5";
    let answer = answer_of(&probe.setup_as_planned(v4(), script));
    let gone = ["routes.remove.not-found"];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(gone));
    let routes = Dump::of(&world.host).made_routes();
    assert_eq!(routes, ["fd66::/64 via fd88::1 dev p0 metric 5"]);
    probe.teardown(&v4());
}

fn own_vrf() {
    let world = World::new();
    let grant = own_but_add()
        .call("routes.add", r#"{ destination = "10.66.0.0/24" }"#)
        .call(
            "links.create-vrf",
            r#"{ link = "vrf9", place = "shared", table = [1077, 1078] }"#,
        );
    let probe = Probe::new(&world, &grant);
    let route = "routes.add host 10.66.0.0/24 blackhole table=1077";
    let script = |table: u32| format!("links.create-vrf shared vrf9 {table}; {route}");
    answer_of(&probe.setup_as_planned(v4(), &script(1077)));
    probe.teardown(&v4());
    let error = probe.setup_fails(v4(), &script(1078));
    assert!(error.contains("table host:1077"), "{error}");
    assert!(error.contains("table = 1077"), "{error}");
}

fn wrong() {
    let world = World::new();
    let probe = Probe::new(&world, &own());
    for (route, text) in [
        ("unicast", "needs a gateway"),
        ("unicast table=0", "there is no table 0"),
        ("unicast gateway=fd88::1", "mixes IPv4 and IPv6"),
        ("blackhole link=eth0", "leads nowhere"),
        ("unicast next-hops=10.88.0.1,-,0", "0 is no weight"),
        ("unicast next-hops=10.88.0.1,-,257", "257 is no weight"),
        ("unicast next-hops=-,-,1", "needs a gateway or a link"),
        (
            "unicast gateway=10.88.0.1 next-hops=10.88.0.1,-,1",
            "put the gateway and the link there",
        ),
        ("unicast link=a/b", "can't be the name"),
    ] {
        let script = format!("routes.add container 10.88.1.0/24 {route}");
        let error = error_of(&probe.setup_as_planned(v4(), &script));
        assert!(error.contains(text), "{route}: {error}");
    }
}
