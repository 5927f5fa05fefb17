//! Renamed links.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("rename::{name}"), NEEDS, test);
    test("own-links-stay-own", own);
    test("a-handle-knows-its-name", name);
    test("an-own-link-of-the-host", own_on_host);
    test("routes-of-an-own-link", routes);
    test("a-route-that-took-anothers-place", replaced_route);
    test("a-moved-link-comes-back", moved);
    test("a-foreign-link-comes-back", foreign);
    test("both-names-must-be-granted", both_names);
    test("a-name-that-reaches-further", further);
    test("a-name-that-is-taken", taken);
    test("shared-links-keep-their-names", shared);
    suite.test(
        "rename::links-with-rules-keep-their-names",
        &[Need::Root, Need::Macvlan, Need::Nft],
        with_rules,
    );
}

fn grant() -> Grant {
    let names = r#"{ link = ["container:a", "container:b", "own0"] }"#;
    Grant::of(&[
        "addresses.add",
        "links.delete",
        "links.get",
        "links.info",
        "links.move-to-container",
        "links.set-mtu",
        "links.set-up",
        "log.write",
        "routes.add",
        "routes.remove",
        "routes.replace",
    ])
    .call("links.create-veth", names)
    .on_host()
    .call("links.rename", names)
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

/// All handles to it mean it, it's found by its new name, in the next run too,
/// and the answer has that.
fn own() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.create-veth a; links.get container a; links.rename 0 b; links.rename 2 eth0; \
        links.set-mtu 0 1300; links.set-mtu 2 1400; links.get container eth0; links.info 3 tell; \
        ?links.get container a";
    let output = probe.setup_as_planned(v4(), script);
    let answer = answer_of(&output);
    assert!(output.stderr.contains("mtu: 1400"), "{}", output.stderr);
    assert!(answer["interfaces"].get("eth0").is_some(), "{answer}");
    let denied = serde_json::json!(["links.get.denied"]);
    assert_eq!(answer["dns_search_domains"], denied);
    let script = "links.get container eth0; links.rename 0 b; links.delete 0; fail reached";
    let teardown = v4().option("teardown-script", script).for_plugin();
    let output = probe.wasmvark.teardown(NAME, teardown);
    assert!(output.stderr.contains("reached"), "{output:?}");
    probe.teardown(&v4());
}

/// No grant is needed for a handle's name, no call is made, and all handles to a link have
/// the new one.
fn name() {
    let world = World::new();
    let probe = Probe::new(&world, &grant().without("log.write").without("links.info"));
    let script = "links.create-veth a; links.get container a; name 0 tell; links.rename 0 eth0; \
        name 0 tell; name 2 tell";
    let output = probe.setup_as_planned(v4(), script);
    answer_of(&output);
    let told = output.stderr.lines().filter(|line| line.contains("name: "));
    let told: Vec<&str> = told
        .filter_map(|line| line.split("name: ").nth(1))
        .collect();
    assert_eq!(told, ["a", "eth0", "eth0"], "{}", output.stderr);
    let calls = probe
        .wasmvark
        .audit()
        .into_iter()
        .filter_map(|line| line.call);
    let others = calls.filter(|call| call != "log.write");
    let expected = ["links.create-veth", "links.get", "links.rename"];
    assert_eq!(others.collect::<Vec<_>>(), expected);
    probe.teardown(&v4());
}

/// The name is the one that the user gave, or a granted one.
fn own_on_host() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let options = serde_json::json!({"host_interface_name": "end0"});
    let connection = || v4().join("options", options.clone());
    let script = "links.create-veth - host-name=own0; links.rename 1 end0; ?links.rename 1 else0; \
                  links.rename 1 own0";
    let answer = answer_of(&probe.setup_as_planned(connection(), script));
    let denied = serde_json::json!(["links.rename.denied"]);
    assert_eq!(answer["dns_search_domains"], denied);
    assert!(Dump::of(&world.host).has_link("own0"));
    probe.teardown(&connection());
}

