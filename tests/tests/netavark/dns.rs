//! Names of containers, by the real aardvark-dns.

use std::fs::Permissions;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use wasmvark_tests::connection::{Connection, NETWORK};
use wasmvark_tests::dns;
use wasmvark_tests::executable;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netavark::Netavark;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::patience;
use wasmvark_tests::places;
use wasmvark_tests::poll;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark, Need::AardvarkDns];
const OTHER_ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const GATEWAYS: [&str; 2] = ["10.88.0.1", "fd88::1"];

pub(crate) fn register(suite: &mut Suite) {
    for driver in ["bridge", "ptp"] {
        let mut test = |name: &str, test: fn(&'static str)| {
            suite.test(format!("dns/{driver}/{name}"), NEEDS, move || test(driver));
        };
        test("containers find each other", containers_find_each_other);
        test("--disable-dns", disabled);
        test("without aardvark-dns", not_installed);
        test("a server that doesn't start", start_fails);
        test("other questions", other_questions);
        test("another port", another_port);
    }
    let mut test = |name: &str, test: fn()| {
        suite.test(format!("dns/{name}"), NEEDS, test);
    };
    test("beside a network of netavark's own", beside_netavarks_own);
    test("a killed server", killed_server);
    test("a lock that others hold", locked);
    test("a network by the name of the server's file", reserved_name);
    test("unmanaged bridges", unmanaged);
    test("refused", refused);
    test("internal", internal);
    test("create", create);
}

/// netavark with aardvark-dns, which ends with it.
struct Served<'a> {
    netavark: Netavark<'a>,
    folder: PathBuf,
}

impl<'a> Served<'a> {
    fn new(world: &'a World, driver: &str) -> Self {
        Self::with(world, driver, &places::aardvark_dns().unwrap(), 53)
    }

    fn with(world: &'a World, driver: &str, program: &Path, port: u16) -> Self {
        let wasmvark = Wasmvark::new(world);
        wasmvark.install(driver, &format!("wasm-{driver}"), &Grant::example(driver));
        Self {
            netavark: wasmvark.netavark().with_dns(program, port),
            folder: world.directory().join("aardvark-dns"),
        }
    }

    fn pid(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.folder.join("aardvark.pid")).ok()?;
        let pid = Pid::from_raw(text.trim().parse().ok()?);
        // One that has ended and that nobody has waited for has no program.
        let program = std::fs::read_link(format!("/proc/{pid}/exe"));
        program.is_ok().then_some(pid)
    }

    fn files(&self) -> Vec<String> {
        let entries = self.folder.read_dir().into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != "aardvark.pid").collect();
        names.sort();
        names
    }

    /// Checks that the server has ended, and that no file is left.
    #[track_caller]
    fn assert_ended(&self) {
        let pid = poll::until(|| self.pid(), Option::is_none);
        assert_eq!(pid, None, "the server has ended");
        assert_eq!(self.files(), [""; 0]);
        let above = self.folder.parent().unwrap();
        assert!(!above.join("wasmvark-dns.new").exists());
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}

fn dual(driver: &str) -> Connection {
    Connection::dual(&format!("wasm-{driver}"))
        .network("network_interface", "br0")
        .network("dns_enabled", true)
        .join("aliases", vec!["web", "c0ffee9a8e8f"])
}

fn another(driver: &str) -> Connection {
    dual(driver)
        .container(OTHER_ID)
        .join("static_ips", vec!["10.88.0.3", "fd88::3"])
        .join("aliases", vec!["db", "0123456789ab"])
}

fn addresses(of: &[&str]) -> Option<Vec<std::net::IpAddr>> {
    Some(of.iter().map(|address| address.parse().unwrap()).collect())
}

