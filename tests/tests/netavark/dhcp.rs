//! Addresses by DHCP, with netavark's own proxy and a real server.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::echo;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netavark::Netavark;
use wasmvark_tests::places;
use wasmvark_tests::poll;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::wire::{self, NEIGHBOUR};
use wasmvark_tests::world::{PARENT, World};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan, Need::Netavark, Need::Dnsmasq];
const SERVER: &str = "10.77.0.1";
const MAC: &str = "02:77:00:00:00:09";

/// The lines of the drivers' grants that only DHCP needs.
pub(crate) const LINES: [(&str, &[&str]); 2] = [
    ("macvlan", &["dhcp.lease", "links.info", "links.set-mtu"]),
    ("bridge", &["dhcp.lease", "links.set-mtu"]),
];

pub(crate) fn register(suite: &mut Suite) {
    for driver in ["macvlan", "bridge"] {
        let mut test = |name: &str, test: fn(&'static str)| {
            suite.test(format!("dhcp/{driver}/{name}"), NEEDS, move || test(driver));
        };
        test("a lease and its end", a_lease_and_its_end);
        test("no proxy", no_proxy);
        test("no server", no_server);
        test("the proxy is killed", killed_proxy);
        test("every line is needed", every_line_is_needed);
        test("a killed setup", killed_setup);
    }
    suite.test("dhcp/create", NEEDS, create);
}

/// A DHCP server behind the parent, and netavark's proxy.
struct Lan<'a> {
    world: &'a World,
    netavark: Netavark<'a>,
    folder: PathBuf,
    programs: Vec<Child>,
}

impl<'a> Lan<'a> {
    fn new(world: &'a World, driver: &str) -> Self {
        let wasmvark = Wasmvark::new(world);
        wasmvark.install(driver, &format!("wasm-{driver}"), &Grant::example(driver));
        if driver == "bridge" {
            world.host.ip("link add br0 up type bridge forward_delay 0");
            world.host.ip(&format!("link set {PARENT} master br0"));
            wire::wait_for_carrier(&world.host, "br0");
        }
        let folder = wasmvark.root().join("podman");
        std::fs::create_dir_all(&folder).unwrap();
        Self {
            world,
            netavark: wasmvark.netavark(),
            folder,
            programs: Vec::new(),
        }
    }

    fn with_server(mut self) -> Self {
        let neighbour = &self.world.neighbour;
        neighbour.ip(&format!("address add {SERVER}/24 dev {NEIGHBOUR}"));
        let mut dnsmasq = neighbour.command(places::DNSMASQ);
        dnsmasq
            .args([
                "--conf-file=/dev/null",
                "--user=root",
                "--port=0",
                "--no-ping",
            ])
            .args([
                "--keep-in-foreground",
                "--dhcp-authoritative",
                "--bind-interfaces",
            ])
            .args([
                "--log-dhcp",
                "--dhcp-option=option:mtu,1400",
                "--except-interface=lo",
            ])
            .arg(format!("--interface={NEIGHBOUR}"))
            .arg("--dhcp-range=10.77.0.50,10.77.0.59,255.255.255.0,10m")
            .arg("--dhcp-host=02:77:00:00:00:09,10.77.0.99")
            .arg(format!("--dhcp-option=option:router,{SERVER}"))
            .arg(format!(
                "--dhcp-option=option:dns-server,{SERVER},10.77.0.2"
            ))
            .arg(format!(
                "--log-facility={}",
                self.file("dnsmasq.log").display()
            ))
            .arg(format!(
                "--dhcp-leasefile={}",
                self.file("dnsmasq.leases").display()
            ))
            .arg(format!("--pid-file={}", self.file("dnsmasq.pid").display()));
        self.start(&mut dnsmasq);
        let listens = || self.log().contains("DHCP, sockets bound");
        assert!(poll::until(listens, |listens| *listens), "{}", self.log());
        self
    }

    fn with_proxy(mut self) -> Self {
        let mut proxy = self.world.host.command(places::tool("netavark"));
        proxy.args(["dhcp-proxy", "--activity-timeout", "0", "--dir"]);
        proxy.arg(&self.folder);
        let _ = std::fs::remove_file(self.socket());
        self.start(&mut proxy);
        assert!(poll::until(|| self.socket().exists(), |there| *there));
        self
    }

