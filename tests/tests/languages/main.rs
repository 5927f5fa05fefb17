//! Tests that `wasmvark new` makes a driver in each language that builds from nothing,
//! outside of this project, passes its cases, and works for a container. And tests of the
//! libraries for drivers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod folder;
mod go_modules;
mod outside;
mod rust_library;
mod sdks;
mod tools;

use wasmvark_tests::connection::Connection;
use wasmvark_tests::flow::{self, Transport};
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::world::World;

use folder::Folder;

/// A language, with what its driver is built with here.
struct Language {
    name: &'static str,
    /// The heading of its section on the page for authors.
    title: &'static str,
    needs: &'static [Need],
    /// The file with the driver, a text of it, and the text that makes it crash in
    /// `setup`.
    crash: (&'static str, &'static str, &'static str),
    /// What the error then says of the place.
    says: &'static [&'static str],
}

const LANGUAGES: [Language; 7] = [
    Language {
        name: "rust",
        title: "Rust",
        needs: &[Need::Cargo],
        crash: (
            "src/lib.rs",
            "let pair =",
            "assert!(request.mac.is_some(), \"no MAC\");\nlet pair =",
        ),
        says: &["no MAC", "src/lib.rs:"],
    },
    Language {
        name: "c",
        title: "C",
        needs: &[],
        crash: (
            "driver.c",
            "bool done = connect(given, err);",
            "if (!given->mac.is_some)\nabort();\nbool done = connect(given, err);",
        ),
        says: &["unreachable", "abort"],
    },
    Language {
        name: "go",
        title: "Go",
        needs: &[Need::Compiler("go"), Need::CrateSource(go_modules::CRATE)],
        crash: (
            "driver.go",
            "pair, err := links",
            "if request.Mac.IsNone() {\npanic(\"no MAC\")\n}\npair, err := links",
        ),
        says: &["no MAC", "Setup"],
    },
    Language {
        name: "python",
        title: "Python",
        needs: &[Need::PythonVenv],
        crash: (
            "app.py",
            "pair = ",
            "raise RuntimeError('no MAC')\n        pair = ",
        ),
        says: &["no MAC", "setup"],
    },
    Language {
        name: "js",
        title: "JavaScript",
        needs: &[Need::Npm],
        crash: (
            "driver.js",
            "const pair =",
            "throw new Error('no MAC');\nconst pair =",
        ),
        says: &["no MAC", "setup"],
    },
    Language {
        name: "ts",
        title: "TypeScript",
        needs: &[Need::Npm],
        crash: (
            "driver.ts",
            "const pair =",
            "if (!mac) throw new Error('no MAC');\nconst pair =",
        ),
        says: &["no MAC", "setup"],
    },
    Language {
        name: "zig",
        title: "Zig",
        needs: &[Need::Compiler("python-zig")],
        crash: (
            "driver.zig",
            "    connect(given, err)",
            "    if (!given.mac.is_some) @panic(\"no MAC\");\n    connect(given, err)",
        ),
        says: &["unreachable", "setup"],
    },
];

fn main() {
    let mut suite = Suite::default();
    for language in LANGUAGES {
        let needs = [language.needs, &[Need::Root, Need::Macvlan, Need::Netavark]].concat();
        suite.test(language.name, &needs, move || {
            let world = World::new();
            let folder = Folder::new(&world, language.name, language.title);
            works(&folder);
            explains(&folder, &language);
        });
    }
    outside::register(&mut suite);
    rust_library::register(&mut suite);
    sdks::register(&mut suite);
    suite.run();
}

/// The driver is installed, and connects a container.
fn works(folder: &Folder<'_>) {
    folder.make("install");
    let world = folder.wasmvark.world();
    let before = world.dump();
    let connection = Connection::dual(&folder.driver);
    let netavark = folder.wasmvark.netavark();
    netavark.setup(&connection).unwrap();
    for gateway in ["10.88.0.1:80", "[fd88::1]:80"] {
        let host = (&world.host, gateway);
        flow::connect(Transport::Tcp, flow::from(&world.container), gateway, host);
    }
    netavark.teardown(&connection).unwrap();
    world.assert_unchanged(&before);
}

/// The error of a crash says where it was, and what the language says of it.
fn explains(folder: &Folder<'_>, language: &Language) {
    let (file, from, to) = language.crash;
    folder.replace(file, from, to);
    let text = folder.make_fails("test");
    for word in language.says {
        assert!(text.contains(word), "{word}: {text}");
    }
}
