//! The size of answers. They must fit into the pipe, because Podman reads only after
//! the plugin has ended.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use serde_json::{Value, json};
use wasmvark_tests::connection::Connection;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::patience;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::{NO_LINKS, with_probe};

const NAME: &str = "probe";
/// Bytes of the longest answer.
const MAX: usize = 16 << 10;
/// The smallest pipe that there can be.
const SMALLEST: i32 = 4096;

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("answers/{name}"), NO_LINKS, test);
    test("servers and domains at the limit", at_the_limit);
    test("too many servers or domains", beyond);
    test("a long error", long_error);
    test("many changes of a network", many_changes);
    test("a network that a driver makes long", made_long);
    test("a network that is long by itself", long_by_itself);
}

/// Runs a driver, waits for its end, and reads what it has written then.
fn wait_then_read(mut plugin: Command, input: &str, pipe: i32) -> (ExitStatus, String) {
    let (mut reader, writer) = pipe_of(pipe);
    let mut child = plugin
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Nobody else may hold the end that is written to.
    drop(plugin);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let status = ended(&mut child);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    (status, text)
}

fn pipe_of(bytes: i32) -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    fcntl(writer.as_fd(), FcntlArg::F_SETPIPE_SZ(bytes)).unwrap();
    (reader, writer)
}

#[track_caller]
fn ended(child: &mut Child) -> ExitStatus {
    let end = Instant::now() + patience::of(Duration::from_secs(30));
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    panic!("the plugin waits for somebody who reads");
}

fn create(wasmvark: &Wasmvark<'_>, document: &str) -> (ExitStatus, String) {
    let mut plugin = wasmvark.plugin_command(NAME);
    plugin.arg("create");
    wait_then_read(plugin, document, SMALLEST)
}

fn setup(wasmvark: &Wasmvark<'_>, script: &str) -> (ExitStatus, String) {
    let mut plugin = wasmvark.plugin_command(NAME);
    plugin.arg("setup").arg(wasmvark.world().container.path());
    let document = Connection::v4(NAME).option("script", script).for_plugin();
    wait_then_read(plugin, &document, SMALLEST)
}

#[track_caller]
fn succeeds((status, text): (ExitStatus, String)) -> Value {
    assert!(status.success(), "{text}");
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn fails((status, text): (ExitStatus, String)) -> String {
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(text.len() <= MAX, "{} bytes", text.len());
    let document: Value = serde_json::from_str(&text).unwrap();
    document["error"].as_str().unwrap().to_owned()
}

/// A script whose results are so many search domains, each as long as one can be.
fn domains(count: usize) -> String {
    // The result is the word, a dot and "invalid".
    let word = "d".repeat(253 - ".invalid".len());
    format!("?{word}; ").repeat(count)
}

fn at_the_limit() {
    let world = World::new();
    let wasmvark = with_probe(&world, NAME);
    let script = format!(
        "{}{}",
        "dns fd00:1111:2222:3333:4444:5555:6666:7777; ".repeat(3),
        domains(32)
    );
    let answer = succeeds(setup(&wasmvark, &script));
    assert_eq!(answer["dns_server_ips"].as_array().unwrap().len(), 3);
    assert_eq!(answer["dns_search_domains"].as_array().unwrap().len(), 32);
}

fn beyond() {
    let world = World::new();
    let wasmvark = with_probe(&world, NAME);
    for (script, words) in [
        (
            "dns 192.0.2.1; ".repeat(4),
            ["4 addresses as DNS servers", "at most 3"],
        ),
        (domains(33), ["33 names as search domains", "at most 32"]),
    ] {
        let error = fails(setup(&wasmvark, &script));
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

fn long_error() {
    let world = World::new();
    let wasmvark = with_probe(&world, NAME);
    for character in ["a", "ü", "\"", "\u{7f}"] {
        let error = fails(setup(
            &wasmvark,
            &format!("fail {}", character.repeat(200_000)),
        ));
        assert!(error.ends_with(" …"), "{error}");
    }
}

fn document(option: &str, value: &str) -> Value {
    json!({
        "name": "net", "id": "ab".repeat(32), "driver": NAME, "internal": true,
        "ipv6_enabled": false, "dns_enabled": false, "options": {option: value},
        "subnets": [{"subnet": "10.99.0.0/24", "gateway": "10.99.0.1"}],
    })
}

fn many_changes() {
    let world = World::new();
    let wasmvark = with_probe(&world, NAME);
    let script = |count| "change set-option k v; ".repeat(count);
    let of = |count| document("create-script", &script(count)).to_string();
    succeeds(create(&wasmvark, &of(64)));
    let error = fails(create(&wasmvark, &of(65)));
    assert!(
        error.contains("65") && error.contains("at most 64"),
        "{error}"
    );
    let long = format!("change set-option k {}", "v".repeat(17_000));
    let error = fails(create(
        &wasmvark,
        &document("create-script", &long).to_string(),
    ));
    assert!(error.contains("at most 16384"), "{error}");
}

fn made_long() {
    let world = World::new();
    let wasmvark = with_probe(&world, NAME);
    // The script is in the document already, and once more in the option.
    let script = format!("change set-option k {}", "v".repeat(9000));
    let error = fails(create(
        &wasmvark,
        &document("create-script", &script).to_string(),
    ));
    assert!(error.contains("at most 16384"), "{error}");
}

/// Longer than the pipe is, and than one usually is.
fn long_by_itself() {
    let world = World::new();
    let wasmvark = with_probe(&world, NAME);
    let label = "x".repeat(100_000);
    let answer = succeeds(create(&wasmvark, &document("label", &label).to_string()));
    assert_eq!(answer["options"]["label"], label);
}