/// Their rules would be about the old name.
fn with_rules() {
    let world = World::new();
    let grant = grant().call("firewall.isolate", "{}");
    let probe = Probe::new(&world, &grant);
    let options = serde_json::json!({"host_interface_name": "end0"});
    let connection = || v4().join("options", options.clone());
    let script = "links.create-veth - host-name=own0; firewall.isolate 1 strict; \
                  links.rename 1 end0";
    let error = probe.setup_fails(connection(), script);
    assert!(error.contains("the firewall knows own0"), "{error}");
    let before = "links.create-veth - host-name=own0; links.rename 1 end0; \
                  firewall.isolate 1 strict";
    answer_of(&probe.setup_as_planned(connection(), before));
    probe.teardown(&connection());
}

/// They are known by the link's new name.
fn routes() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.create-veth a; addresses.add 0 10.88.0.2/16; links.set-up 0; links.set-up 1; \
        routes.add container 10.88.7.0/24 unicast link=a; links.rename 0 eth0; \
        routes.remove container 10.88.7.0/24 unicast link=eth0; \
        routes.add container 10.88.8.0/24 unicast link=eth0";
    answer_of(&probe.setup_as_planned(v4(), script));
    assert_eq!(
        probe.container().made_routes(),
        ["10.88.8.0/24 dev eth0 metric 100"]
    );
    probe.teardown(&v4());
}

/// It's taken away before the other is put back, whatever its link is called.
fn replaced_route() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.create-veth eth0 host-name=own0; links.set-up 0; links.set-up 1; \
        routes.add host 10.88.7.0/24 unicast link=own0; \
        routes.replace host 10.88.7.0/24 unicast link=own0; links.rename 1 end0";
    let options = serde_json::json!({"host_interface_name": "end0"});
    let connection = || v4().join("options", options.clone());
    answer_of(&probe.setup_as_planned(connection(), script));
    assert_eq!(
        Dump::of(&world.host).made_routes(),
        ["10.88.7.0/24 dev end0 metric 100"]
    );
    probe.teardown(&connection());
}

fn moved() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.get host p0; links.move-to-container 0 eth0; links.rename 0 a; \
                  links.rename 0 b; links.set-up 0";
    answer_of(&probe.setup_as_planned(v4(), script));
    assert_eq!(probe.container().link_names(), ["b", "lo"]);
    probe.teardown(&v4());
}

fn wide() -> Grant {
    let names = r#"{ link = ["p0", "x0", "y0"] }"#;
    let calls = ["links.get", "links.rename", "links.set-mtu"];
    let grant = Grant::of(&["links.move-to-container"]);
    calls
        .iter()
        .fold(grant, |grant, call| grant.call(call, names))
}