    fn start(&mut self, command: &mut Command) {
        let program = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.programs.push(program.spawn().unwrap());
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn socket(&self) -> PathBuf {
        self.file("nv-proxy.sock")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.file("dnsmasq.log")).unwrap_or_default()
    }

    /// Returns the MAC addresses that the proxy has leases for.
    fn leases(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.file("nv-proxy.lease")).unwrap_or_default();
        let leases: serde_json::Value =
            serde_json::from_str(text.trim_matches('\0')).unwrap_or(json!({}));
        let leases = leases.as_object().unwrap();
        leases.keys().cloned().collect()
    }
}

impl Drop for Lan<'_> {
    fn drop(&mut self) {
        for program in &mut self.programs {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

fn connection(driver: &str) -> Connection {
    let connection = Connection::new(&format!("wasm-{driver}"))
        .ipam("dhcp")
        .without_join("static_ips")
        .join("static_mac", MAC);
    match driver {
        "bridge" => connection
            .network("network_interface", "br0")
            .option("mode", "unmanaged"),
        _ => connection,
    }
}

fn a_lease_and_its_end(driver: &str) {
    let world = World::new();
    let lan = Lan::new(&world, driver).with_server().with_proxy();
    let before = world.dump();
    let status = lan.netavark.setup(&connection(driver)).unwrap();
    assert_eq!(status.dns_server_ips.unwrap(), [SERVER, "10.77.0.2"]);
    let interface = &status.interfaces[INTERFACE];
    assert_eq!(interface.mac_address, MAC);
    let subnet = &interface.subnets.as_ref().unwrap()[0];
    assert_eq!(subnet.ipnet, "10.77.0.99/24");
    assert_eq!(subnet.gateway.as_deref(), Some(SERVER));
    let container = Dump::of(&world.container);
    assert_eq!(container.cidrs(INTERFACE), ["10.77.0.99/24"]);
    assert_eq!(container.mtu(INTERFACE), 1400);
    // The server knows the container's name.
    let told = |log: &String| log.contains(&format!("10.77.0.99 {MAC} test"));
    let log = poll::until(|| lan.log(), told);
    assert!(told(&log), "{log}");
    echo::exchange((&world.container, "10.77.0.99"), (&world.neighbour, SERVER));
    assert_eq!(lan.leases(), [MAC]);
    lan.netavark.teardown(&connection(driver)).unwrap();
    assert_eq!(poll::until(|| lan.leases(), Vec::is_empty), [""; 0]);
    world.assert_unchanged(&before);
    // The user's MTU goes before the server's.
    let given = connection(driver).option("mtu", "1450");
    lan.netavark.setup(&given).unwrap();
    assert_eq!(Dump::of(&world.container).mtu(INTERFACE), 1450);
    lan.netavark.teardown(&given).unwrap();
    world.assert_unchanged(&before);
}

fn no_proxy(driver: &str) {
    let world = World::new();
    let lan = Lan::new(&world, driver);
    let before = world.dump();
    let error = lan.netavark.setup(&connection(driver)).unwrap_err();
    assert!(error.contains("netavark-dhcp-proxy.socket"), "{error}");
    world.assert_unchanged(&before);
}

/// The proxy gives up after 8 s, before the run's time is over.
fn no_server(driver: &str) {
    let world = World::new();
    let lan = Lan::new(&world, driver).with_proxy();
    let before = world.dump();
    let error = lan.netavark.setup(&connection(driver)).unwrap_err();
    assert!(error.contains("dhcp.lease on"), "{error}");
    world.assert_unchanged(&before);
    assert_eq!(lan.leases(), [""; 0]);
}

/// The lease has ended with the proxy, so there is nothing to release.
fn killed_proxy(driver: &str) {
    let world = World::new();
    let mut lan = Lan::new(&world, driver).with_server().with_proxy();
    let before = world.dump();
    lan.netavark.setup(&connection(driver)).unwrap();
    let mut proxy = lan.programs.pop().unwrap();
    kill(
        Pid::from_raw(proxy.id().try_into().unwrap()),
        Signal::SIGKILL,
    )
    .unwrap();
    proxy.wait().unwrap();
    lan.netavark.teardown(&connection(driver)).unwrap();
    world.assert_unchanged(&before);
    // One that was started again knows nothing of it.
    let lan = lan.with_proxy();
    lan.netavark.setup(&connection(driver)).unwrap();
    lan.netavark.teardown(&connection(driver)).unwrap();
    world.assert_unchanged(&before);
}

fn every_line_is_needed(driver: &str) {
    let world = World::new();
    let lan = Lan::new(&world, driver).with_server().with_proxy();
    let before = world.dump();
    let (_, calls) = LINES.iter().find(|(of, _)| *of == driver).unwrap();
    for call in *calls {
        let wasmvark = Wasmvark::new(&world);
        let grant = Grant::example(driver).without(call);
        wasmvark.install(driver, &format!("wasm-{driver}"), &grant);
        let error = lan.netavark.setup(&connection(driver)).unwrap_err();
        assert!(
            error.contains(&format!("{call} ")) && error.contains("denied"),
            "{error}"
        );
        assert_eq!(poll::until(|| lan.leases(), Vec::is_empty), [""; 0]);
        world.assert_unchanged(&before);
    }
}

/// The lease is on record before the proxy is asked. So the next run ends it.
fn killed_setup(driver: &str) {
    let world = World::new();
    let lan = Lan::new(&world, driver).with_server().with_proxy();
    let before = world.dump();
    // The run is killed as soon as the proxy has the lease, whether or not it has answered.
    std::thread::scope(|scope| {
        let setup = scope.spawn(|| lan.netavark.setup(&connection(driver)));
        let leases = poll::until(|| lan.leases(), |leases| !leases.is_empty());
        assert_eq!(leases, [MAC]);
        for plugin in plugins_of(&world) {
            let _ = kill(plugin, Signal::SIGKILL);
        }
        // It may have been over already.
        let _ = setup.join().unwrap();
    });
    lan.netavark.teardown(&connection(driver)).unwrap();
    assert_eq!(poll::until(|| lan.leases(), Vec::is_empty), [""; 0]);
    world.assert_unchanged(&before);
}

/// Returns the processes of plugins in a world.
fn plugins_of(world: &World) -> Vec<Pid> {
    let folder = world.directory().to_string_lossy().into_owned();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    ids.filter(|id| {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let program = line.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(program).starts_with(&folder)
    })
    .map(Pid::from_raw)
    .collect()
}

fn create() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    for driver in ["macvlan", "bridge", "ipvlan"] {
        wasmvark.install(driver, &format!("wasm-{driver}"), &Grant::example(driver));
    }
    let netavark = wasmvark.netavark();
    let open = |driver: &str| {
        connection(driver)
            .network("ipam_options", json!({}))
            .network("subnets", json!([]))
    };
    assert_eq!(
        netavark.create(&open("macvlan")).unwrap()["ipam_options"]["driver"],
        "dhcp"
    );
    let made = netavark.create(&connection("macvlan")).unwrap();
    assert_eq!(made["ipam_options"]["driver"], "dhcp");
    assert_eq!(made["dns_enabled"], false);
    world.host.ip("link add br0 type bridge");
    let made = netavark.create(&connection("bridge")).unwrap();
    assert_eq!(made["ipam_options"]["driver"], "dhcp");
    for (connection, why) in [
        (
            connection("bridge").option("mode", "managed"),
            "cannot use dhcp ipam driver without using the option mode=unmanaged",
        ),
        (
            connection("macvlan").subnet("10.77.0.0/24", SERVER),
            "ipam driver dhcp set but subnets are set",
        ),
        (
            connection("macvlan").option("no_default_route", "true"),
            "the option no_default_route has no effect with ipam driver dhcp",
        ),
        (
            connection("ipvlan"),
            "ipam driver dhcp is not supported with",
        ),
    ] {
        let error = netavark.create(&connection).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
