//! Drivers whose grant, component or code has been changed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, GUEST, LINKS, fails, good, installed};

pub(crate) fn register(suite: &mut Suite) {
    let mut refused = |name: &str, mentions: &'static [&str], damage: fn(&Wasmvark)| {
        suite.test(format!("store/{name}"), LINKS, move || {
            is_refused(mentions, damage);
        });
    };
    refused("no grant", &["grant", DRIVER], |wasmvark| {
        fs::remove_file(wasmvark.grant_file(DRIVER)).unwrap();
    });
    refused("a grant for another digest", &["digest"], |wasmvark| {
        change_grant(wasmvark, |grant| {
            grant.replace(
                &wasmvark_tests::grant::digest(&places::guest(GUEST)),
                &other_digest(),
            )
        });
    });
    refused("a grant for another driver", &["grant"], |wasmvark| {
        change_grant(wasmvark, |grant| grant.replace(DRIVER, "other"));
    });
    refused("a grant that is no TOML", &["grant"], |wasmvark| {
        change_grant(wasmvark, |grant| grant.replace('=', ":"));
    });
    refused(
        "a grant with an unknown key",
        &["grant", "colour"],
        |wasmvark| {
            change_grant(wasmvark, |grant| format!("colour = \"red\"\n{grant}"));
        },
    );
    refused("an empty grant", &["grant"], |wasmvark| {
        change_grant(wasmvark, |_| String::new());
    });
    refused("a directory for a grant", &["grant"], |wasmvark| {
        replace_by_directory(&wasmvark.grant_file(DRIVER));
    });
    refused("a missing component", &["component"], |wasmvark| {
        fs::remove_file(wasmvark.component(GUEST)).unwrap();
    });
    refused("a corrupt component", &["component"], |wasmvark| {
        flip_a_byte(&wasmvark.component(GUEST));
    });
    refused("an empty component", &["component"], |wasmvark| {
        fs::write(wasmvark.component(GUEST), "").unwrap();
    });
    refused(
        "a corrupt component and no code",
        &["component"],
        |wasmvark| {
            flip_a_byte(&wasmvark.component(GUEST));
            fs::remove_file(wasmvark.code(GUEST)).unwrap();
        },
    );

    let mut mended = |name: &str, damage: fn(&Wasmvark)| {
        suite.test(format!("store/{name}"), LINKS, move || is_mended(damage));
    };
    mended("missing code", |wasmvark| {
        fs::remove_file(wasmvark.code(GUEST)).unwrap();
    });
    mended("corrupt code", |wasmvark| {
        flip_a_byte(&wasmvark.code(GUEST));
    });
    mended("empty code", |wasmvark| {
        fs::write(wasmvark.code(GUEST), "").unwrap();
    });
    mended("a component for code", |wasmvark| {
        fs::copy(wasmvark.component(GUEST), wasmvark.code(GUEST)).unwrap();
    });

    suite.test(
        "store/code that can't be kept",
        LINKS,
        code_that_can_not_be_kept,
    );
    suite.test("store/a link without a driver", LINKS, link_without_driver);
    suite.test("store/a removed driver", LINKS, removed_driver);
    let mut cleared = |name: &str, damage: fn(&Wasmvark)| {
        suite.test(format!("store/teardown with {name}"), LINKS, move || {
            is_cleared(damage);
        });
    };
    cleared("no grant", |wasmvark| {
        fs::remove_file(wasmvark.grant_file(DRIVER)).unwrap();
    });
    cleared("a broken grant", |wasmvark| {
        change_grant(wasmvark, |_| "calls = [".into());
    });
    cleared("no component", |wasmvark| {
        fs::remove_file(wasmvark.component(GUEST)).unwrap();
    });
    cleared("corrupt code", |wasmvark| {
        flip_a_byte(&wasmvark.code(GUEST));
    });
}

/// The damage makes `create` and `setup` fail.
fn is_refused(mentions: &[&str], damage: fn(&Wasmvark)) {
    let world = World::new();
    let wasmvark = installed(&world);
    damage(&wasmvark);
    fails(&world, "setup", mentions, || {
        wasmvark.setup(DRIVER, good().for_plugin())
    });
    fails(&world, "create", mentions, || {
        wasmvark.plugin(DRIVER, &["create"], good().for_create())
    });
}

/// The damage costs a compilation, once.
fn is_mended(damage: fn(&Wasmvark)) {
    let world = World::new();
    let wasmvark = installed(&world);
    damage(&wasmvark);
    let before = world.dump();
    for (title, compiles) in [("first", true), ("second", false)] {
        let output = wasmvark.setup(DRIVER, good().for_plugin());
        answer_of(&output);
        assert_eq!(
            output.stderr.contains("compil"),
            compiles,
            "{title}: {}",
            output.stderr
        );
        let output = wasmvark.teardown(DRIVER, good().for_plugin());
        assert_eq!(output.code, Some(0), "{output:?}");
        world.assert_unchanged(&before);
    }
}

/// The damage is no reason to leave anything behind.
fn is_cleared(damage: fn(&Wasmvark)) {
    let world = World::new();
    let wasmvark = installed(&world);
    let before = world.dump();
    answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    damage(&wasmvark);
    let output = wasmvark.teardown(DRIVER, good().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_ne!(output.stderr, "", "the operator is told");
    world.assert_unchanged(&before);
}

fn code_that_can_not_be_kept() {
    let world = World::new();
    let wasmvark = installed(&world);
    let folder = wasmvark.code(GUEST).parent().unwrap().to_owned();
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "no directory").unwrap();
    for _ in 0..2 {
        let output = wasmvark.setup(DRIVER, good().for_plugin());
        answer_of(&output);
        assert!(output.stderr.contains("compil"), "{}", output.stderr);
        assert_eq!(wasmvark.teardown(DRIVER, good().for_plugin()).code, Some(0));
    }
}

fn link_without_driver() {
    let world = World::new();
    let wasmvark = installed(&world);
    symlink(places::wasmvark(), wasmvark.plugins().join("unknown")).unwrap();
    fails(&world, "setup", &["unknown", "install"], || {
        wasmvark.setup("unknown", good().for_plugin())
    });
}

fn removed_driver() {
    let world = World::new();
    let wasmvark = installed(&world);
    let output = wasmvark.administer(&["remove", DRIVER]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(!wasmvark.plugins().join(DRIVER).exists());
    symlink(places::wasmvark(), wasmvark.plugins().join(DRIVER)).unwrap();
    fails(&world, "setup", &[DRIVER, "install"], || {
        wasmvark.setup(DRIVER, good().for_plugin())
    });
}

fn change_grant(wasmvark: &Wasmvark, change: impl FnOnce(String) -> String) {
    let path = wasmvark.grant_file(DRIVER);
    let grant = fs::read_to_string(&path).unwrap();
    fs::write(&path, change(grant)).unwrap();
}

fn other_digest() -> String {
    format!("sha256:{}", "0".repeat(64))
}

fn replace_by_directory(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
}

fn flip_a_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(path, bytes).unwrap();
}