/// Also where it's changed before and after, and moves; a parent that is
/// renamed is still the parent.
fn foreign() {
    let world = World::new();
    world.host.ip("link set p0 mtu 1470");
    let probe = Probe::new(&world, &wide());
    let script = "links.get host x0; links.set-mtu 0 1300; links.rename 0 y0; links.set-mtu 0 1310; \
                  links.get host y0";
    answer_of(&probe.setup_as_planned(v4(), script));
    let host = Dump::of(&world.host);
    assert!(host.has_link("y0") && !host.has_link("x0"));
    assert_eq!(host.mtu("y0"), 1310);
    probe.teardown(&v4());
    let script = "links.get host p0; links.rename 0 y0; links.move-to-container 0 eth0";
    answer_of(&probe.setup_as_planned(v4(), script));
    assert_eq!(probe.container().mtu("eth0"), 1470);
    // Its index is taken when it comes back.
    world.host.ip("link add z0 index 2 type veth peer z1");
    let output = probe.wasmvark.teardown(NAME, v4().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    world.host.ip("link del z0");
    probe.teardown(&v4());
}

fn both_names() {
    let world = World::new();
    for names in [r#"{ link = "x0" }"#, r#"{ link = "y0" }"#] {
        let grant = Grant::nothing()
            .call("links.get", r#"{ link = "x0" }"#)
            .call("links.rename", names);
        let probe = Probe::new(&world, &grant);
        let error = probe.setup_fails(v4(), "links.get host x0; links.rename 0 y0");
        assert!(error.contains("is denied"), "{error}");
        world.host.ip("link del x0");
    }
}

/// Grants and requests mean the link that somebody else gave the name.
fn further() {
    let world = World::new();
    let probe = Probe::new(
        &world,
        &Grant::of(&["links.create-macvlan"])
            .call("links.get", r#"{ link = "x0" }"#)
            .call("links.set-mtu", r#"{ link = "y0" }"#)
            .call("links.rename", r#"{ link = ["p0", "x0", "y0"] }"#),
    );
    let error = probe.setup_fails(v4(), "links.get host x0; links.rename 0 y0");
    let text = "x0 can't become y0: links.set-mtu is allowed for y0 and not for x0";
    assert!(error.contains(text), "{error}");
    // The parent that the user named is somebody's to make.
    world.host.ip("link set p0 name p1");
    let error = error_of(&probe.setup(v4(), "links.get host x0; links.rename 0 p0"));
    assert!(error.contains("x0 can't become p0"), "{error}");
    // A setting is another's by its name, and a port's master is the parent.
    let names = r#"{ link = ["p0", "x0", "y0"] }"#;
    let own = Grant::of(&["links.create-veth"]).on_host();
    let renames = || {
        own.clone()
            .call("links.get", names)
            .call("links.rename", names)
    };
    let key = r#"{ key = "net.ipv4.conf.y0.proxy_arp" }"#;
    probe.grant(&renames().call("sysctl.set", key));
    let script =
        "links.get host x0; links.rename 0 y0; sysctl.set host net.ipv4.conf.y0.proxy_arp 1";
    let error = error_of(&probe.setup(v4(), script));
    assert!(error.contains("x0 can't become y0: sysctl.set"), "{error}");
    probe.grant(&renames().call("links.set-master", "{}"));
    let script = "links.get host x0; links.rename 0 p0; links.create-veth -; links.set-master 2 0";
    let error = error_of(&probe.setup(v4(), script));
    assert!(
        error.contains("x0 can't become p0: links.set-master"),
        "{error}"
    );
    // With a wildcard nothing is gained.
    let keys = r#"{ key = "net.ipv4.conf.*.proxy_arp" }"#;
    probe.grant(&renames().call("sysctl.set", keys));
    let script = "links.get host x0; links.rename 0 y0";
    answer_of(&probe.setup(v4(), script));
    let output = probe.wasmvark.teardown(NAME, v4().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn taken() {
    let world = World::new();
    let probe = Probe::new(&world, &wide());
    let error = probe.setup_fails(v4(), "links.get host x0; links.rename 0 p0");
    assert!(error.contains("EEXIST"), "{error}");
    probe.grant(&grant());
    let script = "links.create-veth a host-name=own0; ?links.rename 0 lo; ?links.rename 0 a/b; \
                  links.set-mtu 0 1300; links.create-veth b host-name=end0; links.rename 0 b";
    let options = serde_json::json!({"host_interface_name": "end0"});
    let error = probe.setup_fails(v4().join("options", options), script);
    assert!(
        error.contains("links.rename") && error.contains("EEXIST"),
        "{error}"
    );
}

fn shared() {
    let world = World::new();
    let names = r#"{ link = "*" }"#;
    let grant = Grant::of(&["links.create-bridge"])
        .on_host()
        .call("links.rename", names);
    let probe = Probe::new(&world, &grant);
    let bridge = v4().network("network_interface", "br0");
    let error = probe.setup_fails(bridge, "links.create-bridge shared -; links.rename 0 br7");
    assert!(
        error.contains("for all containers of the network"),
        "{error}"
    );
}
