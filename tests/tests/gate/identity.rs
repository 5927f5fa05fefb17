//! The return of links that were moved into a container. A link returns only if it's
//! the same one, whatever the container did. A missing link stays in the journal until
//! it's found or given up.

use std::fs;
use std::path::Path;

use serde_json::Value;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::poll;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{Wasmvark, answer_of, error_of};
use wasmvark_tests::world::{Before, PARENT, World};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
const DRIVER: &str = "card";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("identity::{name}"), NEEDS, test);
    test("a-forgery-with-its-index-name-and-address", || {
        forgery(PARENT);
    });
    test("a-forgery-where-the-other-end-is-on-the-host", || {
        forgery("v0");
    });
    test("a-forgery-of-a-macvlan", forged_macvlan);
    test("a-link-that-moved-on", moved_on);
    test("another-name-address-and-mtu", disguised);
    test("a-name-that-is-none", odd_names);
    test("a-port-of-a-bridge", port_of_a_bridge);
    test("a-namespace-that-was-swapped", swapped_namespace);
    test("a-namespace-that-is-kept-alive", kept_alive);
    test("another-container-of-the-network", other_container);
    test("forget", forget);
    test("forget-what-is-there", forget_what_is_there);
    test("forget-finds-what-is-back", forget_finds);
    test("the-other-end-in-the-container", other_end_in_the_container);
    test("kinds-that-nothing-tells-apart", nothing_tells);
    test("alternative-names", alternative_names);
    test("a-journal-of-an-older-version", older_journal);
    test("what-was-changed-before-the-move-waits", changed_before);
}

/// A world where the driver that moves links is installed.
struct Scene<'a> {
    world: &'a World,
    wasmvark: Wasmvark<'a>,
    before: Before,
    connection: Connection,
}

impl<'a> Scene<'a> {
    /// The link has something that must come back.
    fn new(world: &'a World, link: &str, make: &str) -> Self {
        Self::granted(world, link, make, &Grant::host_device())
    }

    fn granted(world: &'a World, link: &str, make: &str, grant: &Grant) -> Self {
        let dress = format!(
            "{make}\nlink set {link} mtu 1400\naddr add 192.0.2.200/24 dev {link}\n\
             link set {link} up\nroute add 198.51.100.0/24 via 192.0.2.7 dev {link}"
        );
        world.host.ip_batch(&[], dress.trim_start());
        let wasmvark = Wasmvark::new(world);
        wasmvark.install("host-device", DRIVER, grant);
        Self {
            before: world.dump(),
            connection: Connection::v4(DRIVER).network("network_interface", link),
            world,
            wasmvark,
        }
    }

    fn run(&self, command: &str, netns: &Path) -> Output {
        let arguments = [command, &*netns.to_string_lossy()];
        let document = self.connection.for_plugin();
        self.wasmvark.plugin(DRIVER, &arguments, document)
    }

    fn setup(&self) {
        answer_of(&self.run("setup", &self.world.container.path()));
        let taken = Dump::of(&self.world.host);
        assert!(!taken.has_link(self.link()), "it has moved");
    }

    fn link(&self) -> &str {
        let names = ["v0", "m0", "i0", PARENT].into_iter();
        let mut names = names.filter(|name| self.before.host.has_link(name));
        names.next().unwrap()
    }

    /// Tears down, which doesn't find the link and says so.
    #[track_caller]
    fn finds_nothing(&self, netns: &Netns) -> String {
        let now = self.world.dump();
        let error = error_of(&self.run("teardown", &netns.path()));
        for text in [
            "the link is missing",
            "wasmvark journal forget",
            "wasmvark gc",
        ] {
            assert!(error.contains(text), "{text}: {error}");
        }
        self.world.assert_unchanged(&now);
        self.is_held();
        error
    }

    /// The journal and the doctor say that the link is missing.
    #[track_caller]
    fn is_held(&self) {
        let held = self.journal();
        assert_eq!(held[0]["state"], "link missing", "{held}");
        assert!(held[0]["changes"][0]["missing"].is_string(), "{held}");
        let findings = self.wasmvark.administer(&["doctor", "--format", "json"]);
        let findings: Value = serde_json::from_str(&findings.stdout).unwrap();
        let mut findings = findings["findings"].as_array().unwrap().iter();
        let finding = findings.find(|finding| finding["check"] == "journals");
        let finding = finding.expect("the doctor looks at journals");
        assert_eq!(finding["state"], "problem", "{finding}");
        let remedy = finding["remedy"].as_str().unwrap();
        assert!(remedy.contains("wasmvark journal forget"), "{remedy}");
    }

