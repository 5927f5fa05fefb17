//! Grant files with mistakes. The error has the position, the line and a proposal, and
//! the driver may do nothing.

use std::fs;
use std::os::unix::fs::chown;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::wasmvark::{Wasmvark, error_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, GUEST, LINKS, NO_LINKS, good, installed};

pub(crate) fn register(suite: &mut Suite) {
    suite.test("grant-files/mistakes are shown", LINKS, mistakes);
    suite.test("grant-files/another user's", LINKS, of_another_user);
    suite.test("grant-files/of a manifest", NO_LINKS, in_a_manifest);
}

/// What is wrong, and what is said of it after the name of the file.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "an unknown call",
        r#""links.destory" = {}"#,
        r#"6:1: there is no call "links.destory"; did you mean "links.delete"?
 6 | "links.destory" = {}
   | ^^^^^^^^^^^^^^^"#,
    ),
    (
        "an unknown reach",
        r#""links.get" = { link = "eth1", adress = "10.0.0.0/8" }"#,
        r#"6:32: a reach has no "adress"; did you mean "address"?
 6 | "links.get" = { link = "eth1", adress = "10.0.0.0/8" }
   |                                ^^^^^^"#,
    ),
    (
        "a reach of other calls",
        r#""links.get" = { address = "10.0.0.0/8" }"#,
        r#"6:17: links.get has no reach "address": it can be widened by link
 6 | "links.get" = { address = "10.0.0.0/8" }
   |                 ^^^^^^^"#,
    ),
    (
        "a wrong type",
        r#""links.get" = "eth1""#,
        r#"6:15: links.get must be a table, as in `{}`, not a string
 6 | "links.get" = "eth1"
   |               ^^^^^^"#,
    ),
    (
        "a wildcard in the wrong place",
        r#""links.get" = { link = "eth*" }"#,
        r#"6:24: "eth*" has a "*" that means nothing: write the whole name, "*" for all links of the host, or "container:*" for the container's
 6 | "links.get" = { link = "eth*" }
   |                        ^^^^^^"#,
    ),
    (
        "entries that contradict each other",
        r#""routes.add" = { destination = ["10.1.0.0/16", "10.0.0.0/8"] }"#,
        r#"6:48: destination "10.1.0.0/16" and "10.0.0.0/8" contradict each other: "10.0.0.0/8" has the other as well
 6 | "routes.add" = { destination = ["10.1.0.0/16", "10.0.0.0/8"] }
   |                                                ^^^^^^^^^^^^"#,
    ),
    (
        "a call twice",
        "\"links.set-up\" = {}\n\"links.set-up\" = { link = \"*\" }",
        r#"7:1: duplicate key
 7 | "links.set-up" = { link = "*" }
   | ^^^^^^^^^^^^^^"#,
    ),
];

/// A grant in which line 6 is this one.
fn grant_with(line: &str) -> String {
    let digest = wasmvark_tests::grant::digest(&places::guest(GUEST));
    format!("driver = \"{DRIVER}\"\ndigest = \"{digest}\"\n\n# Not much.\n[calls]\n{line}\n")
}

fn mistakes() {
    let world = World::new();
    let wasmvark = installed(&world);
    let before = world.dump();
    for (title, line, said) in MISTAKES {
        println!("{title}");
        let text = grant_with(line);
        let file = wasmvark.grant_file(DRIVER);
        fs::write(&file, &text).unwrap();
        let expected = format!("{}:{said}", file.display());
        // What Podman's user sees.
        assert_eq!(
            error_of(&wasmvark.setup(DRIVER, good().for_plugin())),
            expected
        );
        world.assert_unchanged(&before);
        // What the operator sees, who gives the file.
        let given = world.file("given.toml");
        fs::write(&given, &text).unwrap();
        let component = places::guest(GUEST);
        let (component, file) = (component.to_string_lossy(), given.to_string_lossy());
        let output =
            wasmvark.administer(&["install", &component, "--name", DRIVER, "--grant", &file]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert_eq!(output.stderr, format!("wasmvark: {file}:{said}\n"));
    }
}

fn of_another_user() {
    let world = World::new();
    let wasmvark = installed(&world);
    let file = wasmvark.grant_file(DRIVER);
    chown(&file, Some(1000), None).unwrap();
    let before = world.dump();
    let error = error_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    let expected = format!(
        "{} belongs to another user, so what lies there can't be trusted: it and the folders above \
         it must belong to root or to the user who runs this and be writable by nobody else",
        file.display()
    );
    assert_eq!(error, expected);
    world.assert_unchanged(&before);
}

/// A manifest that asks for what can't be granted isn't installed.
fn in_a_manifest() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let component = fs::read(places::guest("tap")).unwrap();
    // As long as before, as the length of the section comes before it.
    let (asked, wrong) = (
        &b"link = \"container:*\""[..],
        &b"link = \"container*:\""[..],
    );
    let at = component
        .windows(asked.len())
        .position(|part| part == asked);
    let at = at.expect("the manifest asks for links of the container");
    let mut changed = component;
    changed[at..at + asked.len()].copy_from_slice(wrong);
    let file = world.file("driver.wasm");
    fs::write(&file, changed).unwrap();
    let file = file.to_string_lossy();
    let output = wasmvark.administer(&["install", &file, "--name", "tap", "--grant-requested"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    let said = output.stderr;
    assert!(
        said.starts_with("wasmvark: the driver's manifest is not valid, at "),
        "{said}"
    );
    assert!(
        said.contains("\"container*:\" has a \"*\" that means nothing"),
        "{said}"
    );
    assert!(!wasmvark.root().join("lib").exists());
}
