//! Networks without subnets get free ones when they are created.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use wasmvark_tests::connection::{Connection, INTERFACE};
use wasmvark_tests::flow::Transport::Tcp;
use wasmvark_tests::flow::{connect, from};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::driver::Installed;

const NEEDS: &[Need] = &[Need::Root, Need::Netavark];

/// The number of networks that are created at once.
const AT_ONCE: usize = 8;

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| {
        suite.test(format!("subnets/{name}"), NEEDS, test);
    };
    test("what is in use is passed over", in_use);
    test("each version that is wanted", versions);
    test("at the same time", at_once);
    test("a network that Podman didn't keep", not_kept);
    test("no free one", none_free);
    test("what Podman does not read", unknown);
    test("a wide route", wide_route);
    test("planned", planned);
    test("not granted", not_granted);
    test("from create to teardown", whole_way);
    test("an internal network", internal);
}

/// A driver with a containers.conf of its own.
struct Machine<'a> {
    installed: Installed<'a>,
    driver: String,
    networks: PathBuf,
    conf: PathBuf,
}

impl<'a> Machine<'a> {
    fn new(world: &'a World, driver: &str, settings: &str) -> Self {
        Self::of(Installed::example(world, driver), driver, settings)
    }

    fn of(installed: Installed<'a>, driver: &str, settings: &str) -> Self {
        let networks = installed.world.file("networks");
        fs::create_dir(&networks).expect("a folder can be made");
        let conf = installed.world.file("containers.conf");
        let text = format!("[network]\nnetwork_config_dir = {networks:?}\n{settings}\n");
        fs::write(&conf, text).expect("a file can be written");
        Self {
            installed,
            driver: format!("wasm-{driver}"),
            networks,
            conf,
        }
    }

    /// A network whose subnets nobody gave.
    fn network(&self, id: &str) -> Connection {
        Connection::new(&self.driver)
            .network("id", id)
            .network("name", format!("net-{id}"))
            .without_network("network_interface")
            .without_network("ipam_options")
    }

    fn command(&self) -> Command {
        let mut plugin = self.installed.wasmvark.plugin_command(&self.driver);
        plugin.env("CONTAINERS_CONF", &self.conf).arg("create");
        plugin
    }

    fn create(&self, network: &Connection) -> process::Output {
        process::run(&mut self.command(), network.for_create().as_bytes())
    }

    #[track_caller]
    fn subnets(&self, network: &Connection) -> Vec<String> {
        subnets(&answer_of(&self.create(network)))
    }

    /// Keeps a network as Podman does.
    fn keep(&self, name: &str, network: &Value) {
        let file = self.networks.join(format!("{name}.json"));
        fs::write(file, network.to_string()).expect("a file can be written");
    }
}

fn subnets(network: &Value) -> Vec<String> {
    let subnets = network["subnets"].as_array().into_iter().flatten();
    let subnets = subnets.map(|subnet| subnet["subnet"].as_str().expect("a text"));
    subnets.map(str::to_owned).collect()
}

const POOL: &str = r#"default_subnet = "10.70.4.0/24"
default_subnet_pools = [
    { base = "10.70.0.0/29", size = 29 },
    { base = "10.70.0.0/16", size = 24 },
]"#;

fn in_use() {
    let world = World::new();
    let machine = Machine::new(&world, "bridge", POOL);
    world.host.ip_batch(
        &[],
        "link add d0 type bridge
         address add 10.70.0.1/24 dev d0
         route add blackhole 10.70.1.0/25
         link add d1 type bridge
         link set d1 up
         route add 10.70.2.128/25 dev d1 table 100
         route add default dev d1
         route add 0.0.0.0/1 dev d1
         route add 128.0.0.0/1 dev d1",
    );
    let theirs = json!({
        "name": "theirs", "id": "theirs", "driver": "bridge",
        "subnets": [{"subnet": "10.70.3.0/24"}, {"subnet": "fd70::/64"}],
    });
    machine.keep("theirs", &theirs);
    // The default network's subnet is in use before that network is made.
    assert_eq!(machine.subnets(&machine.network("a")), ["10.70.5.0/24"]);
    assert_eq!(machine.subnets(&machine.network("b")), ["10.70.6.0/24"]);
    // A network that is made anew has its own subnet.
    assert_eq!(machine.subnets(&machine.network("a")), ["10.70.5.0/24"]);
}