    fn journal(&self) -> Value {
        let output = self.wasmvark.administer(&["journal", "--format", "json"]);
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// Tears down, which succeeds and leaves the host as it was.
    #[track_caller]
    fn comes_back(&self) {
        let output = self.run("teardown", &self.world.container.path());
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_unchanged(&self.world.host, &self.before.host, "the host's namespace");
        assert_eq!(self.journal(), serde_json::json!([]));
    }

    fn index(&self) -> u32 {
        let line = self.world.container.ip_batch(&["-o"], "link show eth0");
        line.split(':').next().unwrap().trim().parse().unwrap()
    }
}

fn to(netns: &Netns, link: &str, name: &str) -> String {
    format!(
        "link set {link} netns {} name {name}",
        netns.path().display()
    )
}

/// Parks the link that the container has, and makes another one in its place
/// with its name, index and MAC address.
fn forge(scene: &Scene<'_>, hidden: &Netns) {
    let container = &scene.world.container;
    let (index, mac) = (scene.index(), Dump::of(container).mac("eth0"));
    container.ip_batch(
        &[],
        &format!("link set eth0 down\n{}", to(hidden, "eth0", "parked")),
    );
    // Links of the kind ifb keep theirs.
    if Dump::of(hidden).kind("parked") != "ifb" {
        hidden.ip("link set parked address 02:00:00:00:00:ee");
    }
    container.ip(&format!(
        "link add name eth0 index {index} address {mac} type veth peer name tap0 netns {}",
        hidden.path().display()
    ));
}

/// It stays where it is, and gets nothing of the host's. The real one is found
/// as soon as it's back, under whatever name and index.
fn forgery(link: &str) {
    let world = World::new();
    let make = match link {
        PARENT => "",
        _ => "link add v0 type veth peer v1\nlink set v1 up",
    };
    let scene = Scene::new(&world, link, make);
    scene.setup();
    let hidden = Netns::new();
    forge(&scene, &hidden);
    let error = scene.finds_nothing(&world.container);
    assert!(error.contains("eth0 is in its place"), "{error}");
    assert!(error.contains("ip netns list-id"), "{error}");
    scene.finds_nothing(&world.container);
    hidden.ip(&to(&world.container, "parked", "lan0"));
    scene.comes_back();
    let left = Dump::of(&world.container);
    assert!(left.has_link("eth0") && !left.has_link("lan0"));
}

/// What lies on the same link of the host isn't the same link.
fn forged_macvlan() {
    let world = World::new();
    let make = format!(
        "link add m0 link {PARENT} type macvlan mode bridge\n\
         link add m1 link {PARENT} type macvlan mode bridge"
    );
    let scene = Scene::new(&world, "m0", &make);
    scene.setup();
    let hidden = Netns::new();
    forge(&scene, &hidden);
    scene.finds_nothing(&world.container);
    let container = &world.container;
    container.ip("link del eth0");
    scene.finds_nothing(container);
    hidden.ip("link set parked address 02:00:00:00:00:ef");
    hidden.ip(&to(container, "parked", "eth0"));
    scene.comes_back();
}

fn moved_on() {
    let world = World::new();
    let scene = Scene::new(&world, PARENT, "");
    scene.setup();
    let hidden = Netns::new();
    world.container.ip(&to(&hidden, "eth0", "eth0"));
    scene.finds_nothing(&world.container);
    // Neither a setup of this container nor gc gives up.
    let error = error_of(&scene.run("setup", &world.container.path()));
    assert!(error.contains("the link is missing"), "{error}");
    let output = scene.wasmvark.administer(&["gc"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    scene.is_held();
    // The host finds it where it has come to by itself.
    hidden.ip(&to(&world.host, "eth0", "strange"));
    let output = scene.wasmvark.administer(&["gc"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    scene.comes_back();
}

fn disguised() {
    let world = World::new();
    let scene = Scene::new(&world, PARENT, "");
    scene.setup();
    world.container.ip_batch(
        &[],
        "link set eth0 down\nlink set eth0 name lan0\n\
         link set lan0 address 02:00:00:00:00:ee mtu 1300 alias other up\n\
         link add eth0 type veth peer name eth1",
    );
    scene.comes_back();
}

/// The kernel takes names that links have nowhere else.
fn odd_names() {
    let world = World::new();
    let scene = Scene::new(&world, PARENT, "");
    for name in ["übel", "\u{1}odd"] {
        scene.setup();
        let rename = format!("link set eth0 down\nlink set eth0 name {name}");
        world.container.ip_batch(&[], &rename);
        scene.comes_back();
    }
    // What a driver made goes with the namespace, and teardown isn't held up.
    let make = "links.get host p0; links.create-macvlan container eth0 0 bridge";
    let wasmvark = Wasmvark::new(&world);
    let grant = Grant::of(&["links.get", "links.create-macvlan"]);
    wasmvark.install("probe", "probe", &grant);
    let connection = Connection::v4("probe").option("script", make);
    answer_of(&wasmvark.setup("probe", connection.for_plugin()));
    world.container.ip("link set eth0 name übel");
    let output = wasmvark.teardown("probe", connection.for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn port_of_a_bridge() {
    let world = World::new();
    let scene = Scene::new(&world, PARENT, "");
    scene.setup();
    world
        .container
        .ip_batch(&[], "link add br0 type bridge\nlink set eth0 master br0");
    scene.comes_back();
}

/// Another namespace's links aren't the container's, whatever they are called.
fn swapped_namespace() {
    let world = World::new();
    let scene = Scene::new(&world, PARENT, "");
    scene.setup();
    let index = scene.index();
    let mac = Dump::of(&world.container).mac("eth0");
    let other = Netns::new();
    other.ip(&format!(
        "link add name eth0 index {index} address {mac} type veth peer name eth1 index 99"
    ));
    scene.finds_nothing(&other);
    assert!(Dump::of(&other).has_link("eth0"));
    scene.comes_back();
}

/// Its file is gone, but somebody still has the namespace.
fn kept_alive() {
    let world = World::new();
    let scene = Scene::new(&world, PARENT, "");
    scene.setup();
    let error = error_of(&scene.run("teardown", Path::new("/no/such/namespace")));
    assert!(error.contains("the link is missing"), "{error}");
    scene.is_held();
    scene.comes_back();
    // With its last user it's gone, and so is a veth link in it.
    let container = Netns::new();
    answer_of(&scene.run("setup", &container.path()));
    drop(container);
    // Programs that other tests start may have it for a moment.
    let output = poll::until(
        || scene.run("teardown", Path::new("/no/such/namespace")),
        |output| output.code == Some(0),
    );
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(scene.journal(), serde_json::json!([]));
    let audit = scene.wasmvark.audit();
    let gone = audit.iter().filter_map(|line| line.object.as_deref());
    let gone: Vec<&str> = gone.filter(|object| object.contains("is gone")).collect();
    assert_eq!(
        gone,
        ["link host:p0 moved to container:eth0, which is gone"]
    );
}

/// It works while another one's link is missing.
fn other_container() {
    let world = World::new();
    let scene = Scene::new(
        &world,
        PARENT,
        "link add v0 type veth peer v1\nlink set v1 up\nlink set v0 up",
    );
    answer_of(&scene.run("setup", &world.container.path()));
    let hidden = Netns::new();
    world.container.ip(&to(&hidden, "eth0", "eth0"));
    scene.finds_nothing(&world.container);
    let two = Scene {
        connection: Connection::v4(DRIVER)
            .network("network_interface", "v0")
            .container("0123456789abcdef"),
        wasmvark: Wasmvark::new(&world),
        world: &world,
        before: world.dump(),
    };
    let other = Netns::new();
    answer_of(&two.run("setup", &other.path()));
    let output = two.run("teardown", &other.path());
    assert_eq!(output.code, Some(0), "{output:?}");
    world.assert_unchanged(&two.before);
    scene.is_held();
}

/// The entry goes, on record, and nothing is done to any link.
fn forget() {
    let world = World::new();
    let scene = Scene::new(&world, PARENT, "");
    scene.setup();
    let hidden = Netns::new();
    forge(&scene, &hidden);
    scene.finds_nothing(&world.container);
    let now = world.dump();
    let id = scene.connection.container_id().to_owned();
    let wrong = ["journal", "forget", &*id, "--network", "nope"];
    assert_eq!(scene.wasmvark.administer(&wrong).code, Some(1));
    scene.is_held();
    let output = scene.wasmvark.administer(&["journal", "forget", &id[..8]]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let text = "link host:p0 moved to container:eth0";
    assert!(output.stdout.contains("Gave up"), "{output:?}");
    assert!(output.stdout.contains(text), "{output:?}");
    world.assert_unchanged(&now);
    assert_eq!(scene.journal(), serde_json::json!([]));
    let audit = scene.wasmvark.audit();
    let mut given_up = audit.iter().filter(|line| line.event == "forget");
    let line = given_up.next().expect("the trail has it");
    assert_eq!(line.object.as_deref(), Some(text));
    let output = scene.run("teardown", &world.container.path());
    assert_eq!(output.code, Some(0), "{output:?}");
    world.assert_unchanged(&now);
}

fn forget_what_is_there() {
    let world = World::new();
    let scene = Scene::new(&world, PARENT, "");
    scene.setup();
    let id = scene.connection.container_id().to_owned();
    for id in [&*id, "nobody"] {
        let output = scene.wasmvark.administer(&["journal", "forget", id]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("is missing"), "{output:?}");
    }
    scene.comes_back();
}

fn forget_finds() {
    let world = World::new();
    let scene = Scene::new(&world, PARENT, "");
    scene.setup();
    let hidden = Netns::new();
    world.container.ip(&to(&hidden, "eth0", "eth0"));
    scene.finds_nothing(&world.container);
    hidden.ip(&to(&world.host, "eth0", "strange"));
    let id = scene.connection.container_id().to_owned();
    let output = scene.wasmvark.administer(&["journal", "forget", &id]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("Found and put back"), "{output:?}");
    scene.comes_back();
}

/// Whoever has one end makes another pair with the same ends.
fn other_end_in_the_container() {
    let world = World::new();
    let make = format!(
        "link add v0 type veth peer v1 netns {}",
        world.container.path().display()
    );
    let scene = Scene::new(&world, "v0", &make);
    let error = error_of(&scene.run("setup", &world.container.path()));
    assert!(error.contains("v0 is a veth link"), "{error}");
    assert!(error.contains("EOPNOTSUPP"), "{error}");
    world.assert_unchanged(&scene.before);
}

/// They don't move, unless the grant names them.
fn nothing_tells() {
    let world = World::new();
    let scene = Scene::new(&world, "i0", "link add i0 type ifb");
    let error = error_of(&scene.run("setup", &world.container.path()));
    for text in ["i0 is a ifb link", "macvlan", "link = \"i0\""] {
        assert!(error.contains(text), "{text}: {error}");
    }
    world.assert_unchanged(&scene.before);
    let world = World::new();
    let grant = Grant::host_device()
        .without("links.move-to-container")
        .call("links.move-to-container", r#"{ link = "i0" }"#);
    let scene = Scene::granted(&world, "i0", "link add i0 type ifb", &grant);
    scene.setup();
    // By its looks, one of another kind isn't it.
    let hidden = Netns::new();
    forge(&scene, &hidden);
    scene.finds_nothing(&world.container);
    world.container.ip("link del eth0");
    hidden.ip(&to(&world.container, "parked", "eth0"));
    scene.comes_back();
}

/// The container takes the link's own away, and adds one that the host has
/// elsewhere.
fn alternative_names() {
    let world = World::new();
    world.host.ip_batch(
        &[],
        "link add x0 type veth peer x1\nlink property add dev x0 altname elsewhere0\n\
         link property add dev p0 altname a-card-with-a-long-name altname card1",
    );
    let scene = Scene::new(&world, PARENT, "");
    scene.setup();
    world.container.ip_batch(
        &[],
        "link property del dev eth0 altname a-card-with-a-long-name\n\
         link property add dev eth0 altname elsewhere0 altname containers altname p0",
    );
    scene.comes_back();
    let names = world.host.ip_batch(&["-j"], "link show p0");
    let names: Value = serde_json::from_str(&names).unwrap();
    let names = names[0]["altnames"].as_array().unwrap();
    let mut names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["a-card-with-a-long-name", "card1"]);
}

/// It goes by index, name and MAC address, as that version did.
fn older_journal() {
    let world = World::new();
    let scene = Scene::new(&world, PARENT, "");
    scene.setup();
    let files = scene.wasmvark.run_files();
    let journal = files
        .iter()
        .find(|file| file.extension().is_some_and(|it| it == "jsonl"));
    let journal = journal.expect("there is a journal");
    let text = fs::read_to_string(journal).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty()).map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let saved = line
            .get_mut("begin")
            .and_then(|begin| begin.get_mut("saved"));
        if let Some(saved) = saved.and_then(Value::as_object_mut) {
            for new in ["identity", "peer", "alternative_names"] {
                saved.remove(new).expect("this version writes it");
            }
        }
        format!("{line}\n")
    });
    let text: String = lines.collect();
    fs::write(journal, text).unwrap();
    let hidden = Netns::new();
    world.container.ip(&to(&hidden, "eth0", "eth0"));
    scene.finds_nothing(&world.container);
    hidden.ip(&to(&world.container, "eth0", "eth0"));
    scene.comes_back();
}

/// The link that was changed is the one that is missing: the change isn't
/// forgotten, and is undone with it.
fn changed_before() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let grant = Grant::of(&["links.get", "links.move-to-container"])
        .call("links.set-mtu", r#"{ link = "p0" }"#);
    wasmvark.install("probe", "probe", &grant);
    let before = world.dump();
    let script = "links.get host p0; links.set-mtu 0 1300; links.move-to-container 0 eth0";
    let connection = Connection::v4("probe").option("script", script);
    answer_of(&wasmvark.setup("probe", connection.for_plugin()));
    let hidden = Netns::new();
    world.container.ip(&to(&hidden, "eth0", "eth0"));
    let error = error_of(&wasmvark.teardown("probe", connection.for_plugin()));
    assert!(error.contains("the link is missing"), "{error}");
    hidden.ip(&to(&world.container, "eth0", "eth0"));
    let output = wasmvark.teardown("probe", connection.for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    world.assert_unchanged(&before);
}
