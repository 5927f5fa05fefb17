//! Tests that every function of the WIT has a case, and that every case is allowed and
//! denied as it should be. A call is denied if the grant doesn't list it, and beyond
//! its reach. The line that the denial proposes allows it.

use std::collections::BTreeSet;

use wasmvark_tests::audit;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;
use wit_parser::{FunctionKind, Resolve, WorldItem};

use crate::case::{Case, MACVLAN, TUNNEL, least};
use crate::cases::CASES;
use crate::probe::{NAME, Probe};

/// The calls that do something only in `create`.
const ONLY_IN_CREATE: &[&str] = &["addresses.allocate-subnet"];

/// The calls that fail without a service, which a plan doesn't ask.
const BY_SERVICE: &[&str] = &["dhcp.lease"];

/// The call that a grant may list and needn't.
const WITHOUT_GRANT: &str = "log.write";

/// Installs the probe of one version of the interface.
type Install = for<'a> fn(&'a World, &Grant) -> Probe<'a>;

fn current<'a>(world: &'a World, grant: &Grant) -> Probe<'a> {
    Probe::new(world, grant)
}

fn previous<'a>(world: &'a World, grant: &Grant) -> Probe<'a> {
    Probe::previous(world, grant)
}

pub(crate) fn register(suite: &mut Suite) {
    suite.test("every-function-has-a-case", &[], every_function_has_a_case);
    suite.test("0.2::leaves-the-same-trail", MACVLAN, same_trail);
    for case in CASES {
        register_case(suite, case, "", current);
        register_case(suite, case, "0.2::", previous);
    }
}

/// The calls with all of their tests in the version before the current one, too: those
/// whose arguments are converted, and some others.
const BOTH: &[&str] = &[
    "addresses.add",
    "addresses.allocate-subnet",
    "links.create-veth",
    "links.get",
    "routes.add",
];

fn register_case(suite: &mut Suite, case: &'static Case, version: &str, install: Install) {
    let name = |what: &str| format!("{version}{}::{what}", case.call);
    suite.test(name("allowed"), case.needs, move || {
        allowed_by(install, case, &grant(case));
    });
    if case.call == WITHOUT_GRANT {
        suite.test(name("allowed-unlisted"), case.needs, move || {
            allowed_by(install, case, &grant_without_the_call(case));
        });
    } else if version.is_empty() || BOTH.contains(&case.call) {
        suite.test(name("denied-unlisted"), case.needs, move || {
            denied_unlisted(install, case);
        });
        if case.beyond.is_some() {
            suite.test(name("denied-beyond"), case.needs, move || {
                denied_beyond(install, case);
            });
        }
    }
}

/// The names of all functions that the world imports.
fn functions_of_the_wit() -> BTreeSet<String> {
    let mut resolve = Resolve::default();
    let wit = places::workspace().join("wit");
    let (package, _) = resolve.push_dir(&wit).expect("the WIT can be parsed");
    let world = resolve.select_world(&[package], Some("driver")).unwrap();
    let mut functions = BTreeSet::new();
    for import in resolve.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = import else {
            continue;
        };
        let interface = &resolve.interfaces[*id];
        let name = interface.name.as_deref().unwrap();
        // Methods are no calls.
        let all = interface.functions.values();
        let free = all.filter(|function| function.kind == FunctionKind::Freestanding);
        functions.extend(free.map(|function| format!("{name}.{}", function.name)));
    }
    functions
}

fn every_function_has_a_case() {
    let functions = functions_of_the_wit();
    let cases: BTreeSet<String> = CASES.iter().map(|case| case.call.to_owned()).collect();
    assert!(!functions.is_empty());
    assert_eq!(functions, cases, "functions of the WIT, and cases");
}

fn grant_without_the_call(case: &Case) -> Grant {
    let calls = case.with.iter();
    calls.fold(Grant::nothing(), |grant, (call, reach)| {
        grant.call(call, reach)
    })
}

fn grant(case: &Case) -> Grant {
    grant_without_the_call(case).call(case.call, least(case.call))
}

fn script(before: &str, call: &str) -> String {
    [before, call].join(";")
}

/// A call whose failure ends the run. A `?` before it in its case means that
/// there may be nothing for it to find.
fn strict(call: &str) -> &str {
    call.trim_start_matches('?')
}

/// The host has a default route and neighbours that somebody set; forwarding,
/// which stays on, is on already.
fn world() -> World {
    let world = World::new();
    world.give_host_a_default_route();
    world.host.ip_batch(
        &[],
        "neigh add 10.88.0.77 lladdr 02:00:00:00:00:77 dev p0\nneigh add proxy 10.88.0.77 dev p0",
    );
    for netns in [&world.host, &world.container] {
        netns.forward();
    }
    world
}

fn keep_secrets(probe: &Probe<'_>) {
    for name in ["named", "other"] {
        let key = "AAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAUE=";
        probe.wasmvark.keep_secret(name, key);
    }
}

