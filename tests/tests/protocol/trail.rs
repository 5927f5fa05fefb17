//! The audit trail: its files, systemd's journal, and grants that don't require it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use wasmvark_tests::audit;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places::JOURNALD;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, LINKS, NO_LINKS, PROBE, fails, good, installed, with_probe};
use crate::disk::{directory_for_trail, full_trail};

/// Runs at the same time, each for a network of its own.
const AT_ONCE: usize = 6;
/// Runs one after another, for each of them.
const IN_A_ROW: usize = 12;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("trail/many runs rotate it", NO_LINKS, many_runs);
    suite.test("trail/killed runs tear nothing", NO_LINKS, killed_runs);
    suite.test("trail/only so many old files stay", NO_LINKS, oldest_go);
    suite.test("trail/a driver can't fill it", NO_LINKS, filled);
    suite.test("trail/wrong settings", NO_LINKS, wrong_settings);
    suite.test("trail/a lock that nobody frees", NO_LINKS, locked);
    suite.test("trail/not required and full", LINKS, || {
        goes_on_without(full_trail);
    });
    suite.test("trail/not required and a directory", LINKS, || {
        goes_on_without(directory_for_trail);
    });
    suite.test("trail/the journal of systemd", NO_LINKS, journald);
    suite.test(
        "trail/the real journal of systemd",
        &[Need::Root, Need::Journald],
        real_journald,
    );
    suite.test(
        "trail/a journal that nobody reads",
        NO_LINKS,
        stuck_journald,
    );
}

/// Sets the bounds of the trail.
pub(crate) fn rotate(wasmvark: &Wasmvark, size: usize, keep: u32) {
    let text = format!("size = {size}\nkeep = {keep}\n");
    fs::write(wasmvark.root().join("trail.toml"), text).unwrap();
}

/// The files of the trail, the oldest first.
pub(crate) fn files(wasmvark: &Wasmvark) -> Vec<PathBuf> {
    audit::files(&wasmvark.audit_file())
}

/// A request to make a network of a name, in which the driver makes a call that
/// is denied.
fn network(name: &str) -> String {
    let network = Connection::v4(DRIVER).network("name", name);
    let script = "?links.get host p0; ?links.get host lo";
    network.option("create-script", script).for_create()
}

/// Each run has its lines in order, each line is whole, and no file is too
/// large.
fn many_runs() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    rotate(&wasmvark, 4096, 100);
    thread::scope(|scope| {
        for runner in 0..AT_ONCE {
            let wasmvark = &wasmvark;
            scope.spawn(move || {
                for run in 0..IN_A_ROW {
                    let request = network(&format!("n{runner}-{run}"));
                    answer_of(&wasmvark.plugin(DRIVER, &["create"], request));
                }
            });
        }
    });
    let files = files(&wasmvark);
    assert!(files.len() > 10, "{files:?}");
    for file in &files {
        let metadata = fs::metadata(file).unwrap();
        assert!(metadata.len() <= 4096, "{}", file.display());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
    let lines: Vec<audit::Line> = files.iter().flat_map(|file| audit::read(file)).collect();
    for runner in 0..AT_ONCE {
        let prefix = format!("n{runner}-");
        let own = lines.iter().filter(|line| {
            let network = line.network.as_deref().unwrap_or_default();
            network.starts_with(&prefix)
        });
        let own: Vec<(&str, &str)> = own
            .map(|line| (line.network.as_deref().unwrap(), line.event.as_str()))
            .collect();
        let expected = (0..IN_A_ROW).flat_map(|run| {
            let events = ["run", "call", "call", "end"];
            events.map(|event| (format!("n{runner}-{run}"), event))
        });
        let expected: Vec<(String, &str)> = expected.collect();
        let own: Vec<(String, &str)> = own
            .into_iter()
            .map(|(network, event)| (network.to_owned(), event))
            .collect();
        assert_eq!(own, expected);
    }
}

/// Whenever a run is killed: all lines are whole, and runs that came to their
/// end have theirs.
fn killed_runs() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    rotate(&wasmvark, 4096, 100);
    let ended: BTreeSet<String> = thread::scope(|scope| {
        let runners: Vec<_> = (0..AT_ONCE)
            .map(|runner| {
                let wasmvark = &wasmvark;
                scope.spawn(move || {
                    let names = (0..IN_A_ROW).map(|run| format!("n{runner}-{run}"));
                    let delay = |run: usize| Duration::from_micros(700 * run as u64);
                    let ended = names.enumerate().filter(|(run, name)| {
                        let mut plugin = wasmvark.plugin_command(DRIVER);
                        let mut child = plugin
                            .arg("create")
                            .stdin(Stdio::piped())
                            .stdout(Stdio::null())
                            .stderr(Stdio::null())
                            .spawn()
                            .unwrap();
                        let mut stdin = child.stdin.take().unwrap();
                        std::io::Write::write_all(&mut stdin, network(name).as_bytes()).unwrap();
                        drop(stdin);
                        thread::sleep(delay(*run));
                        child.kill().unwrap();
                        child.wait().unwrap().success()
                    });
                    ended.map(|(_, name)| name).collect::<Vec<_>>()
                })
            })
            .collect();
        let all = runners
            .into_iter()
            .flat_map(|runner| runner.join().unwrap());
        all.collect()
    });
    // Nothing is in the way of the next.
    answer_of(&wasmvark.plugin(DRIVER, &["create"], network("last")));
    let lines: Vec<audit::Line> = files(&wasmvark)
        .iter()
        .flat_map(|file| audit::read(file))
        .collect();
    let has_end = |name: &str| {
        let mut ends = lines.iter().filter(|line| line.event == "end");
        ends.any(|line| line.network.as_deref() == Some(name))
    };
    assert!(has_end("last"));
    for name in &ended {
        assert!(has_end(name), "{name}");
    }
}

