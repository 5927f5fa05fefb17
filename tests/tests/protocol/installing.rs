//! Installations, upgrades and downgrades: their output, their confirmation, and that
//! nothing changes without it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use wasmvark_tests::grant::{Grant, digest};
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::terminal::{self, Seen};
use wasmvark_tests::wasmvark::{Wasmvark, answer_of, error_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, LINKS, NO_LINKS, good};

/// The component that comes first, and the one that makes more calls.
const OLD: &str = "macvlan-c";
const NEW: &str = "macvlan";
/// The exit code of a command that nobody agreed to.
const REFUSED: Option<i32> = Some(3);

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| {
        suite.test(format!("installing/{name}"), NO_LINKS, test);
    };
    test("nobody is asked but on a terminal", nobody_to_ask);
    test("on a terminal the answer counts", answers);
    test("a driver can't steer the terminal", hostile_reason);
    test(
        "without a manifest nothing is asked for",
        without_a_manifest,
    );
    test("a grant for this component is an answer", granted_before);
    test("a grant for another component is none", granted_another);
    test(
        "an upgrade that nobody agrees to changes nothing",
        not_upgraded,
    );
    test("an upgrade keeps the operator's words", upgraded);
    test(
        "an upgrade takes away what can't be called",
        upgraded_to_less,
    );
    test(
        "an upgrade with a grant of the operator's",
        upgraded_with_a_grant,
    );
    test("an upgrade on a terminal", upgraded_on_a_terminal);
    test("an upgrade needs a grant that holds", upgraded_without_base);
    test("an upgrade to the same", upgraded_to_the_same);
    test("installing over another can be rolled back", installed_over);
    test("removing forgets what was before", removed);
    test("diff tells growth by its exit code", differences);
    suite.test("installing/killed at any time", LINKS, killed);
    suite.test(
        "installing/containers outlive an upgrade and a rollback",
        LINKS,
        containers_of_the_old,
    );
}

fn guest(name: &str) -> String {
    places::guest(name).to_string_lossy().into_owned()
}

fn install(wasmvark: &Wasmvark, component: &str, rest: &[&str]) -> Output {
    let component = guest(component);
    let command = ["install", &component, "--name", DRIVER];
    wasmvark.administer(&[&command[..], rest].concat())
}

fn upgrade(wasmvark: &Wasmvark, component: &str, rest: &[&str]) -> Output {
    let component = guest(component);
    wasmvark.administer(&[&["upgrade", DRIVER, &component], rest].concat())
}

#[track_caller]
fn done(output: &Output) {
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(output.stderr, "", "{output:?}");
}

/// With the first component and all that it asks for.
fn with_old(world: &World) -> Wasmvark<'_> {
    let wasmvark = Wasmvark::new(world);
    done(&install(&wasmvark, OLD, &["--grant-requested"]));
    wasmvark
}

/// All files below a folder, with what is in them.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if !path.ends_with("lib/lock") {
            let content = fs::read(&path).unwrap_or_default();
            files.insert(path.to_string_lossy().into_owned(), content);
        }
    }
    files
}

fn grant_of(wasmvark: &Wasmvark) -> String {
    fs::read_to_string(wasmvark.grant_file(DRIVER)).unwrap()
}

fn digest_of(wasmvark: &Wasmvark) -> String {
    let output = wasmvark.administer(&["inspect", DRIVER, "--format", "json"]);
    let inspection: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(inspection["grant"]["state"], "valid", "{inspection}");
    inspection["digest"].as_str().unwrap().to_owned()
}

#[track_caller]
fn runs(wasmvark: &Wasmvark, component: &str) {
    assert_eq!(digest_of(wasmvark), digest(&places::guest(component)));
}

fn nobody_to_ask() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let output = install(&wasmvark, OLD, &[]);
    assert_eq!(output.code, REFUSED, "{output:?}");
    let line = "routes.add               medium: changes host routes, to the network's subnets  -       \
                give the container its default and static routes\n";
    assert!(output.stdout.contains(line), "{output:?}");
    assert_eq!(
        output.stderr,
        "wasmvark: nothing is changed, because nothing is granted: give --grant FILE, or \
         --grant-requested for what is listed\n"
    );
    assert!(files(wasmvark.root()).is_empty());
}