fn containers_find_each_other(driver: &str) {
    let world = World::forwarding();
    let served = Served::new(&world, driver);
    let before = world.dump();
    let other = Netns::new();
    let status = served.netavark.setup(&dual(driver)).unwrap();
    assert_eq!(status.dns_server_ips.unwrap(), GATEWAYS);
    assert_eq!(status.dns_search_domains.unwrap(), ["dns.podman"]);
    served
        .netavark
        .setup_at(&another(driver), &other.path())
        .unwrap();
    // It takes all signals, though a run blocks some. While it starts a thread, the C library
    // blocks them.
    let status = format!("/proc/{}/status", served.pid().unwrap());
    let takes_all = |status: &String| status.contains("SigBlk:\t0000000000000000\n");
    let status = poll::until(|| std::fs::read_to_string(&status).unwrap(), takes_all);
    assert!(takes_all(&status), "{status}");
    for server in GATEWAYS {
        for name in ["web", "c0ffee9a8e8f", "WEB", "web.dns.podman"] {
            let found = dns::look_up(&other, server, name);
            assert_eq!(
                found,
                addresses(&["10.88.0.2", "fd88::2"]),
                "{name} at {server}"
            );
        }
        let found = dns::look_up(&world.container, server, "db");
        assert_eq!(found, addresses(&["10.88.0.3", "fd88::3"]));
    }
    served.netavark.teardown(&dual(driver)).unwrap();
    let found = poll::until(|| dns::look_up(&other, GATEWAYS[0], "web"), Option::is_none);
    assert_eq!(found, None);
    assert_eq!(
        dns::look_up(&other, GATEWAYS[0], "db"),
        addresses(&["10.88.0.3", "fd88::3"])
    );
    served
        .netavark
        .teardown_at(&another(driver), &other.path())
        .unwrap();
    served.assert_ended();
    world.assert_unchanged(&before);
}

fn disabled(driver: &str) {
    let world = World::forwarding();
    let served = Served::new(&world, driver);
    let connection = dual(driver).network("dns_enabled", false);
    let status = served.netavark.setup(&connection).unwrap();
    assert_eq!(status.dns_server_ips.unwrap_or_default(), [""; 0]);
    assert!(!served.folder.exists());
    served.netavark.teardown(&connection).unwrap();
}

/// As with netavark's own drivers, the network works, and the answer has no server.
fn not_installed(driver: &str) {
    let world = World::forwarding();
    let served = Served::with(&world, driver, &world.file("nowhere"), 53);
    let status = served.netavark.setup(&dual(driver)).unwrap();
    assert_eq!(status.dns_server_ips.unwrap_or_default(), [""; 0]);
    assert_eq!(status.dns_search_domains.unwrap_or_default(), [""; 0]);
    assert_eq!(served.files(), [""; 0]);
    served.netavark.teardown(&dual(driver)).unwrap();
}

fn start_fails(driver: &str) {
    let world = World::forwarding();
    let program = script(&world, "echo no luck >&2; exit 1");
    let served = Served::with(&world, driver, &program, 53);
    let before = world.dump();
    let error = served.netavark.setup(&dual(driver)).unwrap_err();
    assert!(
        error.contains("aardvark-dns failed to start: no luck"),
        "{error}"
    );
    served.assert_ended();
    world.assert_unchanged(&before);
}

fn script(world: &World, text: &str) -> PathBuf {
    let path = world.file("aardvark-dns-script");
    executable::script(&path, text);
    path
}

/// The network's own servers are asked, and nobody else.
fn other_questions(driver: &str) {
    let world = World::forwarding();
    let served = Served::new(&world, driver);
    world.host.ip("address add 192.0.2.53/32 dev lo");
    let server = world.host.run(|| UdpSocket::bind("192.0.2.53:53")).unwrap();
    server
        .set_read_timeout(Some(patience::of(Duration::from_secs(5))))
        .unwrap();
    let connection = dual(driver).network("network_dns_servers", json!(["192.0.2.53"]));
    served.netavark.setup(&connection).unwrap();
    let name = std::thread::scope(|scope| {
        let asked = scope.spawn(|| dns::be_asked(&server));
        let _ = dns::answers(&world.container, GATEWAYS[0], "example.com");
        asked.join().unwrap()
    });
    assert_eq!(name.unwrap(), "example.com");
    served.netavark.teardown(&connection).unwrap();
    served.assert_ended();
}

/// Containers ask port 53, whatever the server listens on.
fn another_port(driver: &str) {
    let world = World::forwarding();
    let program = places::aardvark_dns().unwrap();
    let served = Served::with(&world, driver, &program, 5353);
    let before = world.dump();
    // The host's own server has the usual port.
    let there = world.host.run(|| UdpSocket::bind("0.0.0.0:53")).unwrap();
    served.netavark.setup(&dual(driver)).unwrap();
    for server in GATEWAYS {
        let found = dns::look_up(&world.container, server, "web");
        assert_eq!(found, addresses(&["10.88.0.2", "fd88::2"]), "{server}");
    }
    drop(there);
    served.netavark.teardown(&dual(driver)).unwrap();
    served.assert_ended();
    world.assert_unchanged(&before);
}

