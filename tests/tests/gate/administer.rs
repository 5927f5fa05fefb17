//! The administrator's commands.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::NAME;

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("administer::{name}"), NEEDS, test);
    test("inspects-a-file", inspects_a_file);
    test("shows-what-is-granted-in-vain", granted_in_vain);
    test("grants-what-is-requested", grants_what_is_requested);
    test("lists-the-state-of-grants", lists_grants);
    test("removes-all-but-the-grant", removes);
    test("keeps-a-component-that-another-name-uses", keeps_shared);
    test("refuses-names-of-netavark", refuses_built_in_names);
    test(
        "leaves-a-stranger-in-the-plugin-directory",
        leaves_strangers,
    );
    test(
        "uses-the-plugin-directory-it-is-given",
        given_plugin_directory,
    );
    test("trusts-no-file-that-others-can-write", trusts_nobody);
    test("tells-what-it-is", info);
}

fn guest(name: &str) -> String {
    places::guest(name).to_string_lossy().into_owned()
}

fn json(output: &Output) -> Value {
    answer_of(output)
}

fn install(wasmvark: &Wasmvark<'_>, rest: &[&str]) -> Output {
    let component = guest("macvlan");
    wasmvark.administer(&[&["install", &component], rest].concat())
}

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    assert_eq!(output.code, Some(1), "{output:?}");
    assert_eq!(output.stdout, "", "{output:?}");
    for word in words {
        assert!(
            output.stderr.contains(word),
            "{word:?} is not in {output:?}"
        );
    }
}

fn inspects_a_file() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let output = wasmvark.administer(&["inspect", &guest("macvlan"), "--format", "json"]);
    let inspection = json(&output);
    assert_eq!(inspection["grant"]["state"], "not-installed");
    let call = &inspection["calls"]["links.create-macvlan"];
    assert_eq!(call["importable"], true);
    assert_eq!(call["requested"], true);
    assert_eq!(call["granted"], false);
    assert!(
        inspection["calls"]["links.set-mac"].is_null(),
        "it isn't imported"
    );
    let wasi = wasmvark.administer(&["inspect", &guest("wasi"), "--format", "json"]);
    assert_eq!(json(&wasi)["inert_wasi"], true);
    assert_eq!(inspection["inert_wasi"], false);
    refused(&wasmvark.administer(&["inspect", "nowhere"]), &["nowhere"]);
    assert!(
        !world.file("root/lib").exists(),
        "inspecting stores nothing"
    );
}

fn granted_in_vain() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let grant = Grant::of(&["links.get", "links.set-mac"]);
    wasmvark.install("macvlan", "lan", &grant);
    let text = wasmvark.administer(&["inspect", "lan"]).stdout;
    assert!(
        text.contains("Granted but not importable: links.set-mac\n"),
        "{text}"
    );
    let inspection = json(&wasmvark.administer(&["inspect", "lan", "--format", "json"]));
    assert_eq!(inspection["calls"]["links.set-mac"]["importable"], false);
    assert_eq!(inspection["calls"]["links.get"]["granted"], true);
}

fn grants_what_is_requested() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let output = install(&wasmvark, &["--name", "lan", "--grant-requested"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let inspection = json(&wasmvark.administer(&["inspect", "lan", "--format", "json"]));
    assert_eq!(inspection["grant"]["state"], "valid");
    let calls = inspection["calls"].as_object().unwrap();
    assert!(!calls.is_empty());
    for (name, call) in calls {
        assert_eq!(call["granted"], true, "{name}");
        assert!(call["granted_reach"].is_null(), "{name}");
    }
}

fn lists_grants() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    assert!(wasmvark.administer(&["list"]).stdout.contains("No drivers"));
    for name in ["a", "b", "c"] {
        install(&wasmvark, &["--name", name, "--grant-requested"]);
    }
    fs::remove_file(wasmvark.grant_file("a")).unwrap();
    fs::write(wasmvark.grant_file("c"), "nonsense").unwrap();
    let list = json(&wasmvark.administer(&["list", "--format", "json"]));
    let rows: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["name"], &row["grant"]))
        .collect();
    let expected = serde_json::json!(["a", "none", "b", "30 calls", "c", "not valid"]);
    let flat: Vec<_> = rows
        .into_iter()
        .flat_map(|(name, grant)| [name.clone(), grant.clone()])
        .collect();
    assert_eq!(Value::Array(flat), expected);
}

