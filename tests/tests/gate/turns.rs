//! Runs that wait for the network's lock, are told to stop, or are killed.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wasmvark_tests::connection::{CONTAINER_ID, Connection};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::poll;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
const MAKE: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge";
/// A change on the host, and one in the container.
const BOTH: &str = "routes.add host 10.66.0.0/16 blackhole; \
                    links.get host p0; links.create-macvlan container eth0 0 bridge";
/// Another container's id.
const OTHER: &str = "0123456789abcdef";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("turns::{name}"), NEEDS, test);
    test("wait-for-the-run-before", wait_for_the_run_before);
    test("other-networks-do-not-wait", other_networks_do_not_wait);
    test("SIGTERM-undoes-a-setup", || signal_undoes(Signal::SIGTERM));
    test("SIGINT-undoes-a-setup", || signal_undoes(Signal::SIGINT));
    test("a-teardown-ignores-signals", teardown_ignores_signals);
    test("a-killed-setup-is-undone-by-teardown", || {
        killed_then("teardown");
    });
    test("a-killed-setup-is-undone-by-setup", || killed_then("setup"));
    test(
        "a-killed-setup-is-undone-by-another-container",
        undone_by_another,
    );
    test("gc-clears-what-is-gone-only", gc);
    test("nobody-reads-standard-error", nobody_reads_stderr);
}

fn grant() -> Grant {
    Grant::of(&["links.get", "links.create-macvlan", "log.write"])
        .call("routes.add", r#"{ destination = "10.66.0.0/16" }"#)
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

fn lock_file(probe: &Probe<'_>) -> File {
    let folder = probe.wasmvark.root().join("run/lock");
    fs::create_dir_all(&folder).unwrap();
    File::create(folder.join(v4().network_id())).unwrap()
}

fn wait_for_the_run_before() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let lock = Flock::lock(lock_file(&probe), FlockArg::LockExclusive).unwrap();
    let pause = Duration::from_millis(300);
    let start = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(pause);
            drop(lock);
        });
        answer_of(&probe.setup(v4(), MAKE));
    });
    assert!(start.elapsed() >= pause);
    probe.teardown(&v4());
    assert_eq!(
        fs::read_dir(probe.wasmvark.root().join("run/lock"))
            .unwrap()
            .count(),
        0
    );
}

fn other_networks_do_not_wait() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let _lock = Flock::lock(lock_file(&probe), FlockArg::LockExclusive).unwrap();
    answer_of(&probe.setup(v4().network("id", "another"), MAKE));
    probe.teardown(&v4().network("id", "another"));
}

/// Starts a run and waits until the driver has made its link.
fn started(probe: &Probe<'_>, verb: &str, connection: &Connection) -> Child {
    started_at(probe, verb, connection, &probe.world.container)
}

/// The same for another container.
pub(crate) fn started_at(
    probe: &Probe<'_>,
    verb: &str,
    connection: &Connection,
    container: &Netns,
) -> Child {
    let mut plugin: Command = probe
        .world
        .host
        .command(probe.wasmvark.plugins().join(NAME));
    plugin
        .env_clear()
        .env("WASMVARK_ROOT", probe.wasmvark.root())
        .arg(verb)
        .arg(container.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = plugin.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(connection.for_plugin().as_bytes()).unwrap();
    drop(stdin);
    let said = |text: &String| text.contains("\"log.write\"");
    let trail = poll::until(
        || fs::read_to_string(probe.wasmvark.audit_file()).unwrap_or_default(),
        said,
    );
    assert!(
        said(&trail),
        "the driver came as far as its message: {trail}"
    );
    child
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
}

pub(crate) fn ended(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        input_error: None,
    }
}

fn endless() -> Connection {
    v4().option("script", &format!("{BOTH}; log.write info now; loop"))
}

fn signal_undoes(number: Signal) {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = world.dump();
    let child = started(&probe, "setup", &endless());
    signal(&child, number);
    let error = error_of(&ended(child));
    assert!(error.contains(number.as_str()), "{error}");
    world.assert_unchanged(&before);
    assert_nothing_held(&probe);
}

