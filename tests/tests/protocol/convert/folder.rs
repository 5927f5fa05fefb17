//! Folders of configurations, and output for shells and for programs.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use wasmvark_tests::harness::Suite;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::NO_LINKS;

/// A network with nothing special.
pub(super) fn macvlan(name: &str) -> Value {
    json!({"name": name, "type": "macvlan", "master": "eth0", "ipam": {}})
}

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn(&World, &Wasmvark)| {
        suite.test(format!("convert/{name}"), NO_LINKS, move || {
            let world = World::new();
            test(&world, &Wasmvark::new(&world));
        });
    };
    test("one that fails doesn't stop the others", others_go_on);
    test("files of a folder come in order", order);
    test("a shell runs what is printed", pasted);
    test("nothing of a document ends a comment", no_way_out);
    test("a program reads all of it", for_programs);
    test("networks don't share a bridge", shared_bridge);
    test("what isn't there or can't be read", unreadable);
}

/// Writes documents below a folder of the world, and converts the folder.
pub(super) fn convert(world: &World, wasmvark: &Wasmvark, files: &[(&str, Value)]) -> Output {
    let folder = write(world, files);
    wasmvark.administer(&["convert", &folder])
}

pub(super) fn write(world: &World, files: &[(&str, Value)]) -> String {
    let folder = world.file("net.d");
    fs::create_dir_all(&folder).unwrap();
    for (name, document) in files {
        fs::write(folder.join(name), document.to_string()).unwrap();
    }
    folder.to_string_lossy().into_owned()
}

fn others_go_on(world: &World, wasmvark: &Wasmvark) {
    let output = convert(
        world,
        wasmvark,
        &[
            ("10.conf", json!({"name": "a", "type": "calico"})),
            ("20.conf", macvlan("b")),
            ("30.conf", macvlan("b")),
            ("40.conf", json!({"type": "macvlan"})),
            ("50.json", macvlan("none")),
            ("60.conf", macvlan("-d")),
        ],
    );
    assert_eq!(output.code, Some(1));
    assert_eq!(
        output.stdout,
        "# 20.conf\npodman network create -d wasm-macvlan -o parent=eth0 \
         --ipam-driver none b\n"
    );
    let errors: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(errors.len(), 6, "{errors:?}");
    for (file, why) in [
        ("10.conf", "\"calico\""),
        ("30.conf", "20.conf"),
        ("40.conf", "no name"),
        ("50.json", "\"none\""),
        ("60.conf", "\"-d\""),
        ("", "5 of 6"),
    ] {
        let mut errors = errors.iter();
        assert!(
            errors.any(|error| error.contains(file) && error.contains(why)),
            "{file}: {why}: {errors:?}"
        );
    }
}

fn order(world: &World, wasmvark: &Wasmvark) {
    let files = [
        ("99-z.conf", macvlan("z")),
        (
            "10-a.conflist",
            json!({"name": "a", "plugins": [{"type": "macvlan"}]}),
        ),
        ("README.md", json!("no document")),
        ("50-m.json", macvlan("m")),
    ];
    let output = convert(world, wasmvark, &files);
    assert_eq!(output.code, Some(0), "{output:?}");
    let made = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("podman "));
    let names: Vec<_> = made.filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(names, ["a", "m", "z"]);
}

/// The words arrive as they are, and comments do nothing.
fn pasted(world: &World, wasmvark: &Wasmvark) {
    let odd = "it's $HOME; `id` \"x\" *";
    let document = json!({"name": "n", "plugins": [
        {"type": "bridge", "bridge": odd, "ipam": {}, "odd key": 1},
        {"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.x": odd, "net.core.somaxconn": "5"}},
    ]});
    let output = convert(world, wasmvark, &[("n.conflist", document)]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let script = format!("podman() {{ printf '%s\\n' \"$@\"; }}\n{}", output.stdout);
    let ran = process::run(&mut Command::new("sh"), script.as_bytes());
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
    let words: Vec<&str> = ran.stdout.lines().collect();
    let expected = [
        "network",
        "create",
        "-d",
        "wasm-bridge",
        "-o",
        &format!("parent={odd}"),
        "-o",
        "sysctl.net.core.somaxconn=5",
        "-o",
        &format!("sysctl.net.ipv4.conf.IFNAME.x={odd}"),
        "--ipam-driver",
        "none",
        "n",
    ];
    assert_eq!(words, expected);
}

