//! The grant that `wasmvark suggest` makes from the trail. A run with it has the same
//! effects, and it allows nothing else.

use std::collections::BTreeSet;
use std::fs;

use wasmvark_tests::connection::{Connection, mapping};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe, STRANGERS_MAC};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("suggest::of-a-wide-grant", NEEDS, of_a_wide_grant);
    for (driver, request) in DRIVERS {
        let name = format!("suggest::of-{driver}");
        suite.test(name, NEEDS, move || of_a_driver(driver, *request));
    }
    suite.test("suggest::of-nothing", NEEDS, of_nothing);
}

fn suggested(wasmvark: &Wasmvark, name: &str) -> String {
    let output = wasmvark.administer(&["suggest", name]);
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}

/// Installs a driver again with the text of a grant.
fn install_with(wasmvark: &Wasmvark, guest: &str, name: &str, grant: &str) {
    let file = wasmvark.world().file("suggested.toml");
    fs::write(&file, grant).unwrap();
    let component = places::guest(guest);
    let output = wasmvark.administer(&[
        "install",
        &component.to_string_lossy(),
        "--name",
        name,
        "--grant",
        &file.to_string_lossy(),
    ]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

/// The lines that count.
fn lines(grant: &str) -> Vec<&str> {
    let (_, calls) = grant.split_once("[calls]\n").unwrap();
    let lines = calls.lines();
    lines.filter(|line| line.starts_with('"')).collect()
}

fn of_a_wide_grant() {
    let world = World::new();
    let wide = Grant::nothing()
        .call("addresses.add", r#"{ address = "*" }"#)
        .call("links.create-macvlan", "{}")
        .call("links.get", r#"{ link = ["*", "container:*"] }"#)
        .call("links.get-by-mac", r#"{ link = "*" }"#)
        .call("links.info", r#"{ link = "*" }"#)
        .call("links.set-mtu", r#"{ link = "*" }"#)
        .call("links.set-up", "{}")
        .call("routes.add", r#"{ destination = "*" }"#)
        .call("sysctl.set", r#"{ key = ["*", "container:*"] }"#)
        .limit("calls", 500);
    let probe = Probe::new(&world, &wide);
    let script = format!(
        "links.get host p0; links.create-macvlan container eth0 0 bridge; links.set-up 1; \
         links.get host x0; links.set-mtu 2 1400; links.get-by-mac {STRANGERS_MAC}; \
         addresses.add 1 10.88.0.2/16; addresses.add 1 192.0.2.7/24; \
         sysctl.set container net.ipv4.conf.all.arp_filter 1; ?links.names host; \
         ?links.set-alias 1 no"
    );
    let connection = Connection::v4(NAME);
    answer_of(&probe.setup(connection.clone(), &script));
    probe.teardown(&connection);
    let grant = suggested(&probe.wasmvark, NAME);
    assert_eq!(
        lines(&grant),
        [
            r#""links.get" = { link = "x0" }"#,
            r#""links.get-by-mac" = { link = "x0" }"#,
            r#""links.create-macvlan" = {}"#,
            r#""links.set-mtu" = { link = "x0" }"#,
            r#""links.set-up" = {}"#,
            r#""addresses.add" = { address = "192.0.2.0/24" }"#,
            r#""sysctl.set" = { key = "container:net.ipv4.conf.all.arp_filter" }"#,
            r#""answer.search" = {}"#,
        ]
    );
    assert!(grant.contains("\ncalls = 500\n"), "{grant}");
    for remark in [
        "# Granted now, and not used:\n# \"links.info\" = { link = \"*\" }\n\
         # \"routes.add\" = { destination = \"*\" }\n",
        "# \"links.names\" = { link = \"*\" }  (1 time)\n",
        "# \"links.set-alias\" = {}  (1 time)\n",
    ] {
        assert!(grant.contains(remark), "no {remark} in {grant}");
    }
    install_with(&probe.wasmvark, "probe", NAME, &grant);
    answer_of(&probe.setup(connection.clone(), &script));
    probe.teardown(&connection);
    for beyond in [
        "links.get host lo",
        "links.get host x0; links.info 0 tell",
        "links.get container lo",
    ] {
        let error = probe.setup_fails(connection.clone(), beyond);
        assert!(error.contains("denied"), "{beyond}: {error}");
    }
    // The same again: what it lacked meanwhile is only a remark.
    assert_eq!(lines(&suggested(&probe.wasmvark, NAME)), lines(&grant));
}

/// A driver's folder, and what it's asked to do.
type Asked = (&'static str, fn(Connection) -> Connection);

/// This project's drivers that need nothing special of the kernel.
const DRIVERS: &[Asked] = &[
    ("host-device", |connection| connection),
    ("macvlan", |connection| connection),
    ("macvlan-c", |connection| connection),
    ("ptp", |connection| {
        connection
            .option("masquerade", "true")
            .port(mapping("", 8080, 80, 1, "tcp"))
    }),
    ("tap", |connection| connection),
];

/// A grant for what the driver was asked to do, and for nothing else.
fn of_a_driver(driver: &str, request: fn(Connection) -> Connection) {
    let world = World::forwarding();
    let name = &format!("wasm-{driver}");
    let wasmvark = Wasmvark::new(&world);
    let given = Grant::example(driver.trim_end_matches("-c"));
    wasmvark.install(driver, name, &given);
    let file = wasmvark.grant_file(name);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[trail]\nrequired = false\n")).unwrap();
    let before = world.dump();
    let request = request(Connection::dual(name));
    let run = || {
        answer_of(&wasmvark.plugin(name, &["create"], request.for_create()));
        answer_of(&wasmvark.setup(name, request.for_plugin()));
        let output = wasmvark.teardown(name, request.for_plugin());
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
        world.assert_unchanged(&before);
    };
    run();
    let grant = suggested(&wasmvark, name);
    assert!(grant.ends_with("\n[trail]\nrequired = false\n"), "{grant}");
    let toml = given.to_toml(name, &places::guest(driver));
    let (all, some): (BTreeSet<&str>, BTreeSet<&str>) = (
        lines(&toml).into_iter().collect(),
        lines(&grant).into_iter().collect(),
    );
    assert!(!some.is_empty() && some.len() < all.len(), "{grant}");
    assert!(some.is_subset(&all), "{grant}");
    install_with(&wasmvark, driver, name, &grant);
    run();
}

/// Neither without a run nor of another component's.
fn of_nothing() {
    let world = World::new();
    let probe = Probe::new(&world, &Grant::of(&["links.get"]));
    let is_refused = || {
        let output = probe.wasmvark.administer(&["suggest", NAME]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("has no run of probe"), "{output:?}");
    };
    is_refused();
    let connection = Connection::v4(NAME);
    answer_of(&probe.setup(connection.clone(), "links.get host p0"));
    probe.teardown(&connection);
    assert_eq!(
        lines(&suggested(&probe.wasmvark, NAME)),
        [r#""links.get" = {}"#]
    );
    let later = probe
        .wasmvark
        .administer(&["suggest", NAME, "--since", "0s"]);
    assert_eq!(later.code, Some(1), "{later:?}");
    probe.wasmvark.install("wasi", NAME, &Grant::nothing());
    is_refused();
}