fn teardown_ignores_signals() {
    let world = World::new();
    let probe = Probe::new(&world, &grant().limit("deadline-ms", 500));
    let before = world.dump();
    answer_of(&probe.setup(v4(), BOTH));
    let connection = v4().option("teardown-script", "log.write info now; loop");
    let child = started(&probe, "teardown", &connection);
    signal(&child, Signal::SIGTERM);
    signal(&child, Signal::SIGINT);
    let output = ended(child);
    assert_eq!(output.code, Some(0), "{output:?}");
    world.assert_unchanged(&before);
}

fn killed_setup(probe: &Probe<'_>) {
    let child = started(probe, "setup", &endless());
    signal(&child, Signal::SIGKILL);
    assert_eq!(ended(child).code, None);
    assert!(
        probe.container().has_link("eth0"),
        "it was killed with its work done"
    );
    let held = probe.wasmvark.administer(&["journal"]).stdout;
    assert!(held.contains("setup not finished"), "{held}");
    assert!(held.contains("10.66.0.0/16"), "{held}");
}

fn killed_then(verb: &str) {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    killed_setup(&probe);
    if verb == "setup" {
        answer_of(&probe.setup(v4(), MAKE));
    }
    probe.teardown(&v4());
    assert_nothing_held(&probe);
}

fn undone_by_another() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    killed_setup(&probe);
    let other = v4().for_plugin().replace(CONTAINER_ID, OTHER);
    answer_of(&probe.wasmvark.setup(NAME, other));
    let held = probe.wasmvark.administer(&["journal"]).stdout;
    assert!(
        !held.contains("10.66.0.0/16"),
        "the host's route is gone: {held}"
    );
    assert!(
        probe.container().has_link("eth0"),
        "what is in a container is its own affair"
    );
    probe.teardown(&v4());
    assert_nothing_held(&probe);
}

fn gc() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = world.dump();
    // One container lives, the other's namespace goes without a teardown.
    answer_of(&probe.setup(v4(), MAKE));
    let gone = Netns::new();
    let document = v4()
        .option("script", BOTH)
        .for_plugin()
        .replace(CONTAINER_ID, OTHER);
    let path = gone.path();
    answer_of(
        &probe
            .wasmvark
            .plugin(NAME, &["setup", &path.to_string_lossy()], document),
    );
    let text = probe.wasmvark.administer(&["gc"]).stdout;
    assert!(text.contains("0 cleared, 2 in use"), "{text}");
    drop(gone);
    let held = poll::until(
        || probe.wasmvark.administer(&["journal"]).stdout,
        |held| held.contains("namespace gone") && held.contains("in use"),
    );
    assert!(
        held.contains("namespace gone") && held.contains("in use"),
        "{held}"
    );
    let text = probe.wasmvark.gc_until("1 cleared, 1 in use");
    assert!(text.contains(OTHER), "{text}");
    assert!(
        probe.container().has_link("eth0"),
        "the living one is untouched"
    );
    probe.teardown(&v4());
    world.assert_unchanged(&before);
}

/// As when Podman's monitor cleans up: what can't be told must harm nothing.
fn nobody_reads_stderr() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = world.dump();
    answer_of(&probe.setup(v4(), MAKE));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = world
        .host
        .command(probe.wasmvark.plugins().join(NAME))
        .env_clear()
        .env("WASMVARK_ROOT", probe.wasmvark.root())
        .arg("teardown")
        .arg(world.container.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(writer)
        .spawn()
        .unwrap();
    let script = "log.write error unheard; fail unheard";
    let document = v4().option("teardown-script", script).for_plugin();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(document.as_bytes()).unwrap();
    drop(stdin);
    let output = ended(child);
    assert_eq!(output.code, Some(0), "{output:?}");
    world.assert_unchanged(&before);
}

#[track_caller]
fn assert_nothing_held(probe: &Probe<'_>) {
    let held = probe
        .wasmvark
        .administer(&["journal", "--format", "json"])
        .stdout;
    assert_eq!(held.trim(), "[]");
}