fn oldest_go() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    rotate(&wasmvark, 4096, 2);
    for run in 0..40 {
        answer_of(&wasmvark.plugin(DRIVER, &["create"], network(&format!("n{run}"))));
    }
    assert_eq!(files(&wasmvark).len(), 3);
    let last = wasmvark.audit().pop().unwrap();
    assert_eq!(last.network.as_deref(), Some("n39"));
}

/// However much a driver names, its lines are short.
fn filled() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    let long = "a".repeat(100_000);
    let script = format!(
        "?sysctl.set host net.{long} 1; ?sysctl.set host net.{} 1; \
         ?links.get-by-path /sys/devices/{}; ?links.get-by-path {long}; ?links.get host {long}; \
         fail {long}",
        "b".repeat(250),
        "c".repeat(4000),
    );
    let request = Connection::v4(DRIVER).option("create-script", &script);
    let output = wasmvark.plugin(DRIVER, &["create"], request.for_create());
    assert_eq!(output.code, Some(1), "{output:?}");
    let trail = fs::read_to_string(wasmvark.audit_file()).unwrap();
    let lengths: Vec<usize> = trail.lines().map(str::len).collect();
    assert_eq!(lengths.len(), 1 + 2 + 1, "{trail}");
    let (end, calls) = lengths.split_last().unwrap();
    assert!(calls.iter().all(|length| *length < 2000), "{lengths:?}");
    assert!(*end < 5000, "{lengths:?}");
}

fn wrong_settings() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    for (size, keep, mention) in [(1, 1, "size"), (4096, 0, "keep")] {
        rotate(&wasmvark, size, keep);
        fails(&world, "create", &["trail.toml", mention], || {
            wasmvark.plugin(DRIVER, &["create"], network("n"))
        });
        let output = wasmvark.teardown(DRIVER, good().for_plugin());
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stderr.contains("trail.toml"), "{output:?}");
    }
    rotate(&wasmvark, 4096, 1);
    let mode = fs::Permissions::from_mode(0o666);
    fs::set_permissions(wasmvark.root().join("trail.toml"), mode).unwrap();
    fails(&world, "create", &["trail.toml", "by others"], || {
        wasmvark.plugin(DRIVER, &["create"], network("n"))
    });
}

/// Somebody who holds the lock for ever keeps runs out, and not waiting for ever.
fn locked() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    answer_of(&wasmvark.plugin(DRIVER, &["create"], network("n")));
    let file = fs::File::open(wasmvark.audit_file()).unwrap();
    file.lock().unwrap();
    fails(&world, "create", &["audit.jsonl", "lock"], || {
        wasmvark.plugin(DRIVER, &["create"], network("n"))
    });
}

/// Where the grant says so, a run goes on without a trail, the driver takes part
/// in teardown, and standard error says what is missing.
fn goes_on_without(damage: fn(&Wasmvark)) {
    let world = World::new();
    let wasmvark = installed(&world);
    let grant = wasmvark.grant_file(DRIVER);
    let text = fs::read_to_string(&grant).unwrap();
    fs::write(&grant, format!("{text}\n[trail]\nrequired = false\n")).unwrap();
    let before = world.dump();
    answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    assert_eq!(wasmvark.teardown(DRIVER, good().for_plugin()).code, Some(0));
    damage(&wasmvark);
    let setup = wasmvark.setup(DRIVER, good().for_plugin());
    answer_of(&setup);
    let teardown = wasmvark.teardown(DRIVER, good().for_plugin());
    assert_eq!(teardown.code, Some(0), "{teardown:?}");
    for output in [&setup, &teardown] {
        let once = output.stderr.matches("goes on without it").count();
        assert_eq!(once, 1, "{output:?}");
        assert!(
            output.stderr.contains("missing in the audit trail"),
            "{output:?}"
        );
    }
    assert!(!teardown.stderr.contains("took no part"), "{teardown:?}");
    world.assert_unchanged(&before);
}