/// As with netavark's own bridge.
fn versions() {
    let world = World::new();
    let machine = Machine::new(&world, "bridge", "");
    let plain = || machine.network("a");
    let v6 = |subnet: &str| {
        let is_local = subnet.starts_with("fd") && subnet.ends_with("::/64");
        assert!(is_local, "{subnet}");
    };
    let created = answer_of(&machine.create(&plain()));
    assert_eq!(subnets(&created), ["10.89.0.0/24"]);
    assert_eq!(created["ipam_options"], json!({"driver": "host-local"}));
    let host_local = plain().ipam("host-local");
    assert_eq!(machine.subnets(&host_local), ["10.89.0.0/24"]);

    let both = machine.subnets(&plain().network("ipv6_enabled", true));
    assert_eq!((both.len(), &*both[0]), (2, "10.89.0.0/24"));
    v6(&both[1]);
    let ranged = json!([{"subnet": "10.1.0.0/24", "lease_range": {"start_ip": "10.1.0.9"}}]);
    let ranged = plain().network("subnets", ranged);
    let created = answer_of(&machine.create(&ranged.network("ipv6_enabled", true)));
    assert_eq!(created["subnets"][0]["lease_range"]["start_ip"], "10.1.0.9");
    v6(&subnets(&created)[1]);
    let given = plain()
        .network("ipv6_enabled", true)
        .subnet("fd01::/64", "");
    assert_eq!(machine.subnets(&given), ["fd01::/64", "10.89.0.0/24"]);

    for given in [
        plain().subnet("10.1.0.0/24", ""),
        plain().subnet("fd01::/64", ""),
    ] {
        assert_eq!(machine.subnets(&given).len(), 1);
    }
    for without in [plain().ipam("none"), plain().option("trunk", "10-20")] {
        assert_eq!(machine.subnets(&without), [""; 0]);
    }
}

fn at_once() {
    let world = World::new();
    let machine = Machine::new(&world, "ptp", POOL);
    let mut created: Vec<Vec<String>> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                let network = machine.network(&format!("n{number}"));
                let mut command = machine.command();
                scope.spawn(move || {
                    let output = process::run(&mut command, network.for_create().as_bytes());
                    subnets(&answer_of(&output))
                })
            })
            .collect();
        let runs = runs.into_iter();
        runs.map(|run| run.join().expect("it ends")).collect()
    });
    created.sort();
    created.dedup();
    assert_eq!(created.len(), AT_ONCE, "{created:?}");
}

/// Its subnet is given again when there is no other, and Podman surely doesn't have it.
fn not_kept() {
    let world = World::new();
    let pool = r#"default_subnet_pools = [{ base = "10.70.0.0/24", size = 25 }]"#;
    let machine = Machine::new(&world, "bridge", pool);
    let first = answer_of(&machine.create(&machine.network("a")));
    let second = answer_of(&machine.create(&machine.network("b")));
    assert_eq!(subnets(&second), ["10.70.0.128/25"]);
    let error = error_of(&machine.create(&machine.network("c")));
    assert!(error.contains("no free subnet"), "{error}");
    let kept = machine.installed.wasmvark.root().join("lib/networks");
    for network in ["a", "b"] {
        let file = fs::File::options()
            .append(true)
            .open(kept.join(format!("{network}.json")));
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(120);
        file.and_then(|file| file.set_modified(then))
            .expect("a file's time can be set");
    }
    machine.keep("a", &first);
    assert_eq!(machine.subnets(&machine.network("c")), ["10.70.0.128/25"]);
}