/// A component without a manifest asks for nothing. What it imports is another matter.
fn without_a_manifest() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let file = world.file("plain.wasm");
    let component = fs::read(places::guest(OLD)).unwrap();
    fs::write(
        &file,
        renamed(component, "wasmvark:manifest", "somebody:manifest"),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let run = |command: &[&str]| wasmvark.administer(command);
    for rest in [&["--grant-requested"][..], &[]] {
        let output = run(&[&["install", file, "--name", DRIVER], rest].concat());
        assert_eq!(output.code, Some(1), "{output:?}");
        for words in ["has no manifest", "--grant-imports grants the 11 calls"] {
            assert!(output.stderr.contains(words), "{words}: {output:?}");
        }
    }
    assert!(files(wasmvark.root()).is_empty());
    let request = world.file("request.json");
    fs::write(&request, good().for_plugin()).unwrap();
    let request = request.to_str().unwrap();
    let output = run(&["plan", file, request, "--grant-requested"]);
    assert!(output.stderr.contains("has no manifest"), "{output:?}");
    let output = run(&["plan", file, request, "--grant-imports"]);
    assert!(output.stdout.contains("links.create-macvlan"), "{output:?}");
    let both = ["--grant-imports", "--grant-requested"];
    let output = run(&[&["install", file, "--name", DRIVER], &both[..]].concat());
    assert!(output.stderr.contains("cannot be used with"), "{output:?}");
    done(&run(&[
        "install",
        file,
        "--name",
        DRIVER,
        "--grant-imports",
    ]));
    let grant = grant_of(&wasmvark);
    assert!(
        grant.contains("links.create-macvlan") && !grant.contains("parent"),
        "{grant}"
    );
    // An upgrade to it adds nothing either.
    done(&install(&wasmvark, OLD, &["--grant-requested"]));
    let before = grant_of(&wasmvark);
    done(&run(&["upgrade", DRIVER, file, "--grant-requested"]));
    let calls = |grant: &str| grant.split("[calls]").nth(1).map(str::to_owned);
    assert_eq!(calls(&grant_of(&wasmvark)), calls(&before));
}

/// Gives a custom section another name, of the same length.
pub(crate) fn renamed(mut component: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut at = component.windows(from.len()).enumerate();
    let at = at.find(|(_, bytes)| *bytes == from.as_bytes());
    let at = at.expect("it has the section").0;
    component[at..at + from.len()].copy_from_slice(to.as_bytes());
    component
}

/// Installs on a terminal.
fn answered(wasmvark: &Wasmvark, answer: &[u8]) -> Seen {
    let mut command = wasmvark.command("install");
    command.arg(places::guest(OLD)).args(["--name", DRIVER]);
    terminal::answer(command, "install wasm-macvlan? [y/N] ", answer)
}

fn answers() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    for no in [&b"n\n"[..], b"\n", b"yeah\n", b"\x04"] {
        let seen = answered(&wasmvark, no);
        assert_eq!(seen.code, REFUSED, "{seen:?}");
        assert!(
            seen.text.contains("not agreed, so nothing is changed"),
            "{seen:?}"
        );
        assert!(files(wasmvark.root()).is_empty());
    }
    let seen = answered(&wasmvark, b"Y\n");
    assert_eq!(seen.code, Some(0), "{seen:?}");
    let (list, rest) = seen.text.split_once("Grant this, and").unwrap();
    assert!(
        list.contains("links.create-macvlan     medium: makes a link"),
        "{list}"
    );
    assert!(rest.contains("Installed wasm-macvlan as "), "{rest}");
    runs(&wasmvark, OLD);
    // Flags are an answer as well.
    let mut command = wasmvark.command("install");
    command
        .arg(places::guest(NEW))
        .args(["--name", DRIVER, "--grant-requested"]);
    let seen = terminal::answer(command, "[y/N]", b"n\n");
    assert_eq!(seen.code, Some(0), "{seen:?}");
    assert!(!seen.text.contains("[y/N]"), "{seen:?}");
}