fn no_way_out(world: &World, wasmvark: &Wasmvark) {
    let key = "x\npodman system reset --force\r\u{1b}[2J";
    let document = json!({"name": "n", "type": "macvlan", key: 1, "ipam": {key: 1}});
    let output = convert(world, wasmvark, &[("a\npodman b.conf", document)]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let commands = output.stdout.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(commands.count(), 1, "{}", output.stdout);
    assert!(!output.stdout.contains('\u{1b}'));
}

fn for_programs(world: &World, wasmvark: &Wasmvark) {
    let files = [
        (
            "a.conf",
            json!({"name": "a", "type": "tap", "bridge": "br0", "selinuxContext": "x"}),
        ),
        ("b.conf", json!({"name": "b", "type": "tap", "mac": 7})),
        (
            "c.conf",
            json!({"name": "c", "type": "tap", "mac": "02:00:00:00:00:01"}),
        ),
    ];
    let folder = write(world, &files);
    let output = wasmvark.administer(&["convert", "--format", "json", &folder]);
    assert_eq!(output.code, Some(1), "{output:?}");
    let report: Value = serde_json::from_str(&output.stdout).expect("it's JSON");
    let grant = wasmvark.grant_file("wasm-tap");
    assert_eq!(
        report,
        json!({
            "networks": [
                {
                    "file": format!("{folder}/a.conf"),
                    "network": "a",
                    "driver": "wasm-tap",
                    "command": ["podman", "network", "create", "-d", "wasm-tap", "-o", "bridge=br0",
                        "--ipam-driver", "none", "a"],
                    "notes": [{
                        "kind": "no-counterpart",
                        "key": "selinuxContext",
                        "text": report["networks"][0]["notes"][0]["text"],
                    }],
                    "at_run_time": [],
                    "grant": grant,
                    "grant_lines": [
                        "\"links.get\" = { link = \"container:br0\" }",
                        "\"links.set-master\" = { link = \"container:br0\" }",
                    ],
                },
                {
                    "file": format!("{folder}/c.conf"),
                    "network": "c",
                    "driver": "wasm-tap",
                    "command": ["podman", "network", "create", "-d", "wasm-tap",
                        "--ipam-driver", "none", "c"],
                    "notes": [],
                    "at_run_time": [{"key": "mac", "flags": "--network c:mac=02:00:00:00:00:01"}],
                    "grant": grant,
                    "grant_lines": [],
                },
            ],
            "errors": [{
                "file": format!("{folder}/b.conf"),
                "error": "mac: invalid type: integer `7`, expected a string",
            }],
        })
    );
}

fn shared_bridge(world: &World, wasmvark: &Wasmvark) {
    let on_cni0 = |name: &str| json!({"name": name, "type": "bridge", "ipam": {}});
    let files = [("a.conf", on_cni0("a")), ("b.conf", on_cni0("b"))];
    let output = convert(world, wasmvark, &files);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(
        output.stdout.matches("parent=cni0").count(),
        1,
        "{output:?}"
    );
    let (_, second) = output.stdout.split_once("# b.conf").expect("the second");
    assert!(
        second.contains("no counterpart: bridge: network a has bridge cni0"),
        "{second}"
    );
}

fn unreadable(world: &World, wasmvark: &Wasmvark) {
    let empty = write(world, &[]);
    for (path, why) in [(&*empty, ".conflist"), ("/nowhere", "No such file")] {
        let output = wasmvark.administer(&["convert", path]);
        assert_eq!(output.code, Some(1));
        assert!(output.stderr.contains(why), "{output:?}");
        assert_eq!(output.stdout, "");
    }
}
