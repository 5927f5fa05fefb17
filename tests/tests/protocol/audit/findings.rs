//! The findings of `audit`, and its exit codes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};
use wasmvark_tests::grant::{Grant, digest};
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use super::{call, report, used};
use crate::bench::{DRIVER, GUEST, NO_LINKS};

pub(crate) fn register(suite: &mut Suite) {
    suite.test("audit/what is used and how wide", NO_LINKS, what_is_used);
    suite.test("audit/levels and exit codes", NO_LINKS, exit_codes);
    suite.test("audit/nothing found", NO_LINKS, nothing_found);
    for (name, found, damage) in CASES {
        suite.test(format!("audit/finds {name}"), NO_LINKS, move || {
            is_found(*found, *damage);
        });
    }
}

/// A level, and a kind.
type Found = (&'static str, &'static str);

/// What is wrong, what is found, and what does it.
type Case = (&'static str, Found, fn(&Wasmvark));

/// What somebody should look at: one thing each.
const CASES: &[Case] = &[
    (
        "a grant that others can write",
        ("danger", "exposed"),
        |wasmvark| open(&wasmvark.grant_file(DRIVER)),
    ),
    (
        "a folder of grants that others can write",
        ("danger", "exposed"),
        |wasmvark| open(wasmvark.grant_file(DRIVER).parent().unwrap()),
    ),
    (
        "code that others can write",
        ("danger", "exposed"),
        |wasmvark| open(&wasmvark.code(GUEST)),
    ),
    (
        "a trail that others can write",
        ("danger", "exposed"),
        |wasmvark| {
            fs::create_dir_all(wasmvark.audit_file().parent().unwrap()).unwrap();
            fs::write(wasmvark.audit_file(), "").unwrap();
            open(&wasmvark.audit_file());
        },
    ),
    (
        "a plugin directory that others can write",
        ("danger", "exposed"),
        |wasmvark| open(&wasmvark.plugins()),
    ),
    ("another component", ("danger", "component"), |wasmvark| {
        fs::write(wasmvark.component(GUEST), "other").unwrap();
    }),
    (
        "a grant for another digest",
        ("warning", "other-digest"),
        |wasmvark| {
            let own = digest(&places::guest(GUEST));
            let other = format!("sha256:{}", "0".repeat(64));
            change_grant(wasmvark, |grant| grant.replace(&own, &other));
        },
    ),
    (
        "a grant that can't be parsed",
        ("warning", "grant-unusable"),
        |wasmvark| change_grant(wasmvark, |_| "calls = [".to_owned()),
    ),
    ("no grant", ("info", "no-grant"), |wasmvark| {
        fs::remove_file(wasmvark.grant_file(DRIVER)).unwrap();
    }),
    ("a grant of nobody", ("info", "orphan-grant"), |wasmvark| {
        fs::write(wasmvark.grant_file("gone"), "").unwrap();
    }),
    (
        "a grant that doesn't require the trail",
        ("warning", "trail-optional"),
        |wasmvark| {
            change_grant(wasmvark, |grant| {
                format!("{grant}\n[trail]\nrequired = false\n")
            });
        },
    ),
    (
        "a call that can't be made",
        ("warning", "not-importable"),
        |wasmvark| change_grant(wasmvark, |grant| format!("{grant}\"state.get\" = {{}}\n")),
    ),
    (
        "a star of what changes",
        ("warning", "wildcard"),
        |wasmvark| widen(wasmvark, "links.set-up", r#"{ link = "*" }"#),
    ),
    ("a star of what is read", ("info", "wildcard"), |wasmvark| {
        widen(wasmvark, "links.get", r#"{ link = "*" }"#);
    }),
    (
        "every address in another spelling",
        ("warning", "wildcard"),
        |wasmvark| widen(wasmvark, "addresses.add", r#"{ address = "0.0.0.0/0" }"#),
    ),
    ("a missing link", ("warning", "link"), |wasmvark| {
        fs::remove_file(wasmvark.plugins().join(DRIVER)).unwrap();
    }),
    (
        "a link that leads elsewhere",
        ("danger", "link"),
        |wasmvark| {
            let link = wasmvark.plugins().join(DRIVER);
            fs::remove_file(&link).unwrap();
            symlink("/bin/true", link).unwrap();
        },
    ),
    ("a link of nobody", ("info", "link"), |wasmvark| {
        symlink(places::wasmvark(), wasmvark.plugins().join("gone")).unwrap();
    }),
    (
        "a link that isn't ours",
        ("warning", "foreign-plugin"),
        |wasmvark| symlink("/bin/true", wasmvark.plugins().join("other")).unwrap(),
    ),
    (
        "a program in the plugin directory",
        ("warning", "foreign-plugin"),
        |wasmvark| fs::write(wasmvark.plugins().join("other"), "").unwrap(),
    ),
    (
        "lines that can't be read",
        ("info", "trail-unreadable"),
        |wasmvark| {
            fs::create_dir_all(wasmvark.audit_file().parent().unwrap()).unwrap();
            fs::write(wasmvark.audit_file(), "{\"half\n").unwrap();
        },
    ),
];

fn open(path: &Path) {
    let mode = fs::Permissions::from_mode(0o777);
    fs::set_permissions(path, mode).unwrap();
}

fn change_grant(wasmvark: &Wasmvark, change: impl FnOnce(String) -> String) {
    let path = wasmvark.grant_file(DRIVER);
    let grant = fs::read_to_string(&path).unwrap();
    fs::write(&path, change(grant)).unwrap();
}

fn widen(wasmvark: &Wasmvark, call: &str, reach: &str) {
    change_grant(wasmvark, |grant| {
        grant.replace(
            &format!("\"{call}\" = {{}}"),
            &format!("\"{call}\" = {reach}"),
        )
    });
}

/// A driver with which all is well.
fn healthy(world: &World) -> Wasmvark<'_> {
    let wasmvark = Wasmvark::new(world);
    wasmvark.install(GUEST, DRIVER, &Grant::example("macvlan"));
    wasmvark
}

fn kinds(report: &Value) -> Vec<(&str, &str)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|it| (it["level"].as_str().unwrap(), it["kind"].as_str().unwrap()))
        .collect()
}

/// The damage is the one thing that is found, and the exit code says how bad it
/// is.
fn is_found((level, kind): Found, damage: fn(&Wasmvark)) {
    let world = World::new();
    let wasmvark = healthy(&world);
    damage(&wasmvark);
    let (found, code) = report(&wasmvark, &[]);
    let mut found = kinds(&found);
    // Where nobody can trust a grant, it can't be used either.
    found.retain(|it| kind != "exposed" || *it != ("warning", "grant-unusable"));
    assert_eq!(found, [(level, kind)]);
    assert_eq!(code, Some(if level == "info" { 0 } else { 1 }));
    assert_eq!(report(&wasmvark, &["--fail-on", "info"]).1, Some(1));
    let (_, code) = report(&wasmvark, &["--fail-on", "danger"]);
    assert_eq!(code, Some(if level == "danger" { 1 } else { 0 }));
}

fn nothing_found() {
    let world = World::new();
    let wasmvark = healthy(&world);
    let (found, code) = report(&wasmvark, &["--fail-on", "info"]);
    assert_eq!((kinds(&found), code), (vec![], Some(0)));
    let output = wasmvark.administer(&["audit"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert!(output.stdout.ends_with("\nNothing found.\n"), "{output:?}");
}

fn what_is_used() {
    let world = World::new();
    let wasmvark = used(&world);
    let (found, _) = report(&wasmvark, &[]);
    let get = call(&found, "used", "links.get");
    assert_eq!((&get["used"], &get["denied"]), (&json!(2), &json!(2)));
    assert_eq!(get["reach"], json!({"link": ["lo", "container:*"]}));
    assert_eq!(get["stars"], json!(["container:*"]));
    assert_eq!(get["reach-used"], json!({"link": ["lo"]}));
    let trail = wasmvark.audit();
    let allowed = |line: &&wasmvark_tests::audit::Line| line.verdict.as_deref() == Some("allow");
    let first = trail.iter().find(allowed).unwrap();
    let last = trail.iter().rfind(allowed).unwrap();
    assert_eq!(get["first-used"], json!(first.time));
    assert_eq!(get["last-used"], json!(last.time));
    let list = call(&found, "used", "routes.list");
    assert_eq!(
        (&list["granted"], &list["denied"]),
        (&json!(false), &json!(2))
    );
    let mtu = call(&found, "used", "links.set-mtu");
    assert_eq!((&mtu["granted"], &mtu["used"]), (&json!(true), &json!(0)));
    let output = wasmvark.administer(&["audit"]);
    for row in [
        "links.get yes yes yes { link = [\"lo\", \"container:*\"] } 2",
        "links.set-mtu yes yes yes - never - -",
        "routes.list yes yes - - - - 2",
    ] {
        let has = output.stdout.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.join(" ").starts_with(row)
        });
        assert!(has, "no {row} in {}", output.stdout);
    }
    // Of what is older nothing counts.
    let (later, _) = report(&wasmvark, &["--since", "0s"]);
    assert_eq!(call(&later, "used", "links.get")["used"], 0);
}

fn exit_codes() {
    let world = World::new();
    let wasmvark = used(&world);
    let (found, code) = report(&wasmvark, &["--unused-after", "2"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        kinds(&found),
        [
            ("warning", "not-importable"),
            ("warning", "denied"),
            ("warning", "denied"),
            ("warning", "wildcard"),
            ("info", "wildcard"),
            ("info", "never-used"),
            ("info", "never-used"),
        ]
    );
    let (found, _) = report(&wasmvark, &["--unused-after", "3"]);
    assert!(!kinds(&found).contains(&("info", "never-used")));
    let output = wasmvark.administer(&["audit"]);
    assert!(output.stderr.contains("findings"), "{output:?}");
    for wrong in [["--fail-on", "all"], ["--since", "never"]] {
        let output = wasmvark.administer(&[&["audit"], &wrong[..]].concat());
        assert_eq!(output.code, Some(2), "{output:?}");
    }
    fs::remove_file(wasmvark.audit_file()).unwrap();
    fs::create_dir(wasmvark.audit_file()).unwrap();
    let output = wasmvark.administer(&["audit"]);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stderr.contains("audit.jsonl"), "{output:?}");
}
