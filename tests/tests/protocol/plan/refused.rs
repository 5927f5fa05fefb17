//! Plans that fail in the same way as the run.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use wasmvark_tests::connection::Connection;
use wasmvark_tests::executable;
use wasmvark_tests::grant::{Grant, digest};
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::plan::Trial;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::error_of;
use wasmvark_tests::world::{PARENT, World};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("plan/{name}"), NEEDS, test);
    test("a denied call", denied);
    test("a call out of reach", out_of_reach);
    test("a missing parent", missing_parent);
    test("a name that is taken", taken_name);
    test("a wrong document", wrong_documents);
    test("a file with and without a grant", files);
    test("code that is kept", kept_code);
    test("no such driver", no_driver);
    test("a driver without a grant", no_grant);
    test("a driver that loops", looping);
    test("too many calls", too_many_calls);
    test("a network that is to be made", create);
    test("who isn't root", rootless);
}

/// Checks that a plan fails with what the run fails with, and that neither
/// changes anything.
#[track_caller]
fn fails_alike(trial: &Trial<'_>, connection: &Connection, mentions: &str) -> Output {
    let (before, files) = (trial.world.dump(), trial.files());
    let netns = trial.world.container.path().display().to_string();
    let output = trial.run(&connection.for_plugin(), &["--netns", &netns]);
    assert_eq!(output.code, Some(1), "{output:?}");
    trial.world.assert_unchanged(&before);
    assert_eq!(trial.files(), files, "files changed");
    let real = error_of(&trial.wasmvark.setup(&trial.name, connection.for_plugin()));
    assert!(real.contains(mentions), "{real}");
    assert!(output.stdout.contains(&real), "{output:?}\n{real}");
    assert!(output.stderr.contains(&real), "{output:?}\n{real}");
    output
}

fn denied() {
    let world = World::new();
    let grant = Grant::macvlan().without("routes.add");
    let trial = Trial::with(&world, "macvlan", &grant);
    let connection = Connection::v4(&trial.name);
    let output = fails_alike(&trial, &connection, "routes.add");
    let lines = output.stdout.lines();
    let lines: Vec<String> = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in [
        "7 denied routes.add route container:0.0.0.0/0 via 10.88.0.1",
        "8 undone link container:eth0 made",
    ] {
        assert!(lines.iter().any(|own| own == line), "{}", output.stdout);
    }
    assert!(!output.stdout.contains("+ eth0"), "{}", output.stdout);
}

/// A denial says what the grant lacks, not what it has.
fn out_of_reach() {
    let world = World::new();
    let call = "sysctl.enable-ip-forward";
    let grant = Grant::example("bridge").without(call).call(call, "{}");
    let trial = Trial::with(&world, "bridge", &grant);
    let connection = Connection::v4(&trial.name).network("network_interface", "br0");
    let output = fails_alike(&trial, &connection, call);
    let lacks = "setting host:net.ipv4.ip_forward  (lacks { key = \"net.ipv4.ip_forward\" })";
    assert!(output.stdout.contains(lacks), "{}", output.stdout);
}

fn missing_parent() {
    let world = World::new();
    let trial = Trial::of(&world, "macvlan");
    let connection = Connection::v4(&trial.name).network("network_interface", "none0");
    let output = fails_alike(&trial, &connection, "none0");
    let line = "link host:none0: No such device (ENODEV)";
    assert!(output.stdout.contains(line), "{}", output.stdout);
}