fn removes() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    install(&wasmvark, &["--name", "lan", "--grant-requested"]);
    assert!(wasmvark.component("macvlan").exists());
    let output = wasmvark.administer(&["remove", "lan"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(!wasmvark.component("macvlan").exists());
    assert!(!wasmvark.code("macvlan").exists());
    assert!(fs::symlink_metadata(wasmvark.plugins().join("lan")).is_err());
    assert!(wasmvark.grant_file("lan").exists());
    refused(
        &wasmvark.administer(&["remove", "lan"]),
        &["lan", "install"],
    );
}

fn keeps_shared() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    install(&wasmvark, &["--name", "a", "--grant-requested"]);
    install(&wasmvark, &["--name", "b", "--grant-requested"]);
    wasmvark.administer(&["remove", "a"]);
    assert!(wasmvark.component("macvlan").exists());
    answer_of(&wasmvark.setup("b", Connection::v4("b").for_plugin()));
}

fn refuses_built_in_names() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    // The manifest's own name is one of them.
    refused(
        &install(&wasmvark, &[]),
        &["its own driver macvlan", "--name"],
    );
    for name in ["bridge", "ipvlan"] {
        refused(
            &install(&wasmvark, &["--name", name]),
            &[name, "its own driver"],
        );
    }
    assert!(!wasmvark.plugins().exists());
}

fn leaves_strangers() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    fs::create_dir_all(wasmvark.plugins()).unwrap();
    let stranger = wasmvark.plugins().join("lan");
    fs::write(&stranger, "not ours").unwrap();
    refused(
        &install(&wasmvark, &["--name", "lan"]),
        &["not a link to wasmvark"],
    );
    assert_eq!(fs::read_to_string(&stranger).unwrap(), "not ours");
    fs::remove_file(&stranger).unwrap();
    std::os::unix::fs::symlink("/bin/true", &stranger).unwrap();
    refused(
        &install(&wasmvark, &["--name", "lan"]),
        &["not a link to wasmvark"],
    );
    assert_eq!(fs::read_link(&stranger).unwrap(), Path::new("/bin/true"));
}

fn given_plugin_directory() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let folder = world.file("elsewhere");
    let folder = folder.to_string_lossy();
    let grant = ["--name", "lan", "--grant-requested"];
    install(
        &wasmvark,
        &[&grant[..], &["--plugin-dir", &folder]].concat(),
    );
    let link = world.file("elsewhere/lan");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    // Installed elsewhere, it doesn't stay here.
    install(&wasmvark, &["--name", "lan"]);
    assert!(fs::symlink_metadata(&link).is_err());
    assert!(wasmvark.plugins().join("lan").exists());
}

fn trusts_nobody() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    wasmvark.install("macvlan", NAME, &Grant::macvlan());
    let connection = Connection::v4(NAME).for_plugin();
    let code = wasmvark.code("macvlan");
    let places = [
        wasmvark.grant_file(NAME),
        wasmvark.root().join("grants"),
        code.parent().unwrap().to_owned(),
        code,
    ];
    for place in &places {
        let mode = fs::metadata(place).unwrap().permissions().mode();
        fs::set_permissions(place, PermissionsExt::from_mode(mode | 0o020)).unwrap();
        let error = error_of(&wasmvark.setup(NAME, &connection));
        assert!(error.contains("can be written by others"), "{error}");
        assert!(error.contains(&*place.to_string_lossy()), "{error}");
        fs::set_permissions(place, PermissionsExt::from_mode(mode)).unwrap();
    }
    std::os::unix::fs::chown(&places[0], Some(1000), None).unwrap();
    let error = error_of(&wasmvark.setup(NAME, &connection));
    assert!(error.contains("belongs to another user"), "{error}");
}

fn info() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    wasmvark.install("macvlan", NAME, &Grant::nothing());
    for arguments in [&["info"][..], &[]] {
        let answer = answer_of(&wasmvark.plugin(NAME, arguments, ""));
        assert_eq!(answer["driver"], NAME);
        assert_eq!(answer["api_version"], "1.0.0");
        assert!(answer["version"].is_string());
    }
}
