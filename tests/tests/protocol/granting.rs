//! `wasmvark grant` and `wasmvark revoke`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use wasmvark_tests::grant::digest;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, GUEST, LINKS, NO_LINKS, fails, good, installed};

pub(crate) fn register(suite: &mut Suite) {
    suite.test("granting/lines change where they are", NO_LINKS, in_place);
    suite.test("granting/what can't apply is refused", NO_LINKS, refused);
    suite.test(
        "granting/a grant that doesn't hold stays",
        NO_LINKS,
        without_base,
    );
    suite.test("granting/the driver may do it at once", LINKS, at_once);
}

/// Runs `grant` or `revoke` with these words.
fn run(wasmvark: &Wasmvark, words: &str) -> Output {
    let (command, rest) = words.split_once(' ').unwrap();
    let rest: Vec<_> = rest.split(' ').collect();
    wasmvark.administer(&[&[command, DRIVER], &rest[..]].concat())
}

/// The file with these lines for calls.
fn file(calls: &str) -> String {
    let digest = digest(&places::guest(GUEST));
    format!(
        "# Mine.\n\
         driver = \"{DRIVER}\"\n\
         digest = \"{digest}\" # Checked.\n\
         \n\
         [calls] # Few.\n\
         {calls}\
         \n\
         # Less than it may have.\n\
         [limits]\n\
         calls = 100\n"
    )
}

/// Each command, what it shows below the file's name, and the lines then.
const STEPS: &[(&str, &str, &str)] = &[
    (
        "grant links.get --link p1 --link container:*",
        "- \"links.get\" = { link = \"p0\" }\n\
         + \"links.get\" = { link = [\"p0\", \"p1\", \"container:*\"] }\n",
        "# To find parents.\n\
         \"links.get\" = { link = [\"p0\", \"p1\", \"container:*\"] } # Mine.\n\
         \"routes.add\" = { table = [\n    77, # Ours.\n    78,\n] }\n",
    ),
    (
        "grant routes.add --table 79 --destination 10.0.0.0/8",
        "- \"routes.add\" = { table = [77, 78] }\n\
         + \"routes.add\" = { destination = \"10.0.0.0/8\", table = [77, 78, 79] }\n",
        "# To find parents.\n\
         \"links.get\" = { link = [\"p0\", \"p1\", \"container:*\"] } # Mine.\n\
         \"routes.add\" = { table = [\n    77, # Ours.\n    78,\n    79,\n], destination = \"10.0.0.0/8\" }\n",
    ),
    (
        "grant links.get --link *",
        "- \"links.get\" = { link = [\"p0\", \"p1\", \"container:*\"] }\n\
         + \"links.get\" = { link = [\"container:*\", \"*\"] }\n",
        "# To find parents.\n\
         \"links.get\" = { link = [\"container:*\", \"*\"] } # Mine.\n\
         \"routes.add\" = { table = [\n    77, # Ours.\n    78,\n    79,\n], destination = \"10.0.0.0/8\" }\n",
    ),
    (
        "grant links.set-up",
        "+ \"links.set-up\" = {}\n",
        "# To find parents.\n\
         \"links.get\" = { link = [\"container:*\", \"*\"] } # Mine.\n\
         \"routes.add\" = { table = [\n    77, # Ours.\n    78,\n    79,\n], destination = \"10.0.0.0/8\" }\n\
         \"links.set-up\" = {}\n",
    ),
    (
        "revoke routes.add --table 78 --table 79 --destination 10.0.0.0/8",
        "- \"routes.add\" = { destination = \"10.0.0.0/8\", table = [77, 78, 79] }\n\
         + \"routes.add\" = { table = 77 }\n",
        "# To find parents.\n\
         \"links.get\" = { link = [\"container:*\", \"*\"] } # Mine.\n\
         \"routes.add\" = { table = [\n    77, # Ours.\n] }\n\
         \"links.set-up\" = {}\n",
    ),
    (
        "revoke links.get",
        "- \"links.get\" = { link = [\"container:*\", \"*\"] }\n",
        "# To find parents.\n\
         \"routes.add\" = { table = [\n    77, # Ours.\n] }\n\
         \"links.set-up\" = {}\n",
    ),
    (
        "revoke routes.add --table 77",
        "- \"routes.add\" = { table = 77 }\n\
         + \"routes.add\" = {}\n",
        "# To find parents.\n\
         \"routes.add\" = {}\n\
         \"links.set-up\" = {}\n",
    ),
    (
        "grant links.create-macvlan --place shared",
        "+ \"links.create-macvlan\" = { place = \"shared\" }\n",
        "# To find parents.\n\
         \"routes.add\" = {}\n\
         \"links.set-up\" = {}\n\
         \"links.create-macvlan\" = { place = \"shared\" }\n",
    ),
    (
        "revoke links.create-macvlan --place shared",
        "- \"links.create-macvlan\" = { place = \"shared\" }\n\
         + \"links.create-macvlan\" = {}\n",
        "# To find parents.\n\
         \"routes.add\" = {}\n\
         \"links.set-up\" = {}\n\
         \"links.create-macvlan\" = {}\n",
    ),
];