/// What a driver says of itself is text and nothing else.
fn hostile_reason() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let component = fs::read(places::guest(OLD)).unwrap();
    // A line up and erased. It must be as long as before.
    let reason = b"set the container's link up";
    let hostile = br"\u001B[1A\u001B[2Know this!";
    assert_eq!(reason.len(), hostile.len());
    let mut parts = component.windows(reason.len());
    let at = parts.position(|part| part == reason);
    let at = at.expect("the manifest has the reason");
    let mut changed = component;
    changed[at..at + reason.len()].copy_from_slice(hostile);
    let file = world.file("driver.wasm");
    fs::write(&file, changed).unwrap();
    let file = file.to_string_lossy();
    for command in [
        &["inspect", &*file][..],
        &["install", &*file, "--name", DRIVER],
    ] {
        let output = wasmvark.administer(command);
        let shown = output.stdout;
        assert!(shown.contains("\u{fffd}[1A\u{fffd}[2Know"), "{shown:?}");
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}

fn granted_before() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let grant = Grant::of(&["links.get"]).to_toml(DRIVER, &places::guest(OLD));
    fs::create_dir_all(wasmvark.grant_file(DRIVER).parent().unwrap()).unwrap();
    fs::write(wasmvark.grant_file(DRIVER), &grant).unwrap();
    done(&install(&wasmvark, OLD, &[]));
    assert_eq!(grant_of(&wasmvark), grant);
    runs(&wasmvark, OLD);
}

fn granted_another() {
    let world = World::new();
    let wasmvark = with_old(&world);
    let before = files(wasmvark.root());
    let output = install(&wasmvark, NEW, &[]);
    assert_eq!(output.code, REFUSED, "{output:?}");
    assert_eq!(files(wasmvark.root()), before);
    // One that can't be read isn't overwritten by an answer.
    fs::write(wasmvark.grant_file(DRIVER), "calls = [").unwrap();
    let output = install(&wasmvark, OLD, &[]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("wasm-macvlan.toml:1:"), "{output:?}");
}

fn not_upgraded() {
    let world = World::new();
    let wasmvark = with_old(&world);
    let before = files(wasmvark.root());
    let output = upgrade(&wasmvark, NEW, &[]);
    assert_eq!(output.code, REFUSED, "{output:?}");
    assert!(output.stderr.contains("--grant-requested"), "{output:?}");
    let line = "+ added granted rules.add medium: changes which table routes the network's packets - \
                yes route packets by the container's addresses";
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = output.stdout.lines().map(words);
    assert!(lines.any(|shown| shown == line), "{output:?}");
    for wrong in ["core-module", "empty", "foreign-import"] {
        let output = upgrade(&wasmvark, wrong, &["--grant-requested"]);
        assert_eq!(output.code, Some(1), "{output:?}");
    }
    let output = wasmvark.administer(&["rollback", DRIVER]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("nothing is kept"), "{output:?}");
    assert_eq!(files(wasmvark.root()), before);
    let output = wasmvark.administer(&["upgrade", "other", &guest(NEW), "--grant-requested"]);
    assert!(
        output.stderr.contains("no driver other is installed"),
        "{output:?}"
    );
}

/// A grant as an operator keeps it, with line ends and order of their own.
fn kept_grant(component: &str, more: &str) -> String {
    let digest = digest(&places::guest(component));
    format!(
        "# Mine.\n\
         digest = \"{digest}\" # Checked.\n\
         driver = \"{DRIVER}\"\n\
         \n\
         [calls]\n\
         # To find the parent, and the other one.\n\
         \"links.get\" = {{ link = [\"p0\", \"p1\"] }} # Both.\n\
         \"addresses.add\" = {{}}\n\
         \"links.create-macvlan\" = {{}}\n\
         \"links.set-up\" = {{}}\n\
         {more}\
         \n\
         [limits]\n\
         calls = 77\n"
    )
}