fn beside_netavarks_own() {
    let world = World::forwarding();
    let served = Served::new(&world, "bridge");
    let other = Netns::new();
    let own = Connection::new("bridge")
        .network("network_interface", "own0")
        .network(
            "id",
            "53ce4390f2adb1681eb1a90ec8b48c49c015e0a8d336c197637e7f65e365fa9e",
        )
        .network("name", "own")
        .network("dns_enabled", true)
        .subnet("10.89.0.0/24", "10.89.0.1")
        .ip("10.89.0.3")
        .container(OTHER_ID)
        .join("aliases", vec!["db"]);
    served.netavark.setup(&dual("bridge")).unwrap();
    served
        .netavark
        .setup_as("own", &own, &other.path())
        .unwrap();
    assert_eq!(served.files(), ["own", NETWORK]);
    let pid = served.pid().unwrap();
    // Each network's containers find their own.
    assert_eq!(
        dns::look_up(&other, "10.89.0.1", "db"),
        addresses(&["10.89.0.3"])
    );
    assert_eq!(dns::look_up(&other, "10.89.0.1", "web"), None);
    let found = dns::look_up(&world.container, GATEWAYS[0], "web");
    assert_eq!(found, addresses(&["10.88.0.2", "fd88::2"]));
    served.netavark.teardown(&dual("bridge")).unwrap();
    assert_eq!(served.files(), ["own"]);
    assert_eq!(
        dns::look_up(&other, "10.89.0.1", "db"),
        addresses(&["10.89.0.3"])
    );
    assert_eq!(served.pid(), Some(pid));
    served
        .netavark
        .teardown_as("own", &own, &other.path())
        .unwrap();
    served.assert_ended();
}

fn killed_server() {
    let world = World::forwarding();
    let served = Served::new(&world, "bridge");
    let other = Netns::new();
    served.netavark.setup(&dual("bridge")).unwrap();
    let pid = served.pid().unwrap();
    kill(pid, Signal::SIGKILL).unwrap();
    poll::until(|| served.pid(), Option::is_none);
    served
        .netavark
        .setup_at(&another("bridge"), &other.path())
        .unwrap();
    let found = dns::look_up(&other, GATEWAYS[0], "web");
    assert_eq!(found, addresses(&["10.88.0.2", "fd88::2"]));
    // A process that has the server's number by now isn't taken for it, even with its name.
    let pid = served.pid().unwrap();
    kill(pid, Signal::SIGKILL).unwrap();
    poll::until(|| served.pid(), Option::is_none);
    let mut stranger = stranger(&world);
    std::fs::write(
        served.folder.join("aardvark.pid"),
        stranger.0.id().to_string(),
    )
    .unwrap();
    served
        .netavark
        .teardown_at(&another("bridge"), &other.path())
        .unwrap();
    served
        .netavark
        .setup_at(&another("bridge"), &other.path())
        .unwrap();
    let found = dns::look_up(&other, GATEWAYS[0], "web");
    assert_eq!(found, addresses(&["10.88.0.2", "fd88::2"]));
    served
        .netavark
        .teardown_at(&another("bridge"), &other.path())
        .unwrap();
    served.netavark.teardown(&dual("bridge")).unwrap();
    assert_eq!(stranger.0.try_wait().unwrap(), None, "it wasn't signalled");
    served.assert_ended();
}

/// Another user's process by the server's name.
fn stranger(world: &World) -> Stranger {
    let program = world.file("stranger");
    std::fs::create_dir_all(&program).unwrap();
    let program = program.join("aardvark-dns");
    executable::copy(Path::new("/usr/bin/sleep"), &program);
    std::fs::set_permissions(world.directory(), Permissions::from_mode(0o755)).unwrap();
    let mut stranger = Command::new(&program);
    let stranger = Stranger(stranger.arg("600").uid(65534).gid(65534).spawn().unwrap());
    // Its name is that of the test until it runs the program.
    let comm = format!("/proc/{}/comm", stranger.0.id());
    let name = poll::until(
        || std::fs::read_to_string(&comm).unwrap_or_default(),
        |name| name.trim() == "aardvark-dns",
    );
    assert_eq!(name.trim(), "aardvark-dns");
    stranger
}