fn none_free() {
    let world = World::new();
    let machine = Machine::new(&world, "bridge", POOL);
    world.host.ip("route add blackhole 10.0.0.0/8");
    let network = machine.network("a");
    let error = error_of(&machine.create(&network));
    for part in ["default_subnet_pools", "no free subnet", "give --subnet"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let given = network.clone().subnet("10.1.0.0/24", "");
    assert_eq!(machine.subnets(&given), ["10.1.0.0/24"]);
    world.host.ip("route add blackhole fc00::/7");
    let given = given.network("ipv6_enabled", true);
    let error = error_of(&machine.create(&given));
    assert!(error.contains("fd00::/8 has no free subnet"), "{error}");
}

/// Podman passes over what is no network. Its own configuration must be readable.
fn unknown() {
    let world = World::new();
    let machine = Machine::new(&world, "bridge", POOL);
    let theirs = json!({"name": "n", "id": "n", "driver": "bridge",
        "subnets": [{"subnet": "10.70.0.0/24"}]});
    machine.keep("theirs", &theirs);
    // Where umask is 002, Podman's files are like this.
    let file = machine.networks.join("theirs.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).expect("a mode can be set");
    for broken in ["", "{"] {
        fs::write(machine.networks.join("broken.json"), broken).expect("a file can be written");
    }
    fs::create_dir(machine.networks.join("folder.json")).expect("a folder can be made");
    // What else is in its file is no matter.
    let odd = json!({"id": "o", "name": 7, "options": [], "subnets": [{"subnet": "10.70.2.0/24"}]});
    machine.keep("odd", &odd);
    assert_eq!(machine.subnets(&machine.network("a")), ["10.70.1.0/24"]);
    assert_eq!(machine.subnets(&machine.network("c")), ["10.70.3.0/24"]);
    let unclear = machine.networks.join("unclear.json");
    fs::write(&unclear, r#"{"subnets":[{"subnet":"?"}]}"#).expect("a file can be written");
    let error = error_of(&machine.create(&machine.network("d")));
    assert!(error.contains("unclear.json"), "{error}");
    fs::remove_file(&unclear).expect("a file can be removed");
    for conf in [
        "[network]\ndefault_subnet_pools = [{ base = \"10.0.0.0/16\", size = 8 }]\n",
        "[network",
    ] {
        fs::write(&machine.conf, conf).expect("a file can be written");
        let error = error_of(&machine.create(&machine.network("a")));
        assert!(error.contains("containers.conf can't be read"), "{error}");
    }
    // Podman without networks has no folder.
    let conf = format!(
        "[network]\nnetwork_config_dir = {:?}\n{POOL}",
        world.file("none")
    );
    fs::write(&machine.conf, conf).expect("a file can be written");
    assert_eq!(machine.subnets(&machine.network("b")), ["10.70.0.0/29"]);
}

/// All of a VPN's network is hardly in use, but what else there is goes first.
fn wide_route() {
    let world = World::new();
    let machine = Machine::new(&world, "bridge", POOL);
    let way = "addr add 192.0.2.1/24 dev p0\nroute add 10.0.0.0/8 via 192.0.2.2";
    world.host.ip_batch(&[], way);
    world.host.ip("route add 10.70.0.0/24 via 192.0.2.3");
    assert_eq!(machine.subnets(&machine.network("a")), ["10.70.1.0/24"]);
    let elsewhere = POOL.replace("]", "    { base = \"172.20.0.0/16\", size = 24 },\n]");
    let conf = format!(
        "[network]\nnetwork_config_dir = {:?}\n{elsewhere}",
        machine.networks
    );
    fs::write(&machine.conf, conf).expect("a file can be written");
    assert_eq!(machine.subnets(&machine.network("b")), ["172.20.0.0/24"]);
}

/// It says what create does, and keeps nothing.
fn planned() {
    let world = World::new();
    let machine = Machine::new(&world, "ptp", POOL);
    let wasmvark = &machine.installed.wasmvark;
    let mut plan = wasmvark.command("plan");
    plan.env("CONTAINERS_CONF", &machine.conf);
    plan.args([&machine.driver, "-", "--format", "json"]);
    let network = machine.network("a").for_create();
    for _ in 0..2 {
        let output = process::run(&mut plan, network.as_bytes());
        assert!(output.stdout.contains("10.70.0.0/29"), "{output:?}");
    }
    assert_eq!(machine.subnets(&machine.network("a")), ["10.70.0.0/29"]);
}

fn not_granted() {
    let world = World::new();
    let call = "addresses.allocate-subnet";
    let grant = Grant::example("bridge").without(call);
    let installed = Installed::with(&world, "bridge", &grant);
    let machine = Machine::of(installed, "bridge", POOL);
    let error = error_of(&machine.create(&machine.network("a")));
    assert!(error.contains(&format!("\"{call}\" = {{}}")), "{error}");
    let kept = machine.installed.wasmvark.root().join("lib/networks");
    assert!(!kept.join("a.json").exists());
}

/// The subnet counts as the user's word: the bridge gets its gateway.
fn whole_way() {
    for driver in ["bridge", "ptp"] {
        let world = World::forwarding();
        let machine = Machine::new(&world, driver, POOL);
        let network = machine.network("a").network("ipv6_enabled", true);
        let mut made = answer_of(&machine.create(&network));
        let v6 = subnets(&made)[1].clone();
        let v6 = v6.trim_end_matches("/64");
        let gateways = ["10.70.0.1".to_owned(), format!("{v6}1")];
        // Podman chooses the gateways that a driver leaves open.
        for (subnet, gateway) in gateways.iter().enumerate() {
            made["subnets"][subnet]["gateway"] = json!(gateway);
        }
        let connection = network.to_made(made).ip("10.70.0.2").ip(&format!("{v6}2"));
        let before = world.dump();
        let setup = machine
            .installed
            .wasmvark
            .setup(&machine.driver, connection.for_plugin());
        let answer = answer_of(&setup);
        assert!(answer["interfaces"][INTERFACE].is_object(), "{answer}");
        for server in [
            format!("{}:7000", gateways[0]),
            format!("[{}]:7000", gateways[1]),
        ] {
            connect(Tcp, from(&world.container), &server, (&world.host, &server));
        }
        let wasmvark = &machine.installed.wasmvark;
        let output = wasmvark.teardown(&machine.driver, connection.for_plugin());
        assert_eq!(output.code, Some(0), "{output:?}");
        world.assert_unchanged(&before);
    }
}

/// The gateway is the host's end of ptp's link, and keeps the host out of a bridge.
fn internal() {
    for (driver, gateway) in [("bridge", Value::Null), ("ptp", json!("10.70.0.1"))] {
        let world = World::new();
        let machine = Machine::new(&world, driver, POOL);
        let network = machine.network("a").network("internal", true);
        let made = answer_of(&machine.create(&network));
        assert_eq!(made["subnets"][0]["gateway"], gateway, "{driver}");
    }
}