fn upgraded() {
    let world = World::new();
    let wasmvark = with_old(&world);
    let old = kept_grant(OLD, "");
    let file = wasmvark.grant_file(DRIVER);
    fs::write(&file, &old).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    done(&upgrade(&wasmvark, NEW, &["--grant-requested"]));
    runs(&wasmvark, NEW);
    let more = [
        "links.get-default",
        "links.info",
        "links.create-vlan",
        "links.create-ifb",
        "links.set-mtu",
        "links.set-tx-queue-length",
        "links.set-promiscuous",
        "links.set-all-multicast",
        "addresses.wait-dad",
        "dhcp.lease",
        "routes.add",
        "routes.list",
        "rules.add",
        "rules.list",
        "sysctl.set-autoconf",
        "sysctl.set-arp-notify",
        "sysctl.set-ndisc-notify",
        "sysctl.set-arp-ignore",
        "sysctl.set-accept-ra",
        "sysctl.set",
        "traffic.set-tbf",
        "traffic.set-htb",
        "traffic.add-htb-filter",
        "traffic.redirect-ingress",
        "firewall.accept-in-container",
        "firewall.drop-in-container",
    ];
    let more: String = more.map(|call| format!("\"{call}\" = {{}}\n")).concat();
    let new = kept_grant(NEW, &more);
    assert_eq!(grant_of(&wasmvark), new);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Back, and forward again.
    for (component, grant) in [(OLD, &old), (NEW, &new), (OLD, &old)] {
        done(&wasmvark.administer(&["rollback", DRIVER]));
        runs(&wasmvark, component);
        assert_eq!(grant_of(&wasmvark), *grant);
    }
    let inspection = wasmvark.administer(&["inspect", DRIVER]).stdout;
    let before = format!("before   {}, for", digest(&places::guest(NEW)));
    assert!(inspection.contains(&before), "{inspection}");
}

fn upgraded_to_less() {
    let world = World::new();
    let wasmvark = with_old(&world);
    done(&upgrade(&wasmvark, NEW, &["--grant-requested"]));
    done(&wasmvark.administer(&["grant", DRIVER, "links.get", "--link", "p1"]));
    let output = upgrade(&wasmvark, OLD, &["--grant-requested"]);
    done(&output);
    assert!(
        output.stdout.contains("- removed  granted  rules.add "),
        "{output:?}"
    );
    assert!(!output.stdout.contains("+ "), "{output:?}");
    let grant = grant_of(&wasmvark);
    assert!(!grant.contains("rules.add"), "{grant}");
    assert!(
        grant.contains("\"links.get\" = { link = \"p1\" }\n"),
        "{grant}"
    );
}