fn in_place() {
    let world = World::new();
    let wasmvark = installed(&world);
    let path = wasmvark.grant_file(DRIVER);
    let first = "# To find parents.\n\
                 \"links.get\" = { link = \"p0\" } # Mine.\n\
                 \"routes.add\" = { table = [\n    77, # Ours.\n    78,\n] }\n";
    fs::write(&path, file(first)).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    for (command, shown, calls) in STEPS {
        let output = run(&wasmvark, command);
        assert_eq!(output.code, Some(0), "{command}: {output:?}");
        assert_eq!(output.stdout, format!("{}:\n{shown}", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), file(calls), "{command}");
    }
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let (_, _, last) = STEPS[STEPS.len() - 1];
    let output = run(&wasmvark, "grant routes.add");
    assert_eq!(
        output.stdout,
        format!("{} has this already.\n", path.display())
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), file(last));
}

/// Commands that are refused, with the exit code and a part of what is said.
const REFUSED: &[(&str, i32, &str)] = &[
    (
        "grant links.gett",
        2,
        "there is no call \"links.gett\"; did you mean \"links.get\"?",
    ),
    (
        "grant links.get --port 80/tcp",
        1,
        "links.get has no reach \"port\": it can be widened by link",
    ),
    (
        "grant links.get --link eth*",
        1,
        "\"eth*\" has a \"*\" that means nothing",
    ),
    (
        "grant links.get --link p1 --link *",
        1,
        "link \"p1\" and \"*\" contradict each other",
    ),
    (
        "grant routes.add --destination 192.0.2.7",
        1,
        "write \"192.0.2.7/32\" for the address alone",
    ),
    (
        "grant links.delete",
        1,
        "wasm-macvlan can't make links.delete, as its component doesn't import it",
    ),
    (
        "revoke links.delete",
        1,
        "doesn't list links.delete, so there is nothing to take away",
    ),
    (
        "revoke links.get --link p1",
        1,
        "there is no link \"p1\" to take away: there is \"*\"",
    ),
    (
        "revoke routes.add --table 7",
        1,
        "there is no table \"7\" to take away: there is none at all",
    ),
    (
        "revoke links.get --table 7",
        1,
        "links.get has no reach \"table\"",
    ),
];

fn refused() {
    let world = World::new();
    let wasmvark = installed(&world);
    let path = wasmvark.grant_file(DRIVER);
    let text = file("\"links.get\" = { link = \"*\" }\n\"routes.add\" = {}\n");
    fs::write(&path, &text).unwrap();
    for (command, code, said) in REFUSED {
        let output = run(&wasmvark, command);
        assert_eq!(output.code, Some(*code), "{command}: {output:?}");
        assert_eq!(output.stdout, "", "{command}");
        assert!(output.stderr.contains(said), "{command}: {output:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{command}");
    }
    for command in ["grant", "revoke"] {
        let output = wasmvark.administer(&[command, "other", "links.get"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("other"), "{output:?}");
    }
    assert!(!wasmvark.grant_file("other").exists());
}

/// What doesn't hold, is broken or somebody else's isn't made to hold by a
/// change.
fn without_base() {
    let world = World::new();
    let wasmvark = installed(&world);
    let path = wasmvark.grant_file(DRIVER);
    let good = file("\"links.get\" = {}\n");
    let zeros = format!("sha256:{}", "0".repeat(64));
    let other = good.replace(&digest(&places::guest(GUEST)), &zeros);
    let broken = good.replace("links.get", "links.gett");
    for (text, said) in [
        (&other, "but the driver installed is"),
        (&broken, "wasm-macvlan.toml:6:1: there is no call"),
    ] {
        fs::write(&path, text).unwrap();
        let output = run(&wasmvark, "grant links.set-up");
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains(said), "{output:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), *text);
    }
    fs::write(&path, &good).unwrap();
    chown(&path, Some(1000), None).unwrap();
    for command in ["grant links.set-up", "revoke links.get"] {
        let output = run(&wasmvark, command);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(
            output.stderr.contains("belongs to another user"),
            "{output:?}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), good);
    }
    fs::remove_file(&path).unwrap();
    let output = run(&wasmvark, "grant links.set-up");
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("has no grant"), "{output:?}");
    assert!(!path.exists());
}

fn at_once() {
    let world = World::new();
    let wasmvark = installed(&world);
    let setup = || wasmvark.setup(DRIVER, good().for_plugin());
    assert_eq!(run(&wasmvark, "revoke links.create-macvlan").code, Some(0));
    fails(
        &world,
        "revoked",
        &["links.create-macvlan", "denied"],
        setup,
    );
    assert_eq!(run(&wasmvark, "grant links.create-macvlan").code, Some(0));
    answer_of(&setup());
}