/// A process that ends with the test.
struct Stranger(Child);

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// netavark's lock can be taken by whoever can read it. A teardown goes on without.
fn locked() {
    let world = World::forwarding();
    let served = Served::new(&world, "bridge");
    let before = world.dump();
    served.netavark.setup(&dual("bridge")).unwrap();
    let lock = served.folder.parent().unwrap().join("aardvark.lock");
    let mode = lock.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others can't even read it");
    let lock = std::fs::File::open(lock).unwrap();
    let lock = Flock::lock(lock, FlockArg::LockExclusive).unwrap();
    served.netavark.teardown(&dual("bridge")).unwrap();
    served.assert_ended();
    world.assert_unchanged(&before);
    let error = served.netavark.setup(&dual("bridge")).unwrap_err();
    assert!(
        error.contains("another process holds aardvark.lock"),
        "{error}"
    );
    drop(lock);
    world.assert_unchanged(&before);
}

/// The server's own file isn't a network's.
fn reserved_name() {
    let world = World::forwarding();
    let served = Served::new(&world, "bridge");
    let before = world.dump();
    let name = "aardvark.pid";
    let connection = dual("bridge").network("name", name);
    let setup = served
        .netavark
        .setup_as(name, &connection, &world.container.path());
    let error = setup.unwrap_err();
    assert!(
        error.contains("a file of its own by the name aardvark.pid"),
        "{error}"
    );
    served
        .netavark
        .teardown_as(name, &connection, &world.container.path())
        .unwrap();
    world.assert_unchanged(&before);
}

fn unmanaged() {
    let world = World::new();
    let served = Served::new(&world, "bridge");
    world.host.ip("link add br0 up type bridge");
    let connection = dual("bridge").option("mode", "unmanaged");
    let error = served.netavark.setup(&connection).unwrap_err();
    assert!(
        error.contains("bridge 'br0' in unmanaged mode has no usable IP addresses. Aardvark-dns"),
        "{error}"
    );
    assert_eq!(served.files(), [""; 0]);
    world.host.ip("address add 10.88.0.100/16 dev br0");
    world.host.ip("address add fd88::100/64 dev br0 nodad");
    let before = world.dump();
    let status = served.netavark.setup(&connection).unwrap();
    assert_eq!(status.dns_server_ips.unwrap(), ["10.88.0.100", "fd88::100"]);
    let found = dns::look_up(&world.container, "10.88.0.100", "web");
    assert_eq!(found, addresses(&["10.88.0.2", "fd88::2"]));
    served.netavark.teardown(&connection).unwrap();
    served.assert_ended();
    world.assert_unchanged(&before);
}

fn refused() {
    let world = World::forwarding();
    let served = Served::new(&world, "bridge");
    let before = world.dump();
    let servers = json!(["192.0.2.1", "10.88.0.1"]);
    for (connection, why) in [
        (
            dual("bridge").join("aliases", vec!["a b"]),
            "can't serve the name \"a b\"",
        ),
        (
            dual("bridge").join("aliases", vec!["a,b"]),
            "can't serve the name \"a,b\"",
        ),
        (
            dual("bridge").join("aliases", vec!["a\n10.88.0.9 x"]),
            "can't serve the name",
        ),
        (
            dual("bridge").network("network_dns_servers", servers),
            "network DNS server 10.88.0.1 matches the gateway of network \"testnet\"",
        ),
    ] {
        let error = served.netavark.setup(&connection).unwrap_err();
        assert!(error.contains(why), "{error}");
        assert_eq!(served.files(), [""; 0]);
        world.assert_unchanged(&before);
    }
}

/// The server answers the containers of an internal network.
fn internal() {
    let world = World::forwarding();
    let served = Served::new(&world, "bridge");
    let connection = dual("bridge").network("internal", true);
    served.netavark.setup(&connection).unwrap();
    // By this name it knows that it must forward nothing.
    assert_eq!(served.files(), [format!("{NETWORK}%int")]);
    let found = dns::look_up(&world.container, GATEWAYS[0], "web");
    assert_eq!(found, addresses(&["10.88.0.2", "fd88::2"]));
    served.netavark.teardown(&connection).unwrap();
    served.assert_ended();
}

fn create() {
    let world = World::new();
    let served = Served::new(&world, "bridge");
    let made = |connection: &Connection| served.netavark.create(connection).unwrap();
    let network = made(&dual("bridge"));
    assert_eq!(network["dns_enabled"], true);
    let network = made(&dual("bridge").ipam("none").network("subnets", json!([])));
    assert_eq!(network["dns_enabled"], false);
    let network = made(&dual("bridge").network("dns_enabled", false));
    assert_eq!(network["dns_enabled"], false);
    let internal = dual("bridge")
        .network("internal", true)
        .network("subnets", json!([{"subnet": "10.77.0.0/24"}]));
    assert_eq!(made(&internal)["subnets"][0]["gateway"], "10.77.0.1");
}