fn upgraded_with_a_grant() {
    let world = World::new();
    let wasmvark = with_old(&world);
    let file = world.file("grant.toml");
    let path = file.to_string_lossy();
    let before = files(wasmvark.root());
    let grant = Grant::of(&["links.get"]).limit("calls", 20_000);
    // It's for the old one.
    fs::write(&file, grant.to_toml(DRIVER, &places::guest(OLD))).unwrap();
    let output = upgrade(&wasmvark, NEW, &["--grant", &path]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert_eq!(files(wasmvark.root()), before);
    let text = grant.to_toml(DRIVER, &places::guest(NEW)) + "[trail]\nrequired = false\n";
    fs::write(&file, &text).unwrap();
    let output = upgrade(&wasmvark, NEW, &["--grant", &path]);
    done(&output);
    for grown in [
        "+ raised   limit    calls ",
        "+ wider    trail    required ",
    ] {
        assert!(output.stdout.contains(grown), "{grown}: {output:?}");
    }
    let inspected = wasmvark.administer(&["inspect", DRIVER]);
    let line = "trail    not required: runs go on where it can't be written";
    assert!(inspected.stdout.contains(line), "{inspected:?}");
    assert_eq!(grant_of(&wasmvark), text);
    runs(&wasmvark, NEW);
}

fn upgraded_on_a_terminal() {
    let world = World::new();
    let wasmvark = with_old(&world);
    for (answer, code, component) in [("n\n", REFUSED, OLD), ("yes\n", Some(0), NEW)] {
        let mut command = wasmvark.command("upgrade");
        command.arg(DRIVER).arg(places::guest(NEW));
        let seen = terminal::answer(command, "so? [y/N] ", answer.as_bytes());
        assert_eq!(seen.code, code, "{seen:?}");
        assert!(
            seen.text.contains("+ added  granted  rules.add "),
            "{seen:?}"
        );
        runs(&wasmvark, component);
    }
}

/// A grant that doesn't hold can't be added to: that would approve of it.
fn upgraded_without_base() {
    let world = World::new();
    let wasmvark = with_old(&world);
    let (old, other) = [OLD, "dummy"]
        .map(|name| digest(&places::guest(name)))
        .into();
    for broken in [
        grant_of(&wasmvark).replace(&old, &other),
        "calls = [".to_owned(),
    ] {
        fs::write(wasmvark.grant_file(DRIVER), &broken).unwrap();
        let before = files(wasmvark.root());
        let output = upgrade(&wasmvark, NEW, &["--grant-requested"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("wasm-macvlan.toml"), "{output:?}");
        assert_eq!(files(wasmvark.root()), before);
    }
    fs::remove_file(wasmvark.grant_file(DRIVER)).unwrap();
    done(&upgrade(&wasmvark, NEW, &["--grant-requested"]));
    runs(&wasmvark, NEW);
    done(&wasmvark.administer(&["rollback", DRIVER]));
    assert!(!wasmvark.grant_file(DRIVER).exists(), "it had none");
}

fn upgraded_to_the_same() {
    let world = World::new();
    let wasmvark = with_old(&world);
    let before = files(wasmvark.root());
    done(&upgrade(&wasmvark, OLD, &[]));
    let output = upgrade(&wasmvark, OLD, &["--grant-requested"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("`wasmvark grant`"), "{output:?}");
    assert_eq!(files(wasmvark.root()), before);
}

fn installed_over() {
    let world = World::new();
    let wasmvark = with_old(&world);
    done(&install(&wasmvark, NEW, &["--grant-requested"]));
    runs(&wasmvark, NEW);
    done(&wasmvark.administer(&["rollback", DRIVER]));
    runs(&wasmvark, OLD);
}

fn removed() {
    let world = World::new();
    let wasmvark = with_old(&world);
    done(&upgrade(&wasmvark, NEW, &["--grant-requested"]));
    assert!(wasmvark.component(OLD).exists() && wasmvark.code(OLD).exists());
    done(&wasmvark.administer(&["remove", DRIVER]));
    let grant = wasmvark.grant_file(DRIVER).to_string_lossy().into_owned();
    let left: Vec<_> = files(wasmvark.root()).into_keys().collect();
    assert_eq!(left, [grant]);
}

/// A command that is killed leaves the old or the new driver, or one that may do
/// nothing, and the next command gets over it.
fn killed() {
    let world = World::new();
    let wasmvark = with_old(&world);
    let before = world.dump();
    for round in 0..6 {
        let (from, to) = match round % 2 {
            0 => (OLD, NEW),
            _ => (NEW, OLD),
        };
        kill_upgrade(&wasmvark, to, Duration::from_micros(200 * round));
        let output = wasmvark.setup(DRIVER, good().for_plugin());
        let state = match output.code {
            Some(0) => "whole".to_owned(),
            _ => error_of(&output),
        };
        let denied = state.contains("but the driver installed is");
        assert!(denied || state == "whole", "{state}");
        assert_eq!(wasmvark.teardown(DRIVER, good().for_plugin()).code, Some(0));
        world.assert_unchanged(&before);
        let output = match denied {
            true => wasmvark.administer(&["rollback", DRIVER]),
            false => upgrade(&wasmvark, to, &[]),
        };
        let settled = match output.code {
            Some(0) if !denied => to,
            _ => from,
        };
        runs(&wasmvark, settled);
        println!("{state}: {settled} {}", output.stderr);
        if settled == from {
            assert_eq!(upgrade(&wasmvark, to, &["--grant-requested"]).code, Some(0));
        }
        runs(&wasmvark, to);
        assert!(files(&wasmvark.root().join("lib/switching")).is_empty());
    }
}

/// Kills an upgrade some time after it has begun to change something.
fn kill_upgrade(wasmvark: &Wasmvark, component: &str, after: Duration) {
    let begun = wasmvark.root().join(format!("lib/switching/{DRIVER}.json"));
    let mut command = wasmvark.command("upgrade");
    command
        .arg(DRIVER)
        .arg(places::guest(component))
        .arg("--grant-requested");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut upgrade = command.spawn().unwrap();
    while !begun.exists() && upgrade.try_wait().unwrap().is_none() {
        std::hint::spin_loop();
    }
    std::thread::sleep(after);
    upgrade.kill().unwrap();
    upgrade.wait().unwrap();
}

/// The journal says what is to be undone, whoever made it.
fn containers_of_the_old() {
    let world = World::new();
    let wasmvark = with_old(&world);
    let before = world.dump();
    answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    done(&upgrade(&wasmvark, NEW, &["--grant-requested"]));
    done(&wasmvark.teardown(DRIVER, good().for_plugin()));
    world.assert_unchanged(&before);
    answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    done(&wasmvark.administer(&["rollback", DRIVER]));
    done(&wasmvark.teardown(DRIVER, good().for_plugin()));
    world.assert_unchanged(&before);
    assert!(wasmvark.run_files().is_empty());
}

fn differences() {
    let world = World::new();
    let wasmvark = with_old(&world);
    let compare = |old: &str, new: &str| {
        let output = wasmvark.administer(&["diff", old, new, "--format", "json"]);
        let report: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
        (output.code, report)
    };
    let (old, new) = (guest(OLD), guest(NEW));
    let (code, report) = compare(&old, &new);
    assert_eq!((code, &report["grows"]), (Some(1), &Value::Bool(true)));
    let first = &report["changes"][0];
    assert_eq!(
        (&first["change"], &first["list"]),
        (&"added".into(), &"can".into())
    );
    assert_eq!(
        (&first["name"], &first["risk"]),
        (&"links.info".into(), &"reads".into())
    );
    assert_eq!(compare(&new, &old).0, Some(0), "less is no growth");
    let added = &report["options"][0];
    assert_eq!(
        (&added["change"], &added["name"]),
        (&"added".into(), &"accept_ra".into())
    );
    let (_, less) = compare(&new, &old);
    assert_eq!(less["options"][0]["change"], "removed", "{less}");
    assert_eq!(compare(&old, DRIVER).0, Some(0));
    assert_eq!(compare(&old, "nowhere").0, Some(2));
    assert_eq!(compare(&old, &guest("core-module")).0, Some(2));
    assert_eq!(compare(&old, "").0, Some(2));
    // Of two that are installed, grants count.
    let twin = ["install", &*old, "--name", "twin", "--grant-requested"];
    done(&wasmvark.administer(&twin));
    assert_eq!(
        compare(DRIVER, "twin"),
        (Some(0), compare("twin", DRIVER).1)
    );
    done(&wasmvark.administer(&["grant", "twin", "links.get", "--link", "p0"]));
    let (code, report) = compare(DRIVER, "twin");
    assert_eq!(code, Some(1));
    assert_eq!(report["changes"][0]["change"], "wider");
    assert_eq!(report["changes"][0]["now"], "{ link = \"p0\" }");
    assert_eq!(compare("twin", DRIVER).0, Some(0));
    let file = wasmvark.grant_file("twin");
    let raised = fs::read_to_string(&file)
        .unwrap()
        .replace("calls = 10000", "calls = 10001");
    fs::write(
        &file,
        raised.replace("\"links.get\" = { link = \"p0\" }\n", ""),
    )
    .unwrap();
    let (code, report) = compare(DRIVER, "twin");
    assert_eq!(code, Some(1));
    let changes: Vec<_> = report["changes"].as_array().unwrap().iter().collect();
    let names: Vec<_> = changes.iter().map(|change| &change["name"]).collect();
    assert_eq!(names, ["calls", "links.get"]);
    fs::write(&file, "calls = [").unwrap();
    assert_eq!(compare(DRIVER, "twin").0, Some(2));
}