/// Only what a network was created with names a secret.
fn create(probe: &Probe<'_>, case: &Case) {
    if case.before == TUNNEL {
        let request = (case.connection)().for_create();
        answer_of(&probe.wasmvark.plugin(NAME, &["create"], request));
    }
}

fn allowed_by(install: Install, case: &Case, grant: &Grant) {
    let world = world();
    let probe = install(&world, grant);
    keep_secrets(&probe);
    create(&probe, case);
    let connection = case.connection;
    let script = script(case.before, case.within);
    match ONLY_IN_CREATE.contains(&case.call) {
        true => {
            let network = connection().option("create-script", &script).for_create();
            answer_of(&probe.wasmvark.plugin(NAME, &["create"], network));
        }
        false => drop(answer_of(&setup(&probe, case, connection(), &script))),
    }
    let last = probe.wasmvark.audit();
    let is_its = |line: &&audit::Line| line.call.as_deref() == Some(case.call);
    let line = last.iter().rfind(is_its).unwrap();
    assert_eq!(line.verdict.as_deref(), Some("allow"));
    assert_eq!(line.errno.is_some(), BY_SERVICE.contains(&case.call));
    probe.teardown(&connection());
}

/// Runs `setup`, which does what the plan says.
fn setup(probe: &Probe<'_>, case: &Case, connection: Connection, script: &str) -> Output {
    match BY_SERVICE.contains(&case.call) {
        true => probe.setup(connection, script),
        false => probe.setup_as_planned(connection, script),
    }
}

fn denied_unlisted(install: Install, case: &Case) {
    let world = world();
    let probe = install(&world, &grant_without_the_call(case));
    keep_secrets(&probe);
    create(&probe, case);
    let connection = case.connection;
    let within = strict(case.within);
    let lines = script(case.before, within);
    let error = probe.setup_fails(connection(), &lines);
    assert_denied(&probe, case, &error);
    assert!(
        error.contains(&format!("\"{}\" = {}", case.call, least(case.call))),
        "{error}"
    );
    // The driver gets a typed error and may go on.
    let marked = script(case.before, &format!("?{within}"));
    let answer = answer_of(&probe.setup(connection(), &marked));
    let result = format!("{}.denied", case.call);
    assert_eq!(answer["dns_search_domains"], serde_json::json!([result]));
    probe.teardown(&connection());
}

fn denied_beyond(install: Install, case: &Case) {
    let (before, call, widening) = case.beyond.unwrap();
    let world = world();
    let probe = install(&world, &grant(case));
    keep_secrets(&probe);
    // With a parent named, the default link is beyond the request.
    let connection = || Connection::v4(NAME);
    let error = probe.setup_fails(connection(), &script(before, strict(call)));
    assert_denied(&probe, case, &error);
    let line = format!("\"{}\" = {{ {widening} }}", case.call);
    assert!(error.contains(&line), "{error}\nshould propose {line}");
    let wider = grant_without_the_call(case).call(case.call, &format!("{{ {widening} }}"));
    probe.grant(&wider);
    answer_of(&setup(&probe, case, connection(), &script(before, call)));
    // Also what a widening reached is put back.
    probe.teardown(&connection());
}

/// Both versions have the same names of calls, so one grant is for both, and the trail
/// says the same of both, also of what is denied.
fn same_trail() {
    let grant = Grant::nothing()
        .call("links.get", "{}")
        .call("links.create-veth", r#"{ place = "host" }"#)
        .call("addresses.add", "{}");
    let script = "links.get host p0; links.create-veth eth0 mac=02:00:00:00:00:07; \
                  addresses.add 1 10.88.0.2/16; ?addresses.add 2 192.0.2.1/24; ?links.set-up 1; \
                  log.write info hello";
    let [current, previous] = [current as Install, previous].map(|install| {
        let world = world();
        let probe = install(&world, &grant);
        let connection = Connection::v4(NAME);
        let answer = answer_of(&probe.setup(connection, script));
        probe.teardown(&Connection::v4(NAME));
        (answer, audit::operations(&probe.wasmvark.audit()))
    });
    assert_eq!(current, previous);
    let (answer, _) = current;
    assert_eq!(
        answer["dns_search_domains"],
        serde_json::json!(["addresses.add.denied", "links.set-up.denied"])
    );
}

/// The error teaches, and the trail has the denial.
#[track_caller]
fn assert_denied(probe: &Probe<'_>, case: &Case, error: &str) {
    let file = probe.wasmvark.grant_file(NAME);
    assert!(error.contains(case.call), "{error}");
    assert!(error.contains("is denied"), "{error}");
    assert!(error.contains(&*file.to_string_lossy()), "{error}");
    let lines = probe.wasmvark.audit();
    let denial = lines
        .iter()
        .rfind(|line| line.verdict.as_deref() == Some("deny"));
    assert_eq!(
        denial.and_then(|line| line.call.as_deref()),
        Some(case.call)
    );
}