fn taken_name() {
    let world = World::new();
    world.container.ip("link add eth0 type veth peer eth1");
    let trial = Trial::of(&world, "macvlan");
    let connection = Connection::v4(&trial.name);
    let output = fails_alike(&trial, &connection, "eth0");
    assert!(output.stdout.contains("(EEXIST)"), "{}", output.stdout);
    // A new namespace has no such link.
    let output = trial.run(&connection.for_plugin(), &[]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn wrong_documents() {
    let world = World::new();
    let trial = Trial::of(&world, "macvlan");
    let setup = Connection::v4(&trial.name).for_plugin();
    for (document, mentions) in [
        (String::new(), "EOF"),
        ("[]".to_owned(), "setup"),
        ("{\"network\": {}}".to_owned(), "setup"),
        ("{}".to_owned(), "network"),
        (setup.replace("10.88.0.2", "10.99.0.2"), "static IPs"),
        (setup.replace("\"eth0\"", "\"a/b\""), "a/b"),
    ] {
        let output = trial.run(&document, &[]);
        assert_eq!(output.code, Some(1), "{document}: {output:?}");
        assert!(output.stderr.contains(mentions), "{document}: {output:?}");
        assert_eq!(output.stdout, "", "{document}: {output:?}");
    }
    let output = trial.wasmvark.administer(&["plan", &trial.name, "/none"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("can't read /none"), "{output:?}");
}

fn files() {
    let world = World::new();
    let trial = Trial::of(&world, "macvlan");
    let file = places::guest("macvlan");
    let driver = file.to_str().expect("a plain path");
    let document = Connection::v4("macvlan").for_plugin();
    let (before, there) = (world.dump(), trial.files());
    let output = trial.run_of(driver, &document, &[]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stdout.contains("denied  links.get"), "{output:?}");
    let output = trial.run_of(driver, &document, &["--grant-requested"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let grant = world.file("grant.toml");
    fs::write(&grant, Grant::macvlan().to_toml("macvlan", &file)).unwrap();
    let grant = grant.to_str().expect("a plain path");
    let output = trial.run_of(driver, &document, &["--grant", grant]);
    assert_eq!(output.code, Some(0), "{output:?}");
    // A grant for trying out needn't say which component it is for.
    let unpinned = world.file("unpinned.toml");
    let toml = Grant::macvlan().to_toml("macvlan", &file);
    let digest = format!("digest = \"{}\"\n", digest(&file));
    fs::write(&unpinned, toml.replace(&digest, "")).unwrap();
    let unpinned = unpinned.to_str().expect("a plain path");
    let output = trial.run_of(driver, &document, &["--grant", unpinned]);
    assert_eq!(output.code, Some(0), "{output:?}");
    // An installed driver with a grant that it hasn't yet.
    let other = world.file("other.toml");
    let toml = Grant::nothing().to_toml(&trial.name, &file);
    fs::write(&other, toml).unwrap();
    let other = other.to_str().expect("a plain path");
    let output = trial.run(&document, &["--grant", other]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stdout.contains("denied"), "{output:?}");
    let output = trial.run_of(driver, &document, &["--grant", other]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("other.toml"), "{output:?}");
    world.assert_unchanged(&before);
    let is_code = |path: &Path| path.starts_with(trial.wasmvark.root().join("cache"));
    let mut now = trial.files();
    now.retain(|path, _| !is_code(path));
    assert_eq!(now, there);
}

/// The code of a component that isn't installed is compiled once. Code that somebody changed
/// isn't used.
fn kept_code() {
    let world = World::new();
    let trial = Trial::of(&world, "macvlan");
    let file = places::guest("macvlan");
    let driver = file.to_str().expect("a plain path");
    let document = Connection::v4("macvlan").for_plugin();
    let plan = || {
        let output = trial.run_of(driver, &document, &["--grant-requested"]);
        assert_eq!(output.code, Some(0), "{output:?}");
        output.stdout
    };
    let cache = trial.wasmvark.root().join("cache");
    let code = || {
        let mut files = trial.files();
        files.retain(|path, _| path.parent() == Some(&cache));
        files.retain(|path, _| path.extension() == Some("cwasm".as_ref()));
        let (path, bytes) = files.into_iter().next().expect("the code is kept");
        let inode = fs::metadata(&path).unwrap().ino();
        (path, bytes, inode)
    };
    let first = plan();
    let kept = code();
    assert_eq!(plan(), first);
    assert_eq!(code(), kept, "nothing is compiled again");
    fs::write(&kept.0, b"other code").unwrap();
    assert_eq!(plan(), first);
    assert_eq!(code().1, kept.1, "it is compiled again");
    let mode = Permissions::from_mode(0o777);
    fs::set_permissions(&cache, mode).unwrap();
    let before = code();
    assert_eq!(plan(), first);
    assert_eq!(
        code(),
        before,
        "a folder that others may write to has no code"
    );
}

fn no_driver() {
    let world = World::new();
    let trial = Trial::of(&world, "macvlan");
    let output = trial.run_of("none", "{}", &[]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("none: no driver"), "{output:?}");
    let file = world.file("text.wasm");
    fs::write(&file, "text").unwrap();
    let document = Connection::v4("text").for_plugin();
    let output = trial.run_of(file.to_str().unwrap(), &document, &[]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("not a valid"), "{output:?}");
}

fn no_grant() {
    let world = World::new();
    let trial = Trial::of(&world, "macvlan");
    fs::remove_file(trial.wasmvark.grant_file(&trial.name)).unwrap();
    let document = Connection::v4(&trial.name).for_plugin();
    let real = error_of(&trial.wasmvark.setup(&trial.name, &document));
    let output = trial.run(&document, &[]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains(&real), "{output:?}");
    let output = trial.run(&document, &["--grant-requested"]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn probe<'a>(world: &'a World, grant: &Grant) -> Trial<'a> {
    Trial::with(world, "probe", grant)
}

fn script(trial: &Trial<'_>, script: &str) -> Connection {
    Connection::v4(&trial.name).option("script", script)
}

fn looping() {
    let world = World::new();
    let grant = Grant::of(&["links.get"]).limit("deadline-ms", 300);
    let trial = probe(&world, &grant);
    fails_alike(&trial, &script(&trial, "loop"), "300 ms");
}

fn too_many_calls() {
    let world = World::new();
    let grant = Grant::of(&["links.get"]).limit("calls", 3);
    let trial = probe(&world, &grant);
    let get = format!("links.get host {PARENT};").repeat(5);
    fails_alike(&trial, &script(&trial, &get), "3 calls");
}

fn create() {
    let world = World::new();
    let trial = Trial::of(&world, "macvlan");
    let connection = Connection::v4(&trial.name)
        .without_network("network_interface")
        .option("parent", PARENT);
    let output = trial.run(&connection.for_create(), &[]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.starts_with("plan of    create\n"));
    let answer = format!("\"network_interface\":\"{PARENT}\"");
    assert!(output.stdout.contains(&answer), "{output:?}");
    let connection = connection.option("egress_burst", "10k");
    let output = trial.run(&connection.for_create(), &[]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output.stderr.contains("the create would fail"),
        "{output:?}"
    );
}

/// Reading takes no rights.
fn rootless() {
    let world = World::new();
    let trial = Trial::of(&world, "macvlan");
    let file = places::guest("macvlan");
    let component = world.file("macvlan.wasm");
    fs::copy(file, &component).unwrap();
    let (program, request) = (world.file("wasmvark"), world.file("request.json"));
    executable::copy(&places::wasmvark(), &program);
    fs::write(&request, Connection::dual("macvlan").for_plugin()).unwrap();
    let open = "chmod -R go+rX .";
    let mut shell = world.host.command("sh");
    let script = format!(
        "{open} && exec setpriv --reuid 65534 --regid 65534 --clear-groups ./wasmvark --root \
         /nonexistent plan macvlan.wasm request.json --grant-requested"
    );
    let shell = shell.args(["-c", &script]).current_dir(world.directory());
    let output = wasmvark_tests::process::run(shell, b"");
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("+ eth0"), "{output:?}");
    drop(trial);
}