/// Makes a journal to write to.
fn listen(wasmvark: &Wasmvark) -> UnixDatagram {
    let folder = wasmvark.root().join("systemd/journal");
    fs::create_dir_all(&folder).unwrap();
    let socket = UnixDatagram::bind(folder.join("socket")).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn journald() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let grant = Grant::nothing().call("links.get", r#"{ link = "lo" }"#);
    wasmvark.install(PROBE, DRIVER, &grant.call("log.write", "{}"));
    let socket = listen(&wasmvark);
    let script = "?links.get host x0; links.get host lo; fail no more";
    let failing = Connection::v4(DRIVER).option("create-script", script);
    let output = wasmvark.plugin(DRIVER, &["create"], failing.for_create());
    assert_eq!(output.code, Some(1), "{output:?}");
    let mut messages = Vec::new();
    let mut bytes = [0; 4096];
    while let Ok(length) = socket.recv(&mut bytes) {
        messages.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
    }
    let trail = wasmvark.audit();
    assert_eq!(messages.len(), trail.len());
    let digest = wasmvark_tests::grant::digest(&wasmvark_tests::places::guest(PROBE));
    let expected = |message: &str, priority: u8, event: &str| {
        format!(
            "MESSAGE={DRIVER}, create on testnet: {message}\nPRIORITY={priority}\n\
             SYSLOG_IDENTIFIER=wasmvark\nWASMVARK_EVENT={event}\nWASMVARK_COMMAND=create\n\
             WASMVARK_DRIVER={DRIVER}\nWASMVARK_DIGEST={digest}\nWASMVARK_NETWORK=testnet\n"
        )
    };
    let [run, denied, allowed, end] = &messages[..] else {
        panic!("{messages:?}");
    };
    assert_eq!(*run, expected("begins", 6, "run"));
    assert_eq!(
        *denied,
        expected("denied links.get link host:x0", 4, "call")
            + "WASMVARK_CALL=links.get\nWASMVARK_OBJECT=link host:x0\nWASMVARK_VERDICT=deny\n\
               WASMVARK_REACH={ link = \"x0\" }\n"
    );
    assert_eq!(
        *allowed,
        expected("allowed links.get link host:lo", 6, "call")
            + "WASMVARK_CALL=links.get\nWASMVARK_OBJECT=link host:lo\nWASMVARK_VERDICT=allow\n\
               WASMVARK_REACH={ link = \"lo\" }\n"
    );
    assert_eq!(
        *end,
        expected("is over: no more", 3, "end") + "WASMVARK_ERROR=no more\n"
    );
}

/// Runs a plugin beside systemd's journal, in a mount namespace of their own, and
/// prints what the journal has of it.
const BESIDE_JOURNALD: &str = r#"
set -e
mount --make-rprivate /
mount -t tmpfs none /run
mkdir -p /run/systemd/journal /run/log/journal
if ! [ -s /etc/machine-id ]; then
    echo 0123456789abcdef0123456789abcdef >/run/machine-id
    mount --bind /run/machine-id /etc/machine-id
fi
"$1" >/dev/null 2>&1 </dev/null &
trap 'kill $!' EXIT
for _ in $(seq 200); do [ -S /run/systemd/journal/socket ] && break; sleep 0.05; done
"$2" create >/dev/null || true
show() { journalctl --directory=/run/log/journal --quiet --output=json SYSLOG_IDENTIFIER=wasmvark; }
for _ in $(seq 200); do show | grep -q '"end"' && break; sleep 0.05; done
show
"#;

fn real_journald() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    let folder = wasmvark.root().join("systemd/journal");
    fs::create_dir_all(&folder).unwrap();
    symlink("/run/systemd/journal/socket", folder.join("socket")).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", BESIDE_JOURNALD, "sh", JOURNALD])
        .arg(wasmvark.plugins().join(DRIVER))
        .env("WASMVARK_ROOT", wasmvark.root());
    let output = process::run(&mut command, network("lan").as_bytes());
    assert_eq!(output.code, Some(0), "{output:?}");
    let entries = output.stdout.lines();
    let entries: Vec<Value> = entries
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let field = |name: &str| -> Vec<&str> {
        let values = entries.iter().map(|entry| entry[name].as_str());
        values.map(Option::unwrap_or_default).collect()
    };
    assert_eq!(field("WASMVARK_EVENT"), ["run", "call", "call", "end"]);
    assert_eq!(field("WASMVARK_DRIVER"), [DRIVER; 4]);
    assert_eq!(field("PRIORITY"), ["6", "4", "4", "6"]);
    assert_eq!(
        field("MESSAGE")[2],
        "wasm-macvlan, create on lan: denied links.get link host:lo"
    );
}

/// A journal whose queue is full doesn't keep a run waiting.
fn stuck_journald() {
    let world = World::new();
    let wasmvark = with_probe(&world, DRIVER);
    let socket = listen(&wasmvark);
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    let path = socket.local_addr().unwrap();
    filler.connect(path.as_pathname().unwrap()).unwrap();
    while filler.send(&[0; 1024]).is_ok() {}
    answer_of(&wasmvark.plugin(DRIVER, &["create"], network("n")));
    assert_eq!(wasmvark.audit().len(), 4);
    // A file in the socket's place is as good as none.
    let path = wasmvark.root().join("systemd/journal/socket");
    drop(socket);
    answer_of(&wasmvark.plugin(DRIVER, &["create"], network("n")));
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    let mut plugin = wasmvark.plugin_command(DRIVER);
    answer_of(&process::run(plugin.arg("create"), network("n").as_bytes()));
}
